# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Who may use a LUN and could not be read; without that, nothing is said to be unused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import DiskKind, Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import REMOVED, Part

_NAMED = 3


@dataclass(frozen=True)
class Unread:
    """The VMs of which it is not known what they map, and the hosts whose VMs or LUNs are not known. By names."""

    machines: tuple[VirtualMachine, ...]
    # VMs that a host lists and the user does not see: (id of the host, id of the VM).
    unseen_machines: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...]
    everything: bool

    @classmethod
    def of(cls, inventory: Inventory) -> Unread:
        """Returns what could not be read of an inventory."""
        hosts = [host.name for host in inventory.hosts.values() if host.luns is None or host.machines is None]
        return cls(
            tuple(
                machine
                for machine in inventory.machines.values()
                if maps_unknown(machine) or may_hide_a_detached_mapping(machine)
            ),
            tuple(
                (host.id, machine_id)
                for host in inventory.hosts.values()
                for machine_id in sorted(host.machines or ())
                if machine_id not in inventory.machines
            ),
            (*sorted(hosts), *sorted(inventory.unseen_hosts)),
            not inventory.complete,
        )

    def without(self, machine: VirtualMachine) -> Unread:
        """Returns what could not be read of others than this VM, whose own detached mappings are no other's."""
        others = tuple(other for other in self.machines if other.id != machine.id or maps_unknown(other))
        return replace(self, machines=others)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them by name, VMs first."""
        rest = ("all that was not read in time",) if self.everything else ()
        machines = (machine.path or machine.name for machine in self.machines)
        return (*machines, *(machine_id for _host, machine_id in self.unseen_machines), *self.hosts, *rest)

    def users_of(self, lun: HostLun) -> tuple[str, ...]:
        """Returns the names of those that may use a LUN; a local one is used by VMs of its own host only."""
        if lun.local is not True:
            return self.names
        rest = ("all that was not read in time",) if self.everything else ()
        return (
            *(machine.path or machine.name for machine in self.machines if machine.host in (None, lun.host)),
            *(machine_id for host, machine_id in self.unseen_machines if host == lun.host),
            *(name for name in self.hosts if name == lun.host_name),
            *rest,
        )


def maps_unknown(machine: VirtualMachine) -> bool:
    """Tells whether a VM may map a LUN that is not known.

    So it is where its disks were not read, a mapping names no LUN, or a disk is of a kind that nobody knows.
    """
    return not machine.disks_known or any(
        disk.kind is DiskKind.OTHER or (disk.kind is DiskKind.MAPPING and not disk.lun_uuid and not disk.device_name)
        for disk in machine.disks
    )


def may_hide_a_detached_mapping(machine: VirtualMachine) -> bool:
    """Tells whether an interrupted run may have left a mapping of a VM detached: its journal could not be read."""
    return any(one.part in (Part.SETTINGS, Part.RECORD_FILES) and one.why != REMOVED for one in machine.unreadable)


def counted(names: tuple[str, ...]) -> str:
    """Returns "1 VM or host", "3 VMs or hosts"."""
    return "1 VM or host" if len(names) == 1 else f"{len(names)} VMs or hosts"


def some_of(names: tuple[str, ...]) -> str:
    """Returns "a, b and c", or "a, b, c and 12 more"."""
    listed, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        return f"{', '.join(listed)} and {more} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))
