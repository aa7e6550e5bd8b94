# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the runner needs of a way to a Windows host."""

from __future__ import annotations

from typing import Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed


class Transport(Protocol):
    """Runs the frame of bootstrap.py, which does nothing before its input has ended."""

    @property
    def name(self) -> str:
        """How messages call the host."""

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs the frame on `data` and returns its output; `deadline` is a time of `clock()`.

        Raises ConnectionFailed or ConfigurationError where nothing was run. Once it may have been run: runs it again
        where that is `repeatable`, else raises OutcomeUnknown. Raises TimeIsUp or WriteTimeIsUp at the deadline."""

    def close(self) -> None:
        """Ends everything on the server, as far as it can still be reached; raises nothing."""
