# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options of the Windows modules, with those of the connection: the same for a module and its action plugin."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION

SHADOW_COPY_TEST = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "volumes": {"type": "list", "elements": "str", "required": True},
            "fail_on_failure": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 1800},
        }
    )
)
DISK = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "disk_ids": {"type": "list", "elements": "str", "required": True},
            "online": {"type": "bool", "default": True},
            "read_only": {"type": "bool", "default": False},
            "rescan": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 600},
        }
    )
)
DISK_INFO = CONNECTION.merged_with(
    ArgumentSpec({"vm_disks": {"type": "raw"}, "timeout": {"type": "int", "default": 600}})
)
FAILURE_INFO = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "since": {"type": "str", "default": "7d"},
            "signatures": {
                "type": "list",
                "elements": "str",
                "choices": [
                    "rdm_physical_shadow_copy",
                    "capacity_mismatch",
                    "truncated_at_2_tib",
                    "replica_offline",
                    "recovery_point_volume_short",
                    "replica_inconsistent",
                ],
                "default": [],
            },
            "logs_needed": {"type": "bool", "default": False},
            "vm_disks": {"type": "raw"},
            "timeout": {"type": "int", "default": 600},
        }
    )
)
