# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which data sources the names of a user mean."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection, select
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import source

SOURCES = (
    source("id-1", name="D:\\", computer="fs1.lab.test", computers=frozenset({"fs1.lab.test", "FS1"})),
    source("id-2", name="D:\\", computer="fs2.lab.test", computers=frozenset({"fs2.lab.test"})),
    source("id-3", name="営業 'DB'", computer="sql1", computers=frozenset({"sql1"}), protection_group="Databases"),
    source(
        "id-4", name="Mail", computer="", computers=frozenset(), protection_group=None, aliases=frozenset({"First"})
    ),
)


def ids(**names: tuple[str, ...]) -> list[str]:
    return [one.id for one in select(SOURCES, Selection(**names))]


def test_no_name_means_all_in_the_order_of_computer_and_name() -> None:
    assert ids() == ["id-4", "id-1", "id-2", "id-3"]
    assert not Selection().is_given


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ({"datasources": ("d:\\",)}, ["id-1", "id-2"]),
        ({"datasources": ("ID-3", "Mail")}, ["id-4", "id-3"]),
        ({"datasources": ("first",)}, ["id-4"]),
        ({"datasources": ("営業 'DB'",)}, ["id-3"]),
        ({"computers": ("fs1",)}, ["id-1"]),
        ({"computers": ("FS2.LAB.TEST", "sql1.lab.test")}, ["id-2", "id-3"]),
        ({"protection_groups": ("files",), "computers": ("fs2",)}, ["id-2"]),
        ({"datasources": ("D:\\",), "computers": ("fs1", "fs2")}, ["id-1", "id-2"]),
    ],
)
def test_names_are_matched_as_windows_does(names: dict[str, tuple[str, ...]], chosen: list[str]) -> None:
    assert ids(**names) == chosen


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"datasources": ("D:",)}, r"There is no data source 'D:' on this DPM server; there is D:\\ on fs1.lab.test"),
        ({"computers": ("fs1.other.test",)}, "There is no computer 'fs1.other.test'.*fs1.lab.test"),
        ({"protection_groups": ("Mail",)}, "There is no protection group 'Mail'.*Databases, Files"),
        ({"datasources": ("D:\\", "nothing"), "computers": ("fs1",)}, "There is no data source 'nothing'"),
        ({"datasources": ("D:\\",), "computers": ("sql1",)}, "computer 'sql1' is there .* nothing of it matches"),
        ({"computers": ("fs1", "sql1"), "protection_groups": ("Files",)}, "'sql1' is there"),
    ],
)
def test_an_entry_that_selects_nothing_is_an_error_that_says_what_there_is(
    names: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(SelectionError, match=message):
        ids(**names)


def test_every_such_entry_is_named_at_once() -> None:
    with pytest.raises(SelectionError) as error:
        ids(datasources=("x", "y"), computers=("z",))
    assert all(f"'{name}'" in str(error.value) for name in "xyz")


def test_a_server_without_data_sources_says_so() -> None:
    nobody: tuple[DataSource, ...] = ()
    assert select(nobody, Selection()) == ()
    with pytest.raises(SelectionError, match="none at all"):
        select(nobody, Selection(datasources=("x",)))


def test_a_long_list_of_candidates_is_cut_and_counted() -> None:
    many = [source(f"id-{number:02}", name=f"V{number:02}") for number in range(50)]
    with pytest.raises(SelectionError, match=r"V19 on fs1\.lab\.test and 30 more"):
        select(many, Selection(datasources=("x",)))
