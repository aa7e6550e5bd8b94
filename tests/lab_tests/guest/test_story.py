# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows machine of the story: what it shows follows from its VM, and a night passes once it is whole."""

from __future__ import annotations

from guest_lab import TARGET, BackupServer
from vcenter_lab import VcenterLab

FILE = 'file: "[san01] backup01/data3tb.vmdk"'


def test_the_backup_ends_well_a_night_after_the_disk_is_whole_again() -> None:
    with VcenterLab.start() as vcenter:
        server = BackupServer(vcenter)
        guest = server.guest
        assert [(disk.offline, disk.wmi_size is None) for disk in guest.disks] == [(False, True)] * 2 + [(False, False)]
        assert list(guest.shadows.failing) == [TARGET]
        failed = [event.id for event in guest.events]
        assert 5 in failed
        vcenter.world(vcenter.story().replace(FILE, f"mode: virtual, {FILE}"))
        guest.new_session()
        # Another inquiry: a disk that the SAN policy leaves offline.
        assert [disk.offline for disk in guest.disks] == [False, False, True]
        assert list(guest.shadows.failing) == []
        assert [event.id for event in guest.events] == failed
        guest.disks[2].offline = False
        for _session in range(2):
            guest.new_session()
        assert [event.id for event in guest.events] == [*failed, 4]
        assert guest.events[-1].time > guest.events[0].time
