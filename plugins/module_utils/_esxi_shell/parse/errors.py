# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one error of the parsers."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError


class UnreadableOutput(StorageError):
    """What a command of the host printed is not what it is known to print; the message quotes its beginning."""

    def __init__(self, command: str, text: str) -> None:
        first = next((line.strip() for line in text.split("\n") if line.strip()), "nothing")
        super().__init__(
            f"{command} printed what cannot be read: {first[:200]}",
            hint="Run the command on the host and see what it says.",
        )
