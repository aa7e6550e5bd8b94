# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The records that a run over a host's shell keeps as files beside a VM's .vmx, read over the API.

They are found by the datastore's browser and fetched over HTTP (vSphere API, "HTTP access to vSphere server files").
"""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPException
from urllib.parse import quote, urlencode

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import DiskJournal, UnreadableJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    RECORD_FILES,
    address_of_record_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import read_journal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine, split_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import (
    NoSuchFolder,
    browsers_of,
    names_in_folder,
)

_LARGEST_RECORD_BYTES = 1024**2
# Ends the part of an inventory path that names the datacenter.
_MACHINES = "/vm/"


def records_in_files(session: Session, state: VmState) -> dict[str, DiskJournal | UnreadableJournal]:
    """Returns by address the records beside the VM's .vmx; raises StepRefused where they cannot be looked for."""
    machine = state.machine
    vmx = machine.vmx_path
    if vmx is None:
        raise StepRefused(f"Where the .vmx of {machine.name} lies could not be read.")
    store, folder, _name = split_file(vmx)
    named = [one for one in state.datastores.values() if one.name == store]
    seen = [one for one in named if one.writable_from is None or machine.host in one.writable_from] or named
    browsers = browsers_of(session, [one.id for one in seen[:1]])
    if len(seen) != 1 or not browsers:
        raise StepRefused(f"The datastore {store} of {machine.name} is not visible.")
    name, browser = browsers[seen[0].id]
    try:
        files = names_in_folder(session, name, browser, folder, RECORD_FILES)
    except NoSuchFolder:
        return {}
    found: dict[str, DiskJournal | UnreadableJournal] = {}
    for file in files:
        address = address_of_record_file(vmx, file)
        if address is None:
            continue
        text = _fetched(session, machine, file)
        if text is not None:
            found[address] = read_journal(address, text)
    return found


def without_records(machine: VirtualMachine) -> VirtualMachine:
    """Returns the VM of which nobody knows whether files beside it hold records."""
    return replace(machine, unreadable=(*machine.unreadable, Unreadable(Part.RECORD_FILES)))


def _fetched(session: Session, machine: VirtualMachine, file: str) -> str | None:
    """Returns the text of a file; None where it is gone by now."""
    store, folder, name = split_file(file)
    path = f"/folder/{quote(f'{folder}/{name}'.lstrip('/'))}"
    asked = {"dcPath": machine.path.partition(_MACHINES)[0].lstrip("/"), "dsName": store}
    doing = f"Reading {file}"
    status, body = session.read(doing, lambda: _get(session, f"{path}?{urlencode(asked)}"))
    if status == 404:
        return None
    if status != 200:
        raise StepRefused(f"{doing} was refused with HTTP status {status}.")
    return body.decode("utf-8", "replace")


def _get(session: Session, path: str) -> tuple[int, bytes]:
    stub = session.stub
    connection = stub.GetConnection()
    try:
        connection.request("GET", path, headers={"Cookie": stub.cookie})
        response = connection.getresponse()
        body = response.read(_LARGEST_RECORD_BYTES + 1)
        if len(body) > _LARGEST_RECORD_BYTES:
            raise HTTPException(f"more than {_LARGEST_RECORD_BYTES} bytes")
        response.read()
    except BaseException:
        connection.close()
        stub.DropConnections()
        raise
    stub.ReturnConnection(connection)
    return response.status, body
