# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The looks at a DPM server of a call that waits for jobs: with growing pauses, and past a few that fail."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import DpmServer

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# The job of a start whose answer was lost is looked for that long.
LOOKING_SECONDS = 60.0
# How often in a row the server may not answer before it is given up.
_FAILED_POLLS = 3


class Polls:
    """One look after the other, until the time `deadline`."""

    def __init__(self, server: DpmServer, deadline: float) -> None:
        self._server = server
        self._deadline = deadline
        self._failed = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Makes the next pause a short one again."""
        self._pauses = iter(PAUSES)

    def look(self, look: Callable[[], None]) -> StorageError | None:
        """Pauses and looks; returns the error once the server was asked in vain too often in a row, else None."""
        pause = next(self._pauses, PAUSES[-1])
        self._server.pause(min(pause, max(0.0, self._deadline - self._server.time())))
        try:
            look()
        except StorageError as error:
            self._failed += 1
            return error if self._failed >= _FAILED_POLLS else None
        self._failed = 0
        return None
