"""An edge without a server: one host, its LUNs and VMs in memory, for what would take hours over SOAP.

It keeps the rules of an edge (a change is whole or not at all, bound to the change version; a mapping's mode is its
file's own; nothing is attached or removed by halves) and lets trouble loose at any of its calls. The scenarios run the
same executor against the lab, over real SOAP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
    Unsupported,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    ExistingMapping,
    JournalChange,
    NewMapping,
    Place,
    VmState,
    nothing_meanwhile,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun, LunFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import read_journal, to_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    Host,
    Inventory,
    Power,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Folder, Questions, Survey

_T = TypeVar("_T")
STORE = Datastore(
    "ds-1",
    "san",
    "VMFS",
    "5f00-aa",
    accessible=True,
    version="6",
    free_bytes=10**12,
    writable_from=frozenset({"host-1", "host-2", "host-3"}),
)
TWO_TB, THREE_TB = 3_907_029_168 * 512, 5_860_533_168 * 512


class Killed(BaseException):
    """The process is gone: nothing above may catch it."""


def lun(number: int, size: int = TWO_TB, host: str = "host-1") -> HostLun:
    """A SAN LUN that every host knows by one name."""
    name = f"naa.6006016000000000000000000000{number:04d}"
    uuid = f"0200{number:02d}0000{name[4:]}565241494420"
    facts = LunFacts(
        name, uuid, f"vml.{uuid}", f"LUN {number}", f"/vmfs/devices/disks/{name}", name, "disk", "ok",
        vendor="DGC", model="VRAID", serial=f"S{number}", capacity_bytes=size, block_size=512, local=False,
        perennially_reserved=False, names=frozenset({name, uuid}), durable_names=frozenset({name}),
        disk_type="native512",
    )  # fmt: skip
    return HostLun(host, f"{host}.lab", facts, boot=False, dump_or_scratch=False)


def lun_with(lun: HostLun, **values: Any) -> HostLun:
    """The LUN with other values, of its own or of what the host says of it."""
    own = {name: values.pop(name) for name in tuple(values) if name in LunFacts.__dataclass_fields__}
    return replace(lun, facts=replace(lun.facts, **own), **values)


def machine(name: str, luns: Sequence[HostLun], *, power: Power = Power.OFF, id: str = "vm-1") -> VirtualMachine:
    """A VM with a physical mapping of each LUN."""
    controller = Controller(1000, "scsi", "pvscsi", 0)
    disks = tuple(
        Disk(
            2000 + unit, f"Hard disk {unit + 1}", f"scsi0:{unit}", unit, controller, f"[san] {name}/d{unit}.vmdk",
            DiskKind.MAPPING, STORE.id, Compatibility.PHYSICAL, "independent_persistent", "none",
            one.capacity_bytes, one.uuid, one.device_name, extent=f"[san] {name}/d{unit}-rdmp.vmdk",
        )
        for unit, one in enumerate(luns)
    )  # fmt: skip
    return VirtualMachine(
        id, name, f"/DC/vm/{name}", power, instance_uuid=f"5000-{id}", bios_uuid=f"4200-{id}", datacenter="DC",
        host="host-1", vmx_path=f"[san] {name}/{name}.vmx", version="vmx-19", change_version="1",
        tools_running=True, controllers=(controller,), disks=disks, boot_order=tuple(disk.address for disk in disks),
    )  # fmt: skip


@dataclass
class Trouble:
    """What happens at the n-th call of the edge."""

    call: int
    kind: str
    refusal: RefusalKind = RefusalKind.OTHER


@dataclass
class HostInMemory:
    """The edge. `clock` is the server's; `calls` counts all calls, `writes` those that change something."""

    machines: dict[str, VirtualMachine]
    luns: dict[str, tuple[HostLun, ...]]
    files: dict[str, FileFacts] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    clock: float = 1_000_000.0
    calls: int = 0
    writes: int = 0
    one_step: bool = True
    # Like a shell: mappings are made apart, detached and attached, and never swapped in one step.
    only_apart: bool = False
    # A second mapping file of a LUN is refused while the first is there.
    one_mapping_at_a_time: bool = False
    caution_about_local_disks: str | None = None
    lost_files: frozenset[str] = frozenset()
    guest_shuts_down: bool = True
    on_call: Callable[[HostInMemory], None] | None = None
    connected: bool = True

    def __post_init__(self) -> None:
        for vm in self.machines.values():
            for disk in vm.disks:
                self.files.setdefault(
                    disk.file,
                    FileFacts(disk.file, 500, disk.kind, disk.compatibility, disk.capacity_bytes, f"uuid-{disk.file}"),
                )

    # -- reading ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        return self._called(lambda: self.clock)

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        meanwhile()
        return self._called(
            lambda: Inventory("lab", False, self._hosts(), {STORE.id: self._store()}, dict(self.machines))
        )

    def read_vm(self, machine_id: str) -> VmState:
        def seen() -> VmState:
            vm = self.machines[machine_id]
            return VmState(vm, self._hosts().get(vm.host or ""), {STORE.id: self._store()})

        return self._called(seen)

    def read_machine(self, machine_id: str) -> VirtualMachine:
        return self._called(lambda: self.machines[machine_id])

    def survey(self, questions: Questions) -> Survey:
        def asked() -> Survey:
            folders = {
                folder: {name: facts for name, facts in self.files.items() if self._lies_in(name, folder)}
                for folder in questions.folders
            }
            uuids = {file: self.files[file].disk_uuid for _id, file in questions.disk_uuids if file in self.files}
            known = {file: uuid for file, uuid in uuids.items() if uuid is not None}
            return Survey(folders, disk_uuids=known, old_may_go_first=self.only_apart)

        return self._called(asked)

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        def searched() -> list[FileFacts]:
            return [replace(facts, lun_uuid=self.lun_of_file(file).uuid) for file, facts in self.files.items()]

        return self._called(searched)

    def _lies_in(self, name: str, folder: Folder) -> bool:
        return split_file(name)[:2] == (STORE.name, folder.path) and folder.datastore == STORE.id

    def _hosts(self) -> dict[str, Host]:
        return {name: Host(name, f"{name}.lab", "8.0.3", "connected", luns=luns) for name, luns in self.luns.items()}

    def _store(self) -> Datastore:
        return replace(STORE, writable_from=frozenset(self.luns))

    # -- writing ---------------------------------------------------------------------------------------------------

    def claim(self, machine: VirtualMachine, journal: JournalChange) -> None:
        self._changed(machine, journal)

    def save(self, machine: VirtualMachine, journal: JournalChange) -> None:
        self._changed(machine, journal)

    def replace(
        self,
        machine: VirtualMachine,
        old: Disk,
        new: NewMapping | ExistingMapping,
        place: Place,
        journal: JournalChange,
    ) -> None:
        if self.only_apart:
            raise Unsupported("Nothing is swapped in one step here.")
        self._changed(machine, journal, remove=old, add=new, place=place)

    def detach(self, machine: VirtualMachine, disk: Disk, journal: JournalChange) -> None:
        self._changed(machine, journal, remove=disk)

    def create_mapping(self, machine: VirtualMachine, new: NewMapping) -> None:
        if not self.only_apart:
            raise Unsupported("A mapping is made by being attached.")
        self._called(lambda: self._create(machine, new), writes=True)

    def attach(
        self, machine: VirtualMachine, mapping: NewMapping | ExistingMapping, place: Place, journal: JournalChange
    ) -> None:
        assert not (self.only_apart and isinstance(mapping, NewMapping)), "a mapping is attached before it was made"
        self._changed(machine, journal, add=mapping, place=place)

    def edit(
        self, machine: VirtualMachine, disk: Disk | None, boot_order: tuple[str, ...] | None, journal: JournalChange
    ) -> None:
        self._changed(machine, journal, edit=disk, boot_order=boot_order)

    def _changed(
        self,
        machine: VirtualMachine,
        journal: JournalChange,
        *,
        remove: Disk | None = None,
        add: NewMapping | ExistingMapping | None = None,
        place: Place | None = None,
        edit: Disk | None = None,
        boot_order: tuple[str, ...] | None = None,
    ) -> None:
        """One change, whole or not at all."""

        def work() -> None:
            vm = self.machines[machine.id]
            if vm.change_version != machine.change_version:
                raise StepRefused("The VM was changed by another.", kind=RefusalKind.STALE)
            if remove and add and not self.one_step:
                raise StepRefused("Invalid configuration for device '0'.", kind=RefusalKind.DEVICE_OR_PLACE)
            disks = {disk.address: disk for disk in vm.disks}
            if remove:
                assert vm.power is Power.OFF, "a device is removed while the VM is on"
                assert disks[remove.address].file == remove.file
                del disks[remove.address]
            if edit:
                disks[edit.address] = edit
            if add:
                assert vm.power is Power.OFF, "a device is added while the VM is on"
                assert place is not None
                if place.address in disks:
                    raise StepRefused("The unit is taken.", kind=RefusalKind.DEVICE_OR_PLACE)
                disks[place.address] = self._attached(vm, add, place)
            kept = dict(vm.journal)
            for address, one in journal.items():
                kept.pop(address, None)
                text = to_text(one) if one is not None else None
                if text is not None:
                    kept[address] = read_journal(address, text)
            order = boot_order or vm.boot_order
            if remove:
                order = tuple(entry for entry in order or () if entry != remove.address)
            self.machines[machine.id] = replace(
                vm,
                disks=tuple(disks[address] for address in sorted(disks)),
                journal=kept,
                change_version=str(int(vm.change_version or "0") + 1),
                boot_order=order,
            )

        self._called(work, writes=True)

    def _create(self, vm: VirtualMachine, new: NewMapping) -> None:
        if new.file in self.files:
            raise StepRefused(f"{new.file} exists.", kind=RefusalKind.FILE_EXISTS)
        one = next(lun for lun in self.luns[vm.host or ""] if lun.uuid == new.lun.uuid)
        if self.one_mapping_at_a_time and any(self.lun_of_file(file).uuid == one.uuid for file in self.files):
            raise StepRefused(f"Making {new.file}: busy.", said="Device or resource busy")
        self.files[new.file] = FileFacts(
            new.file, 500, DiskKind.MAPPING, new.compatibility, one.capacity_bytes, f"uuid-{new.file}"
        )
        self._lun_of_file[new.file] = one

    def _attached(self, vm: VirtualMachine, add: NewMapping | ExistingMapping, place: Place) -> Disk:
        if isinstance(add, NewMapping):
            self._create(vm, add)
        facts = self.files.get(add.file) or FileFacts(add.file)
        if facts.kind is not DiskKind.MAPPING:
            raise StepRefused(f"{add.file} is missing or no mapping.")
        one = self.lun_of_file(add.file)
        return Disk(
            max((disk.key for disk in vm.disks), default=2000) + 1, f"Hard disk {place.unit + 1}", place.address,
            place.unit, place.controller, add.file, DiskKind.MAPPING, STORE.id, facts.compatibility,
            add.disk_mode or "independent_persistent", "none", one.capacity_bytes, one.uuid, one.device_name,
            disk_uuid=facts.disk_uuid,
        )  # fmt: skip

    @property
    def _lun_of_file(self) -> dict[str, HostLun]:
        return self.__dict__.setdefault("_mapped", {})

    def lun_of_file(self, file: str) -> HostLun:
        """Returns the LUN that a mapping file maps, as it was when the file was made."""
        if file not in self._lun_of_file:
            for vm in self.machines.values():
                for disk in vm.disks:
                    for one in self.luns[vm.host or ""]:
                        if disk.file not in self._lun_of_file and one.uuid == disk.lun_uuid:
                            self._lun_of_file[disk.file] = one
        return self._lun_of_file[file]

    def remember_luns(self) -> None:
        """Notes which file maps which LUN, before anything is detached."""
        for vm in self.machines.values():
            for disk in vm.disks:
                self.lun_of_file(disk.file)

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        def work() -> None:
            if self.guest_shuts_down:
                self._set_power(machine.id, Power.OFF)

        self._called(work, writes=True)

    def power_off(self, machine: VirtualMachine) -> None:
        self._called(lambda: self._set_power(machine.id, Power.OFF), writes=True)

    def power_on(self, machine: VirtualMachine) -> None:
        self._called(lambda: self._set_power(machine.id, Power.ON), writes=True)

    def _set_power(self, id: str, power: Power) -> None:
        if self.machines[id].power is power:
            raise StepRefused("The VM is in that state already.")
        self.machines[id] = replace(self.machines[id], power=power)

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        def work() -> None:
            if any(file in (disk.file, *disk.parents) for vm in self.machines.values() for disk in vm.disks):
                raise AssertionError(f"{file} is deleted while it is attached")
            if file not in self.files:
                raise StepRefused(f"{file} is not there.")
            del self.files[file]

        self._called(work, writes=True)

    def reconnect(self) -> None:
        self.connected = True

    # -- trouble ---------------------------------------------------------------------------------------------------

    def _called(self, work: Callable[[], _T], writes: bool = False) -> _T:
        self.calls += 1
        self.writes += writes
        self.clock += 0.1
        if self.on_call is not None:
            self.on_call(self)
        if not self.connected:
            raise ConnectionFailed("The connection is closed.")
        due = [trouble for trouble in self.troubles if trouble.call == self.calls]
        for trouble in due:
            self._before(trouble)
        result: Any = work()
        for trouble in due:
            self._after(trouble)
        return result  # type: ignore[no-any-return]

    def _before(self, trouble: Trouble) -> None:
        if trouble.kind == "killed":
            raise Killed
        if trouble.kind == "refused":
            raise StepRefused("The server refused.", kind=trouble.refusal)
        if trouble.kind == "dropped":
            self.connected = False
            raise OutcomeUnknown("The connection was dropped.")
        for id in list(self.machines)[:1]:
            vm = self.machines[id]
            changed = {"change_version": str(int(vm.change_version or "0") + 1)}
            if trouble.kind == "started":
                self.machines[id] = replace(vm, power=Power.ON, **changed)  # type: ignore[arg-type]
            if trouble.kind == "snapshot":
                disks = tuple(
                    replace(disk, file=disk.file.replace(".vmdk", "-000001.vmdk"), parents=(disk.file, *disk.parents))
                    for disk in vm.disks
                )
                self.machines[id] = replace(vm, has_snapshots=True, disks=disks, **changed)  # type: ignore[arg-type]
            if trouble.kind == "reconfigured":
                self.machines[id] = replace(vm, **changed)  # type: ignore[arg-type]
            if trouble.kind == "moved":
                self.machines[id] = replace(vm, host="host-2", **changed)  # type: ignore[arg-type]

    def _after(self, trouble: Trouble) -> None:
        if trouble.kind == "killed after":
            raise Killed
        if trouble.kind == "done but refused":
            raise StepRefused("The server reported a failure.", kind=trouble.refusal)
        if trouble.kind == "reply lost":
            self.connected = False
            raise OutcomeUnknown("The reply was lost.")

    def remove_snapshots(self) -> None:
        """What a person does so that the next run may go on."""
        for id, vm in self.machines.items():
            disks = tuple(replace(disk, file=disk.base_file, parents=()) for disk in vm.disks)
            self.machines[id] = replace(vm, has_snapshots=False, disks=disks)
