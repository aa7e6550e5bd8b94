# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The story of a machine: what was done and proven, and that what was not is never told as if it were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._story.model import Chapter, Outcome, Story
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.telling import story_of

PATH = "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\\"
VM_DISK = {
    "vm": "backup01",
    "vm_id": "5029",
    "address": "scsi0:1",
    "file": "[san01] backup01/a.vmdk",
    "compatibility": "physical",
    "capacity_bytes": 1 << 40,
    "lun": {"canonical_name": "naa.1"},
}
SOURCE = {"id": "1", "name": "D:\\", "computer": "fs01"}


def failure(**more: Any) -> dict[str, Any]:
    return {
        "signature": "rdm_physical_shadow_copy",
        "confidence": "certain",
        "time": "2020-09-04T12:00:00Z",
        "last_seen": "2020-09-05T12:00:00Z",
        "count": 1,
        "still_so": None,
        "summary": "The shadow copy of E: failed.",
        "cause": "The disk is a mapping in physical mode.",
        "next": "Make it virtual.",
        "codes": ["0x80780034"],
        "vm_disk": VM_DISK,
        "disk": {"number": 1, "disk_id": "id", "sizes_agree": True},
        "volume": {"guid": "a59dcd66", "letter": "E:", "path": PATH},
        "datasource": None,
        **more,
    }


def on_dpm(signature: str = "replica_offline", **more: Any) -> dict[str, Any]:
    return failure(**{"signature": signature, "datasource": SOURCE, "vm_disk": None, "disk": None, **more})


def told(*failures: dict[str, Any], findings: Any = (), others: Any = (), **more: Any) -> Story:
    diagnosis = {
        "machine": {"name": "BACKUP01"},
        "failures": list(failures),
        "other_failures": list(others),
        "findings": list(findings),
    }
    return story_of("backup01", diagnosis, **more)


def the_chapter(story: Story) -> Chapter:
    (chapter,) = story.chapters
    return chapter


def steps(chapter: Chapter) -> dict[str, str]:
    return {step.name: step.text for step in chapter.steps}


def unknown(chapter: Chapter) -> list[str]:
    return [step.name for step in chapter.steps if not step.known]


def disk(state: str = "converted", **more: Any) -> dict[str, Any]:
    return {
        "disk_id": "id",
        "number": 1,
        "vm": "backup01",
        "vm_id": "5029",
        "server": "vc",
        "address": "scsi0:1",
        "state": state,
        "file": "[san01] backup01/a-virtual.vmdk",
        "volumes": [PATH],
        **more,
    }


def test_from_the_symptom_over_disk_and_mapping_to_the_proof() -> None:
    both = (failure(), failure(signature="truncated_at_2_tib", summary="Two sizes.", still_so=True))
    chapter = the_chapter(told(*both, disks=[disk(proven=True, why=None)]))
    assert chapter.outcome is Outcome.CURED
    assert chapter.title == ("Disk 1 is scsi0:1 of backup01. It was converted; a shadow copy of it can be made.")
    assert [step.name for step in chapter.steps] == ["Symptom", "Cause", "Symptom", "Disk", "Mapping", "Done", "Proof"]
    assert "2020-09-05T12:00:00Z; rdm_physical_shadow_copy, certain" in chapter.steps[0].text
    said = steps(chapter)
    assert said["Disk"] == "Disk 1 of Windows, with the volume E:, is scsi0:1 of backup01."
    assert said["Mapping"] == "A mapping in physical mode of LUN naa.1, [san01] backup01/a.vmdk."
    assert said["Done"] == "Its mapping was converted, [san01] backup01/a-virtual.vmdk."
    assert said["Proof"] == "A shadow copy of E: was made, and removed again."
    assert unknown(chapter) == []


@pytest.mark.parametrize(
    ("converted", "outcome", "said"),
    [
        (disk(proven=False, why="Create said 10."), Outcome.NOT_CURED, "still cannot be made: Create said 10."),
        (disk(proven=None, why="It is offline."), Outcome.UNPROVEN, "None: no shadow copy of E: was made: It is off"),
        # The proof was never begun, as where the disk could not be brought online.
        (disk(), Outcome.UNPROVEN, "None: no shadow copy of E: was made. Its old mapping file is kept."),
        (disk("unchanged", proven=True), Outcome.CURED, "A shadow copy of E: was made"),
        (disk(proven=None, volumes=[]), Outcome.UNPROVEN, "None: no shadow copy of the disk was made."),
    ],
)
def test_only_a_shadow_copy_that_was_made_is_a_proof(converted: dict[str, Any], outcome: Outcome, said: str) -> None:
    chapter = the_chapter(told(failure(), disks=[converted]))
    assert chapter.outcome is outcome
    assert said in steps(chapter)["Proof"]
    assert ("Proof" in unknown(chapter)) == (outcome is Outcome.UNPROVEN)


def test_check_mode_did_and_proved_nothing() -> None:
    chapter = the_chapter(told(failure(), disks=[disk("would_convert", proven=None)]))
    assert chapter.outcome is Outcome.PLANNED
    assert steps(chapter)["Done"].startswith("Nothing, in check mode.")
    assert "Proof" not in steps(chapter)


@pytest.mark.parametrize(
    ("state", "outcome", "said"),
    [
        ("blocked", Outcome.OPEN, "Nothing: the conversion was stopped. It is on. Shut it down."),
        ("rolled_back", Outcome.OPEN, "The conversion failed and was undone; the disk is as it was."),
        ("failed", Outcome.NOT_CURED, "the disk is not as it was"),
        ("not_started", Outcome.OPEN, "Nothing: an earlier disk failed"),
        ("a_new_state", Outcome.OPEN, "The conversion ended as a new state."),
    ],
)
def test_a_conversion_that_did_not_happen_says_why(state: str, outcome: Outcome, said: str) -> None:
    conversion = {
        "vm": {"name": "backup01", "instance_uuid": "5029"},
        "disks": [{"address": "scsi0:1", "state": state}],
        "blockers": [{"message": "It is on.", "hint": "Shut it down."}] if state == "blocked" else [],
    }
    of_another = {**conversion, "vm": {"name": "backup01", "instance_uuid": "other"}}
    chapter = the_chapter(told(failure(), conversions=[of_another, conversion]))
    assert (chapter.outcome, said in steps(chapter)["Done"]) == (outcome, True)
    assert steps(chapter)["Next"] == "Make it virtual."
    chapter = the_chapter(told(failure(), conversions=[of_another, {"msg": "It failed."}]))
    assert (chapter.outcome, steps(chapter)["Done"]) == (Outcome.OPEN, "Nothing in this run.")


def test_a_disk_that_could_not_be_told_says_why_and_guesses_none() -> None:
    ambiguous = {"code": "vm_ambiguous", "severity": "warning", "message": "Several VMs have its UUID."}
    chapter = the_chapter(told(failure(vm_disk=None), findings=[ambiguous]))
    assert steps(chapter)["Disk"] == "Disk 1 of Windows, with the volume E:. Several VMs have its UUID."
    assert "Disk" in unknown(chapter)
    assert "Mapping" not in steps(chapter)
    chapter = the_chapter(told(failure(vm_disk=None, disk=None)))
    assert steps(chapter)["Disk"] == "Which disk of Windows it is, is not known, with the volume E:."
    chapter = the_chapter(told(failure(vm_disk={**VM_DISK, "lun": None, "compatibility": None, "file": None})))
    assert steps(chapter)["Mapping"] == "A mapping in a mode that is not known of a LUN that is not known."
    assert "Mapping" in unknown(chapter)


def test_a_disk_of_another_vm_with_the_same_name_is_no_proof() -> None:
    story = told(failure(), disks=[disk(proven=True, vm_id="other")])
    assert [chapter.outcome for chapter in story.chapters] == [Outcome.OPEN, Outcome.CURED]
    assert steps(story.chapters[1])["Symptom"].startswith("None was found")


def test_what_is_over_is_told_so_and_has_nothing_left_to_do() -> None:
    chapter = the_chapter(told(failure(still_so=False)))
    assert (chapter.outcome, "Next" in steps(chapter)) == (Outcome.OVER, False)
    chapter = the_chapter(told(on_dpm(still_so=False)))
    assert (chapter.outcome, "Next" in steps(chapter)) == (Outcome.OVER, False)


def recovery_points(
    consistent: bool | None = True, short: bool = False, state: str = "extended", check: str = "succeeded", **more: Any
) -> dict[str, Any]:
    sizes = {"allocated_bytes": 40 << 30, "used_bytes": 40 << 30}
    after = {"allocated_bytes": 55 << 30, "used_bytes": 40 << 30}
    findings = [{"code": "recovery_point_volume_short"}] if short else []
    now = {"id": "1", "consistent": consistent, "recovery_point_volume": after, "findings": findings}
    volume = {"datasource": SOURCE, "state": state, "before": sizes, "after": after, "reason": None, "message": None}
    return {
        "planned_only": False,
        "allocation": {"volumes": [volume]},
        "checks": {"checks": [{"datasource": SOURCE, "state": check, "error": None}]},
        "after": {"datasources": [now]},
        **more,
    }


def test_a_data_source_from_the_symptom_to_what_dpm_says_of_it() -> None:
    three = (on_dpm(), on_dpm("replica_inconsistent"), on_dpm("recovery_point_volume_short"))
    chapter = the_chapter(told(*three, recovery_points=recovery_points()))
    assert chapter.outcome is Outcome.CURED
    said = steps(chapter)
    assert said["Data source"] == "D:\\ on fs01, protected by this server."
    assert said["Done"] == "Its recovery-point volume was extended from 40 GiB to 55 GiB."
    assert said["Check"] == "The consistency check succeeded."
    assert said["Proof"] == "DPM calls the replica consistent. 40 GiB of 55 GiB are used."
    assert "Next" not in said


@pytest.mark.parametrize(
    ("result", "outcome", "said"),
    [
        (None, Outcome.OPEN, "Nothing: recovery points were not worked on."),
        (recovery_points(allocation=None), Outcome.OPEN, "Nothing: no wish"),
        (recovery_points(None), Outcome.UNPROVEN, "whether the replica is consistent is not known"),
        (recovery_points(after=None), Outcome.UNPROVEN, "None: what DPM says of it now could not be read."),
        (recovery_points(False, check="failed"), Outcome.NOT_CURED, "DPM calls the replica inconsistent."),
        (recovery_points(False, state="refused", check="refused"), Outcome.OPEN, "inconsistent"),
        (recovery_points(short=True), Outcome.NOT_CURED, "still short"),
        (recovery_points(planned_only=True, state="would_extend"), Outcome.PLANNED, "Nothing, in check mode."),
        (recovery_points(allocation={"msg": "No WinRM."}, after=None), Outcome.UNPROVEN, "not extended. No WinRM."),
        (recovery_points(checks={"msg": "No WinRM."}, after=None), Outcome.UNPROVEN, "None. No WinRM."),
        (recovery_points(checks=None), Outcome.CURED, "None: dpm_recovery_points_check is false."),
        (recovery_points(state="a_new_state"), Outcome.CURED, "was not extended."),
    ],
)
def test_nothing_of_dpm_is_called_cured_that_dpm_does_not_call_so(
    result: dict[str, Any] | None, outcome: Outcome, said: str
) -> None:
    chapter = the_chapter(told(on_dpm(), recovery_points=result))
    assert chapter.outcome is outcome
    assert said in " ".join(step.text for step in chapter.steps)
    assert ("Next" in steps(chapter)) == (outcome is not Outcome.CURED)


def test_a_machine_that_was_not_diagnosed_or_not_read_in_full() -> None:
    story = story_of("backup01", None, failures=["It could not be reached."])
    assert list(story.lines()) == [
        "backup01",
        "  It was not diagnosed. It could not be reached.",
        "  No disk of it was converted.",
    ]
    assert told().notes[0] == "No failure was found that this collection knows a cure for."
    notes = told(findings=[{"code": "unreadable", "message": "The log System could not be read."}]).notes
    assert notes[0].endswith("was found in what could be read.")
    assert notes[1] == "The log System could not be read."


def test_failures_of_another_kind_are_named_beside() -> None:
    other = {"summary": "The ESP is locked.", "codes": ["0x8078011E"], "next": "Unlock it.", "still_so": None}
    notes = told(others=[other, {**other, "still_so": False}]).notes
    assert [note for note in notes if "ESP" in note] == [
        "Beside that: The ESP is locked. (0x8078011E) What helps: Unlock it."
    ]


def test_names_cannot_break_a_line() -> None:
    source = {**SOURCE, "name": "D:\\two\nlines\u202e"}
    lines = list(told(on_dpm(datasource=source)).lines())
    assert all(line.isprintable() for line in lines)


maybe = st.none() | st.just(True) | st.just(False)


@given(
    proven=maybe,
    state=st.sampled_from(["converted", "unchanged", "would_convert"]),
    consistent=maybe,
    short=st.booleans(),
    check=st.sampled_from(["succeeded", "failed", "running", "not_needed", "refused", "else"]),
    volume=st.sampled_from(["extended", "refused", "failed", "unchanged", "else"]),
)
def test_cured_is_said_only_with_its_proof(
    proven: bool | None, state: str, consistent: bool | None, short: bool, check: str, volume: str
) -> None:
    of_disk = the_chapter(told(failure(), disks=[disk(state, proven=proven)]))
    assert (of_disk.outcome is Outcome.CURED) == (proven is True and state != "would_convert")
    result = recovery_points(consistent, short, volume, check)
    of_source = the_chapter(told(on_dpm(), recovery_points=result))
    assert (of_source.outcome is Outcome.CURED) == (consistent is True and not short)
