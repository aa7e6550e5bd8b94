# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One function that makes a word of a command line out of any text: nothing of it is ever read by the shell. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError


def quote(text: str) -> str:
    """Returns the text as one word of the host's shell, whatever stands in it; raises ConfigurationError for a NUL.

    Between single quotes the shell of BusyBox reads nothing but the quote that ends them (POSIX, 2.2.2).
    """
    if "\0" in text:
        raise ConfigurationError(f"{text!r} cannot be a word of a command: it has a NUL character in it.")
    return "'" + text.replace("'", "'\\''") + "'"
