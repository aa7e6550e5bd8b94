"""What ansible-test, which reads no pyproject.toml, has to be told."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker of tests that take long."""
    config.addinivalue_line("markers", "slow: takes long; left out by `make test`, part of `make test-all`")
