"""What a reader finds on the page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    FileFacts,
    Power,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import NotAResult
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import size
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, lun_with, machine
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    dpm_info,
    inventory,
    lun_info,
    page_of,
    rdm_info,
    site_with,
    story,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element, rows_of

PHYSICAL, VIRTUAL = Compatibility.PHYSICAL, Compatibility.VIRTUAL


def codes_of(page: Element, anchor: str) -> list[str]:
    """Returns the codes of the cards of a section, in their order."""
    return [card.one("code").text for card in page.one("section", id=anchor).all("article")]


def card(page: Element, anchor: str, code: str) -> Element:
    found = [one for one in page.one("section", id=anchor).all("article") if one.one("code").text == code]
    assert len(found) == 1
    return found[0]


def test_findings_come_first_and_the_worst_of_them_first() -> None:
    first, lost = lun(0), lun_with(lun(1), state="lost_communication")
    site = inventory([machine("one", [first, lost])], [first, lost])
    page = page_of(rdm_info(site), lun_info(site))
    assert page.all("section")[0].attributes["id"] == "findings"
    cards = page.one("section", id="findings").all("article")
    severities = [one.one("span", class_="badge").text for one in cards]
    assert severities == sorted(severities, key=["Error", "Warning", "Note"].index)
    assert codes_of(page, "findings")[0] == "lun_not_ok"


def test_the_page_begins_with_the_story_of_each_machine() -> None:
    told = [story("backup01"), story("dpm01", "unproven", known=False), story("new", "a_new_end")]
    page = page_of(rdm_info(site_with(PHYSICAL)), stories=told)
    section = page.all("section")[0]
    assert (section.attributes["id"], section.one("h2").text) == ("stories", "What failed, and what became of it")
    assert [title.text for title in section.all("h3")] == ["backup01 own backup01", "dpm01 own dpm01", "new own new"]
    assert [badge.text for badge in section.all("span", class_="badge")] == ["Cured", "Not proven", "a_new_end"]
    assert [one.attributes.get("class") for one in section.all("dd")] == [None, "unknown", None]
    assert not page_of(rdm_info(site_with(PHYSICAL))).all("section", id="stories")


@pytest.mark.parametrize("wrong", ["text", [3], [{}], [{**story(), "chapters": [{}]}], [{**story(), "chapters": 3}]])
def test_what_is_no_story_is_an_error_that_says_so(wrong: object) -> None:
    with pytest.raises(NotAResult, match=r"stories: .* machine_story returns is wanted"):
        page_of(stories=wrong)


def test_luns_that_were_read_with_the_mappings_make_the_same_page() -> None:
    site = site_with(PHYSICAL)
    luns = lun_info(site)
    at_once = report({**rdm_info(site), "luns": luns["luns"]}, None, None, Heading())
    assert at_once == report(rdm_info(site), luns, None, Heading())


def test_a_finding_says_what_was_seen_what_to_do_and_leads_to_its_row() -> None:
    site = site_with(PHYSICAL, PHYSICAL)
    page = page_of(rdm_info(site))
    found = card(page, "findings", "physical_compatibility")
    assert found.one("p", class_="todo").text == (
        "What to do: Make it virtual with winbackup.storage.rdm_compatibility."
    )
    assert [link.text for link in found.all("a")] == ["server scsi0:0", "server scsi0:1"]
    assert "[san] server/d1.vmdk is in physical compatibility mode" in found.text
    row = page.one("tr", id=(found.all("a")[1].attributes["href"] or "")[1:])
    assert "[san] server/d1.vmdk" in row.text


def test_a_finding_of_a_lun_stands_once_though_its_mapping_has_it_too() -> None:
    lost = lun_with(lun(0), state="lost_communication")
    site = inventory([machine("one", [lost])], [lost])
    found = card(page_of(rdm_info(site), lun_info(site)), "findings", "lun_not_ok")
    assert len(found.all("li")) == 1
    assert found.one("a").attributes["href"] == "#l1"


def test_many_findings_of_a_kind_are_folded_and_counted() -> None:
    site = site_with(*[PHYSICAL] * 12)
    found = card(page_of(rdm_info(site)), "findings", "physical_compatibility")
    assert "12 objects" in found.text
    assert len(found.all("li")) == 12
    folded = found.one("details")
    assert folded.one("summary").text == f"{len(folded.all('li'))} more"
    assert 0 < len(folded.all("li")) < 12


def test_blockers_say_for_which_way_they_count_and_a_machines_own_stand_once() -> None:
    site = site_with(PHYSICAL, PHYSICAL, VIRTUAL)
    on = inventory([replace(vm, power=Power.ON) for vm in site.machines.values()], [lun(0), lun(1), lun(2)])
    page = page_of(rdm_info(on))
    section = page.one("section", id="blockers")
    assert [title.text for title in section.all("h3")] == [
        "Of physical mappings, to virtual mode",
        "Of virtual mappings, back to physical mode",
    ]
    assert codes_of(page, "blockers") == ["vm_powered_on", "vm_powered_on"]
    assert [len(one.all("li")) for one in section.all("article")] == [1, 1]
    assert "Shut it down" in section.text
    assert "powered on" in page.one("tr", id="m1").text


def test_the_tables_hold_every_mapping_and_every_lun_and_sort_by_number() -> None:
    site = site_with(PHYSICAL, VIRTUAL)
    page = page_of(rdm_info(site), lun_info(site))
    mappings, luns = page.one("section", id="mappings").one("table"), page.one("section", id="luns").one("table")
    assert [row.attributes["id"] for row in mappings.one("tbody").all("tr")] == ["m1", "m2"]
    assert [row.attributes["id"] for row in luns.one("tbody").all("tr")] == ["l1", "l2"]
    for table in (mappings, luns):
        width = len(table.one("thead").all("th"))
        for row in table.one("tbody").all("tr"):
            assert len(row.children) == width
            assert len(row.all("th", scope="row")) == 1
    capacity = mappings.all("td", class_="number")[0]
    assert [line.text for line in capacity.all("div")] == ["1.82 TiB", "2,000,398,934,016 bytes"]
    column = [one.text for one in mappings.one("thead").all("th")].index("Capacity")
    assert [row["sort"][column] for row in rows_of(page, "mappings-table")] == [2000398934016] * 2
    assert "server scsi0:1" in luns.one("tr", id="l2").text


def test_every_link_leads_somewhere_and_no_id_stands_twice() -> None:
    site = site_with(PHYSICAL, VIRTUAL)
    page = page_of(rdm_info(site, [FileFacts("[san] old/forgotten.vmdk")]), lun_info(site), dpm_info(consistent=False))
    ids = [one.attributes["id"] for one in page.within() if "id" in one.attributes]
    assert len(set(ids)) == len(ids)
    links = {(one.attributes["href"] or "")[1:] for one in page.all("a")}
    assert links
    assert links <= set(ids)


def test_what_scrolls_and_what_is_a_picture_has_a_name_and_can_be_reached() -> None:
    site = site_with(PHYSICAL)
    page = page_of(rdm_info(site), lun_info(site), dpm_info())
    frames = page.all("div", class_="scroll")
    assert len(frames) == 5
    for frame in frames:
        assert (frame.attributes["role"], frame.attributes["tabindex"]) == ("region", "0")
        assert frame.attributes["aria-label"]
    assert all(one.attributes.get("aria-label") for one in page.all("svg", class_="bar"))
    assert page.one("html").attributes["lang"] == "en"


def test_a_healthy_site_is_called_healthy() -> None:
    site = inventory([], [lun_with(lun(0), local=True, offered=True)])
    page = page_of(rdm_info(site, []), lun_info(site), None)
    assert "Nothing was found" in page.one("section", id="findings").one("div", class_="good").text
    assert "There is no raw device mapping" in page.one("section", id="mappings").text
    assert not [one for one in page.all("section") if one.attributes["id"] in ("map", "blockers")]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mappings": {"failed": True, "msg": "Cannot log in."}},
        {"mappings": {"skipped": True, "changed": False}},
        {"mappings": {"results": [{"skipped": True}, {"failed": True, "msg": "Cannot log in."}]}},
        {"luns": {"unreachable": True, "msg": "Cannot log in."}},
    ],
)
def test_what_was_not_read_is_never_called_healthy(given: dict[str, object]) -> None:
    page = page_of(**given)
    assert "Nothing was read" in page.one("section", id="findings").text
    assert not page.all("dl")
    assert not page.all("div", class_="good")
    unread = page.one("section", id="unread").text
    assert "Raw device mappings were not read." in unread
    assert ("Cannot log in." in unread) == ("Cannot log in." in str(given))


def test_a_site_of_which_one_part_was_not_read_is_not_called_healthy() -> None:
    healthy = rdm_info(inventory([], []), [])
    page = page_of([healthy, {"failed": True, "msg": "Cannot log in."}])
    assert "not everything was read" in page.one("section", id="findings").text
    assert "rdm_info failed: Cannot log in." in page.one("section", id="unread").text


def test_what_was_not_looked_at_is_said() -> None:
    site = site_with(PHYSICAL, VIRTUAL)
    unread = page_of(rdm_info(site)).one("section", id="unread").text
    assert "2 mappings were not checked for no_privilege, target_file_exists" in unread
    assert "were not searched for" in unread
    assert "The list of LUNs was not read." in unread
    assert "No DPM server was read." in unread
    searched = page_of(rdm_info(site, []), lun_info(site), dpm_info()).one("section", id="unread").text
    assert not [sentence for sentence in ("searched for", "LUNs was not", "No DPM") if sentence in searched]


def test_a_mapping_whose_lun_is_gone_is_drawn_and_listed_as_such() -> None:
    site = inventory([machine("one", [lun(0)])], [])
    page = page_of(rdm_info(site))
    assert len(page.all("g", class_="missing")) == 1
    assert "LUN not known" in page.one("g", class_="missing").text
    assert "Not known" in page.one("tr", id="m1").text
    assert "The LUN of 1 mapping is not known" in page.one("section", id="unread").text


def test_unused_mapping_files_have_a_table() -> None:
    site = site_with(PHYSICAL)
    page = page_of(rdm_info(site, [FileFacts("[san] old/forgotten.vmdk", compatibility=VIRTUAL)]))
    assert "[san] old/forgotten.vmdk" in page.one("section", id="orphans").text
    assert not page_of(rdm_info(site, [])).all("section", id="orphans")


def test_the_head_names_servers_time_and_version_where_they_are_given() -> None:
    page = page_of(
        None, None, dpm_info("dpm1.lab"), servers=("vc1.lab",), read_at="2026-11-25 07:10 UTC", version="1.2.3"
    )
    head = page.one("header").text
    assert "Servers vc1.lab, dpm1.lab" in head
    assert "Read 2026-11-25 07:10 UTC" in head
    assert "winbackup.storage 1.2.3" in head
    assert "Read " not in page_of(rdm_info(site_with(PHYSICAL))).one("header").text


def test_the_same_results_make_the_same_text() -> None:
    site = site_with(PHYSICAL, VIRTUAL)
    given = (rdm_info(site), lun_info(site), dpm_info(), Heading())
    assert report(*given) == report(*given)


def test_two_servers_are_kept_apart() -> None:
    """Two stand-alone hosts may have machines and LUNs of the same name."""
    one = rdm_info(site_with(PHYSICAL))
    two = json.loads(json.dumps(one))
    two["rdms"][0]["vm"].update(instance_uuid="another", bios_uuid="one more")
    page = page_of([one, two])
    assert len(page.one("section", id="mappings").one("tbody").all("tr")) == 2
    assert len(card(page, "findings", "physical_compatibility").all("li")) == 2
    assert len(page.one("svg", class_="map").all("g", class_="node")) == 8


def test_a_dpm_server_shows_its_pool_bars_and_alerts() -> None:
    page = page_of(None, None, dpm_info("files", used_gib=39, consistent=False))
    section = page.one("section", id="dpm")
    assert "250 GiB of 1000 GiB not allocated" in section.text
    assert "at most 2,954 of 2,960 LDM slots left" in section.text
    assert [bar.attributes["aria-label"] for bar in section.all("svg", class_="bar")] == [
        "Storage pool: 250 GiB of 1000 GiB not allocated, 2 volumes, at most 2,954 of 2,960 LDM slots left",
        "98% used: 39 GiB of 40 GiB",
        "50% used: 100 GiB of 200 GiB",
    ]
    track, used = section.all("svg", class_="bar")[1].all("rect")
    assert float(used.attributes["width"] or 0) / float(track.attributes["width"] or 0) == pytest.approx(
        39 / 40, abs=0.01
    )
    assert section.all("svg", class_="bar")[1].has("class_", "short")
    assert "Inconsistent" in section.one("tr", id="d1").text
    assert "none of its own (modern storage)" in section.one("tr", id="d2").text
    assert "Critical" in section.all("table")[1].text
    assert "recovery_point_volume_short" in codes_of(page, "findings")


def test_the_fullest_volume_comes_first_and_unknown_sizes_last() -> None:
    result = dpm_info("files", used_gib=10)
    row, modern = result["datasources"]
    fuller = {
        **row,
        "id": "3",
        "name": "fuller",
        "recovery_point_volume": {**row["recovery_point_volume"], "used_bytes": 35 * 1024**3},
    }
    page = page_of(None, None, {**result, "datasources": [modern, row, fuller]})
    table = page.one("section", id="dpm").all("table")[0]
    assert [row.all("th")[0].all("div")[0].text for row in table.one("tbody").all("tr")] == [
        "fuller",
        "files",
        "files 2",
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "not known"), (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"),
        (1000 * 1024**3, "1000 GiB"), (3000592982016, "2.73 TiB"), (5 * 1024**6, "5120 PiB"),
    ],
)  # fmt: skip
def test_sizes(count: int | None, shown: str) -> None:
    assert size(count) == shown


def test_what_was_used_on_former_days_is_drawn_beside_what_is_used_now() -> None:
    result = dpm_info()
    row, _modern = result["datasources"]
    days = [{"time": f"2026-11-0{day}T03:00:00Z", "used_bytes": day * 5 * 1024**3} for day in range(1, 9)]
    storage = {"name": "E:\\", "size_bytes": 40 * 1024**3, "free_bytes": 0, "datasources": 1, "findings": []}
    page = page_of(
        None,
        None,
        {
            **result,
            "datasources": [{**row, "history": days}, {**row, "id": "9", "history": days[:1]}],
            "modern_volumes": [{**storage, "history": days}],
        },
    )
    first, second = page.one("tr", id="d1"), page.one("tr", id="d2")
    assert "▂▃▄▅▆▇██" in first.text
    assert "▂" not in second.text
    assert "▂▃▄▅▆▇██" in page.one("div", id="dpm1-modern").text


def test_a_server_without_a_pool_of_disks_shows_its_modern_storage_and_no_empty_pool() -> None:
    storage = {"name": "E:\\", "size_bytes": 4 * 1024**4, "free_bytes": 20 * 1024**3, "datasources": 7, "findings": []}
    page = page_of(None, None, {**dpm_info(), "pool": None, "modern_volumes": [storage]})
    assert "Modern Backup Storage: 1 volume; no pool of disks is known" in page.text
    assert "E:\\" in page.one("div", id="dpm1-modern").text
