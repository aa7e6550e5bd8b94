"""What a variable of the evaluator can hold, and the names that .NET has for it.

`$null` is None, Boolean is bool, String is str, Double is float, Byte[] is bytes, Guid is UUID, an array of any type
is list; a plain int is an Int32, or an Int64 where it is too large for one. Everything else is a class below.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .unknown import UnknownConstruct, differs

AUTOMATION = "System.Management.Automation."
TICKS_PER_SECOND = 10_000_000
EPOCH = datetime.datetime(1, 1, 1)
INTEGERS = {"System.Int32": (-(2**31), 2**31 - 1), "System.Int64": (-(2**63), 2**63 - 1)}
Output = Callable[[Any], None]  # where the objects of a pipeline go


class Nothing:
    """What a pipeline without output gives ("AutomationNull"): like $null, but a pipeline makes nothing of it."""


NOTHING = Nothing()


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

    @classmethod
    def of(cls, moment: datetime.datetime, kind: str) -> DateTime:
        """The moment as its own zone shows it."""
        return cls((moment.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1) * 10, kind)

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
        word = text.strip().lower()
        found = (EnumValue(self, name, number) for name, number in self.members.items() if name.lower() == word)
        return next(found, None)


@dataclass(frozen=True)
class EnumValue:
    type: EnumType
    name: str
    number: int


@dataclass(frozen=True)
class PsType:
    name: str  # the full name of .NET, with [] for arrays


class Hashtable:
    """A table without regard to the case of its keys. It has no order that anyone may rely on."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        self._entries: dict[Any, tuple[Any, Any]] = {}
        for key, value in pairs:
            self.set(key, value)

    @staticmethod
    def _fold(key: Any) -> Any:
        if not isinstance(key, str):
            raise UnknownConstruct("a key of a table that is no text")
        return key.lower()

    def get(self, key: Any) -> Any:
        return self._entries.get(self._fold(key), (None, None))[1]

    def has(self, key: Any) -> bool:
        return self._fold(key) in self._entries

    def set(self, key: Any, value: Any) -> None:
        shown, _ = self._entries.get(self._fold(key), (key, None))
        self._entries[self._fold(key)] = (shown, value)

    def pairs(self) -> list[tuple[Any, Any]]:
        """The pairs, for those who do not show their order."""
        return list(self._entries.values())

    def shown_pairs(self) -> list[tuple[Any, Any]]:
        """The pairs, where their order is seen."""
        if len(self._entries) > 1:
            differs("the order of a table")
        return self.pairs()


class PsObject:
    """An object made of properties: a PSCustomObject, or a .NET object of which only properties are known."""

    def __init__(self, properties: Iterable[tuple[str, Any]] = (), type_name: str = "") -> None:
        self.custom = not type_name
        self.ps_type_names = (type_name or AUTOMATION + "PSCustomObject", "System.Object")
        self.properties = {str(name).lower(): (str(name), value) for name, value in properties}

    def shown_pairs(self) -> list[tuple[str, Any]]:
        return list(self.properties.values())
