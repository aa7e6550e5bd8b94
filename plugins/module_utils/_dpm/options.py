# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options of the DPM modules, and what they mean to the domain."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import Wish
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import parse_size
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION

_WISHES = ["size", "min_free", "min_free_percent"]

SELECTION = ArgumentSpec(
    {
        "datasources": {"type": "list", "elements": "str", "default": []},
        "computers": {"type": "list", "elements": "str", "default": []},
        "protection_groups": {"type": "list", "elements": "str", "default": []},
    }
)
INFO = CONNECTION.merged_with(SELECTION).merged_with(
    ArgumentSpec(
        {
            "threshold_percent": {"type": "float", "default": 90},
            "timeout": {"type": "int", "default": 600},
        }
    )
)
ALLOCATION = CONNECTION.merged_with(SELECTION).merged_with(
    ArgumentSpec(
        {
            "size": {"type": "str"},
            "min_free": {"type": "str"},
            "min_free_percent": {"type": "float"},
            "max_size": {"type": "str"},
            "round_to": {"type": "str", "default": "10MB"},
            "allow_shrink": {"type": "bool", "default": False},
            "headroom_percent": {"type": "float", "default": 0},
            "busy_timeout": {"type": "int", "default": 900},
            "timeout": {"type": "int", "default": 1800},
            "on_refused": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
        },
        {"mutually_exclusive": [_WISHES], "required_one_of": [_WISHES]},
    )
)
CHECK = CONNECTION.merged_with(SELECTION).merged_with(
    ArgumentSpec(
        {
            "only_inconsistent": {"type": "bool", "default": True},
            "wait": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 14400},
            "parallel": {"type": "int", "default": 1},
        }
    )
)


def selection_of(options: Mapping[str, Any]) -> Selection:
    """Returns what the user named."""
    return Selection(
        tuple(options["datasources"] or ()),
        tuple(options["computers"] or ()),
        tuple(options["protection_groups"] or ()),
    )


def wish_of(options: Mapping[str, Any]) -> Wish:
    """Returns what is wanted of the volumes; raises ConfigurationError where the options do not go together."""
    percent = options["min_free_percent"]
    headroom = options["headroom_percent"]
    if percent is not None and not 0 < percent < 100:
        raise ConfigurationError(f"min_free_percent is to be above 0 and below 100, not {percent:g}.")
    if not 0 <= headroom < float("inf"):
        raise ConfigurationError(f"headroom_percent is to be 0 or more, not {headroom:g}.")
    if options["size"] is not None:
        if headroom:
            raise ConfigurationError(
                "headroom_percent goes with min_free and min_free_percent only: size is the total itself."
            )
        if not selection_of(options).is_given:
            raise ConfigurationError(
                "size was given and no data source: every volume of the server would get it.",
                hint="Name datasources, computers or protection_groups.",
            )
    elif options["allow_shrink"]:
        raise ConfigurationError("allow_shrink goes with size only.")
    return Wish(
        size=_size(options, "size"),
        min_free=_size(options, "min_free"),
        min_free_percent=None if percent is None else Fraction(str(percent)),
        max_size=_size(options, "max_size"),
        round_to=_size(options, "round_to") or 1,
        allow_shrink=bool(options["allow_shrink"]),
        headroom_percent=Fraction(str(headroom)),
    )


def seconds_of(options: Mapping[str, Any], name: str, least: int = 1) -> int:
    """Returns an option in seconds, or another count; raises ConfigurationError below `least`."""
    value = int(options[name])
    if value < least:
        raise ConfigurationError(f"{name} is to be {least} or more, not {value}.")
    return value


def threshold_of(options: Mapping[str, Any]) -> Fraction:
    """Returns the percentage from which on a volume is called short; raises ConfigurationError."""
    percent = options["threshold_percent"]
    if not 0 < percent <= 100:
        raise ConfigurationError(f"threshold_percent is to be above 0 and at most 100, not {percent:g}.")
    return Fraction(str(percent))


def _size(options: Mapping[str, Any], name: str) -> int | None:
    text = options[name]
    if text is None:
        return None
    try:
        size = parse_size(str(text))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}.") from error
    if size < 1 and name != "min_free":
        raise ConfigurationError(f"{name} is to be above 0.")
    return size
