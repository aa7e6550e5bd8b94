"""What an audit says on the screen, of what was read and of what was not."""

from __future__ import annotations

from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._audit_screen import counts_of, screen_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import facts_of
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import dpm_info, rdm_info, site_of

ALL_CLEAR = "Nothing was found that speaks against a backup."


def screen(mappings: list[dict[str, Any]], luns: list[dict[str, Any]], allocations: list[dict[str, Any]]) -> list[str]:
    return screen_of(facts_of(mappings, luns, allocations), mappings)


def source(**changes: Any) -> dict[str, Any]:
    """Returns a reading of a DPM server with one data source of which all is well, but for the changes."""
    read = dpm_info(used_gib=1)
    healthy = {"findings": [], "alerts": [], "consistent": True}
    read["datasources"] = [{**one, **healthy, **changes} for one in read["datasources"]]
    read["server"] = {**read["server"], "findings": []}
    return {**read, "findings": [], "alerts": []}


def test_figures_and_findings_stand_once_with_what_to_do() -> None:
    reading = rdm_info(site_of(machines=4))
    lines = screen([reading], [], [])
    physical = reading["summary"]["physical"]
    assert lines[0].startswith(f"{len(reading['rdms'])} raw device mappings ({physical} physical, ")
    codes = [line.split()[1] for line in lines if line.startswith(("error", "warning", "info"))]
    assert len(codes) == len(set(codes))
    number = next(
        n for n, line in enumerate(lines) if line.startswith(f"warning physical_compatibility ({physical}): ")
    )
    assert lines[number + 1].startswith("    Make it virtual")


def test_one_of_anything_is_said_in_the_singular() -> None:
    site = site_of()
    lines = screen([rdm_info(site)], [], [])
    assert lines[0] == "1 raw device mapping (1 physical, 0 virtual) of 1 LUN in 1 virtual machine"


def test_a_machine_that_two_readings_show_is_counted_once() -> None:
    site = site_of()
    reading = rdm_info(site)
    lines = screen([{**reading, "host": "vcenter"}, {**reading, "host": "esx1"}], [], [])
    assert lines[0].startswith("1 raw device mapping (")


def test_all_clear_is_said_only_where_everything_was_read() -> None:
    assert ALL_CLEAR in screen([], [], [source()])
    for unknown in ({"consistent": None}, {"alerts": None}):
        lines = screen([], [], [source(**unknown)])
        assert ALL_CLEAR not in lines
        assert any(line.startswith("not known: ") for line in lines), lines
    failed = {"failed": True, "msg": "Nobody answers.", "host": "dpm02"}
    assert ALL_CLEAR not in screen([], [], [source(), failed])


def test_findings_are_counted_by_severity() -> None:
    reading = source(findings=[{"code": "a", "severity": "error", "message": "m", "hint": "h", "object": "o"}])
    assert counts_of(facts_of([], [], [reading])) == {"error": 1, "warning": 0, "info": 0}
