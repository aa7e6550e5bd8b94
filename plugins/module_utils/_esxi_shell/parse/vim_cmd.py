# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `vim-cmd` prints: faults as text whatever the exit code, the list of VMs, power, snapshots, dumps of objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Power

# The first object that is dumped: what looks like another one within it may be a text that somebody wrote.
_OBJECT = re.compile(r"^\((?P<type>[\w.]+)\)\s*[{\[]", re.MULTILINE | re.ASCII)
_FAULT = re.compile(r"(?:vim|vmodl)\.fault\.(?P<name>\w+)", re.ASCII)
# The text of a fault has quotes inside its quotes, not escaped: it ends with the line.
_FAULT_TEXT = re.compile(r'^[ \t]*(?:msg|localizedMessage) = "(?P<text>.*)",?[ \t\r]*$', re.MULTILINE)
_HEADER = re.compile(r"^Vmid\s+Name\s+File\s", re.MULTILINE)
# Columns are two blanks or more apart, or one where a long name fills its own; a name may have brackets of its own.
_ROWS = tuple(
    re.compile(rf"(?P<id>\d{{1,9}})\s+(?P<name>\S.*)\s{{{apart},}}(?P<file>\[.+?\] ?\S.*?\.vmx)(?:\s.*)?", re.ASCII)
    for apart in (2, 1)
)
_SKIPPED = re.compile(r"^Skipping invalid VM '(?P<id>[^']*)'", re.MULTILINE)
_DOWN = "Connect to localhost failed"
_POWER = {"Powered on": Power.ON, "Powered off": Power.OFF, "Suspended": Power.SUSPENDED}


@dataclass(frozen=True)
class Fault:
    """A fault of the vSphere API as vim-cmd prints it: "NotFound", and its sentence."""

    name: str
    message: str


@dataclass(frozen=True)
class RegisteredVm:
    """A row of the list: name and file may be cut or padded, so that `vmsvc/get.summary` has the last word."""

    id: str
    name: str
    file: str


@dataclass(frozen=True)
class RegisteredVms:
    """All rows, and the ids of VMs that the host skipped because they are invalid.

    A line of an annotation may look like a row: then two rows have one id, or there is no such VM.
    """

    vms: tuple[RegisteredVm, ...]
    skipped: tuple[str, ...]


def fault(text: str) -> Fault | None:
    """Returns the fault that a command printed, None where it printed none; the exit code tells nothing."""
    dumped = _OBJECT.search(text)
    found = _FAULT.fullmatch(dumped["type"]) if dumped is not None else None
    if dumped is None or found is None:
        return None
    said = _FAULT_TEXT.search(text, dumped.end())
    return Fault(found["name"], said["text"] if said is not None else "")


def host_is_down(text: str) -> bool:
    """Tells whether hostd, which answers vim-cmd, was not there (as while it restarts): that is all it said, or its
    last word. In between it is a text that somebody wrote."""
    said = text.strip().split("\n")
    return _DOWN in said[0] or said[-1].startswith(_DOWN)


def registered_vms(text: str) -> RegisteredVms:
    """Returns what `vmsvc/getallvms` lists; raises UnreadableOutput where its header is missing.

    Annotations run over several lines; a line that is no row belongs to the one before.
    """
    header = _HEADER.search(text)
    if header is None:
        raise UnreadableOutput("vim-cmd vmsvc/getallvms", text)
    found: list[RegisteredVm] = []
    for line in lines(text[header.end() :]):
        row = next((row for pattern in _ROWS if (row := pattern.fullmatch(line.rstrip()))), None)
        if row is not None:
            found.append(RegisteredVm(row["id"], row["name"].rstrip(), row["file"]))
    return RegisteredVms(tuple(found), tuple(one["id"] for one in _SKIPPED.finditer(text)))


def power_state(text: str) -> Power:
    """Returns what `vmsvc/power.getstate` says; raises UnreadableOutput for another state."""
    for line in lines(text):
        state = _POWER.get(line.strip())
        if state is not None:
            return state
    raise UnreadableOutput("vim-cmd vmsvc/power.getstate", text)


def has_snapshots(text: str) -> bool:
    """Returns what `vmsvc/snapshot.get` says; raises UnreadableOutput where it is no answer to that."""
    _before, said, tree = text.partition("Get Snapshot:")
    found = "|-" in tree or "--Snapshot Name" in tree
    if not said or (tree.strip() and not found):
        raise UnreadableOutput("vim-cmd vmsvc/snapshot.get", text)
    return found
