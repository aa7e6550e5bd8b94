"""The map can be read, whatever shares what."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.drawing import DRAWN
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import columns
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, lun_with, machine
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import inventory, page_of, rdm_info
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element


def boxes_of(drawing: Element) -> list[tuple[float, float, float, float, Element]]:
    """Returns (left, top, width, height, box) of each box."""
    found = []
    for node in drawing.all("g", class_="node"):
        place = re.fullmatch(r"translate\(([\d.]+) ([\d.]+)\)", node.attributes["transform"] or "")
        assert place
        box = node.one("rect", class_="box").attributes
        found.append((float(place[1]), float(place[2]), float(box["width"] or 0), float(box["height"] or 0), node))
    return found


def drawing_of(uses: list[list[int]], names: int = 1000) -> Element:
    """The map of machines that each map LUNs of these numbers; those of one name, of so many, have one folder."""
    luns = {number: lun(number) for number in {number for of_machine in uses for number in of_machine}}
    machines = [
        machine(
            f"a machine with a rather long name {number % names}", [luns[one] for one in of_machine], id=f"vm-{number}"
        )
        for number, of_machine in enumerate(uses)
    ]
    return page_of(rdm_info(inventory(machines, list(luns.values())))).one("section", id="map")


def assert_readable(section: Element) -> None:
    boxes = boxes_of(section.one("svg", class_="map"))
    for number, (left, top, width, height, _box) in enumerate(boxes):
        for other_left, other_top, other_width, other_height, _other in boxes[:number]:
            apart = (
                left >= other_left + other_width
                or other_left >= left + width
                or top >= other_top + other_height
                or other_top >= top + height
            )
            assert apart, "two boxes overlap"
    _x, _y, wide, high = map(float, (section.one("svg", class_="map").attributes["viewbox"] or "").split())
    for left, top, width, height, box in boxes:
        assert left + width <= wide
        assert top >= 20
        assert top + height <= high
        for line in box.all("text"):
            # A column is never wider than this in a font of 11 to 13 pixels; what were wider is clipped all the same.
            assert columns(line.text) * 5.5 <= width
            assert line.attributes["clip-path"]


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True), min_size=1, max_size=8),
    st.integers(1, 8),
)
def test_no_box_lies_on_another(uses: list[list[int]], names: int) -> None:
    section = drawing_of(uses, names)
    assert_readable(section)
    if sum(map(len, uses)) <= DRAWN:
        files = [box for left, *_place, box in boxes_of(section.one("svg", class_="map")) if left == 280]
        assert len(files) == len(
            {(number % names, unit, one) for number, of in enumerate(uses) for unit, one in enumerate(of)}
        )


def test_one_mapping_is_one_row() -> None:
    section = drawing_of([[1]])
    assert "The one mapping." in section.text
    assert [box.all("text")[0].text for *_place, box in boxes_of(section)] == [
        "a machine wit…r long name 0", "d0.vmdk", "naa.60060160000000000000000000000001", "host-1.lab",
    ]  # fmt: skip
    assert len(section.all("path")) == 3


def test_machines_on_one_lun_meet_in_its_box() -> None:
    section = drawing_of([[1], [1]])
    lines = [box.all("text")[0].text for *_place, box in boxes_of(section)]
    assert len([text for text in lines if text.startswith("naa.")]) == 1
    assert len([text for text in lines if text.startswith("a machine")]) == 2


@pytest.mark.parametrize("machines", [DRAWN + 1, 1000])
def test_more_than_can_be_read_is_cut_and_said(machines: int) -> None:
    uses = [[number] for number in range(machines)]
    section = drawing_of(uses)
    assert_readable(section)
    assert f"{DRAWN} of {machines:,} mappings are drawn" in section.text
    assert len({link.attributes["href"] for link in section.all("a")}) == DRAWN
    assert f"{machines:,}" in section.one("table").one("tbody").text


def test_machines_on_one_file_stand_beside_it() -> None:
    section = drawing_of([[1]] * 6, names=1)
    assert_readable(section)
    assert len(section.all("a")) == 2
    assert len(section.all("path")) == 8


def test_the_worst_are_drawn() -> None:
    luns = [lun(number) for number in range(60)]
    luns[57] = lun_with(luns[57], state="lost_communication")
    machines = [machine(f"m{number}", [one], id=f"vm-{number}") for number, one in enumerate(luns)]
    section = page_of(rdm_info(inventory(machines, luns))).one("section", id="map")
    assert "#m58" in {link.attributes["href"] for link in section.all("a")}


def test_a_machine_with_more_mappings_than_can_be_drawn_is_cut() -> None:
    section = drawing_of([list(range(DRAWN + 20))])
    assert_readable(section)
    assert f"{DRAWN} of {DRAWN + 20} mappings are drawn" in section.text
