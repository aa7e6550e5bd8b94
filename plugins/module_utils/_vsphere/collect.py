# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Everything that there is, in a number of requests that does not grow with the machines."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from math import inf
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Host,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import REMOVED, Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import NAME_PREFIX
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import VIM, child_text
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.gathered import TASK_PATHS, Gathered
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (
    DATASTORE_PATHS,
    FOLDER_PATHS,
    HOST_PATHS,
    STORAGE_MULTIPATH,
    STORAGE_PATHS,
    STORAGE_PLUGINS,
    with_storage,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.luns import DeviceReader
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import (
    EXTRA_PATHS,
    MACHINE_PATHS,
    OPEN_PATH,
    extent_among,
    files_of,
    journal_of,
    rehearsal_of,
    seen_by_guest,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.parts import (
    MACHINE_PARTS,
    part_of,
    unread_parts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    GONE,
    PAGE_SIZE,
    AnswersTooLarge,
    ObjectProperties,
    object_spec,
    read_parts,
    read_properties,
    reference,
    traversal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reply_parts import Converters

# So often a reading is begun that an object's removal ended.
_ATTEMPTS = 3
# A host with thousands of LUNs tells tens of megabytes: few of them are asked for in one request.
HOSTS_A_PAGE = 2
_OFFER = VIM + "scsiDisk"


class _Reading:
    """One reading of all that there is. `ended` says why nothing more of it is asked for; "" while it goes on."""

    def __init__(self, session: Session, until: float, meanwhile: Callable[[], None]) -> None:
        self.session = session
        self.until = until
        self.meanwhile = meanwhile
        self.ended = ""

    def goes_on(self) -> bool:
        """Tells whether there is time left, after doing what is to be done meanwhile."""
        self.meanwhile()
        if time.monotonic() > self.until:
            self.ended = "time was up"
        return not self.ended

    def end_with(self, error: ConnectionFailed) -> None:
        """Ends the reading where what was read fits no more, or time was up; raises the error where neither is so."""
        if isinstance(error, AnswersTooLarge):
            self.ended = "it takes more memory than a reading may"
        elif self.goes_on():
            raise error

    def each(
        self,
        doing: str,
        kind: str,
        ids: Sequence[str],
        paths: Sequence[str],
        *,
        page_size: int = PAGE_SIZE,
        converters: Converters | None = None,
    ) -> Iterator[ObjectProperties]:
        """Yields what is read of these objects, but for those that are gone by now or that time is up for."""
        unread = set(ids)
        groups = [list(ids)] if ids else []
        while groups and self.goes_on():
            group = groups.pop()
            start = [object_spec(reference(kind, object_id)) for object_id in group]
            reads = read_properties(self.session, doing, start, {kind: paths}, page_size, converters=converters)
            try:
                with _no_search_for_cycles(), closing(reads):
                    for read in reads:
                        unread.discard(read.id)
                        yield read
                        if not self.goes_on():
                            return
            except ConnectionFailed as error:
                self.end_with(error)
            except StepRefused as refusal:
                if refusal.fault != GONE:
                    raise
                # The fault does not always say which: each half is asked for by itself.
                left = [object_id for object_id in group if object_id in unread]
                middle = (len(left) + 1) // 2
                if len(left) > 1:
                    groups += [left[middle:], left[:middle]]


def read_inventory(
    session: Session,
    *,
    with_lun_paths: bool = False,
    with_offers: bool = False,
    until: float = inf,
    meanwhile: Callable[[], None] = nothing_meanwhile,
) -> Inventory:
    """Returns everything that the user may see: one read of all objects, one more of the machines with mappings or
    snapshots, one of the hosts' storage, and with `with_offers` one question to each host.

    What is not read when the monotonic clock says `until` is left out, and a finding says so.
    """
    reading = _Reading(session, until, meanwhile)
    gathered, complete, open_is_told = _read_all(reading)
    machines = gathered.finished_machines()
    # What only a snapshot of a machine names stands in its layout, and nowhere else.
    asked = [
        machine.id
        for machine in machines.values()
        if machine.mappings
        or machine.has_snapshots
        or machine.name.startswith(NAME_PREFIX)
        or machine.id in gathered.half_done
        # Where a server does not take a key in a path, all that has settings is asked for them.
        or (machine.disks_known and not open_is_told)
    ]
    _add_extras(reading, machines, asked)
    hosts = gathered.finished_hosts()
    paths = (
        *STORAGE_PATHS,
        *(STORAGE_PLUGINS if with_offers else ()),
        *(STORAGE_MULTIPATH if with_lun_paths else ()),
    )
    _add_storage(reading, hosts, paths)
    if with_offers:
        hosts = {host.id: _with_offers(session, host, gathered, until) for host in hosts.values()}
    return Inventory(
        server=session.server.hostname,
        stand_alone=session.content.about.apiType == "HostAgent",
        hosts=hosts,
        datastores=gathered.datastores,
        machines=machines,
        findings=tuple(gathered.findings) if complete else (*gathered.findings, _not_all(reading)),
        unseen_hosts=gathered.unseen_hosts(),
        complete=complete,
    )


def _not_all(reading: _Reading) -> Finding:
    server = reading.session.server.name
    return Finding(
        "unreadable",
        "warning",
        f"The inventory of {server} was not read to its end: {reading.ended or 'objects were removed meanwhile'}.",
        "Run again, and raise timeout where it stays so. What is not listed may be there all the same.",
        server,
    )


def _read_all(reading: _Reading) -> tuple[Gathered, bool, bool]:
    """Returns what was read of all objects, whether that is all, and whether it tells which machines are half done. An
    object that is removed meanwhile may end a reading, which is then begun anew (vSphere API, PropertyCollector:
    ManagedObjectNotFound)."""
    session = reading.session
    unknown: list[str] = []
    paths = {
        "VirtualMachine": (*MACHINE_PATHS, OPEN_PATH),
        "HostSystem": HOST_PATHS,
        "Datastore": DATASTORE_PATHS,
        "Task": TASK_PATHS,
        **FOLDER_PATHS,
    }
    vim = library.vim
    kinds = [getattr(vim, kind) for kind in paths if kind != "Task"]
    doing = f"Reading the inventory of {session.server.name}"
    create = session.content.viewManager.CreateContainerView
    with _view(session, lambda: create(session.content.rootFolder, kinds, True)) as view:
        start = object_spec(
            view,
            traversal(vim.view.ContainerView, "view", traversal(vim.VirtualMachine, "recentTask")),
            skip=True,
        )
        gathered = Gathered(session)
        for _attempt in range(_ATTEMPTS):
            gathered = Gathered(session)
            reads = read_properties(session, doing, [start], paths, on_unknown=unknown.append)
            try:
                with _no_search_for_cycles(), closing(reads):
                    for read in reads:
                        gathered.add(read)
                        if not reading.goes_on():
                            return gathered, False, OPEN_PATH not in unknown
                return gathered, True, OPEN_PATH not in unknown
            except ConnectionFailed as error:
                reading.end_with(error)
                return gathered, False, OPEN_PATH not in unknown
            except StepRefused as refusal:
                if refusal.fault != GONE:
                    raise
        return gathered, False, OPEN_PATH not in unknown


def _add_extras(reading: _Reading, machines: dict[str, VirtualMachine], ids: Sequence[str]) -> None:
    """Reads more of these machines. One that is gone by now, or that time is up for, keeps what is known of it."""
    doing = f"Reading the virtual machines with mappings or snapshots of {reading.session.server.name}"
    unread = dict.fromkeys(ids)
    for read in reading.each(doing, "VirtualMachine", ids, EXTRA_PATHS):
        machines[read.id] = _with_extras(machines[read.id], read)
        unread.pop(read.id, None)
    why = reading.ended or REMOVED
    not_there = tuple(Unreadable(part_of(path, MACHINE_PARTS), why=why) for path in EXTRA_PATHS)
    for machine_id in unread:
        machine = machines[machine_id]
        machines[machine_id] = replace(machine, unreadable=(*machine.unreadable, *not_there))


def _add_storage(reading: _Reading, hosts: dict[str, Host], paths: Sequence[str]) -> None:
    """Reads the storage of the hosts, a few a request; of one that is gone by now, or that time is up for, it is not
    known."""
    doing = f"Reading the storage of the hosts of {reading.session.server.name}"
    unread = dict.fromkeys(hosts)
    reads = reading.each(
        doing, "HostSystem", list(hosts), paths, page_size=HOSTS_A_PAGE, converters=DeviceReader().converters
    )
    for read in reads:
        hosts[read.id] = with_storage(hosts[read.id], read)
        unread.pop(read.id, None)
    why = reading.ended or REMOVED
    for host_id in unread:
        host = hosts[host_id]
        hosts[host_id] = replace(host, unreadable=(*host.unreadable, Unreadable(Part.LUNS, why=why)))


def _with_extras(machine: VirtualMachine, read: ObjectProperties) -> VirtualMachine:
    files = files_of(read)
    snapshot_files = tuple(sorted(file for file in files if file.endswith(".vmdk"))) if machine.has_snapshots else ()
    return replace(
        machine,
        snapshot_files=snapshot_files or None,
        journal=journal_of(read),
        rehearsal=rehearsal_of(read),
        disks=tuple(replace(disk, extent=extent_among(files, disk)) for disk in seen_by_guest(machine.disks, read)),
        unreadable=(*machine.unreadable, *unread_parts(read, MACHINE_PARTS)),
    )


def _with_offers(session: Session, host: Host, gathered: Gathered, until: float) -> Host:
    """Returns the host with what it offers for new mappings (vSphere API, EnvironmentBrowser.QueryConfigTarget)."""
    browser = gathered.folders.browsers.get(gathered.host_parents[host.id] or "")
    if host.luns is None:
        return host
    offered: set[str] = set()
    try:
        if browser is None or time.monotonic() > until:
            raise StepRefused("The host was not asked.", fault="NotAsked")
        target = session.managed(library.vim.EnvironmentBrowser, browser)
        doing = f"Asking {host.name} which LUNs it offers"
        for part in read_parts(session, doing, target, "QueryConfigTarget", reference("HostSystem", host.id)):
            if part.tag == _OFFER:
                names = (child_text(part, "disk", "canonicalName"), child_text(part, "disk", "uuid"))
                offered.update(name for name in (*names, child_text(part, "name")) if name is not None)
    except (StepRefused, ConnectionFailed):
        return replace(host, unreadable=(*host.unreadable, Unreadable(Part.OFFERED_LUNS)))
    luns = tuple(replace(lun, offered=bool({lun.canonical_name, lun.uuid} & offered)) for lun in host.luns)
    return replace(host, luns=luns)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Keeps Python from looking for cycles while a million elements come and go, which have none; else it takes a
    fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _view(session: Session, create: Any) -> Iterator[Any]:
    """Gives a view, and takes it from the server again."""
    view = session.read("Making a view of the inventory", create)
    try:
        yield view
    finally:
        # A view ends with its session in any case.
        with suppress(ConnectionFailed, StepRefused):
            session.read("Removing a view", view.DestroyView)
