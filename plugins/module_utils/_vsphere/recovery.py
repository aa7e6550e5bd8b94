# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Commands by which a person makes a change by hand, on the shell of the VM's host. Everything is quoted here."""

from __future__ import annotations

import shlex

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    Change,
    ExistingMapping,
    NewMapping,
    Place,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Host,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import encode_name
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import RECORD_KEY

_CREATE = {Compatibility.VIRTUAL: "-r", Compatibility.PHYSICAL: "-z"}


def recovery_commands(machine: VirtualMachine, host: Host | None, change: Change) -> tuple[str, ...]:
    """Returns the commands in their order; a comment line says where to run them.

    The API's own command-line client can neither choose a mapping's mode nor attach a mapping file, so devices are
    changed with vim-cmd and vmkfstools. Argument forms of vim-cmd differ between versions of ESXi.
    """
    shell: list[str] = []
    if change.remove is not None:
        shell.append(f"vim-cmd vmsvc/device.diskremove $vmid {_position(Place.of(change.remove))} n {_bus(change)}")
    if isinstance(change.add, NewMapping):
        device = quoted(f"/vmfs/devices/disks/{change.add.lun.canonical_name}")
        flag = _CREATE[change.add.compatibility]
        shell.append(f"vmkfstools {flag} {device} {quoted(volume_file(change.add.file))}")
    if isinstance(change.add, (NewMapping, ExistingMapping)) and change.place is not None:
        file = quoted(volume_file(change.add.file))
        shell.append(f"vim-cmd vmsvc/device.diskaddexisting $vmid {file} {_position(change.place)} {_bus(change)}")
    commands: list[str] = []
    if shell:
        name = host.name if host is not None else "the VM's host"
        find = (
            f"vmid=$(vim-cmd vmsvc/getallvms | grep -F {quoted(machine.vmx_path or machine.name)} | awk '{{print $1}}')"
        )
        commands += [f"# In a shell of {name} (SSH), with {machine.name} powered off:", find, *shell]
    if change.edit is not None:
        commands.append(
            f"# In the vSphere client: set the disk mode of {change.edit.label} of {machine.name} "
            f"to {change.edit.disk_mode}."
        )
    if change.records:
        commands.append("# Where govc is installed and set up for this server, once the disk is right:")
        path = "/".join(encode_name(part) for part in machine.path.split("/"))
        commands += [
            f"govc vm.change -vm {quoted(path)} -e {quoted(f'{RECORD_KEY}{address}=')}" for address in change.records
        ]
    return tuple(commands)


def quoted(text: str) -> str:
    """Returns text as one word of a POSIX shell."""
    return shlex.quote(text)


def volume_file(file: str) -> str:
    """Returns the path below /vmfs/volumes of "[datastore] folder/x.vmdk"; a path is returned as it is."""
    if not file.startswith("["):
        return file
    datastore, folder, name = split_file(file)
    return "/".join(part for part in ("/vmfs/volumes", datastore, folder, name) if part)


def _position(place: Place) -> str:
    return f"{place.controller.bus} {place.unit}"


def _bus(change: Change) -> str:
    place = change.place or (Place.of(change.remove) if change.remove is not None else None)
    return place.controller.type if place is not None else "scsi"
