# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of a Windows machine, as far as scripts ask for it: keys with values, and the slots of disks."""

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
    """The values of the keys that are named by their paths, of those that are there."""
    found = []
    for path in invocation.get("LiteralPath") or invocation.parameters["Path"]:
        values = _values(path, disks, keys)
        if values is None:
            refuse(invocation, path)
        else:
            found.append(KeyFace(values))
    return found


def refuse(invocation: Invocation, path: str) -> None:
    """Writes the error of a path that is not there."""
    message, kind = f"Cannot find path '{path}'.", "System.Management.Automation.ItemNotFoundException"
    invocation.write_error(TerminatingError(message, "PathNotFound", "ObjectNotFound", kind, target=path))


def _values(path: str, disks: list[Disk], keys: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    for name, values in keys.items():
        if name.lower() == path.lower().rstrip("\\"):
            return values
    for disk in disks:
        if path.lower() == (ENUM + disk.device).lower():
            place = {"LocationInformation": f"Bus Number 0, Target Id {disk.target}, LUN 0"}
            return place if disk.slot is None or disk.multipath else {**place, "UINumber": disk.slot}
    return None
