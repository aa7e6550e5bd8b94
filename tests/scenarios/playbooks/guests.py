# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows machine of the lab that is a VM of the lab vCenter, with an inventory of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from guest.disks import Partition
from guest.guest import Guest
from guest.tie import Content, Tie
from playing import Run, run_ansible
from vcenter_lab import VcenterLab
from wsman.site import PASSWORD, Site

GUID = "a59dcd66-5963-4ba8-995c-915935cb8654"
VOLUME = f"\\\\?\\Volume{{{GUID}}}"
DISK_ID = "0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11"
LUN = "t10.ATA_____WDC_WD30EFRX2D68EUZN0_________________________WD2DWCC4N0000002"
UUID = "42394fdd-93f3-501a-8614-c6fa55f75468"
WORLD = f"""
hosts: [{{name: esx1.lab}}]
datastores: [{{name: san01}}]
local_mappings: accept
luns: [{{name: {LUN}, sectors: 5860533168, model: WDC WD30EFRX-68E, serial: WD-WCC4N0000002, local: true}}]
vms:
  - name: backup01
    host: esx1.lab
    bios_uuid: {UUID}
    power: "off"
    extra: {{scsi0.pciSlotNumber: "160"}}
    disks: [{{flat: 85899345920}}, {{at: "scsi0:1", rdm: {LUN}}}]
"""
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def windows_of_backup01(vcenter: VcenterLab) -> Guest:
    """The guest of the VM backup01, in step with it: its backups go to the volume E: on the mapping, and failed last
    night."""
    guest = Guest(name="backup01")
    mapped = Content(f"{{{DISK_ID}}}", (Partition(1 << 20, 10 << 30, volume=GUID, letter="E"),))
    Tie(guest, vcenter, "backup01", WORLD, {"scsi0:0": Content("", boot=True), LUN: mapped})
    guest.backup_fails(VOLUME, "E:")
    return guest


def mapping_of(vcenter: VcenterLab) -> dict[str, Any]:
    """The mapping of backup01 as the lab has it."""
    (mapping,) = [one for one in vcenter.vm("backup01")["devices"] if one["lun_canonical"]]
    return dict(mapping)


class Chain:
    """Playbooks on both; `text` is what the last one printed."""

    def __init__(self, vcenter: VcenterLab, site: Site, folder: Path) -> None:
        self.vcenter, self.folder = vcenter, folder
        self.hosts: dict[str, dict[str, Any]] = {"backup01": site.variables("winrm", "ntlm", "https")}
        self.vcenters = {"vc": {"hostname": vcenter.host, "ansible_port": vcenter.port, "username": vcenter.username}}
        self.vcenters["vc"]["ca_path"] = vcenter.ca_path
        # ESXi hosts over SSH, with the variables that lead to them.
        self.esxi: dict[str, dict[str, Any]] = {}

    @property
    def page(self) -> str:
        """The text of the report page, as the last playbook wrote it."""
        return (self.folder / "winbackup-report" / "report.html").read_text(encoding="utf-8")

    def play(self, playbook: str, *arguments: str, fails: bool = False, **variables: Any) -> Run:
        """Runs a playbook of the collection."""
        groups = {"vcenter": self.vcenters, "esxi": self.esxi, "windows": self.hosts}
        children = {name: {"hosts": hosts} for name, hosts in groups.items() if hosts}
        inventory = {"all": {"hosts": {"localhost": LOCAL}, "children": children}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        chosen = ["-e", json.dumps(variables)] if variables else []
        run = run_ansible(
            *("playbook", self.folder, "-i", "inventory.json", f"winbackup.storage.{playbook}"),
            *chosen,
            *arguments,
            environment={"VMWARE_PASSWORD": self.vcenter.password},
        )
        assert (run.code != 0) == fails, run.text
        assert PASSWORD not in run.text
        assert "Traceback" not in run.text
        return run
