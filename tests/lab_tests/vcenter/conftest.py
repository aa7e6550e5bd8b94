"""The lab vCenter looked at by clients that know nothing of the collection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyVim.connect import Disconnect
from pyvmomi_client import WORLD, Site
from vcenter_lab import VcenterLab


@pytest.fixture(scope="session")
def vcenter() -> Iterator[VcenterLab]:
    """A lab vCenter of this worker."""
    with VcenterLab.start() as lab:
        yield lab


@pytest.fixture
def site(vcenter: VcenterLab) -> Iterator[Site]:
    """A session of the administrator on a world of two hosts."""
    vcenter.world(WORLD)
    opened = Site(vcenter)
    yield opened
    Disconnect(opened.instance)
