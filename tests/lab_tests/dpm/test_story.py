"""The lab's DPM server over WinRM, with a foreign client: pypsrp's WinRS shell and plain scripts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from dpm.dpm import Dpm
from pypsrp_client import Remote

Run = Callable[[str], list[str]]


@pytest.fixture
def story(remote: Remote) -> tuple[Dpm, Run]:
    remote.world()
    return remote.dpm, remote.run


SHORT = "Get-DPMDatasource | Where-Object { $_.State -eq 'Invalid' }"


def test_the_server_says_what_it_is(story: tuple[Dpm, Run]) -> None:
    _, run = story
    lines = run(
        "Import-Module DataProtectionManager\n$server = Connect-DPMServer -DPMServerName dpm01.lab.test\n"
        "$server.Name\n$server.IsTestDouble\n$server.GetProductInformation().ProductName\n"
        "(Get-DPMDatasource)[0].TestDoubleNote"
    )
    assert lines[:2] == ["dpm01.lab.test", "True"]
    assert all("model" in line and "documentation" in line for line in lines[2:])


def test_a_full_volume_an_offline_replica_and_the_way_back(story: tuple[Dpm, Run]) -> None:
    dpm, run = story
    assert run(
        "Get-WinEvent -FilterHashtable @{LogName='System';Id=87,140} -Oldest | "
        "ForEach-Object { $_.ProviderName + ' ' + [string]$_.Id }"
    ) == ["volsnap 87", "Microsoft-Windows-Ntfs 140"]
    assert run(
        f"$ds = {SHORT}\n$ds.ProductionServerName + ' ' + $ds.Name\n$ds.ShadowCopyAreaSize - $ds.ShadowCopyUsedSpace\n"
        "$job = Get-DPMJob -Datasource $ds -Status Failed\n[string]$job.JobType\n"
        "Get-DPMAlert | Where-Object { $_.Datasource.Id -eq $ds.Id } | ForEach-Object { [string]$_.Type }"
    ) == ["fs01.lab.test D:\\", "0", "Replication", "ReplicaInconsistent", "RecoveryPointVolumeThresholdExceeded"]

    # A check does not help as long as there is no space, and says so.
    check = (
        f"$ds = {SHORT}\n$job = Start-DPMDatasourceConsistencyCheck -Datasource $ds -Confirm:$false\n"
        "[string]$job.Status\nGet-DPMAlert | ForEach-Object { [string]$_.Type }\n"
        "while (-not $job.HasCompleted) {\n    Start-Sleep -Seconds 60\n}\n[string]$job.Status"
    )
    first = run(check)
    assert first[0] == "InProgress"
    assert "ConsistencyCheckInProgress" in first
    assert first[-1] == "Failed"
    assert dpm.control.datasource("D:\\", "fs01.lab.test")["state"] == "Invalid"

    assert run(
        f"$ds = {SHORT}\nEdit-DPMDiskAllocation -Datasource $ds -ShadowCopySize 48000000001 -Confirm:$false\n"
        f"({SHORT}).ShadowCopyAreaSize\n$ds.ShadowCopyAreaSize"
    ) == [str(4578 * 10 * 2**20), str(40 * 2**30)]
    assert run(check)[-1] == "Succeeded"
    assert run(f"@({SHORT}).Count") == ["0"]
    assert 3106 not in dpm.control.datasource("D:\\", "fs01.lab.test")["alerts"]


def test_every_name_comes_out_as_it_is(story: tuple[Dpm, Run]) -> None:
    dpm, run = story
    lines = run("Get-DPMDatasource | ForEach-Object { $_.Name -replace \"`n\", '<LF>' }")
    assert [line.replace("<LF>", "\n") for line in lines] == [one.name for one in dpm.server.sources if one.active]
    assert run("Get-DPMProtectionGroup | ForEach-Object { $_.Name }") == [one.name for one in dpm.server.groups]


def test_a_process_has_one_connection(story: tuple[Dpm, Run]) -> None:
    _, run = story
    twice = (
        "Connect-DPMServer -DPMServerName dpm01 | Out-Null\ntry {\n"
        "    Connect-DPMServer -DPMServerName other.lab.test | Out-Null\n    'connected'\n}\n"
        "catch {\n    $_.Exception.Message\n}"
    )
    assert "31143" in run(twice)[-1]
    assert run("(Connect-DPMServer -DPMServerName DPM01.lab.test).Name") == ["dpm01.lab.test"]


FULL = {
    "pool": {"disks": [{"name": "a", "capacity": "200GB"}]},
    "groups": [
        {
            "name": "g",
            "auto_grow": True,
            "auto_check": True,
            "sources": [
                {"name": "x", "computer": "a.lab.test", "replica": ["50GB", "20GB"], "recovery": ["20GB", "17GB"]}
            ],
        }
    ],
}


def test_dpm_helps_itself_where_it_may() -> None:
    control = Dpm(FULL).control
    job = control.run_backup("x", "5GB", event=93)
    assert (job["status"], job["error"]) == ("Failed", 214)
    full = control.datasource("x")
    assert (full["state"], full["replica_online"], full["alerts"]) == ("Invalid", False, [3106, 3169])
    assert [event["id"] for event in control.state()["events"]] == [93, 140]
    control.advance(control.server.options.auto_grow_after)
    grown = control.datasource("x")
    assert grown["recovery"]["allocated"] == 30 * 2**30
    assert grown["alerts"] == [3106]
    control.advance(1000)
    assert control.datasource("x") | {"alerts": []} == grown | {
        "state": "Valid",
        "replica_online": True,
        "alerts": [],
        "recovery": grown["recovery"] | {"used": grown["recovery"]["used"] + control.server.options.check_writes},
    }


def test_dpm_cannot_help_itself_where_the_pool_is_full() -> None:
    control = Dpm({**FULL, "pool": {"disks": [{"name": "a", "capacity": "75GB"}]}}).control
    control.run_backup("x", "5GB")
    control.advance(1000)
    left = control.datasource("x")
    assert (left["state"], left["replica_online"], left["alerts"]) == ("Invalid", True, [3106, 3169])
    assert control.run_backup("x", "1MB")["error"] == 31209


def test_a_module_that_loads_slowly(remote: Remote) -> None:
    remote.world(import_seconds=0.5)
    started = time.monotonic()
    assert remote.run("Import-Module DataProtectionManager\n@(Get-DPMDatasource).Count") == ["12"]
    assert time.monotonic() - started > 0.5
