# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shadow copies of the lab's Windows machines, made and removed by a client that knows nothing of the lab."""

from __future__ import annotations

import pytest
from guest.disks import Disk, Partition
from guest.guest import Guest
from pypsrp_client import RemoteGuest

GOOD, OTHER = "a59dcd66-5963-4ba8-995c-915935cb8654", "b59dcd66-5963-4ba8-995c-915935cb8654"
NAME = f"\\\\?\\Volume{{{GOOD}}}\\"
CREATE = (
    "$made = Invoke-CimMethod -ClassName Win32_ShadowCopy -MethodName Create"
    " -Arguments @{{ Volume = '{}'; Context = '{}' }}\n$made.ReturnValue\n$made.ShadowID\n"
)


def machine(elevated: bool = True) -> Guest:
    """One with an NTFS volume E: and a ReFS volume F:."""
    guest = Guest(elevated=elevated)
    good = Partition(1 << 20, 10 << 30, volume=GOOD, letter="E")
    guest.disks = [Disk(0, 50 << 30, partitions=[good, Partition(11 << 30, 10 << 30, "", OTHER, "F", "ReFS")])]
    return guest


@pytest.mark.parametrize("name", ["E:\\", NAME])
def test_a_copy_is_made_found_by_its_id_and_removed(remote: RemoteGuest, name: str) -> None:
    remote.guest = machine()
    code, identity = remote.run(CREATE.format(name, "ClientAccessible"))
    assert code == "0"
    found = f"Get-CimInstance -ClassName Win32_ShadowCopy -Filter \"ID='{identity}'\""
    assert remote.run(f"({found}).VolumeName") == [NAME]
    assert remote.run(f"{found} | Remove-CimInstance -Confirm:$false\n@({found}).Count") == ["0"]
    again = remote.process(f"$x = [pscustomobject]@{{ ID = '{identity}' }}\nRemove-CimInstance -InputObject $x")
    assert b"FullyQualifiedErrorId : HRESULT 0x80041002," in again.stderr


@pytest.mark.parametrize(
    ("volume", "context", "code"),
    [
        ("E:", "ClientAccessible", 2),
        ("X:\\", "ClientAccessible", 3),
        ("F:\\", "ClientAccessible", 4),
        ("E:\\", "Backup", 5),
    ],
)
def test_what_is_refused_and_how(remote: RemoteGuest, volume: str, context: str, code: int) -> None:
    remote.guest = machine()
    assert remote.run(CREATE.format(volume, context))[0] == str(code)
    assert remote.guest.shadows.copies == []


def test_who_is_not_elevated_and_who_comes_while_another_creates(remote: RemoteGuest) -> None:
    remote.guest = machine(elevated=False)
    assert remote.run(CREATE.format("E:\\", "ClientAccessible"))[0] == "1"
    remote.guest = machine()
    remote.guest.shadows.busy = True
    assert remote.run(CREATE.format("E:\\", "ClientAccessible"))[0] == "9"


@pytest.mark.parametrize("code", [10, 12, 13])
def test_a_fault_below_comes_with_its_event(remote: RemoteGuest, code: int) -> None:
    remote.guest = machine()
    remote.guest.shadows.failing[GOOD] = code
    assert remote.run(CREATE.format("E:\\", "ClientAccessible"))[0] == str(code)
    (event,) = remote.guest.events
    assert (event.id, event.properties[0][:60]) == (12289, f"DeviceIoControl({NAME[:-1]} - 000000000000024C"[:60])


def test_at_the_limit_of_number_the_oldest_goes_and_nothing_fails(remote: RemoteGuest) -> None:
    remote.guest = machine()
    remote.guest.shadows.most = 2
    ids = [remote.run(CREATE.format("E:\\", "ClientAccessible"))[1] for _ in range(3)]
    assert [one.id for one in remote.guest.shadows.copies] == ids[1:]
    assert [event.id for event in remote.guest.events] == [58]
