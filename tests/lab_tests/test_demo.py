# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make demo` leaves on the screen of the output of Ansible."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "demo"))

import demo

OUTPUT = """
PLAY [Diagnose the DPM servers] ************************************************

TASK [winbackup.storage.backup_diagnose : Diagnose] ****************************
included: /collections/roles/backup_diagnose/tasks/work.yml for dpm01
[WARNING]: A warning.
13 data sources on dpm01.lab.test
    Symptom     Windows took it offline.
  1. ask the guest to shut down
[ERROR]: Task failed: Module failed: The host's licence lets the API read only.
Origin: /collections/roles/rdm_convert/tasks/work.yml:43:7

41   when: __rdm_convert_options.vms | length > 0
42
         ^ column 7

failed: [localhost] (item=fileserver) => {"msg": "..."}
changed: [localhost] => (item=fileserver)

PLAY RECAP *********************************************************************
dpm01                      : ok=7    changed=0    unreachable=0    failed=0
"""


def test_what_the_playbooks_say_is_left() -> None:
    assert list(demo.told(OUTPUT.splitlines())) == [
        "13 data sources on dpm01.lab.test",
        "    Symptom     Windows took it offline.",
        "  1. ask the guest to shut down",
        "The host's licence lets the API read only.",
        "",
        "dpm01                      : ok=7    changed=0    unreachable=0    failed=0",
    ]


@pytest.mark.parametrize("refused", [False, True])
def test_a_playbook_that_ends_otherwise_than_it_should_stops_the_demo(
    refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "OUTPUT", tmp_path)
    # Ansible ends with an error of the option that it does not have, and well with its help.
    call = ("audit", "--help") if refused else ("audit", "--no-such-option")
    with pytest.raises(RuntimeError, match=r"ansible-playbook winbackup\.storage\.audit --\S+ ended with \d"):
        list(demo.lines_of(demo.Chapter("A title", call, refused), 1))
    assert (tmp_path / "1-audit.txt").read_text(encoding="utf-8")
