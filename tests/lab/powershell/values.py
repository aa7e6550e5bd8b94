"""What a variable of the evaluator can hold, and the names that .NET has for it.

`$null` is None, Boolean is bool, String is str, Double is float, Byte[] is bytes, Guid is UUID, an array of any type
is list; a plain int is an Int32, or an Int64 where it is too large for one. Everything else is a class below.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

AUTOMATION = "System.Management.Automation."
TICKS_PER_SECOND = 10_000_000
EPOCH = datetime.datetime(1, 1, 1)
INTEGERS = {"System.Int32": (-(2**31), 2**31 - 1), "System.Int64": (-(2**63), 2**63 - 1)}
# Set while a session runs: whatever differs between versions of PowerShell is then an unknown construct.
STRICT: ContextVar[bool] = ContextVar("strict", default=False)
Output = Callable[[Any], None]  # where the objects of a pipeline go


@dataclass
class TableOrder:
    """How the pairs of unordered tables are listed, and whether anyone looked: no result may depend on it."""

    reverse: bool = False
    seen: bool = False


TABLE_ORDER: ContextVar[TableOrder | None] = ContextVar("table_order", default=None)


class UnknownConstruct(Exception):
    """The evaluator does not know this for certain: what it is, and the line of the script."""

    def __init__(self, name: str, line: int = 0) -> None:
        super().__init__(name, line)
        self.name = name
        self.line = line

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})" if self.line else self.name


def differs(what: str) -> None:
    """Refuse, in a strict session, what versions of PowerShell do differently."""
    if STRICT.get():
        raise UnknownConstruct(f"{what}, which differs between versions")


class Nothing:
    """What a pipeline without output gives ("AutomationNull"): like $null, but a pipeline makes nothing of it."""


NOTHING = Nothing()


class Unsure(str):
    """A text that differs between the versions or the languages of PowerShell: a strict session does not show it."""


class Int64(int):
    """An Int64 that is small enough for an Int32."""


class JsonInteger(int):
    """An integer out of JSON in a strict session: Int32 or Int64 in 5.1, Int64 in later versions."""


class Collection(list[Any]):
    """A collection that is no array, such as the keys of a table: it has no elements by number."""


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


class Hashtable:
    """A table without regard to the case of its keys. One that is not ordered has no order anyone may rely on."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = (), ordered: bool = False) -> None:
        self.ordered = ordered
        self._entries: dict[Any, tuple[Any, Any]] = {}
        for key, value in pairs:
            self.set(key, value)

    def __len__(self) -> int:
        return len(self._entries)

    @staticmethod
    def _fold(key: Any) -> Any:
        if not isinstance(key, (str, int)):
            raise UnknownConstruct("a key of a table that is neither text nor a number")
        return key.lower() if isinstance(key, str) else (type(key), key)

    def get(self, key: Any) -> Any:
        return self._entries.get(self._fold(key), (None, None))[1]

    def has(self, key: Any) -> bool:
        return self._fold(key) in self._entries

    def set(self, key: Any, value: Any) -> None:
        shown, _ = self._entries.get(self._fold(key), (key, None))
        self._entries[self._fold(key)] = (shown, value)

    def remove(self, key: Any) -> None:
        self._entries.pop(self._fold(key), None)

    def pairs(self) -> list[tuple[Any, Any]]:
        pairs, order = list(self._entries.values()), TABLE_ORDER.get()
        if order is not None and not self.ordered and len(pairs) > 1:
            order.seen = True
            return pairs[::-1] if order.reverse else pairs
        return pairs


class PsObject:
    """An object made of properties: a PSCustomObject, or a .NET object of which only properties are known."""

    def __init__(
        self, properties: Iterable[tuple[str, Any]] = (), type_names: tuple[str, ...] = (), text: str | None = None
    ) -> None:
        self.type_names = type_names or (AUTOMATION + "PSCustomObject", "System.Object")
        self.custom = not type_names
        self.text = text
        self.properties = {str(name).lower(): (str(name), value) for name, value in properties}

    def pairs(self) -> list[tuple[str, Any]]:
        return list(self.properties.values())


_TYPE_NAMES: dict[type, tuple[str, ...]] = {
    bool: ("System.Boolean", "System.ValueType"),
    str: ("System.String",),
    float: ("System.Double", "System.ValueType"),
    bytes: ("System.Byte[]", "System.Array"),
    DateTime: ("System.DateTime", "System.ValueType"),
    TimeSpan: ("System.TimeSpan", "System.ValueType"),
    uuid.UUID: ("System.Guid", "System.ValueType"),
    PsType: ("System.RuntimeType", "System.Type"),
}


def type_names(value: Any) -> tuple[str, ...]:
    """The type of a value and the types it derives from, most derived first."""
    for kind, names in _TYPE_NAMES.items():
        if isinstance(value, kind):
            return (*names, "System.Object")
    if isinstance(value, int):
        return (integer_type(value), "System.ValueType", "System.Object")
    if isinstance(value, Hashtable):
        name = "System.Collections.Specialized.OrderedDictionary" if value.ordered else "System.Collections.Hashtable"
        return (name, "System.Object")
    if isinstance(value, EnumValue):
        return (value.type.name, "System.Enum", "System.ValueType", "System.Object")
    if isinstance(value, PsObject):
        return value.type_names
    if hasattr(value, "ps_type_names"):
        return tuple(value.ps_type_names)
    raise UnknownConstruct(f"the type of a {type(value).__name__}")


def integer_type(value: int) -> str:
    if isinstance(value, JsonInteger):
        raise UnknownConstruct("the type of an integer out of JSON, which differs between versions")
    low, high = INTEGERS["System.Int32"]
    return "System.Int32" if low <= value <= high and not isinstance(value, Int64) else "System.Int64"


def is_null(value: Any) -> bool:
    return value is None or value is NOTHING


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def enumerate_value(value: Any) -> Iterator[Any]:
    """What a pipeline makes of a value: a list gives its elements, nothing gives nothing, all else itself."""
    if isinstance(value, list):
        yield from list(value)
    elif isinstance(value, bytes):
        raise UnknownConstruct("the single bytes of an array")
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
        name = getattr(type(value), "ps_name", type(value).__name__)
        members = {member.name: number for number, member in enumerate(type(value))}
        return EnumType(name, members).find(value.name)
    if isinstance(value, datetime.datetime):
        kind = "Unspecified" if value.tzinfo is None else "Utc"
        plain = value if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)
        return DateTime((plain - EPOCH) // datetime.timedelta(microseconds=1) * 10, kind)
    if isinstance(value, datetime.timedelta):
        return TimeSpan(value // datetime.timedelta(microseconds=1) * 10)
    if isinstance(value, tuple) or type(value) is list:
        return [from_python(item) for item in value]
    if isinstance(value, dict):
        return Hashtable((key, from_python(item)) for key, item in value.items())
    return value
