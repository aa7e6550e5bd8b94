"""Numbers that Ansible takes for numbers and nobody can compute with."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import ALLOCATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import size_policy_of, threshold_of

DEFAULTS = {name: option.get("default") for name, option in ALLOCATION.options.items()}


@pytest.mark.parametrize("option", ["headroom_percent", "min_free_percent"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1"])
def test_a_percentage_that_is_none(option: str, value: str) -> None:
    options = {**DEFAULTS, "min_free": "1GB", option: float(value)}
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        size_policy_of(options)


@pytest.mark.parametrize("value", ["nan", "inf", "0"])
def test_a_threshold_that_is_none(value: str) -> None:
    with pytest.raises(ConfigurationError, match="threshold_percent must be"):
        threshold_of({"threshold_percent": float(value)})
