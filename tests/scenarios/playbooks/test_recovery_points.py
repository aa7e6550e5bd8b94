"""The playbooks of the recovery points as people run them: over a host's own connection, and from the controller."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dpm_lab import DpmLab
from playing import run_ansible
from vcenter_lab import VcenterLab

EXTEND = "winbackup.storage.extend_recovery_points"
POLICY = ("-e", "dpm_recovery_points_min_free_percent=20")
# From the records of the event logs to what DPM says in the end.
STORY = (
    "their storage is exhausted (volsnap 87)",
    "replica_offline, certain",
    "D:\\ on fs01.lab.test, protected by this server.",
    "Its recovery-point volume was extended from 40 GiB to 53.3 GiB.",
    "The consistency check succeeded.",
    "DPM calls the replica consistent.",
)
# A minute of the model passes in a second, so that checks end while a playbook waits.
SPEED = 60.0
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@pytest.fixture
def dpm() -> Iterator[DpmLab]:
    """A DPM server on which a backup has filled a recovery-point volume."""
    with DpmLab.start(speed=SPEED, check_seconds=60) as lab:
        yield lab


class Site:
    """ansible-playbook with an inventory that holds the DPM server, and an environment as a test sets it."""

    def __init__(self, lab: DpmLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.environment: dict[str, str] = {}
        self.text = ""

    def inventory(self, own: dict[str, Any] | None = None, **variables: Any) -> tuple[str, str]:
        """Writes an inventory with the server in the group dpm, reached by winrm or by what is its `own`; returns the
        arguments that name it."""
        hosts = {"dpm01": {**(own or self.lab.inventory()), **variables}}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": {"localhost": LOCAL}}, "dpm": {"hosts": hosts}}), encoding="utf-8")
        return "-i", str(path)

    def play(self, playbook: str, *arguments: str, fails: bool = False) -> dict[str, dict[str, int]]:
        """Runs a playbook; returns the lines of the recap by host."""
        run = run_ansible("playbook", self.folder, playbook, *arguments, environment=self.environment)
        self.text = run.text
        assert (run.code != 0) == fails, self.text
        assert self.lab.password not in self.text
        return run.recap


@pytest.fixture
def site(dpm: DpmLab, tmp_path: Path) -> Site:
    """The story's server, reached as its inventory says."""
    return Site(dpm, tmp_path)


def edits(site: Site) -> list[str]:
    """Returns the cmdlets that changed something."""
    return [
        call["cmdlet"] for call in site.lab.do("calls") if call["cmdlet"].startswith(("Edit-", "Set-", "Start-DPM"))
    ]


def test_with_no_policy_what_is_short_is_shown_and_nothing_changes(site: Site) -> None:
    recap = site.play(EXTEND, *site.inventory())
    assert (recap["dpm01"]["changed"], recap["dpm01"]["failed"]) == (0, 0)
    assert "recovery_point_volume_short" in site.text
    assert "Nothing was changed" in site.text
    assert edits(site) == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            ("min_free=10",),
            "dpm_recovery_points_min_free: 10 without a unit is 10 bytes, less than any volume has. Give the unit",
        ),
        (
            ("size=10GB", "min_free_percent=20", "computers=fs01"),
            "dpm_recovery_points_size and dpm_recovery_points_min_free_percent exclude each other. Give one of them.",
        ),
        (("size=10GB",), "dpm_recovery_points_size was given and no data source"),
        (("min_free_percent=200",), "dpm_recovery_points_min_free_percent must be above 0 and below 100, not 200."),
    ],
)
@pytest.mark.slow
def test_a_wish_that_cannot_be_meant_stops_the_role_before_anything_is_read(
    site: Site, variables: tuple[str, ...], said: str
) -> None:
    before = len(site.lab.do("calls"))
    given = [word for variable in variables for word in ("-e", f"dpm_recovery_points_{variable}")]
    site.play(EXTEND, *site.inventory(), *given, fails=True)
    assert said in site.text
    assert len(site.lab.do("calls")) == before


@pytest.mark.slow
def test_the_story_ends_consistent_and_a_second_run_changes_nothing(site: Site) -> None:
    events = site.lab.do("state")["events"]
    assert {87, 140} <= {event["id"] for event in events}
    where = site.inventory()
    assert site.play(EXTEND, *where, *POLICY)["dpm01"]["changed"] == 2
    assert "extended, 40.00 GiB -> 53.27 GiB" in site.text
    assert "consistency check succeeded" in site.text
    assert "Invalid" not in {source["state"] for source in site.lab.do("state")["datasources"]}
    again = site.play(EXTEND, *where, *POLICY)["dpm01"]
    assert (again["changed"], again["failed"]) == (0, 0)


@pytest.mark.slow
def test_check_mode_changes_nothing(site: Site) -> None:
    recap = site.play(EXTEND, "--check", *site.inventory(), *POLICY)["dpm01"]
    assert recap["changed"] == 2
    assert "would extend" in site.text
    assert "would run" in site.text
    assert edits(site) == []


@pytest.mark.slow
def test_without_an_inventory_the_environment_names_the_server(site: Site) -> None:
    site.environment = site.lab.variables()
    assert site.play(EXTEND, *POLICY)["localhost"]["changed"] == 2
    assert site.play(EXTEND, *POLICY)["localhost"]["changed"] == 0


@pytest.mark.slow
def test_an_exported_name_does_not_lead_a_host_of_the_inventory_astray(site: Site) -> None:
    site.environment = {**site.lab.variables(), "WINBACKUP_WINDOWS_HOST": "127.0.0.1", "WINBACKUP_WINDOWS_PORT": "9"}
    assert site.play(EXTEND, *site.inventory())["dpm01"]["failed"] == 0
    assert "13 data sources" in site.text


def test_fail_on_a_refusal_extends_nothing_and_still_checks(site: Site) -> None:
    """Variables as text, as the command line and surveys give them."""
    words = ("-e", "dpm_recovery_points_check=true", "-e", "dpm_recovery_points_threshold_percent=92.5")
    # A machine on modern storage, selected by name, is refused.
    selected = json.dumps({"dpm_recovery_points_computers": ["fs01", "hv01"]})
    failing = ("-e", "dpm_recovery_points_on_refused=fail", "-e", selected)
    site.play(EXTEND, *site.inventory(), *POLICY, *words, *failing, fails=True)
    assert "not tried" in site.text or "not started" in site.text
    # Which the full volume lets end no better than the backup did; both are told at the end.
    assert "consistency check failed" in site.text
    assert {cmdlet.partition("-")[0] for cmdlet in edits(site)} == {"Start"}
    assert "Fail where a step failed" in site.text


def test_a_misspelt_variable_stops_the_role_before_anything_is_read(site: Site) -> None:
    site.play(EXTEND, *site.inventory(), *POLICY, "-e", "dpm_recovery_points_computer=fs01", fails=True)
    assert "dpm_recovery_points_computer is no variable of the role dpm_recovery_points." in site.text
    assert "Did you mean dpm_recovery_points_computers?" in site.text
    assert site.lab.do("calls") == []


@pytest.mark.slow
def test_the_role_twice_with_different_variables(site: Site) -> None:
    (site.folder / "play.yml").write_text(
        """
- hosts: dpm
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: winbackup.storage.dpm_recovery_points}
      vars:
        dpm_recovery_points_computers: ["{{ item }}"]
        dpm_recovery_points_datasources: ['D:\\']
        dpm_recovery_points_min_free_percent: 20
        dpm_recovery_points_check: false
      loop: [fs01, FS02.lab.test]
    - ansible.builtin.assert:
        that:
          - dpm_recovery_points_result.allocation.volumes | length == 1
          - dpm_recovery_points_result.allocation.volumes[0].state == 'extended'
          - dpm_recovery_points_result.checks is none
    - ansible.builtin.include_role: {name: winbackup.storage.dpm_recovery_points}
    - ansible.builtin.assert:
        that: dpm_recovery_points_result.planned_only and dpm_recovery_points_result.allocation is none
""",
        encoding="utf-8",
    )
    assert site.play("play.yml", *site.inventory())["dpm01"]["changed"] == 2


def ways(lab: DpmLab) -> dict[str, dict[str, Any]]:
    """Returns the variables of the server in an inventory for each way to it."""
    assert lab.ssh is not None
    psrp = {"ansible_connection": "psrp", "ansible_psrp_protocol": "https", "ansible_psrp_auth": "ntlm"}
    return {
        "winrm": lab.inventory(),
        "psrp": {**lab.inventory(), **psrp, "ansible_psrp_ca_cert": lab.ca_path},
        "ssh": lab.ssh,
        "controller": {**LOCAL, "ansible_host": "localhost"},
    }


@pytest.mark.slow
def test_every_way_to_the_server_gives_the_same_result(tmp_path: Path) -> None:
    """Key by key, with the types: what stands in the JSON of a result is compared whole."""
    play = """
- hosts: dpm
  gather_facts: false
  tasks:
    - winbackup.storage.dpm_allocation_info:
      register: read
    - winbackup.storage.dpm_allocation: {min_free_percent: 20, headroom_percent: 5, on_refused: skip}
      check_mode: true
      diff: true
      register: planned
    - winbackup.storage.dpm_consistency_check:
      check_mode: true
      register: checked
    - ansible.builtin.copy:
        content: "{{ [read, planned, checked] | to_json(sort_keys=true) }}"
        dest: "{{ file }}"
        mode: "0600"
      delegate_to: localhost
      vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
    results = {}
    with DpmLab.start(ssh=True) as lab:
        site = Site(lab, tmp_path)
        (site.folder / "play.yml").write_text(play, encoding="utf-8")
        for way, own in ways(lab).items():
            file = site.folder / f"{way}.json"
            site.environment = lab.variables() if way == "controller" else {}
            site.play("play.yml", *site.inventory(own), "-e", f"file={file}")
            results[way] = json.loads(file.read_text(encoding="utf-8"))
    for way in ("psrp", "ssh", "controller"):
        for name, here, there in zip(("read", "planned", "checked"), results["winrm"], results[way], strict=True):
            assert there == here, f"{name} over {way} is not what it is over winrm"
    assert results["winrm"][0]["datasources"][0]["recovery_point_volume"]["allocated_bytes"] > 0


def test_site_runs_both_halves_and_writes_the_report(vcenter: VcenterLab, site: Site) -> None:
    vcenter.world(vcenter.story())
    site.environment = vcenter.variables()
    chosen = {
        "rdm_convert_vms": ["archive 01"],
        "dpm_recovery_points_min_free_percent": 20,
        "storage_report_path": str(site.folder / "report"),
    }
    arguments = (*site.inventory(), "-e", json.dumps(chosen))
    first = site.play("winbackup.storage.site", *arguments)
    assert (first["localhost"]["changed"], first["dpm01"]["changed"]) == (1, 2)
    assert "extended, 40.00 GiB -> 53.27 GiB" in site.text
    assert "consistency check succeeded" in site.text
    assert "Invalid" not in {source["state"] for source in site.lab.do("state")["datasources"]}
    page = (site.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "archive 01" in page
    assert "fs01.lab.test" in page
    for told in (site.text, page):
        for sentence in STORY:
            assert sentence in " ".join(told.split()), told
    second = site.play("winbackup.storage.site", *arguments)
    assert (second["localhost"]["changed"], second["dpm01"]["changed"]) == (0, 0)
    assert "D:\\ on fs01.lab.test. It is over. [over]" in site.text


@pytest.mark.slow
def test_site_says_which_half_is_left_out(site: Site) -> None:
    recap = site.play("winbackup.storage.site", *site.inventory())
    assert recap["dpm01"]["failed"] == 0
    assert "vSphere: none is named (VMWARE_HOST, or group esxi), so mappings are left out" in site.text


@pytest.mark.slow
def test_an_audit_tells_of_the_server_that_it_could_not_read(site: Site) -> None:
    site.environment = {**site.lab.variables(), "WINBACKUP_WINDOWS_PASSWORD": "wrong-one"}
    site.play("winbackup.storage.audit", fails=True)
    assert "user name" in site.text or "password" in site.text


@pytest.mark.slow
def test_an_audit_keeps_a_history_that_the_extension_asks(site: Site) -> None:
    """Over the host's own connection, too, the file lies here, and each reading adds to it."""
    history = site.folder / "履歴 of DPM"
    chosen = {"audit_history": str(history), "audit_max_age": "1h", "storage_report_path": str(site.folder / "report")}
    recap = site.play("winbackup.storage.audit", *site.inventory(), "-e", json.dumps(chosen))
    assert recap["dpm01"]["changed"] <= 1
    assert "recovery_point_old" in site.text
    with sqlite3.connect(history) as kept:
        ((servers, readings),) = kept.execute(
            "SELECT count(DISTINCT server), count(*) FROM volume JOIN reading ON id = volume"
        )
    kept.close()
    assert servers == 1
    assert readings > 20
    asked = {"dpm_recovery_points_min_days": 30, "dpm_recovery_points_history": str(history)}
    site.play(EXTEND, *site.inventory(), "-e", json.dumps(asked), fails=True)
    assert "refused (history too short)" in site.text
    assert edits(site) == ["Start-DPMDatasourceConsistencyCheck"]


def test_a_server_that_is_named_at_the_start_is_worked_on_once_from_here_whatever_the_inventory_holds(
    tmp_path: Path,
) -> None:
    """Else every server of the inventory would be told to work on that one, all at the same time."""
    hosts = {f"dpm{number}": {} for number in range(10)}
    (tmp_path / "hosts.json").write_text(json.dumps({"dpm": {"hosts": hosts}}), encoding="utf-8")
    given = ("-i", "hosts.json", "-e", "dpm_recovery_points_hostname=dpm3")
    run = run_ansible("playbook", tmp_path, EXTEND, *given, "--list-hosts")
    assert run.output.partition("hosts (1):")[2].split() == ["localhost"]
