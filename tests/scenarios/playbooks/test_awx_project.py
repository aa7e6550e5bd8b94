# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project for AWX as a job runs it: what a job leaves for its artifacts is what set_stats gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playing import ROOT, run_ansible
from vcenter_lab import VcenterLab


@pytest.mark.slow
def test_the_report_of_an_audit_comes_back_as_an_artifact_of_the_job(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(vcenter.story())
    playbook = ROOT / "docs" / "awx" / "project" / "audit.yml"
    environment = {**vcenter.variables(), "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    lost_with_the_container = tmp_path / "report"
    given = ("-e", f"storage_report_path={lost_with_the_container}")
    run = run_ansible("playbook", tmp_path, str(playbook), *given, environment=environment)
    assert run.code == 0, run.text
    artifacts = json.loads(run.output.rpartition("RUN: ")[2])
    files = artifacts["storage_report_files"]
    assert files["report.html"].startswith("<!DOCTYPE html>")
    assert "backup01" in files["mappings.csv"]
    for name, text in files.items():
        assert text == (lost_with_the_container / name).read_bytes().decode()
