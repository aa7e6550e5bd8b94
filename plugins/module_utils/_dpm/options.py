# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the options of the DPM modules mean to the domain; each error names its option. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.spans import span_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import VolumeKind
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import SizePolicy
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import parse_size

# Of what is free beyond the wish once a volume has to be extended, so that it is not extended a little every night.
_HEADROOM_PERCENT = 5
# A number below this was meant with a unit.
_LEAST_WITHOUT_UNIT = 1024**2


def selection_of(options: Mapping[str, Any]) -> Selection:
    """Returns what the user named."""
    return Selection(
        tuple(options["datasources"] or ()),
        tuple(options["computers"] or ()),
        tuple(options["protection_groups"] or ()),
    )


def volume_kind_of(options: Mapping[str, Any]) -> VolumeKind:
    """Returns which volume of the data sources is meant; raises ConfigurationError where it is to shrink and cannot."""
    kind = VolumeKind(options["volume"])
    if kind is VolumeKind.REPLICA and options["allow_shrink"]:
        raise ConfigurationError("allow_shrink goes with volume recovery_point only: DPM never shrinks a replica.")
    return kind


def size_policy_of(options: Mapping[str, Any]) -> SizePolicy:
    """Returns what is wanted of the volumes; raises ConfigurationError where the options do not go together."""
    if all(options[name] is None for name in ("size", "min_free", "min_free_percent", "min_days")):
        raise ConfigurationError(
            "Nothing is wished for: one of size, min_free and min_free_percent must have a value, or min_days."
        )
    days = None if options["min_days"] is None else at_least(options, "min_days", 1)
    if (days is None) != (options["history"] is None):
        raise ConfigurationError(
            "min_days needs history, the file in which winbackup.storage.dpm_allocation_info keeps its readings."
            if days is not None
            else "history goes with min_days only."
        )
    percent = options["min_free_percent"]
    headroom = options["headroom_percent"]
    if percent is not None and not 0 < percent < 100:
        raise ConfigurationError(f"min_free_percent must be above 0 and below 100, not {percent:g}.")
    if headroom is not None and not 0 <= headroom < float("inf"):
        raise ConfigurationError(f"headroom_percent must be at least 0, not {headroom:g}.")
    if options["size"] is not None:
        if headroom:
            raise ConfigurationError(
                "headroom_percent goes with min_free, min_free_percent and min_days only: size is the total itself."
            )
        if not selection_of(options).is_given:
            raise ConfigurationError(
                "size was given and no data source: every volume of the server would get it.",
                hint="Name datasources, computers or protection_groups.",
            )
        headroom = 0
    elif options["allow_shrink"]:
        raise ConfigurationError("allow_shrink goes with size only.")
    return SizePolicy(
        size=_size(options, "size"),
        min_free=_size(options, "min_free"),
        min_days=days,
        min_free_percent=None if percent is None else Fraction(str(percent)),
        max_size=_size(options, "max_size"),
        round_to=_size(options, "round_to") or 1,
        allow_shrink=bool(options["allow_shrink"]),
        headroom_percent=Fraction(str(_HEADROOM_PERCENT if headroom is None else headroom)),
    )


def at_least(options: Mapping[str, Any], name: str, least: int) -> int:
    """Returns an option in seconds, or another count; raises ConfigurationError below `least`."""
    value = int(options[name])
    if value < least:
        raise ConfigurationError(f"{name} must be at least {least}, not {value}.")
    return value


def threshold_of(options: Mapping[str, Any]) -> Fraction:
    """Returns the percentage from which on a volume is called short; raises ConfigurationError."""
    percent = options["threshold_percent"]
    if not 0 < percent <= 100:
        raise ConfigurationError(f"threshold_percent must be above 0 and at most 100, not {percent:g}.")
    return Fraction(str(percent))


def max_age_of(options: Mapping[str, Any]) -> timedelta | None:
    """Returns how old a newest recovery point may be; None where that was not given. Raises ConfigurationError."""
    return None if options["max_age"] is None else _span(options, "max_age")


def newer_than_of(options: Mapping[str, Any]) -> timedelta:
    """Returns how new a recovery point must be for none to be made; raises ConfigurationError."""
    return _span(options, "newer_than")


def _span(options: Mapping[str, Any], name: str) -> timedelta:
    """Returns an option that is a span of time; raises ConfigurationError."""
    try:
        span = span_of(str(options[name]))
    except ValueError as error:
        raise ConfigurationError(f"{name} {error}.") from error
    if span is None:
        raise ConfigurationError(f"{name}: {options[name]!r} is no span of time: write it as in 90m, 36h, 3d or 2w.")
    return span


def _size(options: Mapping[str, Any], name: str) -> int | None:
    text = options[name]
    if text is None:
        return None
    try:
        size = parse_size(str(text))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}.") from error
    if size < 1 and name != "min_free":
        raise ConfigurationError(f"{name} must be above 0.")
    if 0 < size < _LEAST_WITHOUT_UNIT and str(text).strip().isdecimal():
        raise ConfigurationError(
            f"{name}: {text} without a unit is {size} bytes, less than any volume has. Give the unit, as in {size}GB."
        )
    return size
