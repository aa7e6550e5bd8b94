# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Commands by which a person takes a step by hand, on the shell of the VM's host: written here for every edge. Pure.

Everything is quoted here. Clients of the API can neither choose a mapping's mode nor attach a mapping file, so devices
are changed with vim-cmd and vmkfstools. Argument forms of vim-cmd differ between versions of ESXi.
"""

from __future__ import annotations

import shlex

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import NewMapping
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import Edit, Swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Host,
    VirtualMachine,
    split_file,
)

_CREATE = {Compatibility.VIRTUAL: "-r", Compatibility.PHYSICAL: "-z"}


def recovery_commands(
    machine: VirtualMachine, host: Host | None, step: Swap | Edit, given_up: JournalEntry | None = None
) -> tuple[str, ...]:
    """Returns the commands in their order; a comment line says where to run them.

    `given_up` is the record of a disk whose host takes one mapping of the LUN at a time.
    """
    if isinstance(step, Edit):
        return _by_hand(machine, step)
    place = step.place
    where = f"{place.controller.bus} {place.unit}"
    file = quoted(volume_file(step.new.file))
    name = _one_line(host.name) if host is not None else "the VM's host"
    vmx = quoted(machine.vmx_path or machine.name)
    commands = [
        f"# In a shell of {name} (SSH), with {_one_line(machine.name)} powered off:",
        f"vmid=$(vim-cmd vmsvc/getallvms | grep -F {vmx} | awk '{{print $1}}')",
    ]
    if step.old is not None:
        commands.append(f"vim-cmd vmsvc/device.diskremove $vmid {where} n {place.controller.type}")
    if given_up is not None:
        commands.extend(_old_made_again(given_up))
    elif isinstance(step.new, NewMapping):
        device = quoted(f"/vmfs/devices/disks/{step.new.lun.canonical_name}")
        commands.append(f"vmkfstools {_CREATE[step.new.compatibility]} {device} {file}")
    commands.append(f"vim-cmd vmsvc/device.diskaddexisting $vmid {file} {where} {place.controller.type}")
    return tuple(commands)


def _old_made_again(entry: JournalEntry) -> tuple[str, ...]:
    """Returns what makes the old mapping again where it is gone, once the new one has made room for it."""
    old, new = quoted(entry.old_file), quoted(entry.new_file)
    device = quoted(f"/vmfs/devices/disks/{entry.lun.canonical_name}")
    is_mapping = f"vmkfstools -q {new} | grep -i 'raw device mapping'"
    return (
        f"[ -e {old} ] || {{ {is_mapping} && vmkfstools -U {new}; }}",
        f"[ -e {old} ] || vmkfstools {_CREATE[entry.old_mode]} {device} {old}",
    )


def _by_hand(machine: VirtualMachine, step: Edit) -> tuple[str, ...]:
    if step.disk is None:
        return ()
    return (
        f"# In the vSphere client: set the disk mode of {_one_line(step.disk.label)} of {_one_line(machine.name)} "
        f"to {step.disk.disk_mode}.",
    )


def _one_line(text: str) -> str:
    """Returns text as a comment may hold it: what ends a line would begin a command."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def quoted(text: str) -> str:
    """Returns text as one word of a POSIX shell, on one line whatever it holds."""
    if text.isprintable():
        return shlex.quote(text)
    octal = "".join(letter if letter.isprintable() and letter not in "\\%" else _octal(letter) for letter in text)
    return f'"$(printf -- {shlex.quote(octal)})"'


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))


def volume_file(file: str) -> str:
    """Returns the path below /vmfs/volumes of "[datastore] folder/x.vmdk"; a path is returned as it is."""
    if not file.startswith("["):
        return file
    datastore, folder, name = split_file(file)
    return "/".join(part for part in ("/vmfs/volumes", datastore, folder, name) if part)
