"""The report as people get it: the audit against the lab, and the role in plays of every kind."""

from __future__ import annotations

import csv
import json
import socket
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playing import run_ansible
from vcenter_lab import VcenterLab

WICKED = (
    "</script><script>alert(1)</script>",
    '=HYPERLINK("http://127.0.0.1/","click")',
    "{{ 7 * 7 }} {% if %}",
    "a/b 100% \"quoted\" 'vm'",
    "バックアップ サーバー",
)


def world(names: tuple[str, ...] = WICKED) -> str:
    """A world, in YAML, of machines that have these names and a physical mapping each."""
    luns = [f"naa.60060160a1b12345000000000000{number:04x}" for number in range(len(names))]
    return json.dumps(
        {
            "hosts": [{"name": "esx1.lab"}],
            "datastores": [{"name": "san01"}],
            "luns": [{"name": name, "sectors": 4194304, "serial": name[-8:]} for name in luns],
            "vms": [
                {"name": name, "host": "esx1.lab", "disks": [{"flat": 1073741824}, {"rdm": lun}]}
                for name, lun in zip(names, luns, strict=True)
            ],
        }
    )


class Page(HTMLParser):
    """The words of a page and the elements in it."""

    def __init__(self, file: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Data are no script: a browser does not run an element of this type.
        self.tags.append("data" if tag == "script" and ("type", "application/json") in attrs else tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class Site:
    """The lab with such a world, and a folder from which ansible-playbook is started."""

    def __init__(self, lab: VcenterLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder

    def play(self, *arguments: str, fails: bool = False, **more: str) -> dict[str, int]:
        """Runs ansible-playbook with more in its environment; returns the counts of the last host in the recap."""
        run = run_ansible("playbook", self.folder, *arguments, environment={**self.lab.variables(), **more})
        self.text = run.text
        assert (run.code != 0) == fails, self.text
        assert self.lab.password not in self.text
        return [{}, *run.recap.values()][-1]

    def play_text(self, text: str, *arguments: str, fails: bool = False) -> dict[str, int]:
        """Runs a play that is given as text, on the host `windows` of an inventory."""
        (self.folder / "inventory.ini").write_text("windows ansible_host=127.0.0.1\n", encoding="utf-8")
        (self.folder / "play.yml").write_text(text, encoding="utf-8")
        return self.play("play.yml", "-i", "inventory.ini", *arguments, fails=fails)


@pytest.fixture
def site(vcenter: VcenterLab, tmp_path: Path) -> Site:
    """The lab with machines of wicked names."""
    vcenter.world(world())
    return Site(vcenter, tmp_path)


def test_the_audit_writes_the_report_says_where_it_is_and_changes_nothing(site: Site) -> None:
    names = ("report.html", "mappings.csv", "luns.csv", "datasources.csv")
    page, table, *_others = (site.folder / "winbackup-report" / name for name in names)
    # The Python of Ansible reads in its own process; one of another name is started, as for any module.
    other = site.folder / "python"
    other.write_text(
        f'#!/bin/sh\necho started >>"{site.folder}/starts"\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )
    other.chmod(0o755)
    tables = []
    for arguments in ([], ["-e", f"ansible_python_interpreter={other}"]):
        recap = site.play("winbackup.storage.audit", *arguments)
        assert (recap["changed"], recap["failed"]) == (0, 0)
        assert str(page) in site.text
        assert str(table) in site.text
        assert (site.folder / "starts").exists() == bool(arguments)
        tables.append(table.read_bytes())
    assert tables[0] == tables[1]
    assert not [entry for entry in site.lab.log() if entry["writes"]]
    assert site.lab.password not in page.read_text(encoding="utf-8")
    assert sorted(file.name for file in page.parent.iterdir()) == sorted(names)
    assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o640, 0o750)


def test_every_name_is_harmless_and_readable(site: Site) -> None:
    # Here also on the way that a result of megabytes takes, of which the screen shows nothing however it is asked.
    site.play("winbackup.storage.audit", "-v", "-e", "winbackup_storage_packs_above=0")
    assert "canonical_name" not in site.text
    page = Page(site.folder / "winbackup-report" / "report.html")
    assert page.tags.count("script") == 1
    assert {name for name in WICKED if name in page.words} == set(WICKED)
    with (site.folder / "winbackup-report" / "mappings.csv").open(encoding="utf-8-sig", newline="") as file:
        machines = {row["VM"] for row in csv.DictReader(file)}
    assert machines == {f"'{name}" if name.startswith("=") else name for name in WICKED}
    # What a template makes of such a name.
    assert "49" not in {*page.words, *machines}


@pytest.mark.slow
def test_a_server_that_cannot_be_reached_is_said_in_the_page(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        # Nobody listens there.
        site.play(
            "winbackup.storage.audit",
            fails=True,
            WINBACKUP_WINDOWS_HOST="127.0.0.1",
            WINBACKUP_WINDOWS_PORT=port,
            WINBACKUP_WINDOWS_USER="somebody",
            WINBACKUP_WINDOWS_PASSWORD="a password that is nowhere",
        )
    page = Page(site.folder / "winbackup-report" / "report.html")
    assert WICKED[0] in page.words
    assert [words for words in page.words if words.startswith("dpm_allocation_info failed: ") and port in words]
    assert "a password that is nowhere" not in site.text + " ".join(page.words)


@pytest.mark.slow
def test_in_check_mode_nothing_is_written(site: Site) -> None:
    recap = site.play("winbackup.storage.audit", "--check")
    assert (recap["changed"], recap["failed"]) == (0, 0)
    assert "In check mode the report is not written" in site.text
    assert not (site.folder / "winbackup-report").exists()


READ = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - winbackup.storage.rdm_info:
      register: mappings
"""


@pytest.mark.slow
def test_the_role_runs_on_the_controller_in_a_play_of_a_windows_host_and_in_a_loop(site: Site) -> None:
    play = f"""{READ}
- hosts: windows
  gather_facts: false
  become: true
  become_user: nobody-of-this-name
  vars: {{ansible_connection: winrm, ansible_shell_type: powershell, ansible_python_interpreter: none}}
  tasks:
    - ansible.builtin.include_role:
        name: winbackup.storage.storage_report
      vars:
        storage_report_mappings: ["{{{{ hostvars.localhost.mappings }}}}"]
        storage_report_path: "{{{{ item }}}}"
      loop: [first place, second place]
    - ansible.builtin.assert:
        that: storage_report_result.html is match('.*/second place/report.html')
"""
    assert site.play_text(play, "--diff")["changed"] == 0
    # The page is not printed as a difference.
    assert "<!DOCTYPE" not in site.text
    pages = [site.folder / place / "report.html" for place in ("first place", "second place")]
    # No time stands in them: the same results make the same files.
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert WICKED[0] in Page(pages[0]).words


@pytest.mark.slow
def test_a_directory_that_exists_keeps_its_rights(site: Site) -> None:
    place = site.folder / "www"
    place.mkdir(mode=0o777)
    place.chmod(0o755)
    site.play("winbackup.storage.audit", "-e", json.dumps({"storage_report_path": str(place)}))
    assert (place / "report.html").is_file()
    assert place.stat().st_mode & 0o777 == 0o755
    assert not (site.folder / "winbackup-report").exists()


def test_a_reading_that_failed_is_said_in_the_page(site: Site) -> None:
    play = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - winbackup.storage.rdm_info:
        vms: [no such machine]
      register: mappings
      ignore_errors: true
    - winbackup.storage.lun_info:
      when: false
      register: luns
    - ansible.builtin.include_role:
        name: winbackup.storage.storage_report
      vars:
        storage_report_mappings: ["{{ mappings }}"]
        storage_report_luns: ["{{ luns }}"]
        storage_report_path: "{{ playbook_dir }}/out"
"""
    site.play_text(play)
    words = " ".join(Page(site.folder / "out" / "report.html").words)
    assert "rdm_info failed: " in words
    assert "no such machine" in words
    assert "The list of LUNs was not read." in words


def test_what_is_no_result_fails_with_a_sentence(site: Site) -> None:
    play = """
- hosts: windows
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: winbackup.storage.storage_report
      vars:
        storage_report_mappings: [{luns: []}]
        storage_report_path: "{{ playbook_dir }}/out"
"""
    site.play_text(play, fails=True)
    assert "a result of rdm_info is wanted, which has the key 'rdms'" in site.text
