# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A protection group is what its data sources tell of it."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.group import ProtectionGroup, find_group
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import source


@pytest.mark.parametrize(
    ("flags", "auto_grow", "mixed"),
    [
        ([True, True], True, False),
        ([False], False, False),
        ([True, False], None, True),
        ([True, None], None, False),
        ([None], None, False),
    ],
)
def test_all_have_to_tell_the_same(flags: list[bool | None], auto_grow: bool | None, mixed: bool) -> None:
    sources = [source(str(number), auto_grow=flag) for number, flag in enumerate(flags)]
    assert find_group(sources, "files") == ProtectionGroup("Files", auto_grow, mixed)


def test_the_exact_name_comes_first_and_one_that_means_two_is_none() -> None:
    sources = [source("a", protection_group="Files"), source("b", protection_group="FILES", auto_grow=True)]
    assert find_group(sources, "FILES").auto_grow is True
    with pytest.raises(SelectionError, match="there is FILES, Files"):
        find_group(sources, "files")


def test_what_is_not_protected_any_more_does_not_count() -> None:
    sources = [source("a", auto_grow=True), source("b", active=False, auto_grow=False)]
    assert find_group(sources, "Files").auto_grow is True
    with pytest.raises(SelectionError, match="none at all"):
        find_group([source(active=False)], "Files")
