"""rdm_info of many VMs: a few requests, and memory that what is returned explains."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vcenter_lab import VcenterLab

BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "rdm_info.py"
PAGE = 250


def read(lab: VcenterLab, vms: int) -> dict[str, Any]:
    """Reads a generated world of so many VMs in a process of its own; returns what that took."""
    lab.world(f"generated: {{vms: {vms}}}\n")
    lab.clear_log()
    options = {
        "hostname": lab.host,
        "port": lab.port,
        "username": lab.username,
        "password": lab.password,
        "ca_path": lab.ca_path,
        "connection_timeout": 60,
    }
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--measure", "rdm_info"],
        input=json.dumps({"options": options, "mapped": []}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["summary"]["vms"] == vms
    assert result["summary"]["rdms"] == vms // 10 * 2
    return {**result, "requests": [entry["method"] for entry in lab.log()]}


@pytest.fixture(scope="module")
def sizes(vcenter: VcenterLab) -> dict[int, dict[str, Any]]:
    """What reading 100, 1,000 and 2,000 VMs took."""
    return {vms: read(vcenter, vms) for vms in (100, 1000, 2000)}


def test_the_requests_do_not_grow_but_for_further_pages(sizes: dict[int, dict[str, Any]]) -> None:
    def without_pages(vms: int) -> list[str]:
        return [method for method in sizes[vms]["requests"] if method != "ContinueRetrievePropertiesEx"]

    assert without_pages(2000) == without_pages(100)
    assert len(without_pages(2000)) <= 10
    for vms, taken in sizes.items():
        pages = taken["requests"].count("ContinueRetrievePropertiesEx")
        # Beside the VMs, a page holds hosts, folders and datastores, of which these worlds have a handful.
        assert pages <= (vms + 50) // PAGE + vms // 10 // PAGE + 1


def test_a_thousand_vms_more_cost_a_few_megabytes(sizes: dict[int, dict[str, Any]]) -> None:
    # Their replies are ten megabytes of XML; of them only what a machine and its disks are is kept.
    more = sizes[2000]["growth_bytes"] - sizes[1000]["growth_bytes"]
    assert more < 8_000_000, f"1,000 VMs more took {more / 1e6:.1f} MB more"
