# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options of the modules about mappings, without those of a connection: the same on every way in. Pure."""

from __future__ import annotations

from typing import Any

OVERRIDABLE = ("managed_by_vcenter", "other_hosts_unknown", "other_vms_unread", "replicated")

RDM_INFO: dict[str, dict[str, Any]] = {
    "vms": {"type": "list", "elements": "str", "default": []},
    "luns": {"type": "list", "elements": "str", "default": []},
    "compatibility": {"type": "str", "choices": ["physical", "virtual"]},
    "datacenter": {"type": "str"},
    "orphans": {"type": "bool", "default": False},
    "detail": {"type": "list", "elements": "str", "choices": ["lun_paths", "luns"], "default": []},
    "timeout": {"type": "int", "default": 600},
}

LUN_INFO: dict[str, dict[str, Any]] = {
    "hosts": {"type": "list", "elements": "str", "default": []},
    "luns": {"type": "list", "elements": "str", "default": []},
    "mappable_only": {"type": "bool", "default": False},
    "detail": {"type": "list", "elements": "str", "choices": ["lun_paths"], "default": []},
    "timeout": {"type": "int", "default": 600},
}

RDM_COMPATIBILITY: dict[str, dict[str, Any]] = {
    "vm": {"type": "str", "required": True},
    "compatibility": {"type": "str", "choices": ["virtual", "physical"], "default": "virtual"},
    "disks": {"type": "list", "elements": "str", "default": []},
    "power": {"type": "str", "choices": ["refuse", "shutdown", "power_off"], "default": "refuse"},
    "shutdown_timeout": {"type": "int", "default": 600},
    "restore_power": {"type": "bool", "default": True},
    "disk_mode": {"type": "str", "choices": ["persistent", "independent_persistent"]},
    "datastore": {"type": "str"},
    "directory": {"type": "str"},
    "old_mapping": {"type": "str", "choices": ["keep", "delete"], "default": "keep"},
    "override": {"type": "list", "elements": "str", "choices": list(OVERRIDABLE), "default": []},
    "timeout": {"type": "int", "default": 1800},
}

RDM_REHEARSAL: dict[str, dict[str, Any]] = {
    "lun": {"type": "str", "required": True},
    "lun_again": {"type": "str"},
    "datastore": {"type": "str", "required": True},
    "host": {"type": "str"},
    "timeout": {"type": "int", "default": 1800},
}
