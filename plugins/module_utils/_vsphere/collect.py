# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Gathering: everything in a constant number of requests, or one machine with its host and datastores in one."""

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
    SelectionError,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    Disk,
    Host,
    Inventory,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable, listed
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import NAME_PREFIX
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import NotTheAnswer
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session, unreachable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import VIM, child_text
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (
    DATASTORE_PATHS,
    FOLDER_PATHS,
    HOST_PATHS,
    STORAGE_MULTIPATH,
    STORAGE_PATHS,
    STORAGE_PLUGINS,
    Folders,
    datastore_of,
    host_of,
    with_storage,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.luns import DeviceReader
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import (
    EXTRA_PATHS,
    MACHINE_PATHS,
    OPEN_PATH,
    MachineReader,
    ReadMachine,
    extent_among,
    files_of,
    journal_of,
    may_be_half_done,
    rehearsal_of,
    seen_by_guest,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.parts import (
    MACHINE_PARTS,
    part_of,
    unread_parts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
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

_TASK_PATHS = ("info.state", "info.descriptionId")
_UNFINISHED = ("queued", "running")
_GONE = "ManagedObjectNotFound"
# So often a reading is begun that an object's removal ended.
_ATTEMPTS = 3
# A host with thousands of LUNs tells tens of megabytes: few of them are asked for in one request.
HOSTS_A_PAGE = 2
_WAS_GONE = "gone when it was asked for"
_OFFER = VIM + "scsiDisk"


class _Gathered:
    """What the replies held so far, whatever the order in which the objects came; of hosts also their storage, where
    that is read along."""

    def __init__(self, session: Session, *, with_storage: bool = False) -> None:
        self._with_storage = with_storage
        self.reader = MachineReader()
        self.machines: dict[str, ReadMachine] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.hosts: dict[str, Host] = {}
        self.host_parents: dict[str, str | None] = {}
        self.datastores: dict[str, Datastore] = {}
        self.folders = Folders(session.content.rootFolder._GetMoId())
        self.running_tasks: dict[str, str] = {}
        # Machines of which a conversion may be open, whether they have a mapping or not.
        self.half_done: set[str] = set()
        self.findings: list[Finding] = []
        self.objects = 0

    def add(self, read: ObjectProperties) -> None:
        """Takes in one object."""
        self.objects += 1
        if read.type == "VirtualMachine":
            self.machines[read.id] = self.reader.read(read)
            if may_be_half_done(read):
                self.half_done.add(read.id)
            files = files_of(read)
            if files:
                self.files[read.id] = files
        elif read.type == "HostSystem":
            host = host_of(read)
            self.hosts[host.id] = with_storage(host, read) if self._with_storage else host
            self.host_parents[host.id] = read.text("parent")
        elif read.type == "Datastore":
            datastore, unreadable = datastore_of(read)
            self.datastores[datastore.id] = datastore
            self._note(datastore.name, unreadable)
        elif read.type == "Task":
            if read.text("info.state") in _UNFINISHED:
                self.running_tasks[read.id] = read.text("info.descriptionId") or read.id
        else:
            self.folders.add(read)

    def _note(self, name: str, unreadable: Sequence[Unreadable]) -> None:
        if unreadable:
            self.findings.append(
                Finding(
                    "unreadable",
                    "warning",
                    f"Of {name} this could not be read: {listed(unreadable)}.",
                    "Give the user the role Read-only on it, and see that its host is connected.",
                    name,
                )
            )

    def finished_machines(self) -> dict[str, VirtualMachine]:
        """Returns the machines with what other objects say about them."""
        return {read.machine.id: self._finished(read) for read in self.machines.values()}

    def finished_hosts(self) -> dict[str, Host]:
        """Returns the hosts with their datacenters and clusters."""
        return {host.id: self._placed(host, self.host_parents[host.id]) for host in self.hosts.values()}

    def _placed(self, host: Host, parent: str | None) -> Host:
        return replace(
            host,
            datacenter=self.folders.datacenter_of(parent),
            cluster=self.folders.cluster_of(parent),
            place_known=self.folders.is_whole(parent),
        )

    def _finished(self, read: ReadMachine) -> VirtualMachine:
        machine = read.machine
        files = self.files.get(machine.id, {})
        running = [self.running_tasks[task] for task in read.tasks if task in self.running_tasks]
        disks = machine.disks
        if files:
            disks = tuple(replace(disk, extent=extent_among(files, disk)) for disk in disks)
        return replace(
            machine,
            path=self.folders.path_of(machine.name, read.parent),
            datacenter=self.folders.datacenter_of(read.parent),
            folder=self.folders.folder_of(read.parent),
            place_known=self.folders.is_whole(read.parent),
            running_task=running[0] if running else None,
            disks=disks,
            unreadable=(*machine.unreadable, *self._unclear_files(disks)),
        )

    def _unclear_files(self, disks: Sequence[Disk]) -> list[Unreadable]:
        """Returns the disks whose file cannot be told apart into datastore and path: "[a] b] c.vmdk"."""
        names = {
            disk.label: self.datastores[disk.datastore].name for disk in disks if disk.datastore in self.datastores
        }
        return [
            Unreadable(Part.DATASTORE_IN_FILE, disk.label, disk.file)
            for disk in disks
            if disk.file.startswith(f"[{names.get(disk.label)}] ") and split_file(disk.file)[0] != names[disk.label]
        ]

    def unseen_hosts(self) -> frozenset[str]:
        """Returns the hosts that VMs, clusters and datastores name and that were not shown."""
        named = {read.machine.host for read in self.machines.values()} | self.folders.hosts
        for datastore in self.datastores.values():
            named |= datastore.mounted_on or frozenset()
        return frozenset(host for host in named if host and host not in self.hosts)


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
                if refusal.fault != _GONE:
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


def _read_all(reading: _Reading) -> tuple[_Gathered, bool, bool]:
    """Returns what was read of all objects, whether that is all, and whether it tells which machines are half done. An
    object that is removed meanwhile may end a reading, which is then begun anew (vSphere API, PropertyCollector:
    ManagedObjectNotFound)."""
    session = reading.session
    unknown: list[str] = []
    paths = {
        "VirtualMachine": (*MACHINE_PATHS, OPEN_PATH),
        "HostSystem": HOST_PATHS,
        "Datastore": DATASTORE_PATHS,
        "Task": _TASK_PATHS,
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
        gathered = _Gathered(session)
        for _attempt in range(_ATTEMPTS):
            gathered = _Gathered(session)
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
                if refusal.fault != _GONE:
                    raise
        return gathered, False, OPEN_PATH not in unknown


def _add_extras(reading: _Reading, machines: dict[str, VirtualMachine], ids: Sequence[str]) -> None:
    """Reads more of these machines. One that is gone by now, or that time is up for, keeps what is known of it."""
    doing = f"Reading the virtual machines with mappings or snapshots of {reading.session.server.name}"
    unread = dict.fromkeys(ids)
    for read in reading.each(doing, "VirtualMachine", ids, EXTRA_PATHS):
        machines[read.id] = _with_extras(machines[read.id], read)
        unread.pop(read.id, None)
    why = reading.ended or _WAS_GONE
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
    why = reading.ended or _WAS_GONE
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


def _with_offers(session: Session, host: Host, gathered: _Gathered, until: float) -> Host:
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
        "Task": _TASK_PATHS,
        **FOLDER_PATHS,
    }
    gathered = _Gathered(session, with_storage=with_luns)
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
        if refusal.fault == _GONE:
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
