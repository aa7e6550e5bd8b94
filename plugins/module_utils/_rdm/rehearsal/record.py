# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal writes down with the virtual machine that it makes, so that a later one knows it again. Pure.

The record is written with the request that makes the machine, so that neither is ever without the other; or, where that
cannot be, before anything else, as a file beside the folder that the machine gets, and it goes last.
It is a memory aid and no authority: what it leads to is looked at before anything is removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import lease_is_live
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    DiskKind,
    Power,
    VirtualMachine,
    split_file,
)

# The machine is called so, with the run behind it; it is searched for by that and never known by it.
NAME_PREFIX = "winbackup-rehearsal-"
# How the mapping files of a rehearsal are called, in the machine's own folder.
FILE_PREFIX = "rehearsal-"
RECORD_KEY = "winbackup.storage.rehearsal"
RECORD_ENDING = f".{RECORD_KEY}.json"
# The state of connection of a machine of which only files are left.
UNREGISTERED = "unregistered"
_FORMAT = 1
_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Record:
    """Which run made the machine, the instance UUID that it has (a clone has another), of which LUN it makes mappings,
    and until when, on the server's clock, the run is at work.

    A record that lies beside the machine's own folder, and is called as that is, names no instance UUID."""

    run: str
    instance_uuid: str | None
    lun: str
    lease: float

    def is_live_at(self, now: float) -> bool:
        """Tells whether the run may still be at work."""
        return lease_is_live(self.lease, now)


def to_text(record: Record) -> str:
    """Returns the text to keep, in ASCII."""
    return json.dumps({"format": _FORMAT, **asdict(record)}, separators=(",", ":"), sort_keys=True)


def from_text(text: str | None) -> Record | None:
    """Returns the record that `to_text` made; None for anything else, whatever it is."""
    try:
        data = json.loads(text or "")
        if data.pop("format") != _FORMAT:
            return None
        record = Record(**data)
        texts = (record.run, "" if record.instance_uuid is None else record.instance_uuid, record.lun)
        is_number = isinstance(record.lease, (int, float)) and not isinstance(record.lease, bool)
        if not all(isinstance(part, str) for part in texts) or not is_number or not isfinite(record.lease):
            return None
        return record if _RUN.fullmatch(record.run) and record.instance_uuid != "" else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        return None


def record_of(machine: VirtualMachine) -> Record | None:
    """Returns the record of a machine that a rehearsal made; None for any other, a clone of such a one included."""
    record = from_text(machine.rehearsal)
    if record is None or record.instance_uuid is None:
        return record
    return record if record.instance_uuid.lower() == (machine.instance_uuid or "").lower() else None


def is_registered(machine: VirtualMachine) -> bool:
    """Tells whether the host has the machine in its list; of one that it has not only files are left."""
    return machine.connection_state != UNREGISTERED


def record_file(vmx: str) -> str:
    """Returns the path of the record that lies beside the folder of "/vmfs/volumes/<uuid>/<name>/<name>.vmx"."""
    return f"{vmx.rpartition('/')[0]}{RECORD_ENDING}"


def vmx_of_record(path: str) -> str | None:
    """Returns the .vmx whose record a file is; None for a file that is no record."""
    stem = path.removesuffix(RECORD_ENDING)
    name = stem.rpartition("/")[2]
    return f"{stem}/{name}.vmx" if stem != path and name.startswith(NAME_PREFIX) else None


def folder_of(machine: VirtualMachine) -> tuple[str, str] | None:
    """Returns datastore and folder of the machine's own files; None where they are not known."""
    if machine.vmx_path is None:
        return None
    datastore, folder, name = split_file(machine.vmx_path)
    return (datastore, folder) if datastore and folder and name else None


def own_file(machine: VirtualMachine, file: str) -> bool:
    """Tells whether a file is one that a rehearsal makes for this machine: so called, and in the machine's folder."""
    datastore, folder, name = split_file(file)
    return (datastore, folder) == folder_of(machine) and name.startswith(FILE_PREFIX) and name.endswith(".vmdk")


def why_not_removed(machine: VirtualMachine, files: Sequence[str] | None) -> str | None:
    """Returns what keeps a machine with the record of a rehearsal from being removed: it is no longer as a rehearsal
    leaves it. `files` are the .vmdk files of its folder, None where they could not be read. None: it may be removed."""
    place = folder_of(machine)
    if place is None or not machine.disks_known or machine.has_snapshots is None or machine.template is None:
        return "it could not be read in full"
    if machine.power is not Power.OFF:
        return "it is not powered off"
    if machine.has_snapshots or machine.template:
        return "it has snapshots" if machine.has_snapshots else "it is a template"
    for disk in machine.disks:
        if disk.kind is not DiskKind.MAPPING or disk.parents or not own_file(machine, disk.file):
            return f"it has the disk {disk.file} at {disk.address}, which no rehearsal gave it"
    if files is None:
        return "its folder could not be read"
    strange = [file for file in files if not own_file(machine, file)]
    return f"its folder holds {strange[0]}, which no rehearsal made" if strange else None
