"""Tables of thousands of rows, their filters and commands, and what people find with a keyboard or a screen reader."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import FIRST_ROWS, Heading, report
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    dpm_info,
    lun_info,
    page_of,
    rdm_info,
    site_of,
    site_with,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element, read, rows_of

PHYSICAL, VIRTUAL = Compatibility.PHYSICAL, Compatibility.VIRTUAL


def data_of(page: Element, table: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.one("div", id=table).one("script", class_="rows").text)
    return data


def filters_of(page: Element, table: str) -> dict[str, list[str]]:
    return {one["label"]: [word for _value, word in one["choices"]] for one in data_of(page, table)["filters"]}


def test_two_thousand_mappings_are_a_page_of_few_elements_made_in_little_time() -> None:
    site = site_of(machines=2000)
    given_results = rdm_info(site), lun_info(site), dpm_info()
    started = time.process_time()
    made = report(*given_results, Heading())
    # 1.2 s on an idle core; the bound leaves room for a slow one.
    assert time.process_time() - started < 6
    page = read(made.html)
    assert len(page.within()) < 7000
    assert len(page.one("div", id="mappings-table").one("tbody").all("tr")) == FIRST_ROWS
    assert len(rows_of(page, "mappings-table")) == len(rows_of(page, "luns-table")) == 2000
    said = page.one("div", id="mappings-table").one("p", class_="rest").text
    assert f"The first {FIRST_ROWS} of 2,000 rows" in said
    assert "All are in mappings.csv." in said
    card = next(one for one in page.all("article") if one.one("code").text == "physical_compatibility")
    assert "2,000 objects" in card.text
    rest = json.loads(card.one("script", class_="items").text)
    assert len(card.all("li")) + len(rest) == 2000
    assert rest[-1][1] == "m2000"


def test_only_what_occurs_is_offered_as_a_choice() -> None:
    page = page_of(rdm_info(site_with(PHYSICAL, VIRTUAL)))
    assert filters_of(page, "mappings-table")["Mode"] == ["Physical", "Virtual"]
    assert "Is virtual" in filters_of(page, "mappings-table")["Convertible"]
    assert "Mode" not in filters_of(page_of(rdm_info(site_with(PHYSICAL, PHYSICAL))), "mappings-table")


def test_rows_have_the_values_that_the_choices_look_for() -> None:
    page = page_of(rdm_info(site_with(PHYSICAL, VIRTUAL)))
    physical, virtual = (row["is"] for row in rows_of(page, "mappings-table"))
    assert (physical["mode"], virtual["mode"]) == (["physical"], ["virtual"])
    assert "warning" in physical["severity"]
    assert virtual["convertible"] == ["virtual"]


def test_places_are_columns_where_they_are_known() -> None:
    result = rdm_info(site_with(PHYSICAL))
    machine = result["rdms"][0]["vm"]
    machine.update(datacenter="Office", folder="Servers/old", cluster=None)
    page = page_of(result, servers=("vc1.lab",))
    columns = [title for title, _kind in data_of(page, "mappings-table")["columns"]]
    assert columns[:5] == ["Virtual machine", "Server", "Datacenter", "Host", "Folder"]
    assert rows_of(page, "mappings-table")[0]["cells"][1:5] == [
        ["vc1.lab"],
        ["Office"],
        ["host-1.lab"],
        ["Servers/old"],
    ]
    machine.update(cluster="Cluster 1", datacenter="DC 1", folder="F")
    page = page_of(result)
    assert rows_of(page, "mappings-table")[0]["cells"][1:5] == [["DC 1"], ["Cluster 1"], ["host-1.lab"], ["F"]]


def variables_of(command: str) -> tuple[list[str], dict[str, Any]]:
    words = shlex.split(command)
    return words, json.loads(words[words.index("-e") + 1])


def test_the_command_of_a_row_plans_the_conversion_of_its_machine() -> None:
    result = {**rdm_info(site_with(PHYSICAL, VIRTUAL)), "host": "vc1"}
    physical, virtual = rows_of(page_of(result), "mappings-table")
    words, variables = variables_of(physical["command"])
    assert words[:4] == ["ansible-playbook", "winbackup.storage.convert_rdms", "--limit", "vc1"]
    assert words[-1] == "--check"
    assert variables == {"rdm_convert_vms": ["5000-vm-1"]}
    assert virtual["command"] is None


def test_the_command_of_a_data_source_plans_its_extension_and_modern_storage_has_none() -> None:
    legacy, modern = rows_of(page_of(None, None, dpm_info()), "dpm1-datasources")
    words, variables = variables_of(legacy["command"])
    assert words[:3] == ["ansible-playbook", "winbackup.storage.extend_recovery_points", "-e"]
    assert variables == {"dpm_recovery_points_datasources": ["1"], "dpm_recovery_points_min_free_percent": 20}
    assert modern["command"] is None


def test_the_command_of_a_data_source_with_a_short_replica_alone_is_for_the_replica() -> None:
    result = dpm_info(used_gib=3)
    short = {"code": "replica_volume_short", "severity": "warning", "message": "m", "hint": "h", "object": "o"}
    rows = [{**row, "findings": [short]} for row in result["datasources"]]
    for row in rows_of(page_of(None, None, {**result, "datasources": rows}), "dpm1-datasources"):
        _words, variables = variables_of(row["command"])
        assert variables["dpm_recovery_points_volume"] == "replica"


@settings(max_examples=40)
@given(st.one_of(st.sampled_from(["{{ lookup('pipe', 'id') }}", "{% raw %}", "'; id #", "$(id)"]), st.text(min_size=1)))
def test_no_name_breaks_out_of_a_command(name: str) -> None:
    result = rdm_info(site_with(PHYSICAL))
    result["rdms"][0]["vm"].update(instance_uuid=None, moid=None, path=name)
    command = rows_of(page_of(result), "mappings-table")[0]["command"]
    # Ansible takes a variable of the command line for a template.
    assert (command is None) == ("{" in name)
    if command is None:
        return
    assert command.isascii()
    assert command.isprintable()
    words, variables = variables_of(command)
    assert len(words) == 5
    assert variables == {"rdm_convert_vms": [name]}


def test_headings_are_in_order_and_fields_have_names() -> None:
    site = site_with(PHYSICAL, VIRTUAL)
    mappings = rdm_info(site, [])
    for page in (page_of(mappings, lun_info(site), dpm_info(consistent=False)), page_of(None), page_of(mappings)):
        levels = [int(one.tag[1]) for one in page.within() if one.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert not [number for number, level in enumerate(levels[1:]) if level > levels[number] + 1]
        assert [one.tag for one in page.one("body").children if isinstance(one, Element)] == [
            "a", "header", "main", "footer", "script",
        ]  # fmt: skip
        for frame in page.all("div", class_="scroll"):
            assert frame.attributes["aria-label"]
        for head in page.all("th"):
            assert head.attributes["scope"] in ("col", "row")
            assert head.text.strip()


def test_codes_lead_to_their_documentation_where_its_address_is_known() -> None:
    result = rdm_info(site_with(PHYSICAL))
    page = page_of(result, documentation="https://docs.example.com/")
    codes = [
        one
        for one in page.all("a")
        if (one.attributes["href"] or "").startswith("https://docs.example.com/docsite/codes.html")
    ]
    assert "https://docs.example.com/docsite/codes.html#:~:text=physical_compatibility" in {
        one.attributes["href"] for one in codes
    }
    assert not [one for one in page_of(result).all("a") if "://" in (one.attributes["href"] or "")]
