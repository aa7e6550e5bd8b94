# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The privileges that a conversion and its undo use, asked for before the first write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import reference

MACHINE_PRIVILEGES = (
    "VirtualMachine.Config.RawDevice",
    "VirtualMachine.Config.AddNewDisk",
    "VirtualMachine.Config.AddExistingDisk",
    "VirtualMachine.Config.RemoveDisk",
    "VirtualMachine.Config.AddRemoveDevice",
    "VirtualMachine.Config.EditDevice",
    "VirtualMachine.Config.AdvancedConfig",
)
# To set the boot order again, which goes with the old device.
_ORDER_PRIVILEGES = ("VirtualMachine.Config.Settings",)
_POWER_PRIVILEGES = ("VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn")
DATASTORE_PRIVILEGES = ("Datastore.AllocateSpace", "Datastore.Browse", "Datastore.FileManagement")


def missing_privileges(
    session: Session, machines: Sequence[VirtualMachine], datastores: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Returns, by the id of a machine or datastore, the privileges that the user lacks there; empty where the server
    cannot tell. One request for all machines, and one for all datastores."""
    wanted = {machine.id: _wanted_on(machine) for machine in machines}
    every = tuple(dict.fromkeys(privilege for privileges in wanted.values() for privilege in privileges))
    found = lacking_privileges(session, [reference("VirtualMachine", machine_id) for machine_id in wanted], every)
    missing = {
        machine_id: tuple(privilege for privilege in found.get(machine_id, ()) if privilege in privileges)
        for machine_id, privileges in wanted.items()
    }
    references = [reference("Datastore", datastore) for datastore in datastores]
    missing.update(lacking_privileges(session, references, DATASTORE_PRIVILEGES))
    return {object_id: lacking for object_id, lacking in missing.items() if lacking}


def _wanted_on(machine: VirtualMachine) -> tuple[str, ...]:
    wanted: tuple[str, ...] = MACHINE_PRIVILEGES
    if machine.boot_order:
        wanted += _ORDER_PRIVILEGES
    if machine.power is not Power.OFF:
        wanted += _POWER_PRIVILEGES
    return wanted


def lacking_privileges(
    session: Session, references: list[Any], privileges: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    """Returns, by the id of an object, those of the privileges that the user lacks there; {} where nothing tells."""
    if not references:
        return {}
    manager = session.content.authorizationManager
    try:
        answers = session.read(
            "Reading the user's privileges",
            lambda: manager.HasPrivilegeOnEntities(references, session.key, list(privileges)),
        )
    except StepRefused:
        # Not every host answers it; then the step itself says which privilege it wants.
        return {}
    return {
        answer.entity._GetMoId(): tuple(item.privId for item in answer.privAvailability if not item.isGranted)
        for answer in answers or ()
    }
