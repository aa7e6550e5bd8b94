"""Names of types: those a script may write, and what a value is."""

from __future__ import annotations

import re
from typing import Any

from .errors import AUTOMATION, ERROR_CATEGORY, EXCEPTION_BASES
from .values import EnumType, PsObject, UnknownConstruct, is_null, type_names

ENUMS = {
    kind.name.lower(): kind
    for kind in (
        ERROR_CATEGORY,
        EnumType("System.DayOfWeek", {day: number for number, day in enumerate(
            ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"))}),
        EnumType("System.DateTimeKind", {"Unspecified": 0, "Utc": 1, "Local": 2}),
        EnumType("System.StringSplitOptions", {"None": 0, "RemoveEmptyEntries": 1}),
        EnumType("System.IO.Compression.CompressionMode", {"Decompress": 0, "Compress": 1}),
    )
}  # fmt: skip


# What a script may write for a type, and its name within System.
_ACCELERATORS = dict(
    pair.split("=")
    for pair in [
        "int=Int32",
        "int32=Int32",
        "long=Int64",
        "int64=Int64",
        "string=String",
        "bool=Boolean",
        "byte=Byte",
        "double=Double",
        "char=Char",
        "datetime=DateTime",
        "timespan=TimeSpan",
        "guid=Guid",
        "object=Object",
        "int16=Int16",
        "short=Int16",
        "uint16=UInt16",
        "ushort=UInt16",
        "uint32=UInt32",
        "uint=UInt32",
        "uint64=UInt64",
        "ulong=UInt64",
        "array=Array",
        "math=Math",
        "convert=Convert",
        "void=Void",
        "environment=Environment",
        "type=Type",
        "enum=Enum",
        "exception=Exception",
        "console=Console",
        "hashtable=Collections.Hashtable",
        "regex=Text.RegularExpressions.Regex",
        "boolean=Boolean",
        "valuetype=ValueType",
        "switch=Management.Automation.SwitchParameter",
        "scriptblock=Management.Automation.ScriptBlock",
        "pscustomobject=Management.Automation.PSCustomObject",
        "psobject=Management.Automation.PSObject",
        "ref=Management.Automation.PSReference",
        "decimal=Decimal",
        "ordered=Collections.Specialized.OrderedDictionary",
    ]
)
_OTHER_TYPES = """System.Collections.ArrayList System.Collections.IDictionary System.Collections.IList
System.Text.Encoding System.Gc System.Text.UTF8Encoding System.Text.StringBuilder
System.IO.MemoryStream System.IO.Compression.GZipStream System.IO.StreamReader
System.Security.Cryptography.SHA256 System.BitConverter System.Diagnostics.Stopwatch
System.Management.Automation.ErrorRecord System.Object System.Exception System.Threading.Thread
System.Globalization.CultureInfo System.Management.Automation.PSTypeName"""


_KNOWN_TYPES = {name.lower(): name for name in [
    *("System." + name for name in _ACCELERATORS.values()), *_OTHER_TYPES.split(), *EXCEPTION_BASES,
    *(kind.name for kind in ENUMS.values())]}  # fmt: skip


SWITCH = AUTOMATION + "SwitchParameter"


CUSTOM_OBJECT = AUTOMATION + "PSCustomObject"


def resolve_type(text: str, model_types: dict[str, Any] | None = None) -> str:
    """The full name of a type as a script writes it; UnknownConstruct if it is not in the list."""
    name = re.sub(r"\s+", "", text)
    if name.endswith("[]"):
        return resolve_type(name[:-2], model_types) + "[]"
    generic = re.fullmatch(r"(?:System\.)?Collections\.Generic\.List\[(.+)\]", name, re.I)
    if generic:
        return f"System.Collections.Generic.List`1[[{resolve_type(generic[1], model_types)}]]"
    lower = name.lower()
    if lower.removeprefix("system.") in _ACCELERATORS and (lower in _ACCELERATORS or lower.startswith("system.")):
        return "System." + _ACCELERATORS[lower.removeprefix("system.")]
    for candidate in (lower, "system." + lower):
        if candidate in _KNOWN_TYPES:
            return _KNOWN_TYPES[candidate]
    for known in model_types or {}:
        if lower == known.lower():
            return known
    raise UnknownConstruct(f"the type [{text}]")


def is_instance(value: Any, name: str) -> bool:
    """The operator -is, for a full name."""
    if is_null(value):
        return False
    names = [own.lower() for own in type_names(value)]
    if name == AUTOMATION + "PSObject" or name == CUSTOM_OBJECT:
        return isinstance(value, PsObject) and value.custom
    if name == "System.Object":
        return True
    if name in ("System.Collections.IList", "System.ValueType"):
        raise UnknownConstruct(f"-is [{name}]")
    return name.lower() in names
