"""Scenarios run the collection's own code against the lab; one lab a worker, one world a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from dpm.dpm import Dpm
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import Site, windows_site

# Helpers of the tests whose assertions shall say what they compared, as those of the tests do.
pytest.register_assert_rewrite("harness", "points")


@pytest.fixture(scope="session")
def vcenter() -> Iterator[VcenterLab]:
    """A lab vCenter of this worker."""
    with VcenterLab.start() as lab:
        yield lab


@pytest.fixture(scope="session")
def dpm_server() -> Iterator[tuple[Site, Dpm]]:
    """A lab DPM server of this worker, over WinRM."""
    dpm = Dpm()
    with windows_site(PowerShellCommands(dpm.new_session)) as site:
        yield site, dpm


@pytest.fixture
def dpm_site(dpm_server: tuple[Site, Dpm]) -> Iterator[tuple[Site, Dpm]]:
    """It, as the story begins, and nothing in its way."""
    site, dpm = dpm_server
    dpm.control.world()
    site.host.troubles.clear()
    site.host.shells.lose_all()
    yield site, dpm
    dpm.control.hooks.clear()
    site.host.troubles.clear()


# The tests that were left out for the time they take: told by each worker to the process that prints the summary.
_LEFT_OUT = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Makes room for what will be left out."""
    config.stash[_LEFT_OUT] = set()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Notes the tests that were left out for the time they take."""
    for item in items:
        if item.get_closest_marker("slow") is not None:
            item.config.stash[_LEFT_OUT].add(item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tells the process that prints the summary, where this is a worker."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = sorted(session.config.stash[_LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes what a worker told."""
    node.config.stash[_LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says how many points of failure were gone through, and what was left to `make test-all` for its time."""
    points = sum(
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "points of failure"
    )
    if points:
        terminalreporter.write_line(f"points of failure gone through: {points}")
    left_out = Counter(name.partition("[")[0].removeprefix("tests/") for name in config.stash[_LEFT_OUT])
    if left_out:
        terminalreporter.write_line("left to make test-all for the time they take:")
        for name, count in sorted(left_out.items()):
            terminalreporter.write_line(f"  {name}{f' ({count} cases)' if count > 1 else ''}")
