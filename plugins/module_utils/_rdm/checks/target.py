# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Whether the new mapping file can be made where it would lie, and by this user. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import extent_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, see_that_it_can_be_read

_VMFS = "VMFS"
# A descriptor and its extent take a few kilobytes; the datastore should not be brought to its last one.
_FREE_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class Target:
    """Where the new mapping would go. `listing` is its folder (None: not looked at), `own` the VM's own noted files."""

    file: str
    datastore: Datastore | None
    listing: Mapping[str, FileFacts] | None
    own: frozenset[str] = frozenset()
    missing_privileges: Mapping[str, Sequence[str]] | None = None
    license_read_only: bool | None = None


def check_target(
    inventory: Inventory, machine: VirtualMachine, target: Target | None, wanted: Compatibility
) -> Iterator[Finding]:
    """Yields why the new mapping file cannot lie where it would."""
    if target is None:
        return
    yield from _check_datastore(machine, target)
    listing = target.listing
    if listing is None:
        return
    facts = listing.get(target.file)
    if facts is None:
        extent = extent_of(target.file, wanted)
        if extent in listing:
            yield _exists(extent, f"there is no {target.file} that it belongs to")
        return
    users = [
        f"{other.path} {disk.address}"
        for other in inventory.machines.values()
        if other.datacenter == machine.datacenter
        for disk in other.disks
        if target.file in (disk.file, *disk.parents)
    ]
    if target.file not in target.own:
        yield _exists(target.file, "no record of this VM names it as its own")
    elif facts.kind is not DiskKind.MAPPING:
        yield _exists(target.file, "it is no raw device mapping")
    elif facts.compatibility not in (None, wanted):
        yield _exists(target.file, f"it is no {wanted.value} mapping")
    elif users:
        yield _exists(target.file, f"{', '.join(users)} uses it")


def _check_datastore(machine: VirtualMachine, target: Target) -> Iterator[Finding]:
    datastore = target.datastore
    hint = "Name another datastore with the option datastore."
    if datastore is None:
        yield Finding.blocker(
            BlockerCode.DATASTORE_UNSUITABLE,
            f"Which datastore {target.file} would lie on is not known: the user sees none, or several, of that name "
            f"that the host of {machine.name} has mounted.",
            f"{see_that_it_can_be_read('the datastore', 'the host has mounted it')} {hint}",
            target.file,
        )
        return
    unread = _unread_parts(datastore)
    if unread and _may_be_vmfs(datastore):
        yield Finding.blocker(
            BlockerCode.DATASTORE_UNSUITABLE,
            f"Of the datastore {datastore.name} this could not be read: {', '.join(unread)}; so whether {target.file} "
            "can lie there is not known.",
            f"{see_that_it_can_be_read('it', 'it is accessible')} {hint}",
            datastore.name,
        )
    reason = _why_unsuitable(machine, datastore)
    if reason is not None:
        yield Finding.blocker(
            BlockerCode.DATASTORE_UNSUITABLE, f"Datastore {datastore.name} {reason}.", hint, datastore.name
        )
    if datastore.free_bytes is not None and datastore.free_bytes < _FREE_BYTES:
        yield Finding.blocker(
            BlockerCode.DATASTORE_FULL,
            f"Datastore {datastore.name} has {datastore.free_bytes} bytes free.",
            f"Free some megabytes. {hint}",
            datastore.name,
        )


def _unread_parts(datastore: Datastore) -> list[Part]:
    """Returns what could not be read of a datastore, of all that decides whether a mapping file can lie there."""
    facts: tuple[tuple[Part, object], ...] = (
        (Part.DATASTORE_TYPE, datastore.type),
        (Part.DATASTORE_FACTS, datastore.version),
        (Part.ACCESS, datastore.accessible),
        (Part.MOUNTS, datastore.writable_from),
        (Part.FREE_SPACE, datastore.free_bytes),
        (Part.DATASTORE_ID, datastore.uuid or None),
    )
    return [part for part, value in facts if value is None]


def _may_be_vmfs(datastore: Datastore) -> bool:
    return (datastore.type or _VMFS).upper() == _VMFS


def _why_unsuitable(machine: VirtualMachine, datastore: Datastore) -> str | None:
    """Returns what is known against a mapping file there, as the rest of a sentence; None for nothing."""
    if not _may_be_vmfs(datastore):
        return f"is {datastore.type}, and a mapping file must be on VMFS"
    if _is_before_vmfs_5(datastore.version):
        return f"is VMFS {datastore.version}; version 5 or later is needed"
    if datastore.accessible is False:
        return "is not accessible"
    if datastore.maintenance:
        return "is in maintenance mode"
    # Of a machine whose host is not known, that is what stands against it.
    known = machine.host is not None and datastore.writable_from is not None
    if known and machine.host not in (datastore.writable_from or ()):
        return f"is not mounted for writing on the host of {machine.name}"
    return None


def _is_before_vmfs_5(version: str | None) -> bool:
    major = count_of((version or "").split(".")[0])
    return major is not None and major < 5


def _exists(file: str, why: str) -> Finding:
    return Finding.blocker(
        BlockerCode.TARGET_FILE_EXISTS,
        f"{file} exists, and {why}.",
        "Look at it on the host; move or delete it, or name another place with datastore and directory.",
        file,
    )


def check_rights(machine: VirtualMachine, target: Target | None) -> Iterator[Finding]:
    """Yields the rights that the user or the licence lacks."""
    if target is None:
        return
    for name, missing in (target.missing_privileges or {}).items():
        if missing:
            yield Finding.blocker(
                BlockerCode.NO_PRIVILEGE,
                f"The user has not the privileges {', '.join(missing)} on {name}.",
                "Give the user a role that has them.",
                name,
            )
    if target.license_read_only:
        yield Finding.blocker(
            BlockerCode.LICENSE_READ_ONLY,
            "The host's licence lets the API read only.",
            "Assign a licence, or run rdm_compatibility in a play on the host itself, over SSH.",
            machine.name,
        )
