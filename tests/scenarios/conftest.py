"""Scenarios run the collection's own code against the lab; one lab a worker, one world a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from vcenter_lab import VcenterLab


@pytest.fixture(scope="session")
def vcenter() -> Iterator[VcenterLab]:
    """A lab vCenter of this worker."""
    with VcenterLab.start() as lab:
        yield lab
