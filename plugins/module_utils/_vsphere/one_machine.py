# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One machine with its host and datastores, all of one moment, in one request."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError, StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import NotTheAnswer
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session, unreachable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.gathered import TASK_PATHS, Gathered
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (
    DATASTORE_PATHS,
    FOLDER_PATHS,
    HOST_PATHS,
    STORAGE_PATHS,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.luns import DeviceReader
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import EXTRA_PATHS, MACHINE_PATHS
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    GONE,
    object_spec,
    read_properties,
    reference,
    traversal,
)


def read_vm(session: Session, machine_id: str, *, with_luns: bool = True) -> VmState:
    """Returns one machine with its host and that host's datastores, all of one moment; the host's LUNs, which are
    megabytes on a large SAN, only with `with_luns`.

    Raises SelectionError where the machine no longer exists, StepRefused, ConnectionFailed.
    """
    vim = library.vim
    parents = upward()
    again = library.vmodl.query.PropertyCollector.SelectionSpec(name=parents.name)
    start = object_spec(
        reference("VirtualMachine", machine_id),
        parents,
        traversal(vim.VirtualMachine, "parentVApp", again),
        traversal(vim.VirtualMachine, "recentTask"),
        traversal(vim.VirtualMachine, "datastore"),
        traversal(vim.VirtualMachine, "runtime.host", again, traversal(vim.HostSystem, "datastore")),
    )
    paths = {
        "VirtualMachine": MACHINE_PATHS + EXTRA_PATHS,
        "HostSystem": HOST_PATHS + STORAGE_PATHS if with_luns else HOST_PATHS,
        "Datastore": DATASTORE_PATHS,
        "Task": TASK_PATHS,
        **FOLDER_PATHS,
    }
    gathered = Gathered(session, with_storage=with_luns)
    gone = SelectionError(
        f"The virtual machine {machine_id} no longer exists on {session.server.name}.",
        hint="It was removed or unregistered; register it again, then name it anew.",
    )
    try:
        doing = f"Reading the virtual machine {machine_id}"
        converters = DeviceReader().converters
        with closing(read_properties(session, doing, [start], paths, converters=converters)) as reads:
            for read in reads:
                gathered.add(read)
    except StepRefused as refusal:
        if refusal.fault == GONE:
            raise gone from refusal
        raise
    machine = gathered.finished_machines().get(machine_id)
    if machine is None and gathered.objects:
        raise unreachable(session.server, NotTheAnswer(f"other objects than the virtual machine {machine_id}"))
    if machine is None:
        raise gone
    host = gathered.finished_hosts().get(machine.host or "")
    return VmState(machine, host, gathered.datastores)


def read_datacenter(session: Session, machine_id: str) -> Any:
    """Returns the reference of the datacenter that a machine lies in; None where it cannot be seen."""
    start = object_spec(reference("VirtualMachine", machine_id), upward())
    doing = f"Reading the datacenter of {machine_id}"
    with closing(read_properties(session, doing, [start], {"Datacenter": ("name",)})) as reads:
        found = next(reads, None)
    return reference("Datacenter", found.id) if found is not None else None


def upward() -> Any:
    """Returns the selection that follows `parent` up to the root folder."""
    query = library.vmodl.query.PropertyCollector
    parents = traversal(library.vim.ManagedEntity, "parent", query.SelectionSpec(name="upward"))
    parents.name = "upward"
    return parents
