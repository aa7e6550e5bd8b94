# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords that stand in addresses are found, as they are written and as they are meant."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.common.parameters import remove_values
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.secrets_in_text import (
    may_hold_one,
    passwords_in_addresses,
)

SECRETS = st.text('a"\\/\n\u0007é密😀 n', min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("proxy", "passwords"),
    [
        ("http://user:geheim@proxy:3128", {"geheim"}),
        ("http://user:p%40ss@proxy:3128", {"p%40ss", "p@ss"}),
        ("http://user:a@b@proxy", {"a@b"}),
        ("http://user:se[cret@proxy]:1", {"se[cret"}),
        ("http://user:ge/heim@proxy:3128", {"ge/heim"}),
        ("http://user:ge#heim@proxy", {"ge#heim"}),
        ("http://user:ge?h:eim@proxy", {"ge?h:eim"}),
        ("http://user:ge\theim@proxy", {"ge\theim", "geheim"}),
        ("user:geheim@proxy:3128", {"geheim"}),
        ("http://proxy:3128", set()),
        ("user@LAB.TEST", set()),
        (None, set()),
    ],
)
def test_the_password_of_an_address_is_found(proxy: str | None, passwords: set[str]) -> None:
    assert passwords_in_addresses({"proxy": proxy, "port": 3128}) == passwords


@given(SECRETS, st.text('a"\\/\n\u0007é密😀 n', max_size=4), st.text(max_size=4), st.booleans())
def test_no_secret_that_ansible_would_hide_is_overlooked(secret: str, before: str, after: str, in_key: bool) -> None:
    text = f"{before}{secret}{after}"
    result = {"vm": [{text: None} if in_key else {"name": text}]}
    assert remove_values(result, {secret}) != result or in_key
    assert may_hold_one(json.dumps(result, ensure_ascii=False), {secret})


def test_where_no_secret_stands_there_is_none() -> None:
    assert not may_hold_one(json.dumps({"vm": ["backup01", 1, None]}, ensure_ascii=False), {"pässword", 'a"b', "\\"})
