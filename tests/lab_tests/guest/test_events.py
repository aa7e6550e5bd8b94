# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event logs of the lab's Windows machines, read by a client that knows nothing of the lab: the records have the
forms that were published."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from guest.guest import Guest
from guest.shapes import BACKUP_LOG, PARTITION_LOG, PROFILES, SNAPSHOT_LOG, partition_1006, snapshot_102
from pypsrp_client import RemoteGuest

VOLUME = "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}"
NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def read(remote: RemoteGuest, log: str, *ids: int) -> list[dict[str, Any]]:
    """The records of a log, oldest first, out of their XML: names of fields are None where they have none."""
    listed = ",".join(map(str, ids))
    table = f"@{{LogName='{log}'; Id={listed}}}"
    script = (
        f"Get-WinEvent -FilterHashtable {table} -Oldest | ForEach-Object {{ $_.ToXml() -replace \"\\r?\\n\", '&#10;' }}"
    )
    found = []
    for line in remote.run(script):
        event = ET.fromstring(line)
        system = event.find(f"{NAMESPACE}System")
        assert system is not None
        provider, number = system.find(f"{NAMESPACE}Provider"), system.find(f"{NAMESPACE}EventID")
        assert provider is not None
        assert number is not None
        found.append(
            {
                "id": int(number.text or ""),
                "qualifiers": number.get("Qualifiers"),
                "provider": dict(provider.attrib),
                "version": system.findtext(f"{NAMESPACE}Version"),
                "level": system.findtext(f"{NAMESPACE}Level"),
                "data": [(one.get("Name"), one.text or "") for one in event.iter(f"{NAMESPACE}Data")],
                "binary": event.findtext(f".//{NAMESPACE}Binary") or "",
            }
        )
    return found


@pytest.mark.parametrize(
    ("language", "said", "context"),
    [
        ("en", "The parameter is incorrect.", "Execution Context: System Provider"),
        ("ja", "パラメーターが間違っています。", "実行コンテキスト: System Provider"),
    ],
)
def test_the_shadow_copy_of_a_target_fails(remote: RemoteGuest, language: str, said: str, context: str) -> None:
    remote.guest = Guest(language=language)
    remote.guest.backup_fails(VOLUME, "E:")
    (vss,) = read(remote, "Application", 12289)
    assert (vss["provider"], vss["qualifiers"], vss["version"]) == ({"Name": "VSS"}, "0", None)
    call, code, block = (text for _, text in vss["data"])
    assert call.startswith(f"DeviceIoControl({VOLUME} - 000000000000024C,0x0053c008,")
    assert code == f"0x80070057, {said}\n"
    assert "EndPrepareSnapshots" in block
    assert context in block
    assert bytes.fromhex(vss["binary"]).startswith(b"- Code: ")
    (failed,) = read(remote, BACKUP_LOG, 5)
    fields = dict(failed["data"])
    assert (failed["version"], failed["provider"]["Guid"]) == ("3", "{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}")
    assert (fields["HRESULT"], fields["ErrorMessage"], fields["BackupTarget"]) == ("0x80780034", "%%2155348020", "E:")
    (again,) = read(remote, "Application", 517)
    assert dict(again["data"])["ErrorCode"] == "0x80780034"


def test_a_backup_of_2008_r2_writes_its_codes_in_decimal(remote: RemoteGuest) -> None:
    remote.guest = Guest("2008R2")
    remote.guest.backup_fails(VOLUME, "E:")
    (failed,) = read(remote, BACKUP_LOG, 5)
    fields = dict(failed["data"])
    assert (failed["version"], fields["HRESULT"], fields["DetailedHRESULT"]) == ("2", "2155348020", "2147754758")
    (again,) = read(remote, "Application", 517)
    assert (again["version"], dict(again["data"])["ErrorCode"]) == ("0", "2155348020")
    remote.guest.volume_goes_offline(VOLUME)
    volsnap, ntfs = read(remote, "System", 87, 57)
    assert volsnap["provider"] == {"Name": "volsnap"}
    assert (ntfs["provider"], ntfs["data"][1]) == ({"Name": "Ntfs"}, (None, VOLUME))


@pytest.mark.parametrize("profile", sorted(PROFILES.keys() - {"2008R2"}))
def test_volsnap_and_ntfs_write_in_the_form_of_their_windows(remote: RemoteGuest, profile: str) -> None:
    remote.guest = Guest(profile)
    remote.guest.volume_goes_offline(VOLUME)
    volsnap, ntfs = read(remote, "System", 87, 140)
    named = profile != "2012R2"
    assert volsnap["provider"]["Name"] == ("Volsnap" if named else "volsnap")
    assert (volsnap["qualifiers"], volsnap["binary"][24:32]) == ("49158", "570006C0")
    assert volsnap["data"][1] == ("VolumeName" if named else None, VOLUME)
    fields = dict(ntfs["data"])
    assert (fields["VolumeId"], fields["Error"]) == (VOLUME, "0xc000009d")
    assert ("DeviceSerialNumber" in fields) == (profile in ("2022", "10"))
    assert (ntfs["version"], ntfs["level"]) == (("1", "3") if profile in ("2022", "10") else ("0", "4"))


def test_what_powershell_shows_of_a_record(remote: RemoteGuest) -> None:
    remote.guest = Guest("2012R2")
    remote.guest.volume_goes_offline("C:", 93)
    script = (
        "$one = Get-WinEvent -FilterHashtable @{LogName='System'; Id=93}\n"
        "$one.ProviderName\n$one.Level\n$one.Properties[1].Value\n$null -eq $one.Version\n"
        "$one.TimeCreated.ToUniversalTime().ToString('o')\n$PSVersionTable.PSVersion.Major"
    )
    assert remote.run(script) == ["volsnap", "2", "C:", "True", "2020-09-05T11:59:56.0000000Z", "4"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_logs_that_a_version_does_not_have(remote: RemoteGuest, profile: str) -> None:
    remote.guest = Guest(profile)
    for log in (SNAPSHOT_LOG, PARTITION_LOG):
        script = (
            f"try {{\n    Get-WinEvent -FilterHashtable @{{LogName='{log}'; Id=102}} -ErrorAction Stop\n}}\n"
            "catch {\n    $_.FullyQualifiedErrorId -replace ',.*', ''\n}"
        )
        has = log in PROFILES[profile].logs
        assert remote.run(script) == ["NoMatchingEventsFound" if has else "NoMatchingLogsFound"]


def test_which_logs_are_enabled(remote: RemoteGuest) -> None:
    remote.guest = Guest("2019")
    remote.guest.logs.disabled.add(PARTITION_LOG)
    script = (
        "foreach ($one in Get-WinEvent -ListLog '{}', '{}') {{\n    $one.LogName + ' ' + [string]$one.IsEnabled\n}}"
    )
    assert remote.run(script.format(PARTITION_LOG, "System")) == [f"{PARTITION_LOG} False", "System True"]
    failed = remote.process("Get-WinEvent -ListLog 'No such log' -ErrorAction Stop")
    assert b"NoMatchingLogsFound" in failed.stderr


def test_a_log_that_nobody_may_read(remote: RemoteGuest) -> None:
    remote.guest = Guest()
    remote.guest.logs.refused.add("Application")
    failed = remote.process("Get-WinEvent -FilterHashtable @{LogName='Application'} -ErrorAction Stop")
    assert b"System.UnauthorizedAccessException" in failed.stderr


def test_what_windows_server_backup_says_itself(remote: RemoteGuest) -> None:
    remote.guest = Guest("2019")
    remote.guest.backup_summary = {"LastBackupResultHR": 0x80780034, "LastSuccessfulBackupTime": remote.guest.now}
    script = (
        "$one = Get-WBSummary\n$one.LastBackupResultHR\n$one.LastSuccessfulBackupTime.ToUniversalTime().ToString('o')"
    )
    assert remote.run(script) == ["2155348020", "2020-09-05T12:00:00.0000000Z"]


@pytest.mark.parametrize("profile", ["10", "2008R2"])
def test_where_the_cmdlets_of_windows_server_backup_are_not(remote: RemoteGuest, profile: str) -> None:
    remote.guest = Guest(profile)
    assert remote.run("$null -eq (Get-Command -Name Get-WBSummary -ErrorAction SilentlyContinue)") == ["True"]


def test_the_logs_of_the_drivers(remote: RemoteGuest) -> None:
    remote.guest = Guest("2019")
    remote.guest.add(snapshot_102(VOLUME, 0xC000009D))
    remote.guest.add(partition_1006(1, 3 << 40, "6000c29", 2))
    (one,) = read(remote, SNAPSHOT_LOG, 102)
    assert dict(one["data"]) == {"TargetVolumeGuid": VOLUME, "Error": "0xc000009d"}
    (disk,) = read(remote, PARTITION_LOG, 1006)
    assert (dict(disk["data"])["Capacity"], dict(disk["data"])["PartitionCount"]) == (str(3 << 40), "2")


def test_constrained_language_reads_properties_and_no_xml(remote: RemoteGuest) -> None:
    remote.guest = Guest(language_mode="ConstrainedLanguage")
    remote.guest.volume_goes_offline(VOLUME)
    one = "$one = Get-WinEvent -FilterHashtable @{LogName='System'; Id=87}\n"
    assert remote.run(f"{one}$one.Properties[1].Value") == [VOLUME]
    assert remote.run(f"{one}try {{\n    $one.ToXml()\n}}\ncatch {{\n    $_.FullyQualifiedErrorId\n}}") == [
        "MethodInvocationNotSupportedInConstrainedLanguage"
    ]
