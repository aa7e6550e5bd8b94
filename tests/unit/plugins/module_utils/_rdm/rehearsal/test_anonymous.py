# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report that people attach to an issue holds no name of their site, whatever their names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.anonymous import without_names

# What the vendor's own texts are made of is no name of anybody's.
SENTENCE = "Invalid configuration for device '0'."


FRAME = "#'\"(: "


@given(st.text(min_size=1, max_size=12).filter(lambda name: name.strip(FRAME) == name), st.sampled_from(FRAME[1:]))
def test_a_known_name_is_replaced_wherever_it_stands(name: str, before: str) -> None:
    assert without_names(f"#{before}{name}{before}#", {name: "<vm>"}) == f"#{before}<vm>{before}#"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Cannot open [Kunde Müller] backup 01/data one.vmdk.", "Cannot open <file>."),
        ("Failed to lock /vmfs/volumes/5f9-1/x/y.vmdk now", "Failed to lock <path> now"),
        ("Device naa.60060160A1B1 is gone", "Device <lun> is gone"),
        ("vml.0200050000600601 and t10.ATA_____ST3000DM001", "<lun> and <lun>"),
        ("Host esx1.mueller.example (192.168.4.7) says no", "Host <host> (<address>) says no"),
        ("by root@pam and MUELLER\\admin", "by <user> and <user>"),
        ("of 5004aaaa-0000-4000-8000-00000000000a and vm-1234", "of <id> and <object>"),
        ("see https://vcenter.mueller.example/ui", "see <url>"),
        ("msg.hostd.deviceSpec.enc.notFile", "msg.hostd.deviceSpec.enc.notFile"),
        ("vim.fault.InvalidDeviceSpec", "vim.fault.InvalidDeviceSpec"),
        (SENTENCE, SENTENCE),
    ],
)
def test_what_names_something_is_told_by_its_shape(text: str, told: str) -> None:
    assert without_names(text, {}) == told


def test_the_longest_name_goes_first_and_no_word_is_torn() -> None:
    names = {"san": "<datastore>", "san 01": "<vm>"}
    assert without_names("san 01, SAN, sandbox", names) == "<vm>, <datastore>, sandbox"
