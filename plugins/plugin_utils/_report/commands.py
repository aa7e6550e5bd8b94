# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Commands ready to paste into a shell: those that the buttons of rows copy show the plan of the change. Pure.

Each of these ends in `--check`: it shows what would be done, and does it once that word is taken off.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._report import facts

# The free part that the examples of the documentation ask for.
_MIN_FREE_PERCENT = 20


def conversion_command(mapping: facts.Mapping) -> str | None:
    """Returns the command that makes the mappings of this machine virtual; None where there is nothing to make."""
    machine = mapping.machine
    name = machine.instance_uuid or machine.moid or machine.path
    if mapping.is_virtual or name is None or not _is_plain(name):
        return None
    return command_line("convert_rdms", {"rdm_convert_vms": [name]}, limit=mapping.source.host or "", check=True)


def extension_command(datasource: facts.DataSource, server: facts.DpmServer) -> str | None:
    """Returns the command that extends the recovery-point volume, or the replica volume where that alone is short; None
    where there is none that can be extended."""
    of_replica = datasource.replica_is_short and not datasource.is_short
    extends = datasource.custom_volume is not True and (datasource.storage_kind == "legacy" or of_replica)
    if not extends or datasource.active is False or datasource.id is None or not _is_plain(datasource.id):
        return None
    wish = {
        "dpm_recovery_points_datasources": [datasource.id],
        "dpm_recovery_points_min_free_percent": _MIN_FREE_PERCENT,
        **({"dpm_recovery_points_volume": "replica"} if of_replica else {}),
    }
    return command_line("extend_recovery_points", wish, limit=server.host or "", check=True)


def _is_plain(text: str) -> bool:
    """Tells whether Ansible takes this value of a variable as it is: on the command line it may be a template."""
    return "{" not in text


def command_line(
    playbook: str,
    variables: Mapping[str, Any],
    *,
    inventory: Sequence[str] = (),
    limit: str = "",
    check: bool = False,
) -> str:
    """Returns the line for a shell that runs a playbook of this collection with these variables."""
    words = ["ansible-playbook", *(word for source in inventory for word in ("-i", source))]
    words.append(f"winbackup.storage.{playbook}")
    if limit:
        words += ["--limit", limit]
    if variables:
        # Plain ASCII: no character of a name may look like another, or end the line, in a terminal.
        words += ["-e", json.dumps(variables)]
    return shlex.join([*words, "--check"] if check else words)
