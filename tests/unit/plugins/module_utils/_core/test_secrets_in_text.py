# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords that stand in addresses are found, as they are written and as they are meant."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.secrets_in_text import passwords_in_addresses


@pytest.mark.parametrize(
    ("proxy", "passwords"),
    [
        ("http://user:geheim@proxy:3128", {"geheim"}),
        ("http://user:p%40ss@proxy:3128", {"p%40ss", "p@ss"}),
        ("http://user:a@b@proxy", {"a@b"}),
        ("http://user:se[cret@proxy]:1", {"se[cret"}),
        ("http://proxy:3128", set()),
        ("user@LAB.TEST", set()),
        (None, set()),
    ],
)
def test_the_password_of_an_address_is_found(proxy: str | None, passwords: set[str]) -> None:
    assert passwords_in_addresses({"proxy": proxy, "port": 3128}) == passwords
