# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Secrets that stand inside other texts that users give. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit


def passwords_in_addresses(options: Mapping[str, Any]) -> set[str]:
    """Returns the passwords that stand in addresses (http://user:password@proxy:3128), as they are written and as they
    are meant."""
    found: set[str] = set()
    for name, value in options.items():
        if isinstance(value, str) and "@" in value and ("://" in value or name == "proxy"):
            # An address with a / or # in its password ends there for who reads it as one.
            before = value.rpartition("@")[0]
            written = (before.partition("://")[2] or before).partition(":")[2]
            found.update({written, unquote(written), *_password_of(value)} if written else ())
    return found


def _password_of(address: str) -> set[str]:
    """Returns the password as it is read in an address, from which line ends and tabs are taken."""
    try:
        password = urlsplit(address).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()


def may_hold_one(text: str, secrets: Iterable[str]) -> bool:
    """Tells whether a text of JSON, written without escapes for what is not ASCII, may hold a secret in one of its keys
    or members. Each character is escaped by itself, so that a secret stands in it as it would stand in JSON alone."""
    return any(json.dumps(secret, ensure_ascii=False)[1:-1] in text for secret in secrets)
