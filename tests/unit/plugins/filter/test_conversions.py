# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machines have something to do, where none is named."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.filter.conversions import next_conversion, vms_to_convert


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


@pytest.mark.parametrize(
    ("plan", "codes", "variables"),
    [
        (["record"], [], {"rdm_convert_vms": ["one"]}),
        ([], ["vm_powered_on"], {"rdm_convert_vms": ["one"], "rdm_convert_power": "shutdown"}),
        ([], [], {}),
        (["record"], ["has_snapshots"], {}),
    ],
    ids=["can be done", "only the power is in the way", "nothing to do", "something else is in the way"],
)
def test_the_conversion_that_comes_next(plan: list[str], codes: list[str], variables: dict[str, object]) -> None:
    one = {
        "vm": {"name": "one", "moid": "vm-1"},
        "disks": [{}],
        "plan": plan,
        "blockers": [{"code": code} for code in codes],
    }
    assert next_conversion([one], {}) == variables
