# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real sites look like and the story does not: each shape is shown by the lab, to a client that knows nothing of
it."""

from __future__ import annotations

from typing import Any

import pytest
from dpm.units import GB
from pypsrp_client import Remote

COMPUTER = "fs01.lab.test"
SHRINK = (
    "$ds = Get-DPMDatasource | Where-Object { $_.Name -eq 'E:\\' }\n"
    "$limits = Set-DPMDatasourceDefaultDiskAllocation -Datasource $ds -CalculateShrinkThresholds\n"
    "$ds.ShadowCopySizeAfterMinShrink\n$limits.ShadowCopySizeAfterMinShrink"
)


def world(*sources: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A world of some data sources of one computer and group."""
    named = [{"name": f"D{number}", "computer": COMPUTER, **one} for number, one in enumerate(sources)]
    return {"groups": [{"name": "Files", "sources": named}], **others}


def caught(call: str) -> str:
    return f"try {{\n    {call}\n    'done'\n}}\ncatch {{\n    $_.FullyQualifiedErrorId\n    $_.Exception.Message\n}}"


# States, jobs and tasks


def test_a_state_and_a_job_type_that_no_list_has(remote: Remote) -> None:
    remote.world(world({"state": "ReplicaBeingMoved"}, {}), names={"Valid": "Protected"})
    remote.dpm.control.start_job("D1", "DiskAllocation", 60)
    states = "Get-DPMDatasource | ForEach-Object { [string]$_.State }"
    assert remote.run(states) == ["ReplicaBeingMoved", "Protected"]
    assert remote.run("[string](Get-DPMJob).JobType") == ["DiskAllocation"]


@pytest.mark.parametrize(("language", "shown"), [("en", "Consistency check"), ("ja", "整合性チェック")])
def test_the_type_of_a_job_as_a_text_and_in_its_category(remote: Remote, language: str, shown: str) -> None:
    remote.world(world({}), job_type="text", language=language)
    remote.dpm.control.start_check("D0")
    jobs = "$job = Get-DPMJob -Type Validation\n[string]$job.JobType\n[string]$job.JobCategory"
    assert remote.run(jobs) == [shown, "Validation"]
    remote.world(world({}))
    remote.dpm.control.start_check("D0")
    assert remote.run("[string](Get-DPMJob).JobType\n$null -eq (Get-DPMJob).JobCategory") == ["Validation", "True"]


@pytest.mark.parametrize(("name", "known"), [("JobId", [True, False]), ("Id", [False, True]), ("none", [False, False])])
def test_the_id_of_a_job_stands_under_one_name_or_another_or_none(remote: Remote, name: str, known: list[bool]) -> None:
    remote.world(world({}), job_id=name)
    remote.dpm.control.start_check("D0")
    lines = remote.run("$job = Get-DPMJob\n$null -ne $job.JobId\n$null -ne $job.Id")
    assert lines == [str(one) for one in known]


def test_a_job_names_its_data_sources_and_its_tasks_their_display_path(remote: Remote) -> None:
    path = "D:\\ (Volume on fs01)"
    remote.world(world({"display_path": path}), job_datasources="names", task_path="display_path")
    remote.dpm.control.start_check("D0")
    script = (
        "$job = Get-DPMJob\n$job.DataSources\n$job.Tasks[0].DatasourcePath\n"
        "$source = Get-DPMDatasource\n$source.Name\n$source.DisplayPath"
    )
    assert remote.run(script) == ["D0", path, "D0", path]


@pytest.mark.parametrize("code", [214, 31209, 114031])
def test_the_text_of_a_problem_ends_in_its_number(remote: Remote, code: int) -> None:
    remote.world(world({}), error_format="{text} (ID {code} Details: Internal error code: 0x80990A94)")
    remote.dpm.control.fail_next_check("D0", code, detail="Volume 4711")
    remote.dpm.control.start_check("D0")
    remote.dpm.control.advance(300)
    [problem] = remote.run("(Get-DPMJob -Status Failed).TaskList[0].ErrorInfo.Problem")
    assert problem.endswith(f"Volume 4711 (ID {code} Details: Internal error code: 0x80990A94)")


# Storage


@pytest.mark.parametrize(
    ("storage", "alert", "refusal"),
    [("tape", [], 31155), ("cloud", [], 31155), ("secondary", [], 31155), ("pending", [3118], 31207)],
)
@pytest.mark.parametrize("size", [0, -1])
def test_a_source_without_disk_storage(remote: Remote, storage: str, alert: list[int], refusal: int, size: int) -> None:
    remote.world(world({"storage": storage}), size_without_disk=size)
    script = (
        "$source = Get-DPMDatasource\n$source.ReplicaSize\n$source.ShadowCopyAreaSize\n$source.ReplicaPath.Length\n"
        "@(Get-DPMVolume -AlreadyInUseByDPM).Count\n"
        + caught("Edit-DPMDiskAllocation -Datasource $source -ShadowCopySize 20GB -Confirm:$false")
        + "\n"
        + caught("Start-DPMDatasourceConsistencyCheck -Datasource $source -Confirm:$false | Out-Null")
    )
    lines = remote.run(script)
    assert lines[:4] == [str(size), str(size), "0", "0"]
    assert "(ID: 31155)" in lines[5]
    assert f"(ID: {refusal})" in lines[7]
    assert remote.dpm.control.datasource("D0")["alerts"] == alert


def test_a_source_that_has_two_allocations(remote: Remote) -> None:
    earlier = {"replica": ["5GB", "1GB"], "recovery": ["2000MB", "1GB"], "shares": "old"}
    moved = {"storage": "modern", "earlier": earlier}
    again = {"recovery": ["20GB", "2GB"], "earlier": {"recovery": ["1000MB", "10MB"]}}
    stranger = {"shares": "old"}
    remote.world(world(moved, again, stranger))
    volumes = (
        "foreach ($volume in Get-DPMVolume -AlreadyInUseByDPM) {\n"
        "    $names = $volume.ContainedDataSources.Name -join ','\n"
        "    [string]$volume.VolumeType + ' ' + [string]$volume.TotalSpace + ' ' + $names\n"
        "}"
    )
    assert remote.run(volumes) == [
        f"Replica {5 * GB} D0,D2",
        f"DiffArea {2000 * 2**20} D0,D2",
        f"Replica {20 * GB} D1",
        f"DiffArea {20 * GB} D1",
        f"Replica {20 * GB} D1",
        f"DiffArea {1000 * 2**20} D1",
    ]
    sizes = "Get-DPMDatasource | ForEach-Object { $_.ShadowCopyAreaSize }"
    assert remote.run(sizes) == ["0", str(20 * GB), str(2000 * 2**20)]
    assert remote.run("Get-DPMDatasource | ForEach-Object { $_.InactiveDiskAllocation.Length -gt 0 }") == [
        "True",
        "True",
        "False",
    ]


@pytest.mark.parametrize("listed", [False, True])
def test_a_server_with_modern_storage_only(remote: Remote, listed: bool) -> None:
    modern = [{"name": "E:\\", "size": "4TB", "remaining": "1TB"}]
    remote.world(world({"storage": "modern"}, pool={"disks": [], "modern": modern}), modern_listed=listed)
    script = (
        "@(Get-DPMDiskStorage).Count\n(Get-DPMDiskStorage -Volumes).SizeRemaining\n"
        "@(Get-DPMVolume -AlreadyInUseByDPM).Count"
    )
    assert remote.run(script) == ["0", str(1024 * GB), str(int(listed))]


def test_disks_that_are_missing_or_not_healthy(remote: Remote) -> None:
    disks = [
        {"name": "good", "capacity": "100GB"},
        {"name": "gone", "capacity": "90GB", "status": "Missing"},
        {"name": "bad", "capacity": "80GB", "status": "PredictiveFailure"},
    ]
    remote.world(world({}, pool={"disks": disks}))
    script = "foreach ($disk in Get-DPMDiskStorage) {\n    [string]$disk.DiskStatus + ' ' + $disk.UnallocatedSpace\n}"
    assert remote.run(script) == [f"Healthy {80 * GB}", f"Missing {80 * GB}", f"PredictiveFailure {80 * GB}"]
    alert = "$alert = Get-DPMAlert\n$alert.AffectedArea\n[string]$alert.Type\n$null -eq $alert.Datasource"
    assert remote.run(alert) == ["gone", "DiskMissing", "True"]
    edit = "Edit-DPMDiskAllocation -Datasource (Get-DPMDatasource) -ShadowCopySize 100GB -Confirm:$false"
    assert "(ID: 358)" in remote.run(caught(edit))[1]
    remote.dpm.control.set_disk("bad", "Healthy")
    assert remote.run(caught(edit)) == ["done"]


def test_sizes_that_stay_unknown_while_others_are_known(remote: Remote) -> None:
    remote.world(world({"unknown": ["ShadowCopyUsedSpace", "ReplicaSize"]}))
    read = "$source = Get-DPMDatasource\n$source.ShadowCopyAreaSize\n$source.ShadowCopyUsedSpace\n$source.ReplicaSize"
    assert remote.run(read) == [str(10 * GB), "-1", "-1"]


@pytest.mark.parametrize("everything", [False, True])
def test_a_source_whose_properties_throw(remote: Remote, everything: bool) -> None:
    spoiled = {"unreadable": ["*"] if everything else ["ShadowCopyUsedSpace"]}
    remote.world(world({}, spoiled))
    read = "$source = (Get-DPMDatasource)[1]\n" + caught("$x = $source.ShadowCopyUsedSpace") + "\n"
    lines = remote.run(read + caught("$x = $source.Name"))
    assert lines[0] == "ExceptionWhenGetting"
    assert lines[1].startswith('Exception getting "ShadowCopyUsedSpace": "')
    assert lines[2:3] == (["ExceptionWhenGetting"] if everything else ["done"])
    remote.world(world({}, spoiled), unreadable="null")
    assert remote.run("$null -eq (Get-DPMDatasource)[1].ShadowCopyUsedSpace") == ["True"]


def test_the_limits_of_a_decrease_are_on_the_object_that_is_returned(remote: Remote) -> None:
    remote.world()
    high = str(30 * GB - 10 * 2**20)
    assert remote.run(SHRINK) == ["0", high]
    remote.world(limits_on="passed")
    assert remote.run(SHRINK) == [high, high]


def test_growing_by_itself_may_cover_the_replica(remote: Remote) -> None:
    full = {"groups": [{"name": "g", "auto_grow": True, "sources": [{"name": "D0", "computer": COMPUTER}]}]}
    for covered, size in ((False, 20), (True, 30)):
        remote.world(full, auto_grow_replica=covered)
        remote.dpm.control.set_used("D0", "19GB", replica=True)
        remote.dpm.control.advance(60)
        assert remote.run("(Get-DPMDatasource).ReplicaSize") == [str(size * GB)]
        assert remote.dpm.control.auto_grow("D0", replica=True) is not covered


# Alerts

ABOUT = (
    "foreach ($alert in Get-DPMAlert) {\n"
    "    [string]$alert.Severity + '|' + $alert.Datasource.Name + '|' + $alert.Server + '|' + $alert.AffectedArea + '|'"
    " + $alert.TargetObjectName\n}"
)


@pytest.mark.parametrize(
    ("shows", "line"),
    [
        (["Datasource"], "Error|D0|||"),
        (["Server"], f"Error||{COMPUTER}||"),
        (["AffectedArea"], "Error|||D0|"),
        (["TargetObjectName"], "Error||||D0"),
        (["Server", "AffectedArea"], f"Error||{COMPUTER}|D0|"),
        ([], "Error||||"),
    ],
)
def test_what_an_alert_is_about_stands_in_one_place_or_another(remote: Remote, shows: list[str], line: str) -> None:
    remote.world(world({}))
    remote.dpm.control.raise_alert("D0", 3106, shows=shows)
    assert remote.run(ABOUT) == [line]
    remote.world(world({}), alert_shows=shows)
    remote.dpm.control.raise_alert("D0", 3106)
    assert remote.run(ABOUT) == [line]


def test_an_alert_of_a_computer_and_one_of_the_server(remote: Remote) -> None:
    remote.world(world({}))
    remote.dpm.control.raise_alert(None, 3122, server=COMPUTER, area="Agent", severity="Warning")
    remote.dpm.control.raise_alert(None, 970, detail="The library is offline.")
    assert remote.run(ABOUT) == [f"Warning||{COMPUTER}|Agent|", "Error||dpm01.lab.test||"]
    with pytest.raises(ValueError, match="an alert has no colour"):
        remote.dpm.control.raise_alert(None, 970, colour="red")


def test_alerts_may_be_refused(remote: Remote) -> None:
    remote.world(
        world({}, history=[{"do": "refuse", "cmdlet": "Get-DPMAlert", "foreign": "access_denied", "times": 0}])
    )
    for _ in range(2):
        lines = remote.run(caught("Get-DPMAlert | Out-Null"))
        assert lines[0].startswith("System.UnauthorizedAccessException,")
    assert remote.run("@(Get-DPMDatasource).Count") == ["1"]


# The server as a whole


def test_a_server_that_is_connected_to_by_name_first(remote: Remote) -> None:
    remote.world(world({}), needs_connection=True)
    for call in (
        "Get-DPMDatasource",
        "Get-DPMJob",
        "Get-DPMAlert",
        "Get-DPMDiskStorage",
        "Get-DPMProtectionGroup -DPMServerName dpm01.lab.test",
    ):
        assert "(ID: 31144)" in remote.run(caught(f"{call} | Out-Null"))[1]
    connect = "Connect-DPMServer -DPMServerName DPM01 -WarningAction SilentlyContinue | Out-Null\n"
    assert remote.run(f"{connect}@(Get-DPMDatasource).Count\n@(Get-DPMJob).Count") == ["1", "0"]
    gone = f"{connect}Disconnect-DPMServer\n" + caught("Get-DPMDatasource | Out-Null")
    assert "(ID: 31144)" in remote.run(gone)[1]
    assert "(ID: 31144)" in remote.run(caught("Get-DPMDatasource | Out-Null"))[1]  # another shell


SETUP = "HKLM:\\SOFTWARE\\Microsoft\\Microsoft Data Protection Manager\\Setup"
FOLDER = f"(Get-ItemProperty -Path '{SETUP}').UIInstallPath"


@pytest.mark.parametrize("install_path", ["C:\\Program Files\\Microsoft System Center\\DPM\\DPM\\", "D:\\DPM"])
def test_a_module_that_only_the_registry_finds(remote: Remote, install_path: str) -> None:
    remote.world(world({}), module="registry", install_path=install_path)
    assert remote.run(FOLDER) == [install_path]
    assert remote.run(caught("Get-DPMDatasource | Out-Null"))[0].startswith("CommandNotFoundException")
    lines = remote.run(caught("Import-Module -Name DataProtectionManager -ErrorAction Stop"))
    assert lines[0].startswith("Modules_ModuleNotFound,")
    for end in ("\\bin\\DataProtectionManager", "\\bin\\DataProtectionManager\\DataProtectionManager.psd1"):
        script = f'$folder = {FOLDER}\nImport-Module -Name "$folder{end}"\n@(Get-DPMDatasource).Count'
        assert remote.run(script) == ["1"]


def test_a_machine_without_the_module(remote: Remote) -> None:
    remote.world(world({}), module="none")
    assert remote.run(caught("Import-Module -Name DataProtectionManager -ErrorAction Stop"))[0].startswith(
        "Modules_ModuleNotFound,"
    )
    lines = remote.run(caught(f"{FOLDER.replace(')', ' -ErrorAction Stop)')}"))
    assert lines[0] == "PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand"


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        ({"foreign": "sql_login"}, "System.Data.SqlClient.SqlException,", "NT AUTHORITY\\ANONYMOUS LOGON"),
        ({"foreign": "out_of_memory"}, "System.OutOfMemoryException,", "System.OutOfMemoryException"),
        ({"code": 948}, "DpmLabError,", "(ID: 948)"),
    ],
)
def test_errors_of_what_is_below_pass_through_every_cmdlet(
    remote: Remote, refusal: dict[str, Any], kind: str, said: str
) -> None:
    remote.world(world({}))
    remote.dpm.control.hooks.refuse("*-DPM*", times=0, **refusal)
    for call in ("Get-DPMDatasource", "Get-DPMJob -Status InProgress"):
        lines = remote.run(caught(f"{call} -ErrorAction SilentlyContinue | Out-Null"))
        assert lines[0].startswith(kind)
        assert said in lines[1]


# PowerShell itself


def test_powershell_4_comes_with_2012_r2_and_has_no_new(remote: Remote) -> None:
    new = caught("[System.IO.MemoryStream]::new() | Out-Null")
    older = "$stream = New-Object -TypeName System.IO.MemoryStream\n$stream.GetType().Name"
    for options, has_new in (({"profile": "2012R2"}, False), ({}, True), ({"powershell": "4.0"}, False)):
        remote.world(world({}), **options)
        assert remote.run(new)[0] == ("done" if has_new else "MethodNotFound")
        assert remote.run(older) == ["MemoryStream"]
        assert remote.run("$PSVersionTable.PSVersion.Major") == ["5" if has_new else "4"]


def test_constrained_language_allows_methods_of_core_types_only(remote: Remote) -> None:
    remote.world(world({}), language_mode="ConstrainedLanguage")
    for call in ("[Convert]::ToBase64String($null)", "$x = (Get-DPMProtectionGroup).GetDatasources()"):
        assert remote.run(caught(call))[0] == "MethodInvocationNotSupportedInConstrainedLanguage"
    lines = remote.run(caught("New-Object -TypeName System.IO.MemoryStream | Out-Null"))
    assert lines[0] == "CannotCreateTypeConstrainedLanguage,Microsoft.PowerShell.Commands.NewObjectCommand"
    assert remote.run("'abc'.Contains('b')\n@(Get-DPMDatasource).Count") == ["True", "1"]
    assert remote.run("[string]$ExecutionContext.SessionState.LanguageMode") == ["ConstrainedLanguage"]


def test_errors_that_nobody_caught_stand_on_the_error_stream_with_their_ids(remote: Remote) -> None:
    remote.world(world({}), language_mode="ConstrainedLanguage")
    process = remote.process("[Convert]::ToBase64String($null)\n'after'\nthrow 'the end'")
    assert (process.rc, process.stdout.decode().split()) == (1, ["after"])
    said = process.stderr.decode()
    assert said.startswith("#< CLIXML")
    assert "+ FullyQualifiedErrorId : MethodInvocationNotSupportedInConstrainedLanguage_x000D__x000A_" in said
    assert "the end_x000D__x000A_" in said
