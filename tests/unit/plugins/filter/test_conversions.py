# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machines have something to do, where none is named."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.filter.conversions import vms_to_convert


@pytest.mark.parametrize(
    ("compatibility", "codes", "with_kept_mappings", "chosen"),
    [
        ("physical", [], False, True),
        ("virtual", [], False, False),
        # Swapped, and not yet started again and closed: it waits to be brought to its end.
        ("virtual", ["conversion_open"], False, True),
        ("virtual", ["old_mapping_kept"], False, False),
        ("virtual", ["old_mapping_kept"], True, True),
    ],
)
def test_a_machine_that_has_something_to_do(
    compatibility: str, codes: list[str], with_kept_mappings: bool, chosen: bool
) -> None:
    row = {"vm": {"moid": "vm-1"}, "compatibility": compatibility, "findings": [{"code": code} for code in codes]}
    assert vms_to_convert([row, row], "virtual", with_kept_mappings) == (["vm-1"] if chosen else [])
