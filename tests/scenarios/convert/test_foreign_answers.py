"""In place of an answer comes something else, at every request of a conversion: nothing is lost or called well.

What stands between a controller and a vCenter answers too: a load balancer without a server behind it, a login page, a
page of maintenance, half of an answer, the answer to somebody else. `make test` tries some, `make test-all` all.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness import options_for, run
from points import EVERY_REQUEST, SAN, WRITES, Point, assert_honest, points_of, sweep
from vcenter_lab import VcenterLab
from worlds import SAN_PAIR

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info

ANSWERS = ("503", "page_500", "page_200", "empty", "truncated", "other_method", "other_object")


def replaced(lab: VcenterLab, answer: str, kind: str) -> Any:
    """Returns the trouble that is one answer replaced at the point."""

    def trouble(point: Point) -> None:
        before = lab.state()
        lab.fault(at_request=point.number, kind=kind, answer=answer)
        assert_honest(lab, before, run(lab, **SAN.options))

    return trouble


def some(points: list[Point], answer: str) -> list[Point]:
    """Returns a few of the requests, others for each answer."""
    return points[3 * ANSWERS.index(answer) :: 3 * len(ANSWERS)]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_replaced(vcenter: VcenterLab, answer: str) -> None:
    points = some(points_of(vcenter, SAN, EVERY_REQUEST), answer)
    sweep(vcenter, SAN, points, replaced(vcenter, answer, "answer_replaced"))


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
def test_any_answer_is_replaced(vcenter: VcenterLab, answer: str) -> None:
    sweep(vcenter, SAN, points_of(vcenter, SAN, EVERY_REQUEST), replaced(vcenter, answer, "answer_replaced"))


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["503", "page_500", "page_200", "empty", "other_method"])
def test_something_answers_in_place_of_the_server(vcenter: VcenterLab, answer: str) -> None:
    sweep(vcenter, SAN, points_of(vcenter, SAN, WRITES), replaced(vcenter, answer, "answered_in_its_place"))


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_reading_with_a_replaced_answer_is_the_same_or_an_error(vcenter: VcenterLab, answer: str) -> None:
    vcenter.world(SAN_PAIR)
    vcenter.clear_log()
    right = gathered(vcenter)
    assert right[0] is None
    requests = [(entry["n"], entry["method"]) for entry in vcenter.log()]
    for number, method in requests:
        vcenter.clear_log()
        vcenter.fault(at_request=number, kind="answer_replaced", answer=answer)
        failure, result = gathered(vcenter)
        vcenter.clear_faults()
        said = f"{method} ({number}): {failure}"
        assert failure is not None or result == right[1], said
        assert failure is None or vcenter.host in failure, said
        if failure is not None and answer in ("page_200", "page_500"):
            assert "Maintenance of the lab" in failure, said


def gathered(lab: VcenterLab) -> tuple[str | None, dict[str, Any]]:
    """Reads all mappings; returns the sentence of the failure and the result."""
    return result_of(rdm_info, ModuleCall(options_for(lab, RDM_INFO)))
