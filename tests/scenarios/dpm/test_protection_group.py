# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto-grow of a protection group: switched once, read back, and nothing else of the group is touched."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from .conftest import Lab

PROFILES = [("2012R2", "ja"), ("2016", "en"), ("2019", "ja")]
ODD = "Namen; $(throw 'group') `n \"日本語\" 😀"


def changes(lab: Lab) -> int:
    return len([call for call in lab.control.do("calls") if call["cmdlet"].startswith("Set-")])


@pytest.mark.parametrize(("profile", "language"), PROFILES)
@pytest.mark.parametrize("name", ["Files", ODD])
def test_it_is_switched_once_and_back(lab: Lab, profile: str, language: str, name: str) -> None:
    lab.world(profile=profile, language=language)
    failure, planned = lab.group(check_mode=True, name=name, auto_grow=True)
    assert (failure, planned["changed"], changes(lab)) == (None, True, 0)
    failure, result = lab.group(name=name, auto_grow=True)
    assert (failure, result) == (None, planned)
    assert (result["before"], result["after"]) == ({"auto_grow": False}, {"auto_grow": True})
    assert result["diff"]["after"] == {name: {"auto_grow": True}}
    rows = lab.info(protection_groups=[name])["datasources"]
    assert {row["auto_grow"] for row in rows if row["active"]} == {True}
    assert not [one for row in rows for one in row["findings"] if one["code"] == "auto_grow_off"]

    before = changes(lab)
    failure, again = lab.group(name=name.upper() if name == "Files" else name, auto_grow=True)
    assert (failure, again["changed"], changes(lab)) == (None, False, before)
    assert lab.group(name=name, auto_grow=False)[1]["after"] == {"auto_grow": False}


def test_a_group_that_is_not_there_lists_those_that_are(lab: Lab) -> None:
    failure, _result = lab.group(name="File", auto_grow=True)
    assert "There is no protection group 'File'" in (failure or "")
    assert "Databases, Files" in (failure or "")


def test_what_dpm_does_not_tell_is_not_switched(lab: Lab) -> None:
    lab.world("""
groups:
  - {name: Files, sources: [{name: D, computer: fs01, unreadable: [IsAutoGrowEnabled]}]}
""")
    failure, _result = lab.group(name="Files", auto_grow=True)
    assert "DPM does not tell of all data sources of Files" in (failure or "")
    assert changes(lab) == 0


def test_a_refusal_of_dpm_is_told_and_nothing_has_changed(lab: Lab) -> None:
    lab.control.hooks.refuse("Set-DPMProtectionGroup", 212)
    failure, result = lab.group(name="Files", auto_grow=True)
    assert "DPM refused for Files: Another operation works on this data source." in (failure or "")
    assert (result["changed"], result["after"]) == (False, {"auto_grow": False})


@pytest.mark.parametrize("numbers", [(7, 8, 9), pytest.param(range(1, 20), marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["reset_after", "reboot"])
def test_whatever_request_is_lost_what_is_read_decides(lab: Lab, kind: str, numbers: Sequence[int]) -> None:
    for number in numbers:
        lab.world()
        lab.site.host.troubles.clear()
        lab.site.host.troubles.add(kind, number=number)
        failure, result = lab.group(name="Files", auto_grow=True)
        lab.site.host.troubles.clear()
        there = lab.info(datasources=["E:\\"])["datasources"][0]["auto_grow"]
        if failure is None:
            assert (there, result["after"]) == (True, {"auto_grow": True})
        elif result["changed"]:
            assert result["after"] is None or "not known" in failure
        else:
            assert there is False
        assert lab.group(name="Files", auto_grow=True)[0] is None
        assert lab.group(name="Files", auto_grow=True)[1]["changed"] is False
