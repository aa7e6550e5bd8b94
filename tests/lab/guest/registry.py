# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of a Windows machine, as far as scripts ask for it: keys with values, which they may also make, and the
slots of disks."""

from __future__ import annotations

from typing import Any

from powershell import Invocation, TerminatingError

from .disks import Disk

ENUM = "HKLM:\\SYSTEM\\CurrentControlSet\\Enum\\"


class KeyFace:
    """The values of a key; others are not there, which is no error outside strict mode."""

    ps_type_names = ("System.Management.Automation.PSCustomObject", "System.Object")

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def ps_get(self, name: str) -> Any:
        """A value; KeyError for one that is not there."""
        return self._values[name.lower()]


def get_item_property(invocation: Invocation, disks: list[Disk], keys: dict[str, dict[str, Any]]) -> list[KeyFace]:
    """The values of the keys that are named by their paths, of those that are there: nothing of one without values."""
    found = []
    for path in invocation.get("LiteralPath") or invocation.parameters["Path"]:
        values = _values(path, disks, keys)
        if values is None:
            refuse(invocation, path)
        elif values:
            found.append(KeyFace(values))
    return found


def get_item(invocation: Invocation, disks: list[Disk], keys: dict[str, dict[str, Any]]) -> list[KeyFace]:
    """The keys that are named by their paths, of those that are there."""
    found = []
    for path in invocation.parameters["LiteralPath"]:
        if _values(path, disks, keys) is None:
            refuse(invocation, path)
        else:
            found.append(KeyFace({}))
    return found


def new_item(invocation: Invocation, keys: dict[str, dict[str, Any]], *, elevated: bool) -> list[KeyFace]:
    """Makes keys; one that is there already is an error, and so is one that the user may not make."""
    made = []
    for path in invocation.parameters["Path"]:
        if not elevated:
            _write_error(invocation, "Requested registry access is not allowed.", "System.Security.SecurityException")
        elif _key(path, keys) is not None:
            _write_error(invocation, f"A key at the path '{path}' exists.", "System.IO.IOException")
        else:
            keys[path] = {}
            made.append(KeyFace({}))
    return made


def set_item_property(invocation: Invocation, keys: dict[str, dict[str, Any]]) -> None:
    """Sets a value of keys that are there."""
    for path in invocation.parameters["LiteralPath"]:
        key = _key(path, keys)
        if key is None:
            refuse(invocation, path)
        else:
            keys[key][str(invocation.parameters["Name"])] = invocation.parameters["Value"]


def remove_item(invocation: Invocation, keys: dict[str, dict[str, Any]]) -> None:
    """Removes keys with all their values."""
    for path in invocation.parameters["LiteralPath"]:
        key = _key(path, keys)
        if key is None:
            refuse(invocation, path)
        else:
            del keys[key]


def _key(path: str, keys: dict[str, dict[str, Any]]) -> str | None:
    return next((name for name in keys if name.lower() == path.lower().rstrip("\\")), None)


def _write_error(invocation: Invocation, message: str, kind: str) -> None:
    invocation.write_error(TerminatingError(message, kind, "PermissionDenied", kind))


def refuse(invocation: Invocation, path: str) -> None:
    """Writes the error of a path that is not there."""
    message, kind = f"Cannot find path '{path}'.", "System.Management.Automation.ItemNotFoundException"
    invocation.write_error(TerminatingError(message, "PathNotFound", "ObjectNotFound", kind, target=path))


def _values(path: str, disks: list[Disk], keys: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    key = _key(path, keys)
    if key is not None:
        return keys[key]
    for disk in disks:
        if path.lower() == (ENUM + disk.device).lower():
            place = {"LocationInformation": f"Bus Number 0, Target Id {disk.target}, LUN 0"}
            return place if disk.slot is None or disk.multipath else {**place, "UINumber": disk.slot}
    return None
