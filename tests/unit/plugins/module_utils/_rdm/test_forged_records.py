"""Whoever may write a VM's settings may write a record: no LUN, file or VM of others changes by it, whatever it says.

Every field of a record is replaced, by anything and by the values of another VM, and whatever is asked for then: the
other VM stands as it stood, with all its files, and the VM itself maps its own LUNs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.converting import convert_machine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.lease import wait_for_others
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    LEASE_SECONDS,
    DiskJournal,
    JournalEntry,
    KeptMapping,
    RecordedLun,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import FORMAT, read_journal, to_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    DiskKind,
    FileFacts,
    Power,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import ConversionReport
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import (
    STORE,
    THREE_TB,
    TWO_TB,
    HostInMemory,
    lun,
    lun_with,
    machine,
)

VIRTUAL, PHYSICAL = Compatibility.VIRTUAL, Compatibility.PHYSICAL
OWN, FOREIGN, FREE = lun(1, TWO_TB), lun(2, TWO_TB), lun(3, THREE_TB)
ADDRESS = "scsi0:0"


def path(folder: str, name: str) -> str:
    """Returns the volume path of a file."""
    return f"/vmfs/volumes/{STORE.uuid}/{folder}/{name}"


def name_of(file: str) -> str:
    """Returns the name that the browser gives the file of a volume path."""
    return file.replace(f"/vmfs/volumes/{STORE.uuid}/", f"[{STORE.name}] ")


# Files of the other VM: attached, and kept by a conversion of its own; and files in the VM's folder that it never had.
FOREIGN_FILES = (path("other", "d0.vmdk"), path("other", "kept.vmdk"), path("other", "d0-virtual.vmdk"))
OWN_FILES = (path("backup01", "d0.vmdk"), path("backup01", "d0-virtual.vmdk"), path("backup01", "stray.vmdk"))


def world(*, attached: bool = True) -> HostInMemory:
    """A VM whose owner writes records, another whose LUN and files they are after, and a LUN that nobody uses."""
    other = machine("other", [FOREIGN], id="vm-2")
    vm = machine("backup01", [OWN])
    host = HostInMemory({vm.id: vm, other.id: other}, {"host-1": (OWN, FOREIGN, FREE)})
    host.remember_luns()
    for file, mapped in ((path("other", "kept.vmdk"), FOREIGN), (path("other", "d0-virtual.vmdk"), FOREIGN),
                         (path("backup01", "stray.vmdk"), OWN)):  # fmt: skip
        name = name_of(file)
        mode = VIRTUAL if "virtual" in name else PHYSICAL
        host.files[name] = FileFacts(name, 500, DiskKind.MAPPING, mode, mapped.capacity_bytes, f"uuid-{name}")
        host._lun_of_file[name] = mapped
    if not attached:
        host.machines[vm.id] = replace(vm, disks=())
    return host


def record(host: HostInMemory, **changed: Any) -> JournalEntry:
    """Returns the record of a killed run as it would honestly be, but for what is changed."""
    vm = host.machines["vm-1"]
    honest = JournalEntry(
        "killed", 1.0, "swapped", ADDRESS, VIRTUAL, PHYSICAL, OWN_FILES[0], OWN_FILES[1], RecordedLun.of(OWN, TWO_TB),
        Power.OFF, disk_mode="persistent", old_disk_mode="independent_persistent",
        old_disk_uuid=f"uuid-{name_of(OWN_FILES[0])}", sharing="none", boot_order=vm.boot_order or (),
        label="Hard disk 1",
    )  # fmt: skip
    return replace(honest, **changed)


def plant(host: HostInMemory, text: str) -> None:
    """Writes a text where the record of the disk is kept, as its owner may."""
    vm = host.machines["vm-1"]
    host.machines[vm.id] = replace(vm, journal={ADDRESS: read_journal(ADDRESS, text)})


def call(host: HostInMemory, request: Request) -> ConversionReport | None:
    """One run by a user who may do everything; None where the VM could not even be read."""
    try:
        return convert_machine(host, request, check_mode=False, log=lambda text: None, pace=Pace(0))
    except StorageError:
        return None


def assert_others_untouched(before: HostInMemory, host: HostInMemory) -> None:
    """The other VM and its files are what they were, and the VM maps no LUN but its own."""
    assert host.machines["vm-2"] == before.machines["vm-2"]
    for name, facts in before.files.items():
        if "other/" in name:
            assert host.files.get(name) == facts, f"{name} was changed"
    assert {name for name in host.files if "other/" in name} == {name for name in before.files if "other/" in name}
    assert {disk.lun_uuid for disk in host.machines["vm-1"].disks} <= {OWN.uuid}
    for disk in host.machines["vm-1"].disks:
        assert disk.file.startswith("[san] backup01/"), f"{disk.file} of others is attached"
        assert host.lun_of_file(disk.file).uuid == OWN.uuid


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
LUNS = st.sampled_from([RecordedLun.of(one, one.capacity_bytes or 0) for one in (OWN, FOREIGN, FREE)]).map(asdict)
MODES = st.sampled_from(["physical", "virtual"])
PLAUSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "lease": st.sampled_from([0.0, 1_000_030.0, 1_000_090.0, 4_929_000_000.0, float("inf"), float("nan")]),
    "step": st.sampled_from(["begun", "shutdown_asked", "removed", "swapped", "deleting"]),
    "wanted": MODES,
    "old_mode": MODES,
    "old_file": st.sampled_from(OWN_FILES + FOREIGN_FILES),
    "new_file": st.sampled_from(OWN_FILES + FOREIGN_FILES),
    "lun": LUNS,
    "power_before": st.sampled_from(["on", "off", "suspended"]),
    "old_disk_uuid": st.sampled_from([None, *(f"uuid-{name_of(file)}" for file in OWN_FILES + FOREIGN_FILES)]),
    "boot_order": st.lists(st.sampled_from([ADDRESS, "cdrom", "scsi9:9"])),
}
NOTES = st.fixed_dictionaries(
    {
        "address": st.just(ADDRESS),
        "old_file": st.sampled_from(OWN_FILES + FOREIGN_FILES),
        "mode": MODES,
        "lun": LUNS,
        "disk_uuid": st.sampled_from([None, *(f"uuid-{name_of(file)}" for file in FOREIGN_FILES)]),
    }
)
REQUESTS = st.builds(
    Request,
    vm=st.just("backup01"),
    compatibility=st.sampled_from(Compatibility),
    disks=st.sampled_from([(), (ADDRESS,)]),
    disk_mode=st.sampled_from([None, "independent_persistent"]),
    power=st.just("power_off"),
    shutdown_timeout=st.just(0.05),
    delete_old_mapping=st.booleans(),
    timeout=st.just(5.0),
)


@settings(max_examples=250)
@given(
    data=st.data(),
    plausible=st.fixed_dictionaries({}, optional=PLAUSIBLE),
    wild=st.none() | st.sampled_from([part.name for part in fields(JournalEntry)]),
    notes=st.lists(NOTES, max_size=2),
    opened=st.booleans(),
    attached=st.booleans(),
    request=REQUESTS,
    then=REQUESTS,
)
def test_no_record_moves_a_lun_a_file_or_a_vm_of_others(
    data: st.DataObject,
    plausible: dict[str, Any],
    wild: str | None,
    notes: list[dict[str, Any]],
    opened: bool,
    attached: bool,
    request: Request,
    then: Request,
) -> None:
    before, host = (world(attached=attached) for _copy in range(2))
    entry = asdict(record(host))
    entry.update(plausible)
    if wild is not None:
        entry[wild] = data.draw(ANYTHING, label=wild)
    whole = {"format": FORMAT, "machine": "5000-vm-1", "open": entry if opened else None, "notes": notes}
    plant(host, json.dumps(whole))
    for each in (request, then):
        call(host, each)
        assert_others_untouched(before, host)
        host.clock += 100


STEALS: dict[str, Callable[[HostInMemory], JournalEntry]] = {
    "finish maps the LUN of another VM": lambda host: record(host, lun=RecordedLun.of(FOREIGN, TWO_TB)),
    "finish maps a LUN that nobody uses": lambda host: record(host, lun=RecordedLun.of(FREE, THREE_TB)),
    "a vml of its own, the name of another's": lambda host: record(
        host, lun=replace(RecordedLun.of(FOREIGN, TWO_TB), vml=OWN.vml)
    ),
    "undo attaches a kept mapping of another VM": lambda host: record(host, old_file=FOREIGN_FILES[1]),
    "undo deletes a file of another VM": lambda host: record(host, new_file=FOREIGN_FILES[1]),
    "finish attaches a file of another VM": lambda host: record(host, new_file=FOREIGN_FILES[2]),
    "undo deletes a stray file in the folder of the VM": lambda host: record(host, new_file=OWN_FILES[2]),
}


@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("wanted", [VIRTUAL, PHYSICAL])
@pytest.mark.parametrize("steal", STEALS)
def test_a_record_is_no_authority(steal: str, wanted: Compatibility, attached: bool) -> None:
    before, host = (world(attached=attached) for _copy in range(2))
    plant(host, to_text(DiskJournal("5000-vm-1", STEALS[steal](host))) or "")
    report = call(host, Request("backup01", compatibility=wanted))
    assert_others_untouched(before, host)
    assert name_of(OWN_FILES[2]) in host.files
    assert report is not None


def test_a_record_outside_the_folders_of_its_vm_blocks_that_vm_alone_and_names_its_key() -> None:
    host = world()
    plant(host, to_text(DiskJournal("5000-vm-1", record(host, new_file=FOREIGN_FILES[2]))) or "")
    report = call(host, Request("backup01"))
    assert report is not None
    assert [blocker.code for blocker in report.blockers] == ["record_unreadable"]
    assert "winbackup.storage.rdm.scsi0:0" in report.blockers[0].message
    assert "[san] other/d0-virtual.vmdk" in report.blockers[0].message
    assert "remove winbackup.storage.rdm.scsi0:0" in report.blockers[0].hint
    assert host.writes == 0
    del host.files[name_of(FOREIGN_FILES[2])]
    there = call(host, Request("other"))
    assert there is not None
    assert there.failure() is None


def test_a_record_in_the_folder_that_the_call_names_is_finished_or_undone() -> None:
    host = world()
    file = name_of(path("elsewhere", "d0-virtual.vmdk"))
    host.files[file] = FileFacts(file, 500, DiskKind.MAPPING, VIRTUAL, TWO_TB, "uuid-new")
    plant(host, to_text(DiskJournal("5000-vm-1", record(host, new_file=path("elsewhere", "d0-virtual.vmdk")))) or "")
    host._lun_of_file[file] = OWN
    elsewhere = call(host, Request("backup01"))
    assert elsewhere is not None
    assert [blocker.code for blocker in elsewhere.blockers] == ["record_unreadable"]
    report = call(host, Request("backup01", directory="elsewhere"))
    assert report is not None
    assert report.failure() is None, report.failure()
    assert set(report.states.values()) == {"converted"}


@pytest.mark.parametrize("known", ["then", "now", "neither"])
def test_a_kept_file_is_deleted_only_where_its_disk_uuid_is_known_on_both_sides(known: str) -> None:
    host = world()
    call(host, Request("backup01"))
    kept = "[san] backup01/d0.vmdk"
    journal = host.machines["vm-1"].journal[ADDRESS]
    assert isinstance(journal, DiskJournal)
    if known != "then":
        forgotten: tuple[KeptMapping, ...] = tuple(replace(one, disk_uuid=None) for one in journal.kept)
        plant(host, to_text(replace(journal, kept=forgotten)) or "")
    if known != "now":
        host.files[kept] = replace(host.files[kept], disk_uuid=None)
    report = call(host, Request("backup01", delete_old_mapping=True))
    assert report is not None
    assert kept in host.files
    assert [blocker.code for blocker in report.blockers] == ["old_mapping_unreadable"]
    assert "its disk uuid could not be read" in report.blockers[0].message


def test_a_kept_file_in_a_folder_of_others_is_not_deleted() -> None:
    host = world()
    file = FOREIGN_FILES[1]
    kept = KeptMapping(ADDRESS, file, PHYSICAL, RecordedLun.of(FOREIGN, TWO_TB), f"uuid-{name_of(file)}")
    plant(host, to_text(DiskJournal("5000-vm-1", None, (kept,))) or "")
    report = call(host, Request("backup01", compatibility=PHYSICAL, delete_old_mapping=True))
    assert report is not None
    assert name_of(file) in host.files
    assert "a record alone is no proof" in report.blockers[0].message


@pytest.mark.parametrize("lun_is", ["another VM's", "a datastore", "a cluster's"])
@pytest.mark.parametrize("wanted", [VIRTUAL, PHYSICAL])
def test_a_lun_that_was_given_to_others_since_the_run_was_killed_is_left_alone(
    lun_is: str, wanted: Compatibility
) -> None:
    host = world(attached=False)
    plant(host, to_text(DiskJournal("5000-vm-1", record(host, step="removed"))) or "")
    if lun_is == "another VM's":
        host.machines["vm-3"] = machine("new owner", [OWN], id="vm-3")
    else:
        changed = {"vmfs_datastore": "new store"} if lun_is == "a datastore" else {"perennially_reserved": True}
        host.luns["host-1"] = (lun_with(OWN, **changed), FOREIGN, FREE)  # type: ignore[arg-type]
    report = call(host, Request("backup01", compatibility=wanted))
    assert report is not None
    assert host.machines["vm-1"].disks == ()
    assert host.writes == 0
    assert {blocker.code for blocker in report.blockers} & {
        "lun_used_by_other_vm", "lun_carries_vmfs", "perennially_reserved",
    }  # fmt: skip


def test_nobody_waits_longer_than_a_lease_by_a_clock_of_his_own() -> None:
    host = world()
    plant(host, to_text(DiskJournal("5000-vm-1", record(host, lease=host.clock + LEASE_SECONDS - 1))) or "")

    def stand_still(seen: HostInMemory) -> None:
        seen.clock = 1_000_000.0

    host.on_call = stand_still
    run = Run(host, "vm-1", "mine", Deadline(60), lambda text: None, Pace(0))
    assert wait_for_others(run, host.machines["vm-1"], may_wait=True, longest=0.3) is None


def test_the_lease_is_renewed_while_the_inventory_is_read_after_a_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    host = world()
    vm = host.machines["vm-1"]
    host.machines[vm.id] = replace(vm, power=Power.ON)
    leases: list[float] = []
    read = host.inventory

    def slow_inventory(**options: Any) -> Any:
        journal = host.machines["vm-1"].journal.get(ADDRESS)
        if isinstance(journal, DiskJournal) and journal.entry is not None:
            leases.append(journal.entry.lease)
            host.clock += 50
            options["meanwhile"]()
            now = host.machines["vm-1"].journal[ADDRESS]
            assert isinstance(now, DiskJournal)
            assert now.entry is not None
            leases.append(now.entry.lease)
        return read(**options)

    monkeypatch.setattr(host, "inventory", slow_inventory)
    monkeypatch.setattr(
        "ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run.RENEW_SECONDS", 0
    )
    report = call(host, Request("backup01", power="shutdown"))
    assert report is not None
    assert report.failure() is None
    assert leases[1] >= leases[0] + 50
