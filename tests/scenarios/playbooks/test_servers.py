"""Several servers in an inventory: what one of them does not tell hides nothing of the others."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dpm_lab import DpmLab
from playing import Run, run_ansible
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import blocks, guide

EXAMPLE = blocks(guide("inventory"), "yaml")[0]
LUN = "naa.60060160a1b1234500000000000000a1"
WORLD = f"""
hosts: [{{name: esx1.lab}}]
datastores: [{{name: san01}}]
luns: [{{name: {LUN}, sectors: 4194304, serial: ONE}}]
vms: [{{name: backup01, host: esx1.lab, disks: [{{flat: 1073741824}}, {{rdm: {LUN}}}]}}]
"""


class Site:
    """A lab vCenter, a lab DPM server, and the example inventory of the documentation that leads to them."""

    def __init__(self, vcenter: VcenterLab, dpm: DpmLab, folder: Path) -> None:
        self.vcenter, self.dpm, self.folder = vcenter, dpm, folder
        self.servers: dict[str, Any] = yaml.safe_load(EXAMPLE)["all"]["children"]
        self.page = folder / "winbackup-report" / "report.html"
        for name in list(self.servers["vcenter"]["hosts"])[1:]:
            del self.servers["vcenter"]["hosts"][name]
        (self.vc,) = self.servers["vcenter"]["hosts"]
        # That an ESXi host over SSH is worked on is another test's.
        del self.servers["esxi"]
        self.servers["vcenter"]["hosts"][self.vc] = {"hostname": vcenter.host, "ansible_port": vcenter.port}
        self.servers["vcenter"]["vars"].update(username=vcenter.username, ca_path=vcenter.ca_path)
        self.servers["dpm"]["hosts"]["dpm01"]["ansible_host"] = dpm.host
        self.servers["dpm"]["vars"].update(
            {name: value for name, value in dpm.inventory().items() if name not in ("ansible_password", "ansible_host")}
        )

    def play(self, playbook: str, *arguments: str, fails: bool = False) -> Run:
        """Runs a playbook of the collection with the inventory; the passwords are in the environment."""
        inventory = self.folder / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"all": {"children": self.servers}}), encoding="utf-8")
        secrets = {"VMWARE_PASSWORD": self.vcenter.password, "WINBACKUP_WINDOWS_PASSWORD": self.dpm.password}
        run = run_ansible(
            "playbook",
            self.folder,
            "-i",
            str(inventory),
            f"winbackup.storage.{playbook}",
            *arguments,
            environment=secrets,
        )
        assert (run.code != 0) == fails, run.text
        assert not [secret for secret in secrets.values() if secret in run.text]
        assert "reserved name" not in run.text
        return run


@pytest.fixture(scope="module")
def dpm() -> Iterator[DpmLab]:
    """A DPM server on which a backup has filled a recovery-point volume."""
    with DpmLab.start(speed=60.0, check_seconds=60) as lab:
        yield lab


@pytest.fixture
def site(vcenter: VcenterLab, dpm: DpmLab, tmp_path: Path) -> Site:
    """Both servers."""
    vcenter.world(WORLD)
    vcenter.clear_log()
    return Site(vcenter, dpm, tmp_path)


def test_the_example_inventory_leads_to_every_server(site: Site) -> None:
    file = site.folder / "read.json"
    run = site.play("audit", "-e", f"audit_json={file}", "-e", "audit_fail_on=error", fails=True)
    assert "1 raw device mapping (1 physical, 0 virtual) of 1 LUN in 1 virtual machine" in run.text
    assert "13 data sources on dpm01" in run.text
    # The story's replica is inconsistent, which is an error.
    assert "audit_fail_on is error" in run.text
    page = site.page.read_text(encoding="utf-8")
    assert "backup01" in page
    assert "fs01.lab.test" in page
    read = json.loads(file.read_text(encoding="utf-8"))
    assert [rdm["vm"]["name"] for reading in read["mappings"] for rdm in reading["rdms"]] == ["backup01"]
    assert read["allocations"][0]["host"] == "dpm01"


def test_a_limit_reads_shows_and_reports_just_that_server(site: Site) -> None:
    run = site.play("audit", "--limit", "dpm01")
    assert list(run.recap) == ["dpm01"]
    assert "13 data sources on dpm01" in run.text
    assert "raw device mapping" not in run.text
    assert site.vcenter.log() == []
    assert "fs01.lab.test" in site.page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("playbook", "variable", "said"),
    [
        ("audit", "audit_fail_on=eror", "value of audit_fail_on must be one of: none, error, warning, got: eror"),
        ("audit", "storage_report_pth=.", "storage_report_pth is no variable of the role storage_report."),
        ("site", "audit_fail=error", "There is no variable audit_fail. Did you mean audit_fail_on?"),
    ],
)
@pytest.mark.slow
def test_a_wrong_variable_of_the_audit_stops_it_before_anything_is_read(
    site: Site, playbook: str, variable: str, said: str
) -> None:
    calls = len(site.dpm.do("calls"))
    run = site.play(playbook, "-e", variable, fails=True)
    assert said in run.text
    assert site.vcenter.log() == []
    assert len(site.dpm.do("calls")) == calls
    assert not site.page.exists()


@pytest.mark.slow
def test_one_half_by_its_tag(site: Site) -> None:
    calls = len(site.dpm.do("calls"))
    run = site.play("site", "--tags", "rdm")
    assert "Nothing was changed" in run.text
    assert "1 raw device mapping" in run.text
    assert len(site.dpm.do("calls")) == calls
    site.vcenter.clear_log()
    run = site.play("site", "--tags", "dpm")
    assert "13 data sources on dpm01" in run.text
    assert site.vcenter.log() == []


@pytest.mark.slow
def test_what_was_found_is_shown_though_no_file_can_be_written(site: Site) -> None:
    taken = site.folder / "taken"
    taken.write_text("no folder", encoding="utf-8")
    run = site.play("audit", "--limit", site.vc, "-e", f"storage_report_path={taken}/report", fails=True)
    assert run.text.index("physical_compatibility") < run.text.index("The report could not be written to ")
    assert run.recap[site.vc]["failed"] == 1


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_named_and_keeps_no_other_from_being_written(site: Site) -> None:
    file = site.folder / "missing" / "read.json"
    metrics = file.with_name("read.prom")
    given = json.dumps({"audit_json": str(file), "storage_report_metrics": str(metrics)})
    run = site.play("audit", "--limit", site.vc, "-e", given, fails=True)
    assert f"What was read could not be written to {file}: Destination directory" in run.text
    assert f"The metrics could not be written to {metrics}: Destination directory" in run.text
    assert "The report could not be written" not in run.text
    assert "could not be written to winbackup-report" not in run.text
    assert site.page.exists()


def test_servers_that_are_down_hide_none_of_the_others(site: Site) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        site.servers["vcenter"]["hosts"][site.vc]["ansible_port"] = port
        for number in (2, 3, 4):
            host = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_winrm_connection_timeout": 5}
            site.servers["dpm"]["hosts"][f"dpm0{number}"] = host
        run = site.play("site", "-e", "dpm_recovery_points_min_free_percent=20", fails=True)
    # What could be done was done.
    assert run.recap["dpm01"]["changed"] >= 1
    page = site.page.read_text(encoding="utf-8")
    assert "fs01.lab.test" in page
    for host in (site.vc, "dpm02", "dpm03", "dpm04"):
        assert run.recap[host]["failed"] == 1, run.text
        assert f"could not be read: {host}: " in run.text
        assert host in page
    assert run.recap["dpm01"]["failed"] == 0
