# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script sees of the model: objects with the properties that the sources name, in PowerShell's own types.

Sizes are Int64 bytes. A property that no source names does not exist here, though the real object may have it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from powershell import DateTime, EnumType, EnumValue, UnknownConstruct

from . import BANNER
from .options import Options
from .server import DpmServer
from .signatures import NAMESPACE, enumeration
from .texts import DpmError, text

_EPOCH = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
NEVER = DateTime(0, "Unspecified")


def date(moment: datetime.datetime | None) -> DateTime:
    """A time as DPM's objects show it: local, in a zone that is UTC. None is 0001-01-01."""
    if moment is None:
        return NEVER
    return DateTime((moment - _EPOCH) // datetime.timedelta(microseconds=1) * 10, "Local")


def member(options: Options, kind: str, members: tuple[str, ...], name: str) -> EnumValue:
    """A member of an enumeration under the name that it has on this server."""
    names = tuple(options.name(one) for one in members)
    found = enumeration(kind, names).find(options.name(name))
    return found or EnumValue(EnumType(NAMESPACE + kind, {options.name(name): 99}), options.name(name), 99)


class Face:
    """An object of the model, read-only. `kind` is the last part of its type's name."""

    kind = ""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = {name.lower(): value for name, value in (values or {}).items()}

    @property
    def ps_type_names(self) -> tuple[str, ...]:
        return (NAMESPACE + self.kind, "System.Object")

    def ps_get(self, name: str) -> Any:
        """A property; KeyError for one that does not exist. What is callable is worked out when it is read."""
        if name.lower() == "istestdouble":
            return True
        if name.lower() == "testdoublenote":
            return BANNER
        value = self._values[name.lower()]
        return value() if callable(value) else value

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        """A method; KeyError for one that does not exist."""
        raise KeyError(name)


class Opaque(Face):
    """An object of a type whose properties no source lists."""

    def ps_get(self, name: str) -> Any:
        try:
            return super().ps_get(name)
        except KeyError:
            raise UnknownConstruct(f"the property {name} of a {self.kind}, which no source lists") from None


class ProductionServerFace(Opaque):
    kind = "ProductionServer"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class RecoveryPointFace(Opaque):
    kind = "RecoveryPoint"


class ServerFace(Face):
    """What Connect-DPMServer gives."""

    kind = "DpmServer"

    def __init__(self, server: DpmServer, version: str, product: str) -> None:
        super().__init__({"Name": server.name, "DBConnectionString": "", "DPMDatabaseLogicalPath": ""})
        self._product = Face({"Version": version, "ProductName": f"{product} ({BANNER})"})
        self._product.kind = "ProductInformation"

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() == "getproductinformation" and not arguments:
            return self._product
        raise KeyError(name)


def error_info(server: DpmServer, code: int, detail: str = "") -> Face:
    options = server.options
    problem = DpmError(code, detail).shown(options.error_format, options.japanese)
    values: dict[str, Any] = {"ShortProblem": text(code, options.japanese), "Problem": problem}
    if options.has_error_code:
        values["ErrorCode"] = code
    info = Face(values)
    info.kind = "ErrorInfo"
    return info
