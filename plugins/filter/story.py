# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in machine_story.yml beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.telling import story_of


def machine_story(
    diagnosis: Mapping[str, Any] | None,
    host: str,
    disks: Sequence[Mapping[str, Any]] = (),
    conversions: Sequence[Mapping[str, Any]] = (),
    recovery_points: Mapping[str, Any] | None = None,
    failures: Sequence[str] = (),
) -> dict[str, object]:
    """Returns the story of a host, and its lines for the screen."""
    given: Any = to_json_types(
        {
            "diagnosis": diagnosis or None,
            "disks": disks,
            "conversions": conversions,
            "recovery_points": recovery_points or None,
            "failures": failures,
        }
    )
    return story_of(str(host), **given).as_result()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"machine_story": machine_story}
