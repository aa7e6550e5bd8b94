# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in playbook_command.yml beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible import constants

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.commands import command_line


def playbook_command(
    variables: Mapping[str, Any], playbook: str, inventory: Sequence[str] = (), limit: str = ""
) -> str:
    """Returns the line for a shell that runs a playbook of this collection with these variables."""
    chosen = [] if list(inventory) == list(constants.DEFAULT_HOST_LIST) else [str(source) for source in inventory]
    plain: Any = to_json_types(variables)
    return command_line(playbook, plain, inventory=chosen, limit=str(limit))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"playbook_command": playbook_command}
