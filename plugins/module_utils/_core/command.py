# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One command with an input, run on another machine: what came of it, and what may go wrong on the way. Pure.

Nothing of the input is carried out before it was sent whole. So until then a run may be begun anew; after that only one
that is `repeatable`, and for any other a lost answer means that what it did is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown, StorageError

LOST_ANSWER = "The answer of a script that writes was lost, and what it did is not known"
RUN_AGAIN_HINT = "Run again: the state is read first, and decides."
# How long a host that was there may be away while something runs there, in seconds: a restart of its service.
LONGEST_ABSENCE = 120.0


@dataclass(frozen=True)
class Completed:
    """A command that came to its end. `interrupted`: a part of the output may be lost with a connection."""

    stdout: bytes
    stderr: bytes
    exit_code: int
    interrupted: bool = False


class TimeIsUp(StorageError):
    """A command that only reads did not end within its time; it was ended and changed nothing."""


class WriteTimeIsUp(OutcomeUnknown):
    """A command that writes did not end within its time and the grace after it; it was ended somewhere."""
