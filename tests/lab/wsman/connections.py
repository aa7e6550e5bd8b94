# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own connection plugins, made as a task makes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ansible import constants
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader


def ansible_connection(variables: Mapping[str, Any]) -> Any:
    """The connection plugin that the variables of a host name, not connected yet."""
    _load()
    kind = str(variables["ansible_connection"])
    connection = connection_loader.get(kind, PlayContext(), "/dev/null")
    # What the plugin does not document it takes under its own prefix, for pywinrm.
    known = constants.config.get_plugin_vars("connection", kind)
    extras = {name: variables[name] for name in set(variables) - set(known) if name.startswith(f"ansible_{kind}_")}
    connection.set_options(var_options={**variables, "_extras": extras})
    connection._shell.set_options(var_options=dict(variables))
    return connection


@cache
def _load() -> None:
    init_plugin_loader()
