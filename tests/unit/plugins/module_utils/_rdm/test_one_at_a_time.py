# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that takes one mapping of a LUN at a time: the old file goes first, and whatever goes wrong, none is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind, StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import NewMapping
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import own_journals
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import ConversionReport
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import HostInMemory, Trouble
from ansible_collections.winbackup.storage.tests.unit.plugins.module_utils._rdm.test_nothing_is_lost import (
    KINDS,
    assert_closed,
    assert_mapped,
    call,
    world,
)

AT = "scsi0:0"
OLD, NEW, SPARE = (f"[san] backup01/d0{ending}.vmdk" for ending in ("", "-virtual", "-winbackup-spare"))
OTHER = "[san] other/d0.vmdk"
ASK = Request("backup01", power="shutdown", shutdown_timeout=0.05, timeout=5.0)


def strict(power: Power = Power.ON) -> HostInMemory:
    """A host that takes one mapping of a LUN at a time, and a VM with one."""
    return world(1, power, only_apart=True, one_mapping_at_a_time=True)


def done(host: HostInMemory, request: Request = ASK) -> ConversionReport:
    """One run that comes to its end."""
    report = call(host, request)
    assert report is not None
    return report


def refuse_new(host: HostInMemory, how: StepRefused) -> list[str]:
    """Has the host refuse every new mapping of the one LUN that is no second one; returns what it was asked to make."""
    asked: list[str] = []
    create = host._create

    def refuse(vm: VirtualMachine, new: NewMapping) -> None:
        asked.append(new.file)
        if new.compatibility is Compatibility.VIRTUAL:
            raise how
        create(vm, new)

    host._create = refuse  # type: ignore[method-assign]
    return asked


def test_the_old_mapping_goes_first_and_that_is_told() -> None:
    host, before = strict(), strict()
    planned = call(host, ASK, check_mode=True)
    assert host.writes == 0
    report = done(host)
    assert report.failure() is None, report.failure()
    assert planned is not None
    assert planned.steps == report.steps
    swap = next(step for step in report.steps if step.step == "swap")
    assert "where the host takes no second mapping of the LUN it is deleted before the new one is made" in (
        swap.description
    )
    assert [(finding.code, finding.object) for finding in report.findings] == [("old_mapping_deleted", OLD)]
    assert report.deleted == {AT: [OLD]}
    assert_mapped(host, before)
    assert_closed(host)
    assert set(host.files) == {NEW, OTHER}
    assert not any(journal.kept for journal in own_journals(host.machines["vm-1"]).values())
    assert done(host).changed is False


def test_nothing_is_told_of_it_where_it_was_to_be_deleted_anyway() -> None:
    report = done(strict(), replace(ASK, delete_old_mapping=True))
    assert report.failure() is None
    assert (report.findings, report.deleted) == ([], {AT: [OLD]})


@pytest.mark.parametrize(
    "said",
    ["Function not implemented", "No space left on device", "Read-only file system", ""],
)
def test_the_old_mapping_stays_where_something_else_was_refused(said: str) -> None:
    """Other words than those for the spare one, words about the datastore, or none."""
    host = world(1, Power.OFF, only_apart=True)
    asked = refuse_new(host, StepRefused("No.", said=said))
    report = done(host)
    assert report.states == {AT: "rolled_back"}
    assert set(host.files) == {OLD, OTHER}
    assert asked == ([NEW, SPARE] if said.startswith("Function") else [NEW])
    assert_closed(host)


def test_the_old_mapping_stays_where_the_spare_one_was_there_already() -> None:
    host = strict(Power.OFF)
    host.files[SPARE] = replace(host.files[OTHER], file=SPARE)
    report = done(host)
    assert report.states == {AT: "rolled_back"}
    assert set(host.files) == {OLD, OTHER, SPARE}


def test_the_old_mapping_stays_where_it_is_not_what_it_was() -> None:
    """Its disk uuid is another one than when all was read: somebody put another file there."""
    host = strict(Power.OFF)

    def exchange(at_work: HostInMemory) -> None:
        if any(journal.entry for journal in own_journals(at_work.machines["vm-1"]).values()):
            at_work.files[OLD] = replace(at_work.files[OLD], disk_uuid="another")

    host.on_call = exchange
    report = done(host)
    assert report.states == {AT: "rolled_back"}
    assert "takes no second mapping of a LUN, and the old one was not given up for it" in (report.failure() or "")
    assert "disk uuid" in (report.failure() or "")
    assert set(host.files) == {OLD, OTHER}


def test_the_old_mapping_stays_where_its_disk_uuid_is_not_known() -> None:
    host = strict(Power.OFF)
    host.files[OLD] = replace(host.files[OLD], disk_uuid=None)
    planned = call(host, ASK, check_mode=True)
    assert planned is not None
    assert not any("second mapping" in step.description for step in planned.steps)
    assert done(host).states == {AT: "rolled_back"}
    assert set(host.files) == {OLD, OTHER}


def test_the_old_mapping_stays_where_there_is_a_third_one_of_the_lun() -> None:
    """Somebody's, which nobody uses: with it there the host would make neither the new one nor the old one again."""
    host, third = strict(Power.OFF), "[san] backup01/forgotten.vmdk"
    host.files[third] = replace(host.files[OLD], file=third)
    host._lun_of_file[third] = host.lun_of_file(OLD)
    report = done(host)
    assert report.states == {AT: "rolled_back"}
    assert f"{third} is, or may be, another mapping of naa." in (report.failure() or "")
    assert set(host.files) == {OLD, OTHER, third}


def test_a_virtual_mapping_is_not_given_up() -> None:
    """Its disk uuid is shown to the guest, and one that is made again has another."""
    host = strict(Power.OFF)
    assert done(host).failure() is None
    report = done(host, replace(ASK, compatibility=Compatibility.PHYSICAL))
    assert report.states == {AT: "rolled_back"}
    assert set(host.files) == {NEW, OTHER}


def test_the_new_mapping_is_refused_also_when_the_old_one_is_gone() -> None:
    host, before = strict(), strict()
    refuse_new(host, StepRefused("Busy.", said="Device or resource busy"))
    report = done(host)
    assert report.states == {AT: "rolled_back"}
    assert_mapped(host, before)
    assert_closed(host)
    assert set(host.files) == {OLD, OTHER}
    assert any(f"{OLD} had been deleted, and was made again" in warning for warning in report.warnings)
    assert host.machines["vm-1"].power is Power.ON


def test_neither_can_be_made_again_and_the_commands_say_how() -> None:
    host = strict(Power.OFF)

    def break_down(at_work: HostInMemory) -> None:
        if OLD not in at_work.files:
            raise StepRefused("Broken.", kind=RefusalKind.OTHER, said="Broken")

    create = host._create

    def refuse(vm: VirtualMachine, new: NewMapping) -> None:
        break_down(host)
        create(vm, new)

    host._create = refuse  # type: ignore[method-assign]
    report = done(host)
    assert report.states == {AT: "failed"}
    assert [line.split()[0] for line in report.recovery[2:]] == ["[", "[", "vim-cmd"]
    assert "vmkfstools -z /vmfs/devices/disks/naa." in report.recovery[3]
    assert report.recovery[3].startswith("[ -e /vmfs/volumes/5f00-aa/backup01/d0.vmdk ] || ")
    host._create = create  # type: ignore[method-assign]
    host.clock += 100
    assert done(host).states == {AT: "converted"}
    assert set(host.files) == {NEW, OTHER}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("then", [Compatibility.VIRTUAL, pytest.param(Compatibility.PHYSICAL, marks=pytest.mark.slow)])
def test_something_goes_wrong_at_every_call(kind: str, then: Compatibility) -> None:
    """After one more run, forward or back, the disk is mapped once, and nothing is open or lies about."""
    clean = strict()
    done(clean)
    for number in range(1, clean.calls + 1):
        host, before = strict(), strict()
        host.troubles = [Trouble(number, kind)]
        report = call(host, ASK)
        host.troubles = []
        if report is not None and "failed" not in report.states.values():
            assert_mapped(host, before)
        host.clock += 100
        host.remove_snapshots()
        again = call(host, replace(ASK, compatibility=then))
        assert again is not None
        assert_mapped(host, before)
        assert_closed(host)
        # A virtual mapping that stands is not given up for a physical one.
        if again.failure() is not None:
            assert (then, again.states) == (Compatibility.PHYSICAL, {AT: "rolled_back"}), f"{number}: {again.failure()}"
            assert set(host.files) == {NEW, OTHER}, number
        else:
            assert set(host.files) == {NEW if then is Compatibility.VIRTUAL else OLD, OTHER}, number


@pytest.mark.parametrize(
    "kind",
    [
        "killed after",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS if kind.endswith(("lost", "refused"))),
    ],
)
def test_a_spare_mapping_is_never_left(kind: str) -> None:
    """The host takes it, so that the old one stays; whatever goes wrong meanwhile, the next run removes it."""
    refused = StepRefused("No.", said="Function not implemented")
    clean = world(1, Power.ON, only_apart=True)
    refuse_new(clean, refused)
    done(clean)
    for number in range(1, clean.calls + 1):
        host = world(1, Power.ON, only_apart=True)
        refuse_new(host, refused)
        host.troubles = [Trouble(number, kind)]
        call(host, ASK)
        host.troubles = []
        host.clock += 100
        assert done(host).states == {AT: "rolled_back"}, number
        assert_closed(host)
        assert set(host.files) == {OLD, OTHER}, number
