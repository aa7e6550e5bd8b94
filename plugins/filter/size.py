# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in size.yml beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size(count: int | None) -> str:
    """Returns "40.00 GiB" for a number of bytes, "unknown" for None."""
    if count is None:
        return "unknown"
    if abs(count) < 1024:
        return f"{count} bytes"
    power = min((abs(count).bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:.2f} {_UNITS[power - 1]}"


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"size": size}
