# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics hold what is known, nothing for what is not, and no name breaks their format."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.metrics import HELP, PREFIX, metrics
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import facts_of
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    GIB,
    dpm_info,
    rdm_info,
    site_of,
    site_with,
)

MONITORING = Path(__file__).resolve().parents[5] / "docs" / "monitoring"
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\["\\])*"'
SAMPLE = re.compile(rf"({PREFIX}[a-z_]+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
FAILED = {"failed": True, "msg": "no route to host", "host": "vc2"}


def text_of(mappings: object = None, allocations: object = None) -> str:
    return metrics(facts_of(mappings, None, allocations))


def series(text: str) -> dict[str, float]:
    """Reads the text as the format is written down; every line that is no comment must be a sample, and none twice."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        read = SAMPLE.fullmatch(line)
        assert read, line
        name = f"{read[1].removeprefix(PREFIX)}{{{read[2] or ''}}}"
        assert name not in found
        found[name] = float(read[3])
    return found


def value(found: dict[str, float], name: str, *labels: str) -> float | None:
    """Returns the one series of that name with these labels, None where there is none."""
    values = [one for key, one in found.items() if key.startswith(name + "{") and all(part in key for part in labels)]
    assert len(values) <= 1
    return values[0] if values else None


def test_mappings_are_counted_by_mode_and_by_finding() -> None:
    found = series(text_of(rdm_info(site_with(Compatibility.PHYSICAL, Compatibility.PHYSICAL, Compatibility.VIRTUAL))))
    assert value(found, "mappings", 'compatibility="physical"') == 2
    assert value(found, "mappings", 'compatibility="virtual"') == 1
    assert value(found, "mappings_with_finding", 'code="physical_compatibility"') == 2


def test_a_data_source_has_the_sizes_of_both_volumes_and_its_newest_recovery_point() -> None:
    found = series(text_of(allocations=dpm_info("srv", used_gib=39)))
    recovery = ('id="1"', 'volume="recovery_point"')
    assert value(found, "dpm_volume_allocated_bytes", *recovery) == 40 * GIB
    assert value(found, "dpm_volume_used_bytes", *recovery) == 39 * GIB
    assert value(found, "dpm_volume_free_bytes", *recovery) == GIB
    assert value(found, "dpm_volume_used_bytes", 'id="1"', 'volume="replica"') == 100 * GIB
    assert value(found, "dpm_newest_recovery_point_timestamp_seconds", 'id="1"') == 1795575600
    assert value(found, "dpm_pool_unallocated_bytes") == 250 * GIB


def test_what_is_not_known_has_no_series() -> None:
    result = dpm_info("srv")
    volume: dict[str, Any] = result["datasources"][0]["recovery_point_volume"]
    volume["used_bytes"] = None
    result["datasources"][0].update(consistent=None, recovery_points=None)
    found = series(text_of(allocations=result))
    recovery = ('id="1"', 'volume="recovery_point"')
    assert value(found, "dpm_volume_allocated_bytes", *recovery) == 40 * GIB
    assert value(found, "dpm_volume_used_bytes", *recovery) is None
    assert value(found, "dpm_volume_free_bytes", *recovery) is None
    assert value(found, "dpm_newest_recovery_point_timestamp_seconds", 'id="1"') is None
    assert value(found, "dpm_datasource_state", 'id="1"', 'state="not_known"') == 1
    assert value(found, "dpm_datasource_state", 'id="1"', 'state="consistent"') == 0
    assert value(found, "everything_known") == 0
    # Nothing was read of vSphere, so nothing is said of mappings.
    assert value(found, "mappings") is None


def test_a_reading_that_failed_is_a_series_and_none_of_its_numbers_is() -> None:
    found = series(text_of([FAILED]))
    assert value(found, "readings_failed", 'server="vc2"', 'module="rdm_info"') == 1
    assert value(found, "everything_known") in (None, 0)
    assert value(found, "mappings") is None


@given(st.text(min_size=1, max_size=20))
def test_no_name_breaks_the_format(name: str) -> None:
    wicked = name + '"\\\n} 1'
    found = series(text_of(rdm_info(site_of(wicked)), dpm_info(wicked)))
    assert value(found, "dpm_volume_allocated_bytes", 'id="1"', 'volume="replica"') == 200 * GIB


def test_the_example_of_the_documentation_has_every_series_that_is_written() -> None:
    """promtool looks at that file in `make release-check`."""
    mappings = rdm_info(site_with(Compatibility.PHYSICAL, Compatibility.VIRTUAL), [])
    written = series(text_of([mappings, FAILED], dpm_info("dpm01", used_gib=37, consistent=False)))
    example = series((MONITORING / "example.prom").read_text(encoding="utf-8"))
    assert {name.partition("{")[0] for name in example} == {name.partition("{")[0] for name in written}


def test_rules_and_dashboard_ask_for_series_that_there_are() -> None:
    rules = yaml.safe_load((MONITORING / "winbackup.rules.yml").read_text(encoding="utf-8"))
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    asked = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 12
    named = {name for expression in asked for name in re.findall(rf"{PREFIX}(\w+)", expression)}
    assert named <= {*HELP, "report_timestamp_seconds"}
