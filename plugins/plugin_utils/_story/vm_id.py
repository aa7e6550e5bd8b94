# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The id by which results of different modules tell the same VM. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def id_of_vm(vm: Mapping[str, Any]) -> str | None:
    """Returns what the modules for mappings return of a VM as `vm_id` has it: the instance UUID, which no other VM of a
    vCenter has, else the id of the managed object; None where neither is told."""
    found: str | None = vm.get("instance_uuid") or vm.get("moid")
    return found
