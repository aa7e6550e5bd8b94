# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole story on both labs: from the records of a failed backup to the proof that it is cured."""

from __future__ import annotations

from pathlib import Path

import pytest
from esxi_shell import EsxiShell
from guest.shadows import VETOED
from guests import GUID, LUN, WORLD, Chain, mapping_of, windows_of_backup01
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import windows_site

STORY = (
    "The shadow copy of E: failed in its preparation (0x0053C008) with 0x80070057",
    "Disk 1 of Windows, with the volume E:, is scsi0:1 of backup01.",
    f"A mapping in physical mode of LUN {LUN}, [san01] backup01/",
    "Its mapping was converted, [san01] backup01/",
    "A shadow copy of E: was made, and removed again.",
)
WANTED = {"site_convert_diagnosed": True, "rdm_convert_old_mapping": "delete"}


@pytest.mark.slow
def test_from_the_symptom_to_the_proof_and_nothing_on_the_second_run(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    guest = windows_of_backup01(vcenter)
    old = mapping_of(vcenter)["file"]
    with windows_site(PowerShellCommands(guest.new_session)) as site:
        chain = Chain(vcenter, site, tmp_path)
        run = chain.play("site", **WANTED)
        said = " ".join(run.text.split())
        assert "rdm_physical_shadow_copy, certain" in said
        assert "Disk 1 is scsi0:1 of backup01. It was converted; a shadow copy of it can be made." in said
        assert mapping_of(vcenter)["mode"] == "virtualMode"
        disk = guest.disks[1]
        assert (disk.offline, disk.read_only, guest.shadows.copies) == (False, False, [])
        assert old not in str(vcenter.state()["files"])
        for told in (said, " ".join(chain.page.split())):
            for sentence in STORY:
                assert sentence in told
        assert "[cured]" in said
        again = chain.play("site", **WANTED)
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    assert "Disk 1 is scsi0:1 of backup01. Nothing was done. [open]" in " ".join(again.text.split())


@pytest.mark.slow
def test_the_same_over_ssh_to_the_host_of_the_vm(tmp_path: Path) -> None:
    """A host that stands alone with a free licence: its API refuses every write."""
    world = f"api: esxi{WORLD}".replace("{name: esx1.lab}", "{name: esx1.lab, version: 7.0.3, licence: free}")
    with VcenterLab.start(world) as lab, EsxiShell(lab, "esx1.lab", tmp_path / "stores") as shell:
        guest = windows_of_backup01(lab)
        old = mapping_of(lab)["file"]
        with windows_site(PowerShellCommands(guest.new_session)) as site:
            chain = Chain(lab, site, tmp_path)
            chain.vcenters, chain.esxi = {}, {"esx1": shell.variables()}
            run = chain.play("site", **WANTED)
            said = " ".join(run.text.split())
            for told in (said, " ".join(chain.page.split())):
                for sentence in STORY:
                    assert sentence in told
            assert (mapping_of(lab)["mode"], old in str(lab.state()["files"])) == ("virtualMode", False)
            assert (guest.disks[1].offline, guest.disks[1].read_only, guest.shadows.copies) == (False, False, [])
            again = chain.play("site", **WANTED)
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)


@pytest.mark.slow
def test_a_copy_of_the_machine_on_another_server_is_left_alone(vcenter: VcenterLab, tmp_path: Path) -> None:
    """It has the same id, and a mapping at the same address with a file of the same name, of a LUN of its own."""
    vcenter.world(WORLD)
    guest = windows_of_backup01(vcenter)
    with (
        VcenterLab.start(WORLD.replace(LUN, f"{LUN[:-1]}_")) as elsewhere,
        windows_site(PowerShellCommands(guest.new_session)) as site,
    ):
        chain = Chain(vcenter, site, tmp_path)
        chain.vcenters["elsewhere"] = {
            **chain.vcenters["vc"],
            "ansible_port": elsewhere.port,
            "ca_path": elsewhere.ca_path,
            "password": elsewhere.password,
        }
        assert mapping_of(elsewhere)["file"] == mapping_of(vcenter)["file"]
        before = elsewhere.state()
        chain.play("site", site_convert_diagnosed=True)
        assert mapping_of(vcenter)["mode"] == "virtualMode"
        assert elsewhere.state() == before


@pytest.mark.slow
def test_a_proof_that_fails_is_told_with_the_way_back_and_undoes_nothing(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    guest = windows_of_backup01(vcenter)
    guest.at_create = lambda one: one.shadows.failing.update({GUID: VETOED})
    old = mapping_of(vcenter)["file"]
    with windows_site(PowerShellCommands(guest.new_session)) as site:
        run = Chain(vcenter, site, tmp_path).play("site", **WANTED, fails=True)
    said = " ".join(run.text.split())
    assert "A shadow copy still cannot be made on scsi0:1 of backup01, although the mapping was converted." in said
    assert '"rdm_convert_compatibility": "physical"' in said.replace("\\", "")
    assert mapping_of(vcenter)["mode"] == "virtualMode"
    assert old in str(vcenter.state()["files"])
    assert guest.shadows.copies == []
    assert run.recap["backup01"]["failed"] == 1
    assert run.recap["vc"]["failed"] == 0


@pytest.mark.slow
def test_without_a_wish_nothing_is_changed(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    guest = windows_of_backup01(vcenter)
    before = vcenter.state()
    with windows_site(PowerShellCommands(guest.new_session)) as site:
        run = Chain(vcenter, site, tmp_path).play("site")
    assert {host: counts["changed"] for host, counts in run.recap.items()} == dict.fromkeys(run.recap, 0)
    assert vcenter.state() == before
    assert "No disk of it was converted." in run.text
