# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import (
    NamedVolume,
    VolumeTable,
    key_of,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import GUID, TARGET, volumes


@pytest.mark.parametrize(
    "name", ["E:", "e:", "E:\\", "\\\\?\\E:", TARGET, f"{TARGET}\\", TARGET.replace("?", "."), TARGET.upper()]
)
def test_a_volume_in_all_its_spellings_is_one(name: str) -> None:
    found = volumes().find(name)
    assert found is not None
    assert (found.guid, found.letter, found.disk) == (GUID, "E:", 1)


def test_a_volume_that_is_not_in_the_table_is_known_by_its_name_only() -> None:
    folder = volumes().find("C:\\Program Files\\Microsoft DPM\\DPM\\Volumes\\Replica\\31d\\")
    assert folder == NamedVolume(
        path="C:\\Program Files\\Microsoft DPM\\DPM\\Volumes\\Replica\\31d\\",
        names=frozenset({"c:\\program files\\microsoft dpm\\dpm\\volumes\\replica\\31d"}),
    )
    device = volumes().find("\\Device\\HarddiskVolume9")
    assert device is not None
    assert (device.guid, device.letter, device.display_name) == (None, None, "\\Device\\HarddiskVolume9")
    assert volumes().find("") is None


def test_two_volumes_without_a_name_are_not_the_same() -> None:
    nameless = NamedVolume.named(" \\ ")
    assert not nameless.is_same_as(NamedVolume.named(""))
    assert NamedVolume.named("E:").is_same_as(NamedVolume.named("e:\\"))


def test_a_label_that_two_volumes_have_tells_none() -> None:
    two = [NamedVolume(label="Backup", letter="E:"), NamedVolume(label="Backup", letter="F:")]
    assert VolumeTable(two).by_label("Backup") is None
    assert VolumeTable(two[:1]).by_label("Backup") == two[0]
    assert VolumeTable([NamedVolume(label="")]).by_label("") is None


@given(st.text())
@example("0\r\\")
@example("\\ \\")
def test_any_name_has_one_key(name: str) -> None:
    key = key_of(name)
    assert key is None or key_of(key) == key
    volume = volumes().find(name)
    assert (volume is None) == (key is None)
