# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against a conversion on the side of the LUN: is it the one, is it free, is it whole. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Disk,
    DiskKind,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, see_that_it_can_be_read
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import counted, some_of

_TIB = 1024**4
_NATIVE_4K_BYTES = 4096
_LARGEST = 62 * _TIB
# Before 5.5 a virtual mapping ended 512 bytes below 2 TiB (KB 2058287).
_LARGEST_BEFORE_5_5 = 2 * _TIB - 512

_HOST_READABLE = see_that_it_can_be_read("the host", "it is connected")


def check_lun(inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex) -> Iterator[Finding]:
    """Yields every reason on the side of the LUN not to convert a mapping."""
    if disk.kind is not DiskKind.MAPPING:
        return
    yield from _check_users(inventory, machine, disk, lun_index)
    missing = lun_not_found(inventory, machine, disk)
    host = inventory.host_of(machine)
    # A host that is not there is a blocker of its own.
    if missing is not None and host is not None and (host.luns is not None or host.connection_state == "connected"):
        yield missing
    group = lun_index.group_of(inventory, machine, disk)
    lun = inventory.lun_of(machine, disk)
    yield from _check_unread(machine, disk, lun, group, lun_index)
    if lun is None:
        return
    yield from _check_other_hosts(inventory, lun)
    yield from _check_use(group)
    yield from _check_state(group)
    yield from _check_reading(group)
    yield from _check_capacity(disk, lun)
    yield from _check_size(inventory, machine, lun)


def lun_not_found(inventory: Inventory, machine: VirtualMachine, disk: Disk) -> Finding | None:
    """Returns why the host of a VM does not show the one LUN that a mapping is of; None where it does.

    A host that could not be read does not show it, and does not lack it either.
    """
    host = inventory.host_of(machine)
    where = f"{disk.label} of {machine.name} ({disk.file})"
    if host is None:
        return Finding.blocker(
            BlockerCode.HOST_UNAVAILABLE,
            f"The host of {machine.name} is not visible, and so not the LUN of {where}.",
            _HOST_READABLE,
            disk.file,
        )
    if host.luns is None:
        return Finding.blocker(
            BlockerCode.HOST_UNAVAILABLE,
            f"The storage of {host.name} ({host.connection_state}) could not be read, and so not the LUN of {where}.",
            _HOST_READABLE if host.connection_state == "connected" else "Connect the host again.",
            disk.file,
        )
    found = inventory.luns_of(machine, disk)
    # The device name is empty where the LUN is masked from the host or unavailable (vSphere API).
    if not found or disk.device_name == "":
        return Finding.blocker(
            BlockerCode.LUN_MISSING,
            f"The LUN of {where}, {disk.lun_uuid or 'of unknown id'}, is not visible on {host.name}.",
            f"Present it to {host.name} and rescan, or move the VM to a host that sees it.",
            disk.file,
        )
    if len(found) > 1:
        names = ", ".join(sorted(lun.canonical_name for lun in found))
        return Finding.blocker(
            BlockerCode.LUN_AMBIGUOUS,
            f"The ids of {where} name {len(found)} LUNs of {host.name}: {names}.",
            "Look at the mapping on the host with vmkfstools -q.",
            disk.file,
        )
    return None


def _check_users(inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex) -> Iterator[Finding]:
    users = lun_index.sharing(inventory, machine, disk)
    if users:
        yield Finding.blocker(
            BlockerCode.LUN_USED_BY_OTHER_VM,
            f"The LUN or the mapping file of {disk.file} is used by {', '.join(user.path for user in users)} too.",
            "Detach it there first, or leave the disk as it is.",
            disk.file,
        )


def _check_unread(
    machine: VirtualMachine, disk: Disk, lun: HostLun | None, group: Sequence[HostLun], lun_index: LunIndex
) -> Iterator[Finding]:
    """Yields who may use the LUN too, as far as that could not be read."""
    unread = lun_index.unread.without(machine)
    users = unread.users_of(lun) if lun is not None else unread.names
    if users:
        name = group[0].canonical_name if group else disk.lun_uuid or disk.file
        yield Finding.blocker(
            BlockerCode.OTHER_VMS_UNREAD,
            f"Whether another VM uses {name} is not known: {counted(users)} that could use it "
            f"could not be read ({some_of(users)}).",
            "See why the findings say they could not be read; or make sure yourself that none of them uses the LUN, "
            "and set override: [other_vms_unread].",
            disk.file,
            overridable=True,
        )


def _check_other_hosts(inventory: Inventory, lun: HostLun) -> Iterator[Finding]:
    if inventory.stand_alone and lun.local is not True:
        yield Finding.blocker(
            BlockerCode.OTHER_HOSTS_UNKNOWN,
            f"{lun.canonical_name} is not a local disk, and only {lun.host_name} can be seen: whether a VM of another "
            "host maps it is not known.",
            "Work through the vCenter that manages all its hosts, or set override: [other_hosts_unknown].",
            lun.canonical_name,
            overridable=True,
        )


def _check_state(group: Sequence[HostLun]) -> Iterator[Finding]:
    name = group[0].canonical_name
    untold = _hosts_where(group, lambda lun: lun.state is None)
    if untold:
        yield Finding.blocker(
            BlockerCode.LUN_NOT_OK,
            f"Whether {name} is in order is not known: {untold} does not tell its state.",
            "Rescan the storage of the host, and run again.",
            name,
        )
    bad = [lun for lun in group if is_working(lun) is False]
    for state in sorted({lun.state for lun in bad if lun.state is not None}):
        hosts = some_of(tuple(sorted(lun.host_name for lun in bad if lun.state == state)))
        yield Finding.blocker(
            BlockerCode.LUN_NOT_OK,
            f"{name} is {state} on {hosts}.",
            "Bring the LUN and its paths back first.",
            name,
        )
    empty = _hosts_where(group, lambda lun: lun.capacity_bytes == 0)
    if empty:
        yield Finding.blocker(
            BlockerCode.LUN_NOT_OK,
            f"{name} has no size on {empty}.",
            "Bring the LUN and its paths back first.",
            name,
        )


def is_native_4k(lun: HostLun) -> bool:
    """Tells whether a LUN has blocks of 4096 bytes; servers before 6.5 do not tell its type, and all tell the size."""
    return "4k" in (lun.disk_type or "").lower() or lun.block_size == _NATIVE_4K_BYTES


def is_working(lun: HostLun) -> bool | None:
    """Tells whether I/O reaches a LUN, None where its host does not tell; one that is degraded has one path left
    (vSphere API, ScsiLun.State)."""
    return None if lun.state is None else set(lun.state.split(",")) <= {"ok", "degraded"}


def _check_reading(group: Sequence[HostLun]) -> Iterator[Finding]:
    """Yields what of the hosts that see the LUN could not be read, and decides what lies on it: the volumes of a host
    itself, and its dump, are known to that host alone."""
    for lun in group:
        unread = [
            *([Part.VOLUMES] if not lun.volumes_known else ()),
            *([Part.DUMP_PARTITION] if lun.dump_or_scratch is None else ()),
            *([f"{Part.LUN} of the LUN ({'; '.join(lun.unclear)})"] if lun.unclear else ()),
        ]
        if unread:
            yield Finding.blocker(
                BlockerCode.HOST_UNAVAILABLE,
                f"Of {lun.host_name} this could not be read: {', '.join(unread)}; so what lies on {lun.canonical_name} "
                "is not known.",
                _HOST_READABLE,
                lun.host_name,
            )


def _check_capacity(disk: Disk, lun: HostLun) -> Iterator[Finding]:
    if lun.capacity_bytes is None or disk.capacity_bytes is None:
        unknown = disk.file if disk.capacity_bytes is None else lun.canonical_name
        yield Finding.blocker(
            BlockerCode.SIZE_MISMATCH,
            f"The size of {unknown} could not be read, and so not whether mapping and LUN agree.",
            "Rescan the storage of the host, and run again.",
            disk.file,
        )
    if lun.capacity_bytes is not None and disk.capacity_bytes is not None and lun.capacity_bytes != disk.capacity_bytes:
        yield Finding.blocker(
            BlockerCode.SIZE_MISMATCH,
            f"{disk.file} has {disk.capacity_bytes} bytes and {lun.canonical_name} {lun.capacity_bytes}.",
            "The LUN was resized or replaced since it was mapped; make sure which, then map it anew.",
            disk.file,
        )


def _check_use(group: Sequence[HostLun]) -> Iterator[Finding]:
    """Yields what any host that sees the LUN uses it for, or has marked it for (KB 1016106: on the other hosts too)."""
    name, hint = group[0].canonical_name, "It is not a disk for a VM; leave it."
    reserved = _hosts_where(group, lambda lun: bool(lun.perennially_reserved))
    if reserved:
        yield Finding.blocker(
            BlockerCode.PERENNIALLY_RESERVED,
            f"{name} is perennially reserved on {reserved}, as the disks of a cluster are.",
            "Leave it in physical mode, or take the reservation off if no cluster uses it.",
            name,
        )
    boot = _hosts_where(group, lambda lun: bool(lun.boot))
    if boot:
        yield Finding.blocker(BlockerCode.LUN_IS_BOOT_DEVICE, f"{name} carries volumes of {boot} itself.", hint, name)
    for datastore in sorted({lun.vmfs_datastore for lun in group if lun.vmfs_datastore is not None}):
        yield Finding.blocker(BlockerCode.LUN_CARRIES_VMFS, f"{name} carries the datastore {datastore}.", hint, name)
    if any(lun.used_by_vsan for lun in group):
        yield Finding.blocker(BlockerCode.LUN_USED_BY_VSAN, f"{name} is claimed by vSAN.", hint, name)
    dump = _hosts_where(group, lambda lun: bool(lun.dump_or_scratch))
    if dump:
        yield Finding.blocker(
            BlockerCode.LUN_IS_DUMP_OR_SCRATCH, f"{name} holds the dump or scratch partition of {dump}.", hint, name
        )


def _hosts_where(group: Sequence[HostLun], holds: Callable[[HostLun], bool]) -> str:
    """Returns the names of the hosts that see a LUN so, as a sentence names them; "" where none does."""
    return some_of(tuple(sorted(lun.host_name for lun in group if holds(lun))))


def _check_size(inventory: Inventory, machine: VirtualMachine, lun: HostLun) -> Iterator[Finding]:
    host = inventory.host_of(machine)
    size = lun.capacity_bytes
    if size is not None and host is not None:
        largest = _LARGEST_BEFORE_5_5 if _is_before_5_5(host.version) else _LARGEST
        if size > largest:
            yield Finding.blocker(
                BlockerCode.TOO_BIG,
                f"{lun.canonical_name} has {size} bytes; ESXi {host.version} maps at most {largest}.",
                "Leave it in physical mode." if largest == _LARGEST else "Use a host of version 5.5 or later.",
                lun.canonical_name,
            )
    if is_native_4k(lun):
        yield Finding.blocker(
            BlockerCode.NATIVE_4K,
            f"{lun.canonical_name} is a disk of {lun.block_size} byte sectors ({lun.disk_type}).",
            "Such disks are not supported as raw device mappings.",
            lun.canonical_name,
        )


def _is_before_5_5(version: str) -> bool:
    numbers = [count_of(number) for number in version.split(".")[:2]]
    return None not in numbers and tuple(number for number in numbers if number is not None) < (5, 5)
