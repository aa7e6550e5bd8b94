# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The privileges that a conversion and its undo use, asked for before the first write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import reference

_MACHINE_PRIVILEGES = (
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
_DATASTORE_PRIVILEGES = ("Datastore.AllocateSpace", "Datastore.Browse", "Datastore.FileManagement")


def missing_privileges(
    session: Session, machine: VirtualMachine, datastores: Sequence[Datastore]
) -> dict[str, tuple[str, ...]]:
    """Returns, by the name of the object, the privileges that the user lacks; empty where the server cannot tell."""
    wanted: tuple[str, ...] = _MACHINE_PRIVILEGES
    if machine.boot_order:
        wanted += _ORDER_PRIVILEGES
    if machine.power is not Power.OFF:
        wanted += _POWER_PRIVILEGES
    missing = {machine.name: _lacking(session, [reference("VirtualMachine", machine.id)], wanted)}
    if datastores:
        names = {datastore.id: datastore.name for datastore in datastores}
        references = [reference("Datastore", datastore_id) for datastore_id in names]
        for datastore_id, lacking in _by_object(session, references, _DATASTORE_PRIVILEGES).items():
            missing[names[datastore_id]] = lacking
    return {name: lacking for name, lacking in missing.items() if lacking}


def _lacking(session: Session, references: list[Any], privileges: Sequence[str]) -> tuple[str, ...]:
    return next(iter(_by_object(session, references, privileges).values()), ())


def _by_object(session: Session, references: list[Any], privileges: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
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
