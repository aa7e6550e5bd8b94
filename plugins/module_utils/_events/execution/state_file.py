# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The file of bookmarks. It is replaced as a whole, so that a killed run leaves the old one or the new one."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._events.bookmark import Bookmark, bookmark_of

# Files of ours are told by this.
_MARK, _VERSION = "winbackup.storage.dpm_events", 1


class StateFile:
    """The bookmarks of all servers of a source; with no path they are kept in memory only."""

    def __init__(self, path: str | None) -> None:
        """Raises ConfigurationError where the file is none of ours, or cannot be read or written."""
        self._path = None if path is None else Path(path)
        self._bookmarks: dict[str, Bookmark] = {}
        if self._path is None:
            return
        try:
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
            self._bookmarks = _parsed(text) if text.strip() else {}
        except OSError as error:
            raise ConfigurationError(f"state: the file {path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise ConfigurationError(
                f"state: the file {path} is no file of bookmarks: {error}.",
                hint="Name another file, or delete this one: then the servers are looked back at as far as since says.",
            ) from error
        problem = self.save()
        if problem is not None:
            raise ConfigurationError(problem, hint="Name a file in a folder that may be written to.")

    def of(self, server: str) -> Bookmark:
        """Returns the bookmark of a server; an empty one of a server that was never read."""
        return self._bookmarks.get(server, Bookmark())

    def keep(self, server: str, bookmark: Bookmark) -> str | None:
        """Keeps a bookmark; returns why it could not be written, None where it was. In memory it is kept all the
        same."""
        if self._bookmarks.get(server) == bookmark:
            return None
        self._bookmarks[server] = bookmark
        return self.save()

    def save(self) -> str | None:
        """Writes the file; returns why that could not be, None where it could."""
        if self._path is None:
            return None
        plain = {
            _MARK: _VERSION,
            "servers": {name: bookmark.to_plain() for name, bookmark in sorted(self._bookmarks.items())},
        }
        try:
            _replace(self._path, json.dumps(plain, indent=1))
        except OSError as error:
            return f"state: the file {self._path} cannot be written: {error.strerror}."
        return None


def _parsed(text: str) -> dict[str, Bookmark]:
    plain = json.loads(text)
    if not isinstance(plain, Mapping) or plain.get(_MARK) != _VERSION or not isinstance(plain.get("servers"), Mapping):
        raise ValueError("it was not written by this event source")
    return {str(name): bookmark_of(bookmark) for name, bookmark in plain["servers"].items()}


def _replace(path: Path, text: str) -> None:
    """Writes beside the file and puts that in its place; a link stays one."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
