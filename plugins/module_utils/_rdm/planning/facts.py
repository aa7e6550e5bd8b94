# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the plan of one VM rests on: what was asked, what was read, and what an earlier run left. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import STEP_BEGUN, DiskJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk, Inventory, Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Survey


@dataclass(frozen=True)
class PlanFacts:
    """What the plan of one VM rests on; `journals` are the VM's own, by address.

    `power_before`, `step` and `boot_order` are what new entries of the journal begin with.
    """

    request: Request
    inventory: Inventory
    lun_index: LunIndex
    machine: VirtualMachine
    survey: Survey
    journals: Mapping[str, DiskJournal]
    power_before: Power
    step: str = STEP_BEGUN
    boot_order: tuple[str, ...] = ()

    def lun_of(self, disk: Disk) -> HostLun | None:
        """Returns the one LUN that the VM's host means by the disk's ids."""
        return self.inventory.lun_of(self.machine, disk)
