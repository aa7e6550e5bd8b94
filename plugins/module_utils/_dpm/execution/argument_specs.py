# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options of the DPM modules, with those of the connection: the same for a module and its action plugin."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION

_WISHES = ["size", "min_free", "min_free_percent", "min_days"]

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
            "max_age": {"type": "str"},
            "history": {"type": "path"},
            "timeout": {"type": "int", "default": 600},
        }
    )
)
ALLOCATION = CONNECTION.merged_with(SELECTION).merged_with(
    ArgumentSpec(
        {
            "volume": {"type": "str", "choices": ["recovery_point", "replica"], "default": "recovery_point"},
            "size": {"type": "str"},
            "min_free": {"type": "str"},
            "min_free_percent": {"type": "float"},
            "min_days": {"type": "int"},
            "history": {"type": "path"},
            "max_size": {"type": "str"},
            "round_to": {"type": "str", "default": "10MB"},
            "allow_shrink": {"type": "bool", "default": False},
            "headroom_percent": {"type": "float"},
            "busy_timeout": {"type": "int", "default": 900},
            "timeout": {"type": "int", "default": 1800},
            "on_refused": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
        },
        {"mutually_exclusive": [_WISHES], "required_one_of": [_WISHES]},
    )
)
POINT = CONNECTION.merged_with(SELECTION).merged_with(
    ArgumentSpec(
        {
            "newer_than": {"type": "str", "default": "1h"},
            "wait": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 3600},
        }
    )
)
GROUP = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "name": {"type": "str", "required": True},
            "auto_grow": {"type": "bool", "required": True},
            "timeout": {"type": "int", "default": 600},
        }
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
