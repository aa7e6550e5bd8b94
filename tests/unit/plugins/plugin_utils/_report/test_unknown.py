"""What was not read is shown as not known, before everything else, and never as well."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    dpm_info,
    lun_info,
    page_of,
    rdm_info,
    site_with,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element, cell_texts, rows_of

PHYSICAL, VIRTUAL = Compatibility.PHYSICAL, Compatibility.VIRTUAL


def mapping_result(**changes: Any) -> dict[str, Any]:
    """What rdm_info returns of one mapping, with some of it otherwise."""
    result = rdm_info(site_with(PHYSICAL), [])
    result["rdms"][0].update(changes)
    return result


def cell_of(page: Element, table: str, title: str, row: int = 0) -> list[str]:
    """Returns the lines of a cell by the title of its column."""
    titles = [one.text for one in page.one("div", id=table).one("thead").all("th")]
    return cell_texts(rows_of(page, table)[row]["cells"][titles.index(title)])


@pytest.mark.parametrize(
    ("convertible", "said"),
    [
        (True, "Yes"),
        (False, "No"),
        (None, "Not known"),
        ("after_shutdown", "Needs a shutdown"),
        ("a word that no list of ours has", "Not known"),
    ],
)
def test_whether_a_mapping_can_be_converted(convertible: object, said: str) -> None:
    page = page_of(mapping_result(convertible=convertible, unchecked=[], blockers=[]))
    assert cell_of(page, "mappings-table", "Convertible") == [said]


def test_a_mapping_that_needs_a_shutdown_is_not_counted_as_stopped() -> None:
    tiles = page_of(mapping_result(convertible="after_shutdown")).one("dl").text
    assert "Not convertible01 need a shutdown" in tiles


def test_a_lun_that_no_host_shows_is_named_as_its_mapping_names_it() -> None:
    named = {"lun_uuid": "02000000006006", "device_name": "naa.6006016000000001"}
    page = page_of(mapping_result(lun=None, mapping=named))
    assert cell_of(page, "mappings-table", "LUN") == ["Not known", "the mapping names naa.6006016000000001"]
    assert page.all("section")[0].attributes["id"] == "unread"
    assert "The LUN of 1 mapping is not known" in page.all("section")[0].text


@pytest.mark.parametrize(
    ("mappable", "reasons", "said"),
    [
        (None, ["use_unknown"], ["Not known", "Use unknown"]),
        (False, ["used_by_vm"], ["No", "Used by VM"]),
        (True, [], ["Yes"]),
    ],
)
def test_whether_a_lun_can_be_mapped(mappable: bool | None, reasons: list[str], said: list[str]) -> None:
    result = lun_info(site_with(VIRTUAL))
    result["luns"][0].update(mappable=mappable, mappable_reasons=reasons)
    page = page_of(None, result)
    assert cell_of(page, "luns-table", "Can be mapped") == said
    assert ("Whether 1 LUN can be mapped is not known." in page.text) == (mappable is None)


def test_users_of_a_lun_that_could_not_be_read_are_no_absence_of_users() -> None:
    result = lun_info(site_with(VIRTUAL))
    result["luns"][0]["used_by"] = {"rdms": [], "datastore": None, "boot": None, "vsan": None, "complete": False}
    assert cell_of(page_of(None, result), "luns-table", "Used by") == ["not all that could use it was read"]


def test_no_alert_is_active_only_where_all_alerts_were_read() -> None:
    known = dpm_info()
    for datasource in known["datasources"]:
        datasource["alerts"] = []
    known["alerts"] = []
    assert "No alert is active." in page_of(None, None, known).one("section", id="dpm").text
    for unknown in ({"alerts": None}, {"datasources": [{**known["datasources"][0], "alerts": None}]}):
        page = page_of(None, None, {**known, **unknown})
        assert "No alert is active" not in page.text
        assert "Not all alerts could be read" in page.one("section", id="dpm").text
        assert "Not all alerts of harmless could be read." in page.all("section")[0].text


def test_a_replica_of_which_nobody_knows_is_not_consistent() -> None:
    result = dpm_info()
    result["datasources"][0]["consistent"] = None
    page = page_of(None, None, result)
    assert "Consistency not known" in page.one("tr", id="d1").text
    assert "is consistent is not known" in page.all("section")[0].text


def test_sizes_that_dpm_does_not_know_are_not_known() -> None:
    result = dpm_info()
    result["datasources"][0]["replica"].update(allocated_bytes=-1, used_bytes=-1)
    assert cell_of(page_of(None, None, result), "dpm1-datasources", "Replica volume") == ["not known"]


def test_a_healthy_looking_reading_with_a_hole_is_not_called_healthy() -> None:
    result = dpm_info(used_gib=1)
    for datasource in result["datasources"]:
        datasource.update(findings=[], alerts=None)
    page = page_of(None, None, {**result, "findings": []})
    assert "Nothing was found, but not everything was read" in page.one("section", id="findings").text
    assert not page.all("div", class_="good")


def test_what_could_not_be_read_comes_first_and_failed_servers_are_named() -> None:
    failed = {"failed": True, "msg": "The connection was refused.", "host": "vc2.lab"}
    lost = {"unreachable": True, "msg": "timed out", "host": "dpm3.lab"}
    page = page_of([{**mapping_result(), "host": "vc1.lab"}, failed], None, [dpm_info("dpm1"), lost])
    first = page.all("section")[0]
    assert first.one("h2").text == "What could not be read"
    assert [one.text for one in first.all("li")][:2] == [
        "rdm_info of vc2.lab failed: The connection was refused.",
        "dpm_allocation_info of dpm3.lab failed: timed out",
    ]
    assert {"vc1.lab", "vc2.lab", "dpm3.lab", "dpm1"} <= set(
        page.one("p", class_="facts").text.replace(",", "").split()
    )
    assert cell_of(page, "mappings-table", "Server") == ["vc1.lab"]


def test_objects_that_could_not_be_read_are_counted_at_the_top_with_a_link() -> None:
    said = {"severity": "warning", "message": "It is disconnected.", "hint": "Connect it.", "object": "esx7.lab"}
    result = {**mapping_result(), "findings": [{"code": "host_unavailable", **said}]}
    page = page_of(result)
    point = page.all("section")[0].all("li")[0]
    assert "1 object could not be read in full (esx7.lab)" in point.text
    card = page.one("article", id=(point.one("a").attributes["href"] or "")[1:])
    assert card.one("code").text == "host_unavailable"


def test_findings_of_the_server_its_computers_and_modern_volumes_are_found() -> None:
    def finding(code: str) -> list[dict[str, str]]:
        return [{"code": code, "severity": "warning", "message": f"{code} seen", "hint": "", "object": ""}]

    result = dpm_info()
    result["server"]["findings"] = finding("dpm_alert")
    result["computers"] = [{"name": "files01", "reachable": False, "findings": finding("unreadable")}]
    result["modern_volumes"] = [
        {
            "name": "M:",
            "size_bytes": 100,
            "free_bytes": 5,
            "datasources": 3,
            "findings": finding("storage_volume_short"),
        },
        {"name": "N:", "size_bytes": None, "free_bytes": None, "datasources": None, "findings": []},
    ]
    page = page_of(None, None, result)
    codes = {one.text for one in page.one("section", id="findings").all("code")}
    assert {"dpm_alert", "unreadable", "storage_volume_short"} <= codes
    assert cell_of(page, "dpm1-modern", "Used") == ["95% used"]
    assert cell_of(page, "dpm1-modern", "Used", 1) == ["Not known"]
    assert cell_of(page, "dpm1-computers", "Can be reached") == ["No"]


def test_a_reading_that_says_itself_that_it_lacks_something_is_not_called_healthy() -> None:
    result = dpm_info(used_gib=1)
    for datasource in result["datasources"]:
        datasource.update(findings=[], alerts=[], consistent=True)
    result.update(alerts=[], computers=[], server={"name": "dpm1", "version": None, "findings": []}, findings=[])
    for complete, kind in ((True, "good"), (False, "warning")):
        page = page_of(None, None, {**result, "summary": {"complete": complete}})
        assert page.one("section", id="findings").all("div", class_="card")[0].has("class_", kind)


def test_a_computer_of_which_nothing_is_known_has_no_row_of_its_own() -> None:
    result = dpm_info()
    result["computers"] = [{"name": "files01", "reachable": None, "findings": []}]
    assert not page_of(None, None, result).all("div", id="dpm1-computers")


def test_a_server_with_modern_storage_only_has_nothing_wrong_with_its_pool() -> None:
    result = dpm_info()
    result["pool"] = {"disks": [], "capacity_bytes": 0, "unallocated_bytes": 0, "volumes": 0}
    assert "it has no disk" in page_of(None, None, result).one("section", id="dpm").text


def test_what_cannot_be_seen_of_any_mapping_is_said_once() -> None:
    result = rdm_info(site_with(PHYSICAL, PHYSICAL, PHYSICAL))
    unseen = {"code": "guest_pass_through_unseen", "severity": "info", "hint": "Ask.", "object": "x", "message": "No."}
    for rdm in result["rdms"]:
        rdm["findings"] = [one for one in rdm["findings"] if one["code"] != unseen["code"]] + [unseen]
    result["findings"] = []
    page = page_of(result)
    assert [tile.text for tile in page.one("dl").all("div")][:3] == ["Errors0", "Warnings3", "Notes1"]
    assert "guest" not in str(rows_of(page, "mappings-table")).lower()


def test_results_with_keys_that_nobody_knows_yet_are_shown() -> None:
    result = mapping_result(something_new={"a": [1]}, compatibility="a new mode")
    result["another_key"] = 3
    page = page_of(result)
    assert cell_of(page, "mappings-table", "Mode")[0] == "A new mode"
    assert "and 0 virtual, 1 not known" in page.one("dl").text
