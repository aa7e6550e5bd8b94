# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The .vmdk files of a datastore's folder, as the API's datastore browser shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import extent_of, extent_patterns
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    RECORD_FILES,
    is_record_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    DiskKind,
    FileFacts,
    join_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.object_names import decode_name
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    as_int,
    child_text,
    children,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    object_spec,
    read_properties,
    reference,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.tasks import wait_for_task

_MAPPING_TYPE = "VirtualDiskRawDiskMappingVer1BackingInfo"
_FLAT_TYPE = "VirtualDiskFlatVer2BackingInfo"


class NoSuchFolder(Exception):
    """There is no such folder on the datastore."""


def browsers_of(session: Session, datastores: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Returns by the ids of datastores their names and browsers, in one request; one that has none is left out."""
    found: dict[str, tuple[str, Any]] = {}
    start = [object_spec(reference("Datastore", datastore)) for datastore in datastores]
    if not start:
        return found
    for read in read_properties(session, "Reading datastores", start, {"Datastore": ("name", "browser")}):
        browser, name = read.text("browser"), read.text("name")
        if browser is not None and name is not None:
            found[read.id] = (decode_name(name), session.managed(library.vim.host.DatastoreBrowser, browser))
    return found


def list_folder(session: Session, datastore: str, browser: Any, folder: str) -> Mapping[str, FileFacts] | None:
    """Returns the .vmdk files of a folder by their full names; None where it cannot be read; raises NoSuchFolder."""
    try:
        # Asked for as plain files first: asked for as disks, a descriptor hides its extent.
        found = {facts.file: facts for facts in _search(session, browser, datastore, folder, None)}
        for facts in _search(session, browser, datastore, folder, _disk_query()):
            plain = found.get(facts.file, facts)
            found[facts.file] = replace(plain, kind=facts.kind, capacity_bytes=facts.capacity_bytes)
    except StepRefused as refusal:
        if refusal.fault == "FileNotFound":
            raise NoSuchFolder from refusal
        return None
    mappings = [facts for facts in found.values() if facts.kind is DiskKind.MAPPING]
    found.update({facts.file: _with_mode(facts, found) for facts in mappings})
    return found


def names_in_folder(session: Session, datastore: str, browser: Any, folder: str, pattern: str) -> tuple[str, ...]:
    """Returns the full names of the files of a folder that match; raises StepRefused, NoSuchFolder."""
    try:
        return tuple(facts.file for facts in _search(session, browser, datastore, folder, None, pattern))
    except StepRefused as refusal:
        if refusal.fault == "FileNotFound":
            raise NoSuchFolder from refusal
        raise


def disk_uuid_of(session: Session, file: str, datacenter: Any) -> str | None:
    """Returns the uuid of a mapping file's disk; None where a file in use does not tell it."""
    manager = session.content.virtualDiskManager
    try:
        uuid = session.read(
            f"Reading the uuid of {file}", lambda: manager.QueryVirtualDiskUuid(name=file, datacenter=datacenter)
        )
    except StepRefused:
        return None
    return str(uuid) if uuid else None


def search_mappings(session: Session, datastore: Datastore, until: float = inf) -> tuple[FileFacts, ...]:
    """Returns every mapping file on a datastore, in whatever folder, and the files that hold records.

    Raises StepRefused where it cannot be searched, or not before the monotonic clock says `until`.
    """
    known = browsers_of(session, [datastore.id]).get(datastore.id)
    if known is None:
        raise StepRefused(f"The server does not tell how to look into {datastore.name}; it may be gone by now.")
    _name, managed = known
    # Of all that lies on a datastore only mappings are kept, and what may be an extent of theirs is asked for; and what
    # a run over a host's shell left beside a VM.
    patterns = (*extent_patterns(), RECORD_FILES)
    found = _search_below(session, managed, datastore.name, _search_spec(None, patterns), until)
    beside = {facts.file: facts for facts in found}
    disks = _search_below(session, managed, datastore.name, _search_spec(_disk_query()), until, _MAPPING_TYPE)
    records = (facts for facts in found if is_record_file(facts.file))
    return (*(_with_mode(facts, beside) for facts in disks), *records)


def _search_below(
    session: Session, browser: Any, datastore: str, spec: Any, until: float, disk_type: str | None = None
) -> list[FileFacts]:
    """Returns what a search of a whole datastore finds, of disks those of this type only."""
    path = f"[{datastore}]"
    doing = f"Searching {path}"
    task = session.read(doing, lambda: browser.SearchDatastoreSubFolders_Task(datastorePath=path, searchSpec=spec))

    def of_folder(result: Element) -> list[FileFacts]:
        folder = (child_text(result, "folderPath") or "").removeprefix(path).removeprefix(" ").rstrip("/")
        return [
            _facts(entry, datastore, folder)
            for entry in children(result, "file")
            if disk_type in (None, child_text(entry, "diskType"))
        ]

    def joined(folders: Sequence[list[FileFacts]]) -> list[FileFacts]:
        return [facts for folder in folders for facts in folder]

    return wait_for_task(session, task, doing, joined, until=until, members=of_folder)


def _disk_query() -> Any:
    query = library.vim.host.DatastoreBrowser.VmDiskQuery
    details = query.Details(
        diskType=True, capacityKb=True, hardwareVersion=False, controllerType=False, diskExtents=False, thin=False
    )
    return query(details=details)


def _search_spec(query: Any, patterns: Sequence[str] = ("*.vmdk",)) -> Any:
    kind = library.vim.host.DatastoreBrowser
    details = kind.FileInfo.Details(fileType=True, fileSize=True, modification=False, fileOwner=False)
    return kind.SearchSpec(details=details, matchPattern=list(patterns), query=[query] if query is not None else [])


def _search(
    session: Session, browser: Any, datastore: str, folder: str, query: Any, pattern: str = "*.vmdk"
) -> Iterator[FileFacts]:
    path = f"[{datastore}] {folder}".rstrip()
    doing = f"Listing {path}"
    spec = _search_spec(query, [pattern])
    task = session.read(doing, lambda: browser.SearchDatastore_Task(datastorePath=path, searchSpec=spec))

    def found(result: Element | None) -> list[FileFacts]:
        # A search of another folder, or none, says nothing of this one.
        if (child_text(result, "folderPath") or "").rstrip("/ ") != path.rstrip("/ "):
            raise StepRefused(f"{doing} ended with the files of {child_text(result, 'folderPath') or 'no folder'}.")
        return [_facts(entry, datastore, folder) for entry in children(result, "file")]

    yield from wait_for_task(session, task, doing, found)


def _facts(entry: Element, datastore: str, folder: str) -> FileFacts:
    kilobytes = _number(child_text(entry, "capacityKb"))
    kind = {_MAPPING_TYPE: DiskKind.MAPPING, _FLAT_TYPE: DiskKind.FLAT, None: None}
    disk_type = child_text(entry, "diskType")
    return FileFacts(
        file=join_file(datastore, folder, child_text(entry, "path") or ""),
        size_bytes=_number(child_text(entry, "fileSize")),
        kind=kind.get(disk_type, DiskKind.OTHER),
        capacity_bytes=kilobytes * 1024 if kilobytes is not None else None,
    )


def _number(text: str | None) -> int | None:
    """Returns a number; one that cannot be read is not known."""
    try:
        return as_int(text)
    except ValueError:
        return None


def _with_mode(facts: FileFacts, beside: Mapping[str, FileFacts]) -> FileFacts:
    """Returns the facts with the mode of a mapping, which the browser does not tell, and its extent's name does."""
    modes = [mode for mode in Compatibility if extent_of(facts.file, mode) in beside]
    return replace(facts, compatibility=modes[0]) if len(modes) == 1 else facts
