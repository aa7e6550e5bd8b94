# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The .vmdk files of a datastore's folder, as the API's datastore browser shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import extent_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    DiskKind,
    FileFacts,
    VirtualMachine,
    join_file,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import read_datacenter
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    as_int,
    child_text,
    children,
    decode_name,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    object_spec,
    read_properties,
    reference,
    traversal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.tasks import wait_for_task

_MAPPING_TYPE = "VirtualDiskRawDiskMappingVer1BackingInfo"
_FLAT_TYPE = "VirtualDiskFlatVer2BackingInfo"


def list_folder(session: Session, machine: VirtualMachine, file: str) -> Mapping[str, FileFacts] | None:
    """Returns the .vmdk files beside `file` by their full names; None where the folder cannot be read.

    The datastore is the one that the machine's host calls so. A folder that does not exist has no files.
    """
    datastore, folder, _name = split_file(file)
    try:
        browser = _browser(session, machine, datastore)
        if browser is None:
            return None
        # Asked for as plain files first: asked for as disks, a descriptor hides its extent.
        found = {facts.file: facts for facts in _search(session, browser, datastore, folder, None)}
        for facts in _search(session, browser, datastore, folder, _disk_query()):
            plain = found.get(facts.file, facts)
            found[facts.file] = replace(plain, kind=facts.kind, capacity_bytes=facts.capacity_bytes)
    except StepRefused as refusal:
        return {} if refusal.fault == "FileNotFound" else None
    mappings = [facts for facts in found.values() if facts.kind is DiskKind.MAPPING]
    found.update({facts.file: _with_mode(facts, found) for facts in mappings})
    found.update({facts.file: facts for facts in _with_disk_uuids(session, machine, mappings, found)})
    return found


def has_folder(session: Session, machine: VirtualMachine, file: str) -> bool:
    """Returns False where the folder of `file` does not exist; where that cannot be told, True."""
    datastore, folder, _name = split_file(file)
    try:
        browser = _browser(session, machine, datastore)
        if browser is not None:
            list(_search(session, browser, datastore, folder, None))
    except StepRefused as refusal:
        return refusal.fault != "FileNotFound"
    return True


def search_mappings(session: Session, datastore: Datastore, until: float = inf) -> tuple[FileFacts, ...]:
    """Returns every mapping file on a datastore, in whatever folder; raises StepRefused where it cannot be searched, or
    not before the monotonic clock says `until`."""
    browser = None
    doing = f"Reading the browser of datastore {datastore.name}"
    for read in read_properties(
        session, doing, [object_spec(reference("Datastore", datastore.id))], {"Datastore": ("browser",)}
    ):
        browser = read.text("browser")
    if browser is None:
        return ()
    managed = session.managed(library.vim.host.DatastoreBrowser, browser)
    found = {facts.file: facts for facts in _search_below(session, managed, datastore.name, None, until)}
    mappings = [
        facts
        for facts in _search_below(session, managed, datastore.name, _disk_query(), until)
        if facts.kind is DiskKind.MAPPING
    ]
    return tuple(_with_mode(facts, found) for facts in mappings)


def _search_below(session: Session, browser: Any, datastore: str, query: Any, until: float) -> Iterator[FileFacts]:
    path = f"[{datastore}]"
    doing = f"Searching {path}"
    task = session.read(
        doing, lambda: browser.SearchDatastoreSubFolders_Task(datastorePath=path, searchSpec=_search_spec(query))
    )
    yield from wait_for_task(
        session,
        task,
        doing,
        lambda result: [
            _facts(
                entry,
                datastore,
                (child_text(folder, "folderPath") or "").removeprefix(path).removeprefix(" ").rstrip("/"),
            )
            for folder in children(result, "HostDatastoreBrowserSearchResults")
            for entry in children(folder, "file")
        ],
        until=until,
    )


def _browser(session: Session, machine: VirtualMachine, datastore: str) -> Any:
    vim = library.vim
    to_datastores = traversal(vim.HostSystem, "datastore")
    start = object_spec(
        reference("VirtualMachine", machine.id), traversal(vim.VirtualMachine, "runtime.host", to_datastores), skip=True
    )
    found = None
    doing = f"Reading the datastores of the host of {machine.name}"
    for read in read_properties(session, doing, [start], {"Datastore": ("name", "browser")}):
        browser = read.text("browser")
        if browser is not None and decode_name(read.text("name") or "") == datastore:
            found = session.managed(vim.host.DatastoreBrowser, browser)
    return found


def _disk_query() -> Any:
    query = library.vim.host.DatastoreBrowser.VmDiskQuery
    details = query.Details(
        diskType=True, capacityKb=True, hardwareVersion=False, controllerType=False, diskExtents=False, thin=False
    )
    return query(details=details)


def _search_spec(query: Any) -> Any:
    kind = library.vim.host.DatastoreBrowser
    details = kind.FileInfo.Details(fileType=True, fileSize=True, modification=False, fileOwner=False)
    return kind.SearchSpec(details=details, matchPattern=["*.vmdk"], query=[query] if query is not None else [])


def _search(session: Session, browser: Any, datastore: str, folder: str, query: Any) -> Iterator[FileFacts]:
    path = f"[{datastore}] {folder}".rstrip()
    doing = f"Listing {path}"
    task = session.read(doing, lambda: browser.SearchDatastore_Task(datastorePath=path, searchSpec=_search_spec(query)))
    yield from wait_for_task(
        session, task, doing, lambda result: [_facts(entry, datastore, folder) for entry in children(result, "file")]
    )


def _facts(entry: Element, datastore: str, folder: str) -> FileFacts:
    kilobytes = as_int(child_text(entry, "capacityKb"))
    kind = {_MAPPING_TYPE: DiskKind.MAPPING, _FLAT_TYPE: DiskKind.FLAT, None: None}
    disk_type = child_text(entry, "diskType")
    return FileFacts(
        file=join_file(datastore, folder, child_text(entry, "path") or ""),
        size_bytes=as_int(child_text(entry, "fileSize")),
        kind=kind.get(disk_type, DiskKind.OTHER),
        capacity_bytes=kilobytes * 1024 if kilobytes is not None else None,
    )


def _with_mode(facts: FileFacts, beside: Mapping[str, FileFacts]) -> FileFacts:
    """Returns the facts with the mode of a mapping, which the browser does not tell, and its extent's name does."""
    modes = [mode for mode in Compatibility if extent_of(facts.file, mode) in beside]
    return replace(facts, compatibility=modes[0]) if len(modes) == 1 else facts


def _with_disk_uuids(
    session: Session, machine: VirtualMachine, mappings: Sequence[FileFacts], found: Mapping[str, FileFacts]
) -> Iterator[FileFacts]:
    """Yields the facts of mapping files with their disk uuids; a file in use may not tell it."""
    datacenter = read_datacenter(session, machine.id) if mappings else None
    manager = session.content.virtualDiskManager
    for mapping in mappings:
        try:
            uuid = session.read(
                f"Reading the uuid of {mapping.file}",
                lambda name=mapping.file: manager.QueryVirtualDiskUuid(name=name, datacenter=datacenter),  # type: ignore[misc]
            )
        except StepRefused:
            continue
        yield replace(found[mapping.file], disk_uuid=str(uuid) if uuid else None)
