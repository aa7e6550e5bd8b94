# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""How a chapter of a machine's story ends, and the words for it. Pure."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a chapter ends."""

    CURED = "cured"
    OVER = "over"
    NOT_CURED = "not_cured"
    UNPROVEN = "unproven"
    PLANNED = "planned"
    OPEN = "open"

    @property
    def words(self) -> str:
        """What people are told: "not cured"."""
        return _WORDS[self]


_WORDS = {
    Outcome.CURED: "cured",
    Outcome.OVER: "over",
    Outcome.NOT_CURED: "not cured",
    Outcome.UNPROVEN: "not proven",
    Outcome.PLANNED: "planned",
    Outcome.OPEN: "open",
}
