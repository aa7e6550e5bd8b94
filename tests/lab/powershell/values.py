"""What a variable of the evaluator can hold, and the names .NET gives to it.

`$null` is None, Boolean is bool, String is str, Double is float, Object[] is list; a plain int is an Int32, or an
Int64 when it is too
large for one. Everything else of .NET that a script may meet is a class below.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

Output = Callable[[Any], None]  # where the objects of a pipeline go
TICKS_PER_SECOND = 10_000_000
EPOCH = datetime.datetime(1, 1, 1)
# Set while a session runs: whatever differs between versions of PowerShell is then an unknown construct.
STRICT: ContextVar[bool] = ContextVar("strict", default=False)


@dataclass
class TableOrder:
    """How the pairs of unordered tables are listed, and whether anyone looked: no result may depend on it."""

    reverse: bool = False
    seen: bool = False


TABLE_ORDER: ContextVar[TableOrder | None] = ContextVar("table_order", default=None)


class UnknownConstruct(Exception):
    """The evaluator does not know this for certain: what it is, and the line of the script."""

    def __init__(self, name: str, line: int = 0) -> None:
        super().__init__(f"{name} (line {line})" if line else name)
        self.name = name
        self.line = line


class Nothing:
    """What a pipeline without output gives ("AutomationNull"): like $null, but it enumerates to nothing."""

    def __bool__(self) -> bool:
        return False


NOTHING = Nothing()


class Unsure(str):
    """A text that differs between the versions or the languages of PowerShell: a strict session refuses to show it."""


class Sized(int):
    """An integer whose type is not the one that its size implies."""

    type_name = ""


class Int64(Sized):
    type_name = "System.Int64"


class JsonInteger(Sized):
    """An integer out of JSON in a strict session: Int32 in 5.1, Int64 later."""

    @property
    def type_name(self) -> str:  # type: ignore[override]
        raise UnknownConstruct("the type of an integer out of JSON")


class Byte(Sized):
    type_name = "System.Byte"


class Int16(Sized):
    type_name = "System.Int16"


class UInt16(Sized):
    type_name = "System.UInt16"


class UInt32(Sized):
    type_name = "System.UInt32"


class UInt64(Sized):
    type_name = "System.UInt64"


INTEGERS: dict[str, tuple[type[int], int, int]] = {
    "System.Int32": (int, -(2**31), 2**31 - 1),
    "System.Int64": (Int64, -(2**63), 2**63 - 1),
    "System.Byte": (Byte, 0, 255),
    "System.Int16": (Int16, -(2**15), 2**15 - 1),
    "System.UInt16": (UInt16, 0, 2**16 - 1),
    "System.UInt32": (UInt32, 0, 2**32 - 1),
    "System.UInt64": (UInt64, 0, 2**64 - 1),
}


@dataclass(frozen=True)
class Char:
    value: str


@dataclass(frozen=True)
class Switch:
    """A parameter of the type [switch]."""

    present: bool


@dataclass(frozen=True)
class LargeNumber:
    """A literal beyond Int64, which PowerShell reads as a Decimal: it can only be refused by a conversion."""

    text: str


@dataclass(frozen=True)
class DateTime:
    ticks: int  # of 100 ns since 0001-01-01
    kind: str = "Unspecified"

    def as_python(self) -> datetime.datetime:
        return EPOCH + datetime.timedelta(microseconds=self.ticks // 10)


@dataclass(frozen=True)
class TimeSpan:
    ticks: int


@dataclass(frozen=True)
class EnumType:
    """An enumeration: `members` maps the names, spelled as .NET does, to the numbers."""

    name: str
    members: dict[str, int] = field(hash=False)

    def find(self, text: str) -> EnumValue | None:
        for name, number in self.members.items():
            if name.lower() == text.strip().lower():
                return EnumValue(self, name, number)
        return None


@dataclass(frozen=True)
class EnumValue:
    type: EnumType
    name: str
    number: int


@dataclass(frozen=True)
class PsType:
    name: str  # the full name of .NET, with [] for arrays


class TypedArray(list[Any]):
    """An array of one element type, such as String[]."""

    def __init__(self, items: Any, element: str) -> None:
        super().__init__(items)
        self.element = element


class ArrayList(list[Any]):
    """A list that grows in place; `type_name` tells System.Collections.ArrayList from a generic List."""

    def __init__(self, items: Any = (), type_name: str = "System.Collections.ArrayList") -> None:
        super().__init__(items)
        self.type_name = type_name


def fold(key: Any) -> Any:
    return ("text", key.lower()) if isinstance(key, str) else (type(key).__name__, key)


class Hashtable:
    """A table without regard to the case of its keys. Not ordered ones have no order anyone may rely on."""

    def __init__(self, pairs: Any = (), ordered: bool = False, fold_case: bool = True) -> None:
        self.ordered = ordered
        self.entries: dict[Any, tuple[Any, Any]] = {}
        for key, value in pairs:
            self.set(key, value)

    def get(self, key: Any) -> Any:
        entry = self.entries.get(fold(key))
        return entry[1] if entry else None

    def has(self, key: Any) -> bool:
        return fold(key) in self.entries

    def set(self, key: Any, value: Any) -> None:
        folded = fold(key)
        old = self.entries.get(folded)
        self.entries[folded] = (old[0] if old else key, value)

    def remove(self, key: Any) -> None:
        self.entries.pop(fold(key), None)

    def pairs(self) -> list[tuple[Any, Any]]:
        pairs = list(self.entries.values())
        order = TABLE_ORDER.get()
        if order is not None and not self.ordered and len(pairs) > 1:
            order.seen = True
            return pairs[::-1] if order.reverse else pairs
        return pairs


class PsObject:
    """An object made of properties: a PSCustomObject, or a .NET object of which only properties are known."""

    def __init__(self, properties: Any = (), type_names: tuple[str, ...] = (), text: str | None = None) -> None:
        self.type_names = type_names or ("System.Management.Automation.PSCustomObject", "System.Object")
        self.properties: dict[str, tuple[str, Any]] = {}
        self.text = text
        for name, value in properties:
            self.properties[str(name).lower()] = (str(name), value)

    @property
    def custom(self) -> bool:
        return self.type_names[0].endswith("PSCustomObject")

    def pairs(self) -> list[tuple[str, Any]]:
        return list(self.properties.values())


@dataclass(eq=False)
class Reference:
    """[ref]: the place a method writes to; None for [ref]$null."""

    assign: Callable[[Any], None] | None
    value: Any


@runtime_checkable
class ModelObject(Protocol):
    """An object of the lab's model; `ps_get` raises KeyError for a property that the type does not have."""

    ps_type_names: Any

    def ps_get(self, name: str) -> Any: ...


def type_names(value: Any) -> tuple[str, ...]:
    """The type of a value and the types it derives from, most derived first."""
    if isinstance(value, bool):
        return ("System.Boolean", "System.ValueType", "System.Object")
    if isinstance(value, int):
        return (integer_type(value), "System.ValueType", "System.Object")
    if isinstance(value, TypedArray):
        return (f"{value.element}[]", "System.Array", "System.Object")
    if isinstance(value, ArrayList):
        return (value.type_name, "System.Object")
    if isinstance(value, Hashtable):
        name = "System.Collections.Specialized.OrderedDictionary" if value.ordered else "System.Collections.Hashtable"
        return (name, "System.Collections.IDictionary", "System.Object")
    if isinstance(value, EnumValue):
        return (value.type.name, "System.Enum", "System.ValueType", "System.Object")
    if isinstance(value, PsObject):
        return value.type_names
    if hasattr(value, "ps_type_names"):
        return tuple(value.ps_type_names)
    for python_type, names in _TYPE_NAMES:
        if isinstance(value, python_type):
            return names
    raise UnknownConstruct(f"a value of the Python type {type(value).__name__}")


_TYPE_NAMES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (str, ("System.String", "System.Object")),
    (float, ("System.Double", "System.ValueType", "System.Object")),
    (list, ("System.Object[]", "System.Array", "System.Object")),
    (Switch, ("System.Management.Automation.SwitchParameter", "System.ValueType", "System.Object")),
    (Char, ("System.Char", "System.ValueType", "System.Object")),
    (DateTime, ("System.DateTime", "System.ValueType", "System.Object")),
    (TimeSpan, ("System.TimeSpan", "System.ValueType", "System.Object")),
    (uuid.UUID, ("System.Guid", "System.ValueType", "System.Object")),
    (PsType, ("System.RuntimeType", "System.Type", "System.Object")),
    (LargeNumber, ("System.Decimal", "System.ValueType", "System.Object")),
)


def integer_type(value: int) -> str:
    if isinstance(value, Sized):
        return value.type_name
    return "System.Int32" if -(2**31) <= value < 2**31 else "System.Int64"


def is_null(value: Any) -> bool:
    return value is None or value is NOTHING


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def enumerate_value(value: Any) -> Iterator[Any]:
    """What a pipeline makes of a value: a list gives its elements, nothing gives nothing, all else itself."""
    if isinstance(value, list):
        yield from list(value)
    elif value is not NOTHING:
        yield value


def from_items(items: list[Any]) -> Any:
    """What a variable gets from the output of a pipeline: nothing, the one object, or an array."""
    if not items:
        return NOTHING
    return items[0] if len(items) == 1 else items


def from_python(value: Any) -> Any:
    """A value of the lab's model as a value of the evaluator."""
    if isinstance(value, enum.Enum):
        kind = EnumType(
            getattr(type(value), "ps_name", type(value).__name__), {m.name: i for i, m in enumerate(type(value))}
        )
        return kind.find(value.name)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC)
        kind = "Unspecified" if value.tzinfo is None else "Utc"
        return DateTime((value.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1) * 10, kind)
    if isinstance(value, datetime.timedelta):
        return TimeSpan(value // datetime.timedelta(microseconds=1) * 10)
    if isinstance(value, tuple):
        return [from_python(item) for item in value]
    if type(value) is list:
        return [from_python(item) for item in value]
    if isinstance(value, dict):
        return Hashtable((key, from_python(item)) for key, item in value.items())
    return value
