"""Scenarios run the collection's own code against the lab; one lab a worker, one world a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from vcenter_lab import VcenterLab

# Helpers of the tests whose assertions shall say what they compared, as those of the tests do.
pytest.register_assert_rewrite("harness", "points")


@pytest.fixture(scope="session")
def vcenter() -> Iterator[VcenterLab]:
    """A lab vCenter of this worker."""
    with VcenterLab.start() as lab:
        yield lab


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says how many points of failure were gone through."""
    points = sum(
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "points of failure"
    )
    if points:
        terminalreporter.write_line(f"points of failure gone through: {points}")
