# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers, words, and what no list has."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._windows import words
from ansible_collections.winbackup.storage.plugins.module_utils._windows.identifiers import (
    disk_id_of,
    plain_serial,
    signature_of,
)

GUID = "a59dcd66-5963-4ba8-995c-915935cb8654"


@pytest.mark.parametrize(
    ("text", "members", "word"),
    [
        ("1", words.OFFLINE_REASONS, "policy"),
        ("Policy", words.OFFLINE_REASONS, "policy"),
        ("Redundant Path", words.OFFLINE_REASONS, "redundant_path"),
        ("99", words.OFFLINE_REASONS, "unknown"),
        ("ポリシー", words.OFFLINE_REASONS, None),
        ("0", words.OFFLINE_REASONS, "unknown"),
        ("", words.OFFLINE_REASONS, None),
        (None, words.OFFLINE_REASONS, None),
        ("10", words.BUS_TYPES, "sas"),
        ("iSCSI", words.BUS_TYPES, "iscsi"),
        ("Spaces", words.BUS_TYPES, "storage_spaces"),
        ("File Backed Virtual", words.BUS_TYPES, "file_backed_virtual"),
        ("MBR", words.PARTITION_STYLES, "mbr"),
        ("OfflineShared", words.SAN_POLICIES, "offline_shared"),
        ("In a Pool", words.CANNOT_POOL_REASONS, "in_a_pool"),
        ("Insufficient Capacity", words.CANNOT_POOL_REASONS, "unknown"),
    ],
)
def test_words(text: str | None, members: dict[int, str], word: str | None) -> None:
    assert words.word_of(text, members) == word


@pytest.mark.parametrize(
    ("text", "id"),
    [
        (f"{{{GUID.upper()}}}", GUID),
        (f" {GUID}\n", GUID),
        ("A1B2C3D4", "a1b2c3d4"),
        ("0xa1b2c3d4", "a1b2c3d4"),
        ("a1b2c3", None),
        ("1", None),
        ("", None),
        (None, None),
    ],
)
def test_ids_of_disks(text: str | None, id: str | None) -> None:
    assert disk_id_of(text) == id


def test_signatures_and_serials() -> None:
    assert [signature_of(number) for number in (0, None, 1, 0xA1B2C3D4, 2**32)] == [
        *(None, None),
        *("00000001", "a1b2c3d4", None),
    ]
    assert [plain_serial(text) for text in (" AB-1 ", "0000", "---", "", None)] == ["ab1", None, None, None, None]
