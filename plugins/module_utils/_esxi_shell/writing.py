# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the ESXi shell, with all that changes something: each step is one script, bound to what was read.

A VM's change version is here what its .vmx and the records beside it say: the host compares those texts itself, right
before it takes the step.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from math import inf

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    RefusalKind,
    SelectionError,
    StepRefused,
    Unsupported,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell import change_script as changes
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer, NoFrame, read_answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.backend import ShellConnection, ShellReader
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.change_script import Change, change_script
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.collect import HOST, first_reading
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.machines import (
    asked_machine,
    is_not_there,
    registered_elsewhere,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vim_cmd import fault, host_is_down
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import COMMAND, look_script
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import KeptTexts, Stores
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.vmx_edits import (
    boot_settings,
    disk_settings,
    with_settings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    Backend,
    ExistingMapping,
    JournalChange,
    NewMapping,
    Place,
    VmState,
    nothing_meanwhile,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import spare_file_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    JournalEntry,
    RecordedLun,
    own_entries,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import texts_to_write
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk, Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey

# A step that has not ended by then is given up, in seconds; it may come to its end all the same.
_LONGEST_STEP = 300.0
_KINDS = {
    "FileAlreadyExists": RefusalKind.FILE_EXISTS,
    "NoPermission": RefusalKind.NO_PRIVILEGE,
    "RestrictedVersion": RefusalKind.LICENCE,
    "InvalidPowerState": RefusalKind.STALE,
    "TaskInProgress": RefusalKind.STALE,
    "ConcurrentAccess": RefusalKind.STALE,
}
_FILE_EXISTS = "file already exists"
_NO_HOSTD = "hostd, which manages the VMs of {name}, does not answer."


class ShellBackend(ShellReader, Backend):
    """An ESXi host over its shell. See `Backend` for what each method returns and raises."""

    # The shell is the documented way for local disks (KB 1017530).
    caution_about_local_disks = None

    def __init__(self, connection: ShellConnection) -> None:
        super().__init__(connection)
        self.lost_files: frozenset[str] = frozenset()
        self._kept: dict[str, KeptTexts] = {}
        self._latest: dict[str, VmState] = {}
        self._folders: dict[str, set[str]] = {}
        # The VMs that hostd has, of those that its list seems to name.
        self._registered: frozenset[str] | None = None

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the host's shell tells; raises ConnectionFailed while hostd does not answer."""
        inventory = super().inventory(until=until, meanwhile=meanwhile)
        if self._reading is None or inventory.hosts[HOST].machines is None:
            raise ConnectionFailed(_NO_HOSTD.format(name=self._connection.name), hint="Wait until it has started.")
        self._registered = inventory.hosts[HOST].machines
        for machine in inventory.machines.values():
            self._remember(machine, self._reading.stores)
        return inventory

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now, and the host with it."""
        if self._answer is None or machine_id not in self._folders:
            self.inventory()
        answer = self._run(look_script(machine_id, self._folders.get(machine_id, ())), inf)
        told = [answer.find(name, machine_id) for name in ("summary", "config", "hardware", "snapshots")]
        if any(one is not None and host_is_down(one.text) for one in told):
            raise ConnectionFailed(_NO_HOSTD.format(name=self._connection.name), hint="Wait until it has started.")
        if self._answer is not None:
            answer = answer.with_rest_of(self._answer)
        first = first_reading(answer, self._connection.name)
        host = replace(first.inventory.hosts[HOST], machines=self._registered)
        listed = first.inventory.machines.get(machine_id)
        if listed is None or is_not_there(machine_id, answer) or registered_elsewhere(listed, answer):
            raise SelectionError(
                f"The virtual machine {machine_id} is not registered on {host.name} any more, or at another place.",
                hint="Run again.",
            )
        machine = asked_machine(listed, answer)
        self._remember(machine, first.stores)
        state = VmState(machine, host, first.inventory.datastores)
        self._latest[machine_id] = state
        return state

    def read_machine(self, machine_id: str) -> VirtualMachine:
        """Returns one machine as it is now; the look at it reads no LUNs anyway."""
        return self.read_vm(machine_id).machine

    def survey(self, questions: Questions) -> Survey:
        """Returns what a plan needs besides the inventory."""
        for machine in questions.machines:
            for folder in questions.folders:
                path = f"/vmfs/volumes/{folder.datastore}/{folder.path}".rstrip("/")
                self._folders.setdefault(machine.id, set()).add(path)
        return super().survey(questions)

    def claim(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes the entries of a run that begins: the host compares first what was read."""
        self.save(machine, journal)

    def save(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes what has become of the journal."""
        self._change(machine, changes.recorded(texts_to_write(machine, journal)), "Writing the records")

    def replace(
        self,
        machine: VirtualMachine,
        old: Disk,
        new: NewMapping | ExistingMapping,
        place: Place,
        journal: JournalChange,
    ) -> None:
        """Raises Unsupported: on a shell one disk is taken off, and then another attached."""
        raise Unsupported("On a host's shell nothing is swapped in one step.")

    def detach(self, machine: VirtualMachine, disk: Disk, journal: JournalChange) -> None:
        """Takes a disk off; raises StepRefused where the host deleted its file although it was told to keep it."""
        place = f"{disk.controller.bus} {disk.unit}"
        file = self._path(machine, disk.file)
        change = changes.detached(texts_to_write(machine, journal), place, disk.controller.type, file)
        answer = self._change(machine, change, f"Taking {disk.address} off")
        kept = answer.find("kept")
        if kept is None or not kept.succeeded:
            self.lost_files |= {file}
            raise StepRefused(
                f"The host deleted {disk.file} when it took {disk.address} off, although it was told to keep it.",
                hint="The LUN's data are not touched by that; the mapping can be made again.",
            )

    def create_mapping(self, machine: VirtualMachine, new: NewMapping) -> None:
        """Makes a mapping file that nothing uses yet."""
        file = self._path(machine, new.file)
        change = changes.created(new.lun.device_path, file, new.compatibility)
        doing = f"Making {new.file} for {new.lun.canonical_name}"
        answer = self._change(machine, change, doing, file)
        query = answer.find("query", file)
        if query is None or "raw device mapping" not in query.text.lower():
            raise StepRefused(f"{doing} ended well, and it is no mapping: {query.text.strip() if query else ''}")

    def attach(
        self, machine: VirtualMachine, mapping: NewMapping | ExistingMapping, place: Place, journal: JournalChange
    ) -> None:
        """Attaches a mapping file that exists; its disk mode is set afterwards, by `edit`."""
        where = f"{place.controller.bus} {place.unit}"
        file = self._path(machine, mapping.file)
        change = changes.attached(texts_to_write(machine, journal), where, place.controller.type, file)
        self._change(machine, change, f"Attaching {mapping.file} at {place.address}")

    def edit(
        self, machine: VirtualMachine, disk: Disk | None, boot_order: tuple[str, ...] | None, journal: JournalChange
    ) -> None:
        """Sets disk mode, shares, limit and boot order in the .vmx, and has the host read it.

        A label is the host's own, and a reservation has no place there: where nothing else differs, that is refused.
        """
        kept = self._texts_of(machine)
        settings: dict[str, str | None] = {}
        if disk is not None:
            settings.update(disk_settings(disk))
        if boot_order is not None:
            settings.update(boot_settings(machine, boot_order, kept.text))
        text = with_settings(kept.text, settings)
        if text.rstrip("\n") == kept.text.rstrip("\n"):
            raise StepRefused("The host's shell has no setting for what differs: the label, or a reservation.")
        self._change(machine, changes.edited(texts_to_write(machine, journal), text), "Changing the settings")

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        """Asks the guest to shut down; returns at once."""
        self._change(machine, changes.powered("power.shutdown"), f"Shutting down the guest of {machine.name}")

    def power_off(self, machine: VirtualMachine) -> None:
        """Switches the machine off."""
        self._change(machine, changes.powered("power.off"), f"Switching off {machine.name}")

    def power_on(self, machine: VirtualMachine) -> None:
        """Starts the machine; a question that it asks is told."""
        self._change(machine, changes.started(), f"Starting {machine.name}")

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file that vmkfstools calls one of the LUN which a record of this VM names with it."""
        latest = self._latest.get(machine.id)
        bound = latest.machine if latest is not None else machine
        path = self._path(machine, file)
        vmls = sorted({vml for lun in _luns_recorded_for(bound, path) for vml in _vmls(lun, latest)})
        if not vmls:
            raise StepRefused(f"No record of {machine.name} says of which LUN {file} is; it was not deleted.")
        off = any(path in (entry.old_file, entry.new_file) for entry in _given_up(bound))
        self._change(bound, changes.deleted(path, vmls, off=off), f"Deleting {file}")

    def reconnect(self) -> None:
        """Sees that the host's shell and its hostd are there again; raises ConnectionFailed, LoginRefused."""
        self.now()

    def _remember(self, machine: VirtualMachine, stores: Stores) -> None:
        vmx = stores.path_of(machine.vmx_path or "")
        kept = stores.kept_texts(vmx) if vmx is not None else None
        if vmx is None or kept is None:
            return
        self._kept[kept.version] = kept
        files = [stores.path_of(file) or file for disk in machine.disks for file in (disk.file, *disk.parents)]
        journals = [one for one in machine.journal.values() if isinstance(one, DiskJournal)]
        files += [path for journal in journals for path in journal.files]
        folders = {file.rpartition("/")[0] for file in (vmx, *files) if file.startswith("/vmfs/volumes/")}
        self._folders.setdefault(machine.id, set()).update(folders)

    def _texts_of(self, machine: VirtualMachine) -> KeptTexts:
        kept = self._kept.get(machine.change_version or "")
        if kept is None:
            raise StepRefused(f"The .vmx of {machine.name} could not be read.", kind=RefusalKind.STALE)
        return kept

    def _path(self, machine: VirtualMachine, file: str) -> str:
        """Returns the path of a file of a datastore; raises StepRefused where no datastore here has its name."""
        stores = self._reading.stores if self._reading is not None else None
        path = stores.path_of(file) if stores is not None else None
        if path is None:
            raise StepRefused(f"{file} lies on no datastore that {self._connection.name} has mounted.")
        return path

    def _change(self, machine: VirtualMachine, change: Change, doing: str, file: str = "") -> Answer:
        """Runs the script of a change once; raises StepRefused, ConnectionFailed, OutcomeUnknown.

        `file` is the one that the step makes: its name says nothing about why it was refused.
        """
        return self._step(
            change_script(machine.id, self._texts_of(machine), uuid.uuid4().hex, change), doing, machine.name, file
        )

    def _step(self, script: bytes, doing: str, name: str, file: str = "") -> Answer:
        """Runs a script that changes something once; raises as `_change` does. `name` is the machine's."""
        deadline = clock() + _LONGEST_STEP
        completed = self._connection.run(COMMAND, script, deadline=deadline, repeatable=False)
        try:
            answer = read_answer(completed.stdout or completed.stderr, self._connection.name)
        except NoFrame as broken:
            raise OutcomeUnknown(f"{doing} may have been done: {broken.message}", hint=broken.hint) from broken
        _check(answer, doing, name, file)
        return answer


def _check(answer: Answer, doing: str, name: str, file: str) -> None:
    """Raises what the answer of a change says of why it was not done."""
    for why in ("stale", "refused", "exists"):
        section = answer.find(why)
        if section is not None:
            said = _one_line(section.text)
            if why == "stale":
                raise StepRefused(f"{name} changed since it was read: {said}", kind=RefusalKind.STALE)
            if why == "exists":
                raise StepRefused(f"{said} exists already.", kind=RefusalKind.FILE_EXISTS)
            raise StepRefused(f"{doing} was refused: {said}")
    step = answer.find("step")
    if step is None:
        raise OutcomeUnknown(f"{doing} may have been done: the script did not get to its end.")
    if host_is_down(step.text):
        raise ConnectionFailed(f"{doing} was not done: hostd does not answer.", hint="Wait until it has started.")
    told = fault(step.text)
    if told is not None:
        kind = _KINDS.get(told.name, RefusalKind.OTHER)
        raise StepRefused(f"{doing} failed: {told.message or told.name}", kind=kind, fault=told.name)
    if not step.succeeded:
        exists = _FILE_EXISTS in step.text.lower()
        kind = RefusalKind.FILE_EXISTS if exists else RefusalKind.OTHER
        said = " ".join(step.text.split())
        for own in (file, file.rpartition("/")[2], file.rpartition("/")[2].removesuffix(".vmdk")):
            said = said.replace(own, "...") if own else said
        raise StepRefused(f"{doing} failed: {_one_line(step.text)}", kind=kind, said=said)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500] or "nothing was printed"


def _luns_recorded_for(machine: VirtualMachine, path: str) -> list[RecordedLun]:
    """Returns the LUNs of which the VM's records say that this file maps them."""
    found: list[RecordedLun] = []
    for journal in machine.journal.values():
        if not isinstance(journal, DiskJournal):
            continue
        entry = journal.entry
        if entry is not None and path in (entry.old_file, entry.new_file, *_spare(entry)):
            found.append(entry.lun)
        found += [kept.lun for kept in journal.kept if kept.old_file == path]
    return found


def _spare(entry: JournalEntry) -> tuple[str, ...]:
    return (spare_file_of(entry.old_file),) if entry.probing else ()


def _given_up(machine: VirtualMachine) -> list[JournalEntry]:
    """Returns the open records of disks whose old mapping goes before the new one comes, so that the VM must be off."""
    return [entry for entry in own_entries(machine).values() if entry.one_at_a_time]


def _vmls(recorded: RecordedLun, state: VmState | None) -> list[str]:
    """Returns the ids by which vmkfstools may call a LUN on this host now; one that is not there has none."""
    luns = (state.host.luns or ()) if state is not None and state.host is not None else ()
    return [vml for lun in luns if recorded.is_same_as(lun) for vml in vmls_of(lun)]


def vmls_of(lun: HostLun) -> list[str]:
    """Returns the ids by which vmkfstools may call a LUN."""
    return [f"vml.{name.removeprefix('vml.')}" for name in (lun.vml, lun.uuid) if name]
