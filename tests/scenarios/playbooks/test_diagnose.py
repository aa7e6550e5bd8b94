# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook diagnose: from the records of a failed backup to the disk of the VM behind it."""

from __future__ import annotations

import socket
from pathlib import Path

from guests import LUN, WORLD, Chain, windows_of_backup01
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import windows_site


def test_the_disk_of_the_vm_is_named_and_a_machine_that_is_down_hides_nothing(
    vcenter: VcenterLab, tmp_path: Path
) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    guest = windows_of_backup01(vcenter)
    with windows_site(PowerShellCommands(guest.new_session)) as site, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        chain = Chain(vcenter, site, tmp_path)
        chain.hosts["down"] = {**chain.hosts["backup01"], "ansible_port": closed.getsockname()[1]}
        run = chain.play("diagnose", fails=True)
    said = " ".join(run.text.split())
    assert "rdm_physical_shadow_copy, certain" in said
    assert "It is scsi0:1 of backup01, [san01] backup01/" in said
    assert "Next: Make the mapping virtual with winbackup.storage.rdm_compatibility" in said
    assert {host: counts["changed"] for host, counts in run.recap.items()} == {"backup01": 0, "down": 0, "vc": 0}
    assert {host: counts["failed"] for host, counts in run.recap.items()} == {"backup01": 0, "down": 1, "vc": 0}
    assert vcenter.state() == before
    assert LUN in str(before)
