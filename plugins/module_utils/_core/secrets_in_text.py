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
    for value in options.values():
        if isinstance(value, str) and "@" in value and "://" in value:
            try:
                password = urlsplit(value).password
            except ValueError:
                # No address: whatever stands before the last @ may be one.
                password = value.rpartition("@")[0].partition("://")[2].partition(":")[2]
            found.update({password, unquote(password)} if password else ())
    return found


def may_hold_one(text: str, secrets: Iterable[str]) -> bool:
    """Tells whether a text of JSON, written without escapes for what is not ASCII, may hold a secret in one of its keys
    or members. Each character is escaped by itself, so that a secret stands in it as it would stand in JSON alone."""
    return any(json.dumps(secret, ensure_ascii=False)[1:-1] in text for secret in secrets)
