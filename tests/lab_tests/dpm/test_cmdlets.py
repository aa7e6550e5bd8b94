"""The cmdlets of the lab, one trait of the documentation after the other."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dpm.dpm import Dpm
from dpm.units import GB, MB, STEP
from powershell import Outcome, UnknownConstruct

FILES = "$ds = Get-DPMDatasource | Where-Object { $_.Name -eq 'E:\\' }\n"


def of(name: str) -> str:
    """A script's beginning that puts a data source by its name into $ds."""
    return f"$ds = Get-DPMDatasource | Where-Object {{ $_.Name -eq '{name}' }}\n"


def caught(call: str) -> str:
    return f"try {{\n    {call}\n    'done'\n}}\ncatch {{\n    $_.Exception.Message\n}}"


def identity(call: str) -> str:
    return f"try {{\n    {call}\n}}\ncatch {{\n    $_.FullyQualifiedErrorId\n}}"


def run(dpm: Dpm, script: str) -> list[Any]:
    """The output of a script that ends well."""
    outcome = dpm.run(script)
    assert outcome.error is None, outcome.error
    assert outcome.errors == []
    return outcome.output


def message(outcome: Outcome) -> str:
    """What a script that caught an error says of it."""
    assert len(outcome.output) == 1, outcome
    return str(outcome.output[0])


# What exists


@pytest.mark.parametrize(
    ("profile", "options", "there", "missing"),
    [
        ("2012R2", {}, ["Get-DPMDisk", "Edit-DPMDiskAllocation"], ["Get-DPMDiskStorage"]),
        ("2016", {}, ["Get-DPMDiskStorage", "Edit-DPMDiskAllocation"], ["Get-DPMDisk"]),
        ("2019", {"has_disk": True}, ["Get-DPMDiskStorage", "Get-DPMDisk"], []),
        ("2019", {"has_edit": False}, ["Set-DPMDatasourceDiskAllocation"], ["Edit-DPMDiskAllocation"]),
    ],
)
def test_which_cmdlets_there_are(profile: str, options: dict[str, Any], there: list[str], missing: list[str]) -> None:
    dpm = Dpm(profile=profile, **options)
    for name in there:
        assert run(dpm, f"(Get-Command -Name {name}).Name") == [name]
    for name in [*missing, "Get-DPMDatasourceDiskAllocation", "Start-DPMDatasourceShrink"]:
        assert run(dpm, f"$null -eq (Get-Command -Name {name} -ErrorAction SilentlyContinue)") == [True]
        assert message(dpm.run(identity(name))).startswith("CommandNotFoundException")


def test_what_the_lab_does_not_know_it_names() -> None:
    dpm = Dpm()
    for script, name in [
        ("Get-DPMDatasource -Query x", "Query"),
        ("Get-DPMDiskStorage -All", "All"),
        (f"{FILES}Get-DPMDatasource -ProductionServer (Get-DPMProductionServer)[0] -Inquire", "Inquire"),
        (f"{FILES}(Get-DPMRecoveryPoint -Datasource $ds)[0].RepresentedPointInTime", "RepresentedPointInTime"),
        ("(Get-DPMProductionServer)[0].ServerName", "ServerName"),
        ("Update-DPMProtectionGroup -ProtectionGroup (Get-DPMProtectionGroup)[0]", "Update-DPMProtectionGroup"),
        ("Get-Datasource", "Get-Datasource"),
    ]:
        with pytest.raises(UnknownConstruct, match=name):
            dpm.run(script)


@pytest.mark.parametrize(
    "call",
    [
        "Edit-DPMDiskAllocation -Datasource $copy -ShadowCopySize 40GB -Confirm:$false",
        "Start-DPMDatasourceConsistencyCheck -Datasource $copy -Confirm:$false",
        "Get-DPMJob -Datasource $copy",
        "Get-DPMModifiableProtectionGroup -ProtectionGroup $copy",
    ],
)
def test_objects_that_are_not_dpm_s_own_are_refused(call: str) -> None:
    script = FILES + "$copy = [pscustomobject]@{ Name = $ds.Name; Id = $ds.Id }\n" + identity(call)
    assert message(Dpm().run(script)).startswith("CannotConvertArgumentNoMessage")


@pytest.mark.parametrize(
    "call",
    [
        "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB",
        "Start-DPMDatasourceConsistencyCheck -Datasource $ds",
        "Set-DPMProtectionGroup (Get-DPMModifiableProtectionGroup -ProtectionGroup $ds.ProtectionGroup)",
    ],
)
def test_nobody_can_be_asked(call: str) -> None:
    dpm = Dpm()
    before = dpm.control.state()
    assert "NonInteractive" in message(dpm.run(FILES + caught(call)))
    assert dpm.control.state() == before
    assert run(dpm, f"{FILES}{call} -WhatIf") == []
    assert dpm.control.state() == before
    outcome = Dpm(confirm_impact="Medium").run(FILES + call)
    assert outcome.error is None


# Allocations


def test_a_total_is_rounded_up_and_counts_against_the_pool() -> None:
    dpm = Dpm()
    before = dpm.control.state()["pool"]
    assert run(dpm, f"{FILES}Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize (31GB + 1) -Confirm:$false") == []
    total = dpm.control.datasource("E:\\")["recovery"]["allocated"]
    assert total == 31 * GB + 6 * MB
    assert total % STEP == 0
    after = dpm.control.state()["pool"]
    assert before["unallocated"] - after["unallocated"] == total - 30 * GB
    assert after["slots_used"] == before["slots_used"] + 1


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("E:\\", "-ShadowCopySize 40TB", "358"),
        ("\\Backup Using Child Partition Snapshot\\app01", "-ShadowCopySize 40GB", "31155"),
        ("\\Backup Using Child Partition Snapshot\\app02", "-ShadowCopySize 60GB", "31155"),
        ("E:\\", "-ReplicaSize 20GB", "increased"),
        ("E:\\", "-ShadowCopySize 9GB", "limits"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_refusals_of_an_edit(name: str, arguments: str, code: str, language: str) -> None:
    dpm = Dpm(language=language)
    before = dpm.control.state()
    call = f"Edit-DPMDiskAllocation -Datasource $ds {arguments} -Confirm:$false -ErrorAction SilentlyContinue"
    assert code in message(dpm.run(of(name) + caught(call)))
    assert dpm.control.state() == before


def test_an_inactive_data_source_is_refused() -> None:
    dpm = Dpm()
    script = "$ds = Get-DPMDatasource -Inactive\n$ds.Name\n$ds.IsDiskInactive\n" + caught(
        "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false"
    )
    output = run(dpm, script)
    assert output[:2] == ["F:\\", True]
    assert "31155" in output[2]
    assert len(run(Dpm(inactive="also"), "Get-DPMDatasource -Inactive")) == 13
    assert "F:\\" not in run(dpm, "Get-DPMDatasource | ForEach-Object { $_.Name }")


def test_the_number_of_an_error_may_not_stand_in_its_text() -> None:
    dpm = Dpm(error_format="{text}")
    call = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40TB -Confirm:$false"
    assert message(dpm.run(FILES + caught(call))) == "The storage pool has not enough unallocated space."


def test_errors_that_end_nothing() -> None:
    dpm = Dpm(errors_stop=False)
    call = "Edit-DPMDiskAllocation -Datasource $ds -ReplicaSize 1GB -Confirm:$false"
    outcome = dpm.run(f"{FILES}{call}\n'after'")
    assert outcome.output == ["after"]
    assert len(outcome.errors) == 1
    call = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40TB -Confirm:$false -ErrorAction SilentlyContinue"
    assert "358" in message(dpm.run(FILES + caught(call)))


def test_a_decrease_stays_within_dpm_s_own_limits() -> None:
    dpm = Dpm()
    low, high = 9 * GB + 604 * MB, 30 * GB - STEP
    limits = (
        "$limits = Set-DPMDatasourceDefaultDiskAllocation -Datasource $ds -CalculateShrinkThresholds\n"
        "$limits.ShadowCopySizeAfterMaxShrink\n$limits.ShadowCopySizeAfterMinShrink\n"
        "$ds.ShadowCopySizeAfterMaxShrink"
    )
    assert run(dpm, f"{FILES}{limits}") == [low, high, 0]
    assert run(Dpm(limits_on="passed"), f"{FILES}{limits}") == [low, high, low]
    call = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize {} -Confirm:$false"
    assert message(dpm.run(FILES + caught(call.format(low - STEP)))) != "done"
    before = dpm.control.state()["pool"]["slots_used"]
    run(dpm, FILES + call.format(low))
    assert dpm.control.datasource("E:\\")["recovery"]["allocated"] == low
    assert dpm.control.state()["pool"]["slots_used"] == before
    assert "shrunk" in message(dpm.run(FILES + caught(limits.splitlines()[0])))


def test_data_sources_on_one_volume_grow_together() -> None:
    dpm = Dpm()
    script = of("SQL01\\Stock") + "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 25GB -Confirm:$false\n"
    script += "Get-DPMDatasource | Where-Object { $_.IsCollocated } | ForEach-Object { $_.ShadowCopyAreaSize }"
    assert run(dpm, script) == [25 * GB, 25 * GB]


def test_an_object_is_as_it_was_or_as_it_is() -> None:
    script = (
        f"{FILES}Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false\n$ds.ShadowCopyAreaSize"
    )
    assert run(Dpm(), script) == [30 * GB]
    assert run(Dpm(objects="live"), script) == [40 * GB]


def test_an_edit_may_take_a_while() -> None:
    dpm = Dpm(edit_settles_after=20)
    edit = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false\n"
    sizes = "(Get-DPMDatasource | Where-Object { $_.Name -eq 'E:\\' }).ShadowCopyAreaSize\n"
    assert run(dpm, FILES + edit + sizes + "Start-Sleep -Seconds 20\n" + sizes) == [30 * GB, 40 * GB]


GROUP = (
    "$group = Get-DPMProtectionGroup | Where-Object { $_.Name -eq 'Files' }\n"
    "$edited = Get-DPMModifiableProtectionGroup -ProtectionGroup $group\n"
    "$ds = Get-DPMDatasource -ProtectionGroup $edited | Where-Object { $_.Name -eq 'E:\\' }\n"
)
ALLOCATE = (
    "Set-DPMDatasourceDiskAllocation -Datasource $ds -ProtectionGroup {} -Manual -ShadowCopyArea 40GB -Confirm:$false"
)


def test_a_group_is_changed_when_it_is_written() -> None:
    dpm = Dpm(has_edit=False)
    run(dpm, GROUP + ALLOCATE.format("$edited"))
    assert dpm.control.datasource("E:\\")["recovery"]["allocated"] == 30 * GB
    run(dpm, GROUP + ALLOCATE.format("$edited") + "\nSet-DPMProtectionGroup -ProtectionGroup $edited -Confirm:$false")
    assert dpm.control.datasource("E:\\")["recovery"]["allocated"] == 40 * GB
    assert "not modifiable" in message(dpm.run(GROUP + caught(ALLOCATE.format("$group"))))
    other = GROUP + FILES + caught(ALLOCATE.format("$edited"))
    assert "modifiable" in message(dpm.run(other))
    assert run(Dpm(allocation_needs_modifiable=False), other) == ["done"]


def test_a_group_is_written_whole_or_not_at_all() -> None:
    dpm = Dpm()
    half = dpm.control.state()["pool"]["unallocated"] * 2 // 3
    script = GROUP + (
        "foreach ($one in Get-DPMDatasource -ProtectionGroup $edited) {\n"
        "    Set-DPMDatasourceDiskAllocation -Datasource $one -ProtectionGroup $edited -Manual"
        f" -ShadowCopyArea {half} -Confirm:$false\n}}\n"
    )
    before = dpm.control.state()
    assert "358" in message(dpm.run(script + caught("Set-DPMProtectionGroup -ProtectionGroup $edited -Confirm:$false")))
    assert dpm.control.state() == before


def test_each_extension_costs_a_slot_until_there_is_none() -> None:
    dpm = Dpm(slots_limit=240 + 20 * 3 + 8)
    edit = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize {} -Confirm:$false"
    assert dpm.control.state()["pool"]["slots_left"] == 8
    for number in range(8):
        run(dpm, FILES + edit.format((31 + number) * GB))
    assert dpm.control.state()["pool"]["slots_left"] == 0
    assert "360" in message(dpm.run(FILES + caught(edit.format(50 * GB))))


def test_growing_by_itself_is_an_option_of_the_group() -> None:
    dpm = Dpm()
    call = "Set-DPMDatasourceDiskAllocation -ProtectionGroup $edited -AutoGrow $true -Confirm:$false\n"
    write = "Set-DPMProtectionGroup -ProtectionGroup $edited -Confirm:$false\n"
    read = "(Get-DPMDatasource | Where-Object { $_.Name -eq 'E:\\' }).IsAutoGrowEnabled"
    assert run(dpm, GROUP + call + read) == [False]
    assert run(dpm, GROUP + call + write + read) == [True]


def test_a_job_is_in_the_way() -> None:
    dpm = Dpm()
    dpm.control.start_job("SQL01\\Sales", "Replication", 100)
    edit = caught("Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false")
    assert "212" in message(dpm.run(of("SQL01\\Stock") + edit))
    check = caught("Start-DPMDatasourceConsistencyCheck -Datasource $ds -Confirm:$false | Out-Null")
    assert "212" in message(dpm.run(of("SQL01\\Stock") + check))
    dpm.control.advance(100)
    assert message(dpm.run(of("SQL01\\Stock") + edit)) == "done"
    free = Dpm(edit_while_busy="allow")
    free.control.start_job("E:\\", "Replication", 100)
    assert message(free.run(FILES + edit)) == "done"


# What is known later, or never


def test_recovery_points_are_known_some_time_after_they_were_asked_for() -> None:
    script = FILES + (
        "$ds.TotalRecoveryPoints\n$ds.LatestRecoveryPoint.Year\nStart-Sleep -Seconds 3\n"
        "$ds.TotalRecoveryPoints\n($ds.LatestRecoveryPoint - $ds.OldestRecoveryPoint).TotalDays"
    )
    assert run(Dpm(), script) == [0, 1, 14, 13.0]
    assert run(Dpm(lazy_seconds=10), script)[2] == 0


@pytest.mark.parametrize("unknown", [-1, 0])
def test_sizes_that_are_not_known_yet(unknown: int) -> None:
    source = {"name": "late", "computer": "a", "unknown_seconds": 30, "unknown_size": unknown}
    dpm = Dpm({"groups": [{"name": "g", "sources": [source]}]})
    read = "(Get-DPMDatasource).ShadowCopyAreaSize\n"
    assert run(dpm, f"{read}Start-Sleep -Seconds 30\n{read}") == [unknown, 10 * GB]


@pytest.mark.parametrize("value", [0, -1])
def test_modern_storage_has_no_recovery_point_volume(value: int) -> None:
    dpm = Dpm(modern_recovery_size=value)
    script = of("\\Backup Using Child Partition Snapshot\\app01") + (
        "$ds.ShadowCopyAreaSize\n$ds.ShadowCopyUsedSpace\n"
        "@(Get-DPMVolume -AlreadyInUseByDPM | ForEach-Object { $_.ContainedDataSources } | "
        "Where-Object { $_.Name -eq $ds.Name }).Count"
    )
    assert run(dpm, script) == [value, value, 0]


def test_disks_and_volumes() -> None:
    dpm = Dpm()
    disks = "Get-DPMDiskStorage | ForEach-Object { if ($_.IsInStoragePool) { $_.UnallocatedSpace } }"
    assert sum(run(dpm, disks)) == dpm.control.state()["pool"]["unallocated"]
    assert run(dpm, "(Get-DPMDiskStorage -Volumes).SizeRemaining") == [2500 * GB]
    assert run(dpm, "(Get-DPMDiskStorage)[0].TotalCapacity") == [2048 * GB]
    kinds = "Get-DPMVolume -AlreadyInUseByDPM | ForEach-Object { [string]$_.VolumeType }"
    assert set(run(dpm, kinds)) == {"DiffArea", "Replica"}
    assert run(Dpm(profile="2012R2"), "@(Get-DPMDisk).Count") == [3]


# Jobs and alerts


def test_a_check_runs_in_time_and_not_twice() -> None:
    dpm = Dpm()
    start = "$job = Start-DPMDatasourceConsistencyCheck -Datasource $ds -Confirm:$false\n"
    script = f"{FILES}{start}[string]$job.Status\n$job.HasCompleted\n$job.EndTime.Year\n{caught(start.strip())}\n"
    script += "Start-Sleep -Seconds 299\n$job.HasCompleted\nStart-Sleep -Seconds 1\n$job.HasCompleted\n"
    script += "[string]$job.Status"
    output = run(dpm, script)
    assert output[:3] == ["InProgress", False, 1]
    assert "3170" in output[3]
    assert output[4:] == [False, True, "Succeeded"]


def test_a_check_that_is_to_fail_does() -> None:
    dpm = Dpm()
    dpm.control.fail_next_check("E:\\", 3151)
    script = FILES + (
        "$job = Start-DPMDatasourceConsistencyCheck -Datasource $ds -Confirm:$false\nStart-Sleep -Seconds 300\n"
        "[string]$job.Status\n$job.TaskList[0].ErrorInfo.Problem\n[string]$ds.State"
    )
    output = run(dpm, script)
    assert output[0] == "Failed"
    assert "3151" in output[1]


def test_a_check_of_a_group_is_one_of_its_inconsistent_members() -> None:
    dpm = Dpm()
    script = GROUP + "(Start-DPMDatasourceConsistencyCheck -ProtectionGroup $group -Confirm:$false).DataSources.Name"
    assert run(dpm, script) == ["D:\\"]


@pytest.mark.parametrize("name", ["JobId", "Id", "none"])
def test_how_a_job_is_known(name: str) -> None:
    dpm = Dpm(job_id=name)
    output = run(dpm, "$job = Get-DPMJob -Newest\n$null -eq $job.JobId\n$null -eq $job.Id\n$job.DataSources.Name")
    assert output == [name != "JobId", name != "Id", "D:\\"]
    assert run(Dpm(job_datasources="names"), "(Get-DPMJob -Newest).DataSources") == ["D:\\"]


def test_jobs_are_selected() -> None:
    dpm = Dpm()
    dpm.control.start_job("E:\\", "Recovery", 5000)
    dpm.control.advance(100)
    script = FILES + (
        "@(Get-DPMJob).Count\n@(Get-DPMJob -Type Recovery).Count\n@(Get-DPMJob -Status Failed).Count\n"
        "@(Get-DPMJob -Datasource $ds -Status InProgress).Count\n"
        "@(Get-DPMJob -From ((Get-Date).AddSeconds(-200))).Count\n"
        "@(Get-DPMJob -ProtectionGroup (Get-DPMProtectionGroup)[1]).Count\n"
        "$job = Get-DPMJob -Datasource $ds\n@(Get-DPMJob -Job $job).Count"
    )
    assert run(dpm, script) == [2, 1, 1, 1, 1, 0, 1]
    assert message(dpm.run(identity("Get-DPMJob -Status Done"))).startswith("CannotConvertArgument")


def test_alerts_in_the_server_s_language() -> None:
    script = (
        "Get-DPMAlert | Where-Object { $_.Datasource.Computer -eq 'fs01.lab.test' } | "
        "ForEach-Object { [string]$_.Severity + ' ' + $_.ErrorInfo.ShortProblem }"
    )
    assert run(Dpm(), script) == [
        "Error Replica is inconsistent",
        "Warning Recovery point volume threshold exceeded",
    ]
    assert run(Dpm(language="ja"), script)[0] == "Error レプリカに整合性がありません"
    dpm = Dpm()
    dpm.control.set_state("D:\\", "Valid", "fs01.lab.test")
    assert len(run(dpm, "Get-DPMAlert -IncludeInactiveAlerts")) == len(run(dpm, "Get-DPMAlert")) + 1


def test_members_of_enumerations_may_be_called_otherwise() -> None:
    dpm = Dpm(names={"Valid": "Protected", "Succeeded": "Completed", "Busy": "CheckRunning"})
    assert run(dpm, f"{FILES}[string]$ds.State\n[string]$ds.Activity") == ["Protected", "Idle"]
    script = FILES + (
        "Start-DPMDatasourceConsistencyCheck -Datasource $ds -Confirm:$false | Out-Null\nStart-Sleep -Seconds 400\n"
        "@(Get-DPMJob -Status Completed).Count"
    )
    assert run(dpm, script) == [1]


# Events, connection, time


@pytest.mark.parametrize(
    ("table", "error_id"),
    [
        ("LogName='System'; Id=88", "NoMatchingEventsFound"),
        ("LogName='System'; ProviderName='volsnap','Ntfs'; Id=87", "NoMatchingProvidersFound"),
        ("LogName='Nowhere'", "NoMatchingLogsFound"),
    ],
)
def test_events_that_are_not_there(table: str, error_id: str) -> None:
    script = identity(f"Get-WinEvent -FilterHashtable @{{{table}}} -ErrorAction Stop")
    assert message(Dpm().run(script)).startswith(error_id + ",")


@pytest.mark.parametrize(("form", "begins"), [("guid", "\\\\?\\Volume{"), ("device", "\\Device\\"), ("mount", "C:\\")])
def test_the_volume_of_an_event(form: str, begins: str) -> None:
    script = "(Get-WinEvent -FilterHashtable @{LogName='System';Id=87}).Properties[1].Value"
    assert str(run(Dpm(volume_in_events=form), script)[0]).startswith(begins)


def test_a_server_that_wants_no_name() -> None:
    dpm = Dpm(explicit_name="refuse")
    assert "31144" in message(dpm.run(caught("Get-DPMDatasource -DPMServerName dpm01.lab.test | Out-Null")))
    assert "31144" in message(dpm.run(caught("Connect-DPMServer -DPMServerName dpm01 | Out-Null")))
    assert "31144" in message(Dpm().run(caught("Get-DPMDatasource -DPMServerName other | Out-Null")))


def test_connect_warns() -> None:
    outcome = Dpm().run("Connect-DPMServer -DPMServerName dpm01 | Out-Null")
    assert len(outcome.warnings) == 1
    assert outcome.warnings[0].startswith("Connecting to DPM server: dpm01")


def test_what_windows_says_of_the_volumes() -> None:
    dpm = Dpm()
    script = FILES + (
        "$copies = Get-CimInstance -ClassName Win32_ShadowStorage | "
        "Where-Object { $_.Volume.DeviceID -eq $ds.ReplicaPath }\n"
        "$copies.UsedSpace\n@(Get-CimInstance -ClassName Win32_Volume).Count\n"
        "(Get-CimInstance -ClassName Win32_ComputerSystemProduct).UUID.Length"
    )
    assert run(dpm, script) == [9 * GB, len(dpm.server.pool.volumes), 36]
    with pytest.raises(UnknownConstruct, match="Win32_TapeDrive"):
        dpm.run("Get-CimInstance -ClassName Win32_TapeDrive")


def test_the_two_ids_of_a_data_source() -> None:
    script = f"{FILES}$ds.Id -eq $ds.DatasourceId"
    assert run(Dpm(), script) == [True]
    assert run(Dpm(ids_differ=True), script) == [False]


# Between two cmdlets


def test_something_happens_before_the_second_reading() -> None:
    dpm = Dpm()
    dpm.control.hooks.before("Get-DPMDatasource", 2, lambda: dpm.control.edit("E:\\", "35GB"))
    read = "(Get-DPMDatasource | Where-Object { $_.Name -eq 'E:\\' }).ShadowCopyAreaSize\n"
    assert run(dpm, read * 3) == [30 * GB, 35 * GB, 35 * GB]
    dpm.control.do(
        "before", cmdlet="Get-DPMDatasource", actions=[["edit", {"datasource": "E:\\", "shadow_copy_size": "40GB"}]]
    )
    assert run(dpm, read) == [40 * GB]


def test_the_next_edits_of_one_data_source_are_refused() -> None:
    dpm = Dpm()
    dpm.control.hooks.refuse("Edit-DPMDiskAllocation", 360, times=2, datasource="E:\\")
    edit = caught("Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false")
    assert message(dpm.run(of("SQL01\\Sales") + edit)) == "done"
    assert "360" in message(dpm.run(FILES + edit))
    assert "360" in message(dpm.run(FILES + edit))
    assert message(dpm.run(FILES + edit)) == "done"
    called = [call for call in dpm.control.hooks.calls() if call["cmdlet"] == "Edit-DPMDiskAllocation"]
    assert [call["parameters"]["Datasource"] for call in called][1:] == ["fs01.lab.test: E:\\"] * 3
    assert called[0]["parameters"]["ShadowCopySize"] == str(40 * GB)


def test_a_call_is_held() -> None:
    dpm = Dpm()
    hook = dpm.control.hooks.hold("Edit-DPMDiskAllocation")
    edit = "Edit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 40GB -Confirm:$false"
    thread = threading.Thread(target=lambda: dpm.run(FILES + edit))
    thread.start()
    assert dpm.control.hooks.wait(hook.number)
    assert dpm.control.datasource("E:\\")["recovery"]["allocated"] == 30 * GB
    dpm.control.hooks.release(hook.number)
    thread.join(10)
    assert dpm.control.datasource("E:\\")["recovery"]["allocated"] == 40 * GB


# Recovery points


def test_a_recovery_point_of_files_is_there_once_its_job_is_over() -> None:
    dpm = Dpm(point_seconds=60)
    dpm.control.raise_alert("E:\\", 3114)
    call = "$job = New-DPMRecoveryPoint -Datasource $ds -Disk -DiskRecoveryPointOption WithSynchronize -Confirm:$false"
    before = dpm.control.datasource("E:\\")["points"]
    assert run(dpm, f"{FILES}{call}\n$job.HasCompleted\n[string]$job.Status") == [False, "InProgress"]
    assert dpm.control.datasource("E:\\")["points"] == before
    dpm.control.advance(61)
    assert dpm.control.datasource("E:\\")["points"] == before + 1
    assert 3114 not in dpm.control.datasource("E:\\")["alerts"]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("E:\\", "-BackupType ExpressFull", "do not go with the type"),
        ("E:\\", "", "do not go with the type"),
        ("SQL01\\Sales", "-DiskRecoveryPointOption WithSynchronize", "do not go with the type"),
    ],
)
def test_the_parameters_have_to_go_with_the_kind_of_data(name: str, arguments: str, said: str, language: str) -> None:
    dpm = Dpm(language=language)
    call = f"New-DPMRecoveryPoint -Datasource $ds -Disk {arguments} -Confirm:$false"
    assert said in message(dpm.run(of(name) + caught(call)))


def test_an_inconsistent_replica_gets_no_recovery_point() -> None:
    dpm = Dpm()
    dpm.control.set_state("E:\\", "Invalid")
    call = "New-DPMRecoveryPoint -Datasource $ds -Disk -DiskRecoveryPointOption WithSynchronize -Confirm:$false"
    assert "31209" in message(dpm.run(FILES + caught(call)))
    dpm.control.set_state("E:\\", "Valid")
    dpm.control.start_job("E:\\", "Replication", 600)
    assert "212" in message(dpm.run(FILES + caught(call)))


@pytest.mark.parametrize(("type", "said"), [("System Protection", "done"), ("Microsoft Hyper-V", "31155")])
def test_which_replicas_of_modern_storage_get_a_size(type: str, said: str) -> None:
    source = {"name": "one", "computer": "fs01", "type": type, "storage": "modern", "replica": ["20GB", "8GB"]}
    dpm = Dpm({"groups": [{"name": "Files", "sources": [source]}]})
    call = "Edit-DPMDiskAllocation -Datasource $ds -ReplicaSize 30GB -Confirm:$false"
    assert said in message(dpm.run(of("one") + caught(call)))
    assert dpm.control.datasource("one")["modern_replica"] == (30 if said == "done" else 20) * GB
