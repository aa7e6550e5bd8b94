"""The filter as a playbook meets it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.winbackup.storage.plugins.filter.storage_report import FilterModule, collection_info
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    dpm_info,
    lun_info,
    rdm_info,
    site_of,
    site_with,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import read

PHYSICAL = Compatibility.PHYSICAL
storage_report = FilterModule().filters()["storage_report"]


def rows(report: dict[str, str], anchor: str) -> int:
    return len(read(report["html"]).one("section", id=anchor).one("tbody").all("tr"))


def test_it_returns_plain_texts() -> None:
    site = site_with(PHYSICAL)
    made = storage_report(rdm_info(site), luns=lun_info(site), allocations=dpm_info(), servers=["vc1"], read_at="now")
    assert {name: type(text) for name, text in made.items()} == dict.fromkeys(
        ("html", "csv", "luns_csv", "datasources_csv", "metrics"), str
    )
    assert "vc1" in made["html"]


def test_a_list_of_results_and_the_result_of_a_loop_count_as_all_of_them() -> None:
    one, two = rdm_info(site_with(PHYSICAL)), rdm_info(site_of())
    looped = {
        "changed": False,
        "results": [{**one, "item": "vc1"}, {**two, "item": "vc2"}],
        "msg": "All items completed",
    }
    for given in ([one, two], looped, [looped]):
        assert rows(storage_report(given), "mappings") == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("text", "mappings: a result of rdm_info is wanted, or a list of them, not str."),
        ([3], "not int"),
        ({"luns": []}, "mappings: a result of rdm_info is wanted, which has the key 'rdms'."),
        ({"stdout": ""}, "which has the key 'rdms'"),
    ],
)
def test_what_is_no_result_is_an_error_that_says_so(given: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        storage_report(given)
    assert said in str(raised.value)


def test_a_result_that_lacks_all_but_its_list_is_shown() -> None:
    made = storage_report({"rdms": [{}]}, luns={"luns": [{}]}, allocations={"datasources": [{}]})
    assert rows(made, "mappings") == rows(made, "luns") == rows(made, "dpm") == 1


def test_the_version_is_that_of_the_collection() -> None:
    version = collection_info()["version"]
    with open("galaxy.yml", encoding="utf-8") as file:
        assert yaml.safe_load(file)["version"] == version
