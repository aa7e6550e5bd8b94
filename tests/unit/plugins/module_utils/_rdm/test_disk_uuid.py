# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A UUID of a disk is one, however it is spelt."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_uuid import (
    digits_of,
    uuid_as_the_api_writes_it,
)

API = "6000c29f-a1b2-c3d4-e5f6-071829304a5b"


@pytest.mark.parametrize(
    "written", [API, "60 00 C2 9f a1 b2 c3 d4-e5 f6 07 18 29 30 4a 5b", "6000C29FA1B2C3D4E5F6071829304A5B"]
)
def test_two_spellings_are_one(written: str) -> None:
    assert uuid_as_the_api_writes_it(written) == API
    assert digits_of(written) == digits_of(API) == API.replace("-", "")


@pytest.mark.parametrize("written", [None, "", "60 00", "uuid-of-a-file"])
def test_what_is_of_no_known_form_is_shown_as_it_is(written: str | None) -> None:
    assert uuid_as_the_api_writes_it(written) == written


@pytest.mark.parametrize("written", [None, "", " - - "])
def test_no_digits_are_none(written: str | None) -> None:
    assert digits_of(written) is None
