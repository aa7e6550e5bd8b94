# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module would refuse of the sizes stops the role before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.lookup.role_variables import size_problems

DEFAULTS: dict[str, Any] = {
    "datasources": ["D:\\"],
    "round_to": "10MB",
    "allow_shrink": False,
    "headroom_percent": 5,
    "volume": "recovery_point",
}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"size": "40GB"},
        {"min_free": "10GB"},
        {"min_free": "10GB", "history": "/var/lib/history"},
        {"min_free_percent": 20.0, "volume": "replica"},
        {"min_days": 60, "history": "/var/lib/history"},
        {"history": "/var/lib/history"},
    ],
)
def test_what_the_module_takes_is_taken(given: dict[str, Any]) -> None:
    assert size_problems({**DEFAULTS, **given}) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_days": 60}, "dpm_recovery_points_min_days needs history"),
        ({"min_days": 0, "history": "/var/lib/history"}, "dpm_recovery_points_min_days must be at least 1, not 0."),
        ({"min_days": 60, "min_free": "1GB"}, "min_free and dpm_recovery_points_min_days exclude each other"),
        ({"size": "40GB", "volume": "replica", "allow_shrink": True}, "allow_shrink goes with volume recovery_point"),
    ],
)
def test_what_the_module_would_refuse_is_told_first(given: dict[str, Any], said: str) -> None:
    (problem,) = size_problems({**DEFAULTS, **given})
    assert said in problem
