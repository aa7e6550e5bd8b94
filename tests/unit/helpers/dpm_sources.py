# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data sources for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Allocation,
    DataSource,
    Disk,
    Facts,
    Pool,
    StorageKind,
)

GIB = 1024**3
MIB = 1024**2


def source(id: str = "a", allocated: int | None = 10 * GIB, used: int | None = 5 * GIB, **others: Any) -> DataSource:
    facts: dict[str, Any] = {
        "name": f"{id.upper()}:\\",
        "computer": "fs1.lab.test",
        "ids": frozenset({id}),
        "computers": frozenset({"fs1.lab.test"}),
        "protection_group": "Files",
        "state": "valid",
        "alerted_inconsistent": False,
        "auto_grow": False,
        "storage_kind": StorageKind.LEGACY,
        "custom_volume": False,
        "replica": Allocation(20 * GIB, 10 * GIB),
        **others,
    }
    return DataSource(id=id, recovery_point_volume=Allocation(allocated, used), **facts)


def pool(unallocated: int | None = 10**15, volumes: int | None = 2) -> Pool:
    return Pool((Disk("Disk 1", "1", "healthy", 2**62, unallocated),), volumes)


def facts(*sources: DataSource, unallocated: int | None = 10**15, **others: Any) -> Facts:
    return Facts(
        now=datetime(2026, 11, 1, tzinfo=UTC),
        sources={one.id: one for one in sources},
        pool=others.pop("pool", pool(unallocated)),
        **others,
    )
