# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `partedUtil getptbl` prints, by published outputs; anything else is not taken for an empty disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.partitions import partition_table

GPT = """gpt
19581 255 63 314572800
1 64 204863 C12A7328F81F11D2BA4B00A0C93EC93B systemPartition 128
8 20973535 209715166 AA31E02A400F11DB9590000C2911D1B8 vmfs 0
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GPT, ("gpt", 2)),
        ("gpt\n2610 255 63 41943040\n", ("gpt", 0)),
        ("gpt\n243201 255 63 3907029167\n1 63 286487144 0\n", ("gpt", 1)),
        ("msdos\n1305 255 63 20971520\n1 128 20971519 251 0\n", ("mbr", 1)),
        ("unknown\n1305 255 63 20971520\n", (None, 0)),
        ("unknown \r\n1305 255 63 20971520", (None, 0)),
        ("", None),
        ("unknown\n", None),
        ("unknown\nError: Read-only open failed\n", None),
        ("bsd\n1305 255 63 20971520\n", None),
        ("Error: Could not stat device\n1305 255 63 20971520\n", None),
        ("unknown\n1305 255 63 20971520\nError: the rest could not be read\n", None),
    ],
)
def test_outputs(text: str, told: tuple[str | None, int] | None) -> None:
    assert partition_table(text) == told


@given(st.text())
def test_no_other_text_is_an_empty_disk(text: str) -> None:
    assert partition_table(text) != (None, 0)
