"""Numbers that Ansible takes for numbers and nobody can compute with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import ALLOCATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import (
    max_age_of,
    size_policy_of,
    threshold_of,
)

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


@pytest.mark.parametrize("option", ["size", "min_free", "max_size", "round_to"])
@pytest.mark.parametrize("value", ["10", " 10 ", "1048575"])
def test_a_small_number_without_a_unit_is_asked_about(option: str, value: str) -> None:
    options = {**DEFAULTS, "datasources": ["D:"], "min_free": None if option == "size" else "1GB", option: value}
    with pytest.raises(ConfigurationError, match=f"{option}: .* without a unit .*Give the unit, as in"):
        size_policy_of(options)


@pytest.mark.parametrize("value", ["10MB", "1048576", "0", "2000KB"])
def test_a_number_with_a_unit_or_large_enough_is_taken(value: str) -> None:
    assert size_policy_of({**DEFAULTS, "min_free": value}).min_free is not None


def test_a_headroom_of_five_percent_goes_with_free_space_and_none_with_a_size() -> None:
    assert size_policy_of({**DEFAULTS, "min_free": "1GB"}).headroom_percent == 5
    assert size_policy_of({**DEFAULTS, "min_free": "1GB", "headroom_percent": 0.0}).headroom_percent == 0
    sized = {**DEFAULTS, "datasources": ["D:"], "size": "40GB"}
    assert size_policy_of(sized).headroom_percent == 0
    with pytest.raises(ConfigurationError, match="headroom_percent goes with min_free"):
        size_policy_of({**sized, "headroom_percent": 5.0})


def test_a_wish_without_a_value_is_none() -> None:
    """Written as `min_free:` with nothing after it, it is given and yet null."""
    nothing = {**DEFAULTS, "size": None, "min_free": None, "min_free_percent": None}
    with pytest.raises(ConfigurationError, match="one of size, min_free and min_free_percent must have a value"):
        size_policy_of(nothing)


@pytest.mark.parametrize(
    ("text", "hours"), [("90m", 1.5), ("36h", 36), ("3d", 72), ("1.5D", 36), (" 2 w ", 336), (None, None)]
)
def test_a_span_of_time_as_people_write_it(text: str | None, hours: float | None) -> None:
    assert max_age_of({"max_age": text}) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize("text", ["", "3", "d", "-1d", "3 years", "1e9d", "９d"])
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"max_age: .* is no span of time: write it as in"):
        max_age_of({"max_age": text})


def test_a_wish_for_days_needs_a_history_and_a_history_a_wish_for_days() -> None:
    policy = size_policy_of({**DEFAULTS, "min_days": 60, "history": "/tmp/history"})
    assert (policy.min_days, policy.headroom_percent) == (60, 5)
    for options, said in (
        ({"min_days": 60}, "min_days needs history"),
        ({"min_free": "1GB", "history": "/tmp/history"}, "history goes with min_days only"),
        ({"min_days": 0, "history": "/tmp/history"}, "min_days must be at least 1"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            size_policy_of({**DEFAULTS, **options})
