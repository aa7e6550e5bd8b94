"""Whatever goes wrong at whatever moment: after one more run no mapping is lost, none is doubled, and none is open."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.converting import convert_machine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import own_entries, own_journals
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import ConversionReport
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import (
    THREE_TB,
    TWO_TB,
    HostInMemory,
    Killed,
    Trouble,
    lun,
    machine,
)

VIRTUAL, PHYSICAL = Compatibility.VIRTUAL, Compatibility.PHYSICAL
KINDS = [
    "refused", "done but refused", "reply lost", "dropped", "killed", "killed after",
    "started", "snapshot", "reconfigured", "moved",
]  # fmt: skip
REFUSALS = [RefusalKind.OTHER, RefusalKind.DEVICE_OR_PLACE]


def world(
    disks: int = 2,
    power: Power = Power.OFF,
    one_step: bool = True,
    only_apart: bool = False,
    one_mapping_at_a_time: bool = False,
) -> HostInMemory:
    """A VM with some physical mappings and another that must never change; two hosts see every LUN."""
    luns = [lun(number, TWO_TB if number % 2 else THREE_TB) for number in range(disks + 1)]
    other = machine("other", luns[disks:], id="vm-2", power=Power.ON)
    vm = machine("backup01", luns[:disks], power=power)
    seen = {
        host: tuple(replace(one, host=host, host_name=f"{host}.lab") for one in luns) for host in ("host-1", "host-2")
    }
    host = HostInMemory({vm.id: vm, other.id: other}, seen, one_step=one_step, only_apart=only_apart)
    host.one_mapping_at_a_time = one_mapping_at_a_time
    host.remember_luns()
    return host


def call(host: HostInMemory, request: Request, check_mode: bool = False) -> ConversionReport | None:
    """One run; None where it was killed or the VM could not even be read."""
    host.connected = True
    with suppress(Killed, StorageError):
        return convert_machine(host, request, check_mode=check_mode, log=lambda text: None, pace=Pace(0))
    return None


def assert_mapped(host: HostInMemory, before: HostInMemory) -> None:
    """Every disk maps what it mapped, once, and nothing else changed."""
    for id, vm in before.machines.items():
        now = host.machines[id]
        assert {disk.address for disk in now.disks} == {disk.address for disk in vm.disks}
        for disk in vm.disks:
            after = now.disk_at(disk.address)
            assert after is not None
            assert after.lun_uuid == disk.lun_uuid
            assert after.base_file in host.files
    assert host.machines["vm-2"] == before.machines["vm-2"]


def assert_closed(host: HostInMemory) -> None:
    """No conversion is open."""
    assert own_entries(host.machines["vm-1"]) == {}


REQUESTS = st.builds(
    Request,
    vm=st.just("backup01"),
    compatibility=st.just(VIRTUAL),
    disks=st.sampled_from([(), ("scsi0:0",), ("scsi0:1",)]),
    power=st.sampled_from(["shutdown", "power_off"]),
    shutdown_timeout=st.just(0.05),
    restore_power=st.booleans(),
    disk_mode=st.sampled_from([None, "independent_persistent"]),
    delete_old_mapping=st.booleans(),
    timeout=st.just(5.0),
)
TROUBLES = st.lists(
    st.builds(Trouble, call=st.integers(1, 60), kind=st.sampled_from(KINDS), refusal=st.sampled_from(REFUSALS)),
    max_size=3,
)


@settings(max_examples=300)
@given(
    request=REQUESTS,
    then=REQUESTS,
    troubles=TROUBLES,
    more_troubles=TROUBLES,
    power=st.sampled_from([Power.ON, Power.OFF]),
    one_step=st.booleans(),
    only_apart=st.booleans(),
    guest=st.booleans(),
)
# Killed when the new file was just made, and then a person starts the VM: the file is not left to lie about.
@example(
    request=Request("backup01", shutdown_timeout=0.05, timeout=5.0, restore_power=False, power="shutdown"),
    then=Request("backup01", disks=("scsi0:1",), shutdown_timeout=0.05, timeout=5.0, power="shutdown"),
    troubles=[Trouble(19, "killed after")],
    more_troubles=[Trouble(7, "started")],
    power=Power.ON,
    one_step=False,
    only_apart=True,
    guest=True,
)
def test_a_conversion_that_loses_a_mapping_cannot_be_found(
    request: Request,
    then: Request,
    troubles: list[Trouble],
    more_troubles: list[Trouble],
    power: Power,
    one_step: bool,
    only_apart: bool,
    guest: bool,
) -> None:
    before, host = (world(power=power, one_step=one_step, only_apart=only_apart) for _copy in range(2))
    host.guest_shuts_down = guest
    for each in (troubles, more_troubles):
        host.troubles = [replace(trouble, call=host.calls + trouble.call) for trouble in each]
        report = call(host, request)
        host.troubles = []
        if report is not None and all(state != "failed" for state in report.states.values()):
            assert_mapped(host, before)
        host.clock += 100
    # What a blocker named is put right: the lease is over, snapshots are gone, the guest listens.
    host.remove_snapshots()
    host.guest_shuts_down = True
    planned = call(host, then, check_mode=True)
    second = call(host, then)
    assert second is not None
    assert planned is not None
    assert second.failure() is None, second.failure()
    assert second.resumed is planned.resumed
    # A kept file may be gone by then, of which only its note tells.
    told, taken = ([step for step in report.steps if step.step != "delete_old_mapping"] for report in (planned, second))
    assert taken == told
    assert_mapped(host, before)
    assert_closed(host)
    wanted = {disk.address for disk in before.machines["vm-1"].disks if not then.disks or disk.address in then.disks}
    for disk in host.machines["vm-1"].disks:
        if disk.address in wanted:
            assert disk.compatibility is VIRTUAL
    # Every file is attached, or noted; nothing lies about.
    attached = {disk.file for vm in host.machines.values() for disk in vm.disks}
    noted = {
        note.old_file.replace("/vmfs/volumes/5f00-aa/", "[san] ")
        for journal in own_journals(host.machines["vm-1"]).values()
        for note in journal.kept
    }
    assert attached <= set(host.files) <= attached | noted
    third = call(host, then)
    assert third is not None
    assert third.failure() is None
    assert third.changed is False


def test_a_clean_run_takes_the_steps_that_check_mode_told() -> None:
    for power in (Power.ON, Power.OFF):
        request = Request("backup01", power="shutdown", delete_old_mapping=True)
        host = world(power=power)
        planned = call(host, request, check_mode=True)
        assert planned is not None
        assert host.writes == 0
        done = call(host, request)
        assert done is not None
        assert done.failure() is None
        assert done.steps == planned.steps
        assert set(done.states.values()) == {"converted"}
        assert host.machines["vm-1"].power is power


def test_going_to_and_fro_ends_where_it_began() -> None:
    host = world()
    start = {disk.address: disk.file for disk in host.machines["vm-1"].disks}
    for mode in (VIRTUAL, PHYSICAL, VIRTUAL, PHYSICAL):
        report = call(host, Request("backup01", compatibility=mode))
        assert report is not None
        assert report.failure() is None, report.failure()
        assert {disk.compatibility for disk in host.machines["vm-1"].disks} == {mode}
    assert {disk.address: disk.file for disk in host.machines["vm-1"].disks} == start
    assert len(host.files) == 5


def test_who_claims_at_the_same_moment_as_another_waits_for_it() -> None:
    """The other's record counts, as it does where both claimed over two ways: it is waited for, not failed over."""
    host = world(1)

    def rival_had_it(at_work: HostInMemory) -> None:
        vm = at_work.machines["vm-1"]
        for address, journal in own_journals(vm).items():
            if journal.entry is not None:
                entry = replace(journal.entry, run="another", lease=at_work.clock + 60)
                rivals = {**vm.journal, address: replace(journal, entry=entry)}
                at_work.machines["vm-1"] = replace(vm, journal=rivals)

    host.on_call = rival_had_it
    report = call(host, Request("backup01"))
    assert report is not None
    assert [blocker.code for blocker in report.blockers] == ["run_in_progress"]
    assert report.states == {"scsi0:0": "blocked"}
    assert report.changed


def test_who_claims_at_the_same_moment_as_another_goes_on_once_that_was_killed() -> None:
    host = world(1)
    rivals = 1

    def rival_had_it(at_work: HostInMemory) -> None:
        nonlocal rivals
        vm = at_work.machines["vm-1"]
        for address, journal in own_journals(vm).items():
            if journal.entry is not None and rivals:
                rivals -= 1
                entry = replace(journal.entry, run="another", lease=at_work.clock + 2)
                at_work.machines["vm-1"] = replace(vm, journal={**vm.journal, address: replace(journal, entry=entry)})

    host.on_call = rival_had_it
    report = call(host, Request("backup01"))
    assert report is not None
    assert (report.failure(), report.states, report.resumed) == (None, {"scsi0:0": "converted"}, True)
