# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The UUID of a disk, which the API writes "6000C29f-a1b2-..." and a descriptor "60 00 C2 9f a1 b2 ...-...". Pure."""

from __future__ import annotations


def digits_of(uuid: str | None) -> str | None:
    """Returns the digits of a UUID in lower case, by which two spellings are one; None where there are none."""
    return "".join(letter for letter in (uuid or "").lower() if letter.isalnum()) or None


def uuid_as_the_api_writes_it(uuid: str | None) -> str | None:
    """Returns a UUID in the groups of the API, in lower case. What is of no known form stays as it is."""
    digits = digits_of(uuid) or ""
    if len(digits) != 32:
        return uuid
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
