# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The disks of a virtual machine as `rdm_info` returns them, taken from an option. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._windows.identifiers import guid_of, plain_serial

_T = TypeVar("_T")

_HINT = "Give what rdm_info returned, or its list rdms."
# Names of LUNs that a guest can see too: it is told what stands behind the dot (SCSI inquiry, page 83).
_TOLD_TO_GUESTS = ("naa.", "eui.")


@dataclass(frozen=True)
class VmDisk:
    """A disk of a VM: where it hangs, what it is made of, and the ids that its guest may see of it."""

    vm: str
    vm_name: str
    bios_uuid: str | None
    address: str
    file: str | None
    compatibility: str | None
    lun: Mapping[str, object] | None
    capacity_bytes: int | None
    controller_type: str | None
    controller_model: str | None
    unit: int | None
    pci_slot_number: int | None
    serials: frozenset[str]
    unique_ids: frozenset[str]
    guest_paths: tuple[str, ...]
    # Other VMs, by name, that have the same BIOS UUID: a guest cannot tell which of them it runs in.
    same_bios_uuid: tuple[str, ...] = ()


def vm_disks_of(given: object) -> tuple[VmDisk, ...]:
    """Returns the disks in the answer of rdm_info, or in its list `rdms`; raises ConfigurationError for anything
    else."""
    entries = given.get("rdms") if isinstance(given, Mapping) else given
    if not isinstance(entries, list):
        raise ConfigurationError("vm_disks is not the answer of rdm_info: it has no list rdms.", hint=_HINT)
    return tuple(_vm_disk(entry) for entry in entries)


def _vm_disk(entry: object) -> VmDisk:
    vm = _table(entry, "vm")
    address, unit = _value(entry, "address", str), _value(entry, "unit", int)
    if vm is None or address is None:
        raise ConfigurationError("An entry of vm_disks lacks its vm or its address.", hint=_HINT)
    controller, lun = _table(entry, "controller"), _table(entry, "lun")
    name = _value(vm, "name", str) or "?"
    mode = _value(entry, "compatibility", str)
    serials: set[str] = set()
    unique_ids: set[str] = set()
    # In physical mode a guest sees the LUN's own ids, in virtual mode those of the mapping file: never both.
    if mode != "virtual" and lun is not None:
        serials |= _given(plain_serial(_value(lun, "serial", str)))
        canonical = (_value(lun, "canonical_name", str) or "").lower()
        if canonical.startswith(_TOLD_TO_GUESTS):
            unique_ids |= _given(plain_serial(canonical[4:]))
    if mode != "physical":
        uuid = plain_serial((_value(entry, "disk_uuid", str) or "").replace(" ", ""))
        serials |= _given(uuid)
        unique_ids |= _given(uuid)
    return VmDisk(
        vm=_value(vm, "instance_uuid", str) or _value(vm, "moid", str) or name,
        vm_name=name,
        bios_uuid=(guid_of(_value(vm, "bios_uuid", str)) or "").replace("-", "") or None,
        address=address,
        file=_value(entry, "file", str),
        compatibility=mode,
        lun=lun,
        capacity_bytes=_value(entry, "capacity_bytes", int),
        controller_type=_value(controller, "type", str),
        controller_model=_value(controller, "model", str),
        unit=unit if unit is not None and unit >= 0 else None,
        pci_slot_number=_value(controller, "pci_slot_number", int),
        serials=frozenset(serials),
        unique_ids=frozenset(unique_ids),
        guest_paths=_texts(entry, "guest_paths"),
        same_bios_uuid=_texts(vm, "same_bios_uuid"),
    )


def _given(value: str | None) -> set[str]:
    return {value} if value is not None else set()


def _table(value: object, key: str) -> Mapping[str, object] | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _texts(value: object, key: str) -> tuple[str, ...]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _value(value: object, key: str, kind: type[_T]) -> _T | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, kind) and not (kind is int and isinstance(found, bool)) else None
