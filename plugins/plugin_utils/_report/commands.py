# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The commands that the buttons of rows copy: one that shows the plan of the change, ready to paste into a shell. Pure.

Each ends in `--check`: it shows what would be done, and does it once that word is taken off.
"""

from __future__ import annotations

import json
import shlex

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import DataSource, DpmServer, Mapping

# The free part that the examples of the documentation ask for.
_MIN_FREE_PERCENT = 20


def conversion_command(mapping: Mapping) -> str | None:
    """Returns the command that makes the mappings of this machine virtual; None where there is nothing to make."""
    machine = mapping.machine
    name = machine.instance_uuid or machine.moid or machine.path
    if mapping.is_virtual or name is None or not _is_plain(name):
        return None
    return _command("convert_rdms", mapping.source.host, {"rdm_convert_vms": [name]})


def extension_command(datasource: DataSource, server: DpmServer) -> str | None:
    """Returns the command that extends the recovery-point volume; None where there is none that can be extended."""
    extends = datasource.storage_kind == "legacy" and datasource.custom_volume is not True
    if not extends or datasource.active is False or datasource.id is None or not _is_plain(datasource.id):
        return None
    wish = {
        "dpm_recovery_points_datasources": [datasource.id],
        "dpm_recovery_points_min_free_percent": _MIN_FREE_PERCENT,
    }
    return _command("extend_recovery_points", server.host, wish)


def _is_plain(text: str) -> bool:
    """Tells whether Ansible takes this value of a variable as it is: on the command line it may be a template."""
    return "{" not in text


def _command(playbook: str, host: str | None, variables: dict[str, object]) -> str:
    words = ["ansible-playbook", f"winbackup.storage.{playbook}"]
    if host is not None:
        words += ["--limit", host]
    # Plain ASCII: no character of a name may look like another, or end the line, in a terminal.
    return shlex.join([*words, "-e", json.dumps(variables), "--check"])
