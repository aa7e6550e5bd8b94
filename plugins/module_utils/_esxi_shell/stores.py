# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Datastores and their small files, as a host's shell shows them: paths, names, descriptors, settings. Pure."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.descriptor import (
    Descriptor,
    descriptor,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.mapping_query import (
    MappingQuery,
    mapping_query,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.volumes import extents, filesystems
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import address_of_record_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    DiskKind,
    FileFacts,
    join_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import record_file

_VOLUMES = "/vmfs/volumes/"
_VMFS = "VMFS-"
_LONGEST_CHAIN = 64


@dataclass(frozen=True)
class Chain:
    """A disk's own descriptor, and the files below it: paths, newest first. `base` is None where a file is missing."""

    own: Descriptor
    base: Descriptor | None
    base_path: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeptTexts:
    """The very texts of a VM's .vmx and of the records beside it and its folder, by their paths: what a change is bound
    to."""

    vmx: str
    text: str
    records: Mapping[str, str]

    @property
    def version(self) -> str:
        """What differs whenever one of the texts does."""
        parts = [self.vmx, self.text, *(part for record in sorted(self.records.items()) for part in record)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Stores:
    """The datastores, by uuid, and what was read on them, by path (/vmfs/volumes/<uuid>/...)."""

    datastores: Mapping[str, Datastore]
    descriptors: Mapping[str, Descriptor]
    queries: Mapping[str, MappingQuery]
    settings: Mapping[str, str]
    # The very texts of settings and of records, in which a byte that is no UTF-8 is a surrogate.
    exact: Mapping[str, str] = field(default_factory=dict)
    # Volumes (uuids) that were searched to the end.
    searched: frozenset[str] = frozenset()
    # Folders that were listed to their end, with all that lies in them, and those that are not there.
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    _by_name: Mapping[str, Datastore] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Answer, host: str, luns: tuple[HostLun, ...] | None) -> Stores:
        """Returns what an answer holds of datastores."""
        stores = _datastores(answer, host, luns)
        descriptors: dict[str, Descriptor] = {}
        settings: dict[str, str] = {}
        exact: dict[str, str] = {}
        for file in answer.all("file"):
            # A record that cannot be read is one all the same: of its empty text it is said that it is none.
            if file.about.endswith(".json"):
                exact[file.about] = file.exact
            if not file.succeeded:
                continue
            if file.about.endswith(".vmx"):
                exact[file.about] = file.exact
            if file.about.endswith(".vmx"):
                settings[file.about] = file.text
            found = descriptor(file.text)
            if found is not None:
                descriptors[file.about] = found
        searched = {
            volume.about.removeprefix(_VOLUMES) for volume in answer.all("searched") if volume.text.strip() == "0"
        }
        return cls(
            stores,
            descriptors,
            {query.about: mapping_query(query.text) for query in answer.all("query")},
            settings,
            exact,
            frozenset(searched),
            _listed(answer),
            frozenset(folder.about for folder in answer.all("missing")),
            {store.name: store for store in stores.values()},
        )

    def called(self, datastores: Mapping[str, Datastore]) -> Stores:
        """Returns the same with these datastores, where the reading was not one of the datastores themselves."""
        return replace(self, datastores=datastores, _by_name={store.name: store for store in datastores.values()})

    def path_of(self, file: str) -> str | None:
        """Returns the path of "[datastore] folder/x.vmx"; None where no datastore has that name."""
        for name in sorted(self._by_name, key=len, reverse=True):
            if file.startswith(f"[{name}] "):
                return f"{_VOLUMES}{self._by_name[name].uuid}/{file.removeprefix(f'[{name}] ')}"
        return None

    def file_of(self, path: str) -> str:
        """Returns "[datastore] folder/x.vmdk" for a path; the path itself where it is on no datastore."""
        volume, _slash, inner = path.removeprefix(_VOLUMES).partition("/")
        store = self.datastores.get(volume)
        if store is None or not path.startswith(_VOLUMES):
            return path
        folder, _slash, name = inner.rpartition("/")
        return join_file(store.name, folder, name)

    def datastore_of(self, path: str) -> Datastore | None:
        """Returns the datastore on which a path lies."""
        return self.datastores.get(path.removeprefix(_VOLUMES).partition("/")[0])

    def beside(self, path: str, name: str) -> str:
        """Returns the path of a file that another names: seen from its own folder, or from the root."""
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        volume, slash, inner = joined.removeprefix(_VOLUMES).partition("/")
        store = self._by_name.get(volume) if volume not in self.datastores else None
        return f"{_VOLUMES}{store.uuid}{slash}{inner}" if store is not None and joined.startswith(_VOLUMES) else joined

    def chain_of(self, path: str) -> Chain | None:
        """Returns what a disk's file is, and what lies below it; None where its descriptor was not read."""
        own = self.descriptors.get(path)
        if own is None:
            return None
        below: Descriptor | None = own
        parents: list[str] = []
        while below is not None and below.parent is not None:
            parents.append(self.beside(parents[-1] if parents else path, below.parent))
            below = self.descriptors.get(parents[-1]) if len(parents) < _LONGEST_CHAIN else None
        return Chain(own, below, parents[-1] if parents else path, tuple(parents))

    def kept_texts(self, vmx: str) -> KeptTexts | None:
        """Returns the texts of a VM's .vmx and of its records; None where the .vmx was not read."""
        text = self.exact.get(vmx)
        if text is None:
            return None
        own = record_file(vmx)
        records = {
            path: one
            for path, one in self.exact.items()
            if path == own or address_of_record_file(vmx, path) is not None
        }
        return KeptTexts(vmx, text, records)

    def folder_of(self, path: str) -> Mapping[str, FileFacts] | None:
        """Returns what lies in a folder that was listed, by its full name; None where it was not, or not to its end."""
        if path in self.missing:
            return {}
        names = self.listed.get(path)
        if names is None:
            return None
        return {self.file_of(file): self._facts(file) for file in names}

    def _facts(self, path: str) -> FileFacts:
        one, query = self.descriptors.get(path), self.queries.get(path)
        if one is None:
            return FileFacts(self.file_of(path))
        return FileFacts(
            self.file_of(path),
            kind=DiskKind.MAPPING if one.compatibility is not None else DiskKind.FLAT,
            compatibility=one.compatibility,
            capacity_bytes=one.size_bytes,
            disk_uuid=one.uuid,
            lun_uuid=plain_name(query.vml) if query is not None else None,
        )

    def mapping_files(self, datastore: Datastore) -> tuple[FileFacts, ...]:
        """Returns every mapping file on a datastore, with the LUN that it names as far as vmkfstools told it."""
        found = []
        for path, one in self.descriptors.items():
            store = self.datastore_of(path)
            if store is not None and store.id == datastore.id and one.compatibility is not None:
                found.append(self._facts(path))
        return tuple(found)


def _listed(answer: Answer) -> dict[str, tuple[str, ...]]:
    folders: dict[str, list[str]] = {folder.about: [] for folder in answer.all("listed")}
    for entry in answer.all("entry"):
        folder = posixpath.dirname(entry.about)
        if folder in folders:
            folders[folder].append(entry.about)
    return {folder: tuple(names) for folder, names in folders.items()}


def _datastores(answer: Answer, host: str, luns: tuple[HostLun, ...] | None) -> dict[str, Datastore]:
    local = {lun.canonical_name: lun.local for lun in luns or ()}
    devices: dict[str, list[bool | None]] = {}
    for extent in extents(answer.text("extents") or "") or ():
        devices.setdefault(extent.uuid, []).append(local.get(extent.device))
    found: dict[str, Datastore] = {}
    for volume in filesystems(answer.text("filesystems") or ""):
        uuid = volume.mount.removeprefix(_VOLUMES)
        is_vmfs = volume.type.upper().startswith(_VMFS)
        found[uuid] = Datastore(
            id=uuid,
            name=volume.name or uuid,
            type="VMFS" if is_vmfs else volume.type,
            uuid=uuid,
            accessible=volume.mounted,
            version=volume.type[len(_VMFS) :] if is_vmfs else None,
            free_bytes=volume.free_bytes,
            local=_all_of(devices.get(uuid, ())),
            mounted_on=frozenset({host}),
            # Whether an NFS volume is mounted for reading only is not listed; no mapping lies on one.
            writable_from=(frozenset({host}) if volume.mounted else frozenset()) if is_vmfs else None,
        )
    return found


def _all_of(values: list[bool | None] | tuple[()]) -> bool | None:
    """Returns true where all are, false where one is not, else None."""
    if not values or (None in values and False not in values):
        return None
    return False not in values
