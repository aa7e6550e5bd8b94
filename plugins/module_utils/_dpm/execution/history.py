# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The history of volumes: what was used of each at each reading, in one file of SQLite on the machine that reads.

A row is one volume at one time, about thirty bytes. Ten years of daily readings of a large server are some hundred
megabytes, of which a forecast reads the last days only, by an index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import Sizes, VolumeKey
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import Reading

# Files of ours are told by these two numbers in the header of SQLite.
_APPLICATION = 0x57425354
_VERSION = 1
_TABLES = (
    "CREATE TABLE volume (id INTEGER PRIMARY KEY, server TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
    " UNIQUE (server, name, kind))",
    "CREATE TABLE reading (volume INTEGER NOT NULL, time INTEGER NOT NULL, used INTEGER NOT NULL,"
    " allocated INTEGER NOT NULL, PRIMARY KEY (volume, time)) WITHOUT ROWID",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)
# Another run that writes is waited for that long, in seconds.
_PATIENCE = 30.0


class History:
    """A file of history. To be used in a `with`; `writes` makes the file where there is none yet.

    Raises ConfigurationError, which names the file, where it cannot be opened or is none of ours.
    """

    def __init__(self, path: str, *, writes: bool) -> None:
        self._path = path
        self._writes = writes
        if not writes and not Path(path).exists():
            raise ConfigurationError(
                f"history: there is no file {path} yet.",
                hint="winbackup.storage.dpm_allocation_info with the same history makes it, and adds to it each time.",
            )
        mode = "rwc" if writes else "ro"
        try:
            self._database = sqlite3.connect(
                f"{Path(path).absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE, isolation_level=None
            )
        except sqlite3.Error as error:
            raise self._cannot(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._database.close()
            raise self._cannot(error) from error
        except ConfigurationError:
            self._database.close()
            raise

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, server: str, time: datetime, volumes: Mapping[VolumeKey, Sizes]) -> None:
        """Adds one reading of a server, all of it or nothing; raises StorageError where it cannot be written."""
        try:
            with self._transaction():
                self._database.executemany(
                    "INSERT OR IGNORE INTO volume (server, name, kind) VALUES (?, ?, ?)",
                    [(server, key.name, key.kind) for key in volumes],
                )
                self._database.executemany(
                    "INSERT OR REPLACE INTO reading SELECT id, ?, ?, ? FROM volume"
                    " WHERE server = ? AND name = ? AND kind = ?",
                    [
                        (int(time.timestamp()), sizes.used_bytes, sizes.allocated_bytes, server, key.name, key.kind)
                        for key, sizes in volumes.items()
                    ],
                )
        except sqlite3.Error as error:
            raise StorageError(f"The history {self._path} could not be written: {error}") from error

    def readings(self, server: str, since: datetime) -> dict[VolumeKey, list[Reading]]:
        """Returns the readings of each volume of a server since then, by time; raises StorageError."""
        found: dict[VolumeKey, list[Reading]] = {}
        try:
            for name, kind, time, used in self._rows(server, since):
                found.setdefault(VolumeKey(name, kind), []).append(Reading(datetime.fromtimestamp(time, UTC), used))
        except sqlite3.Error as error:
            raise StorageError(f"The history {self._path} could not be read: {error}") from error
        return found

    def _rows(self, server: str, since: datetime) -> Iterable[tuple[str, str, int, int]]:
        return self._database.execute(
            "SELECT name, kind, time, used FROM volume CROSS JOIN reading ON volume.id = reading.volume"
            " WHERE server = ? AND time >= ? ORDER BY volume.id, time",
            (server, int(since.timestamp())),
        )

    def _prepare(self) -> None:
        """Makes the tables of a new file; raises ConfigurationError for a file that is none of ours."""
        if self._writes:
            with self._transaction():
                if self._is_new():
                    for statement in _TABLES:
                        self._database.execute(statement)
        if self._number("application_id") != _APPLICATION:
            raise ConfigurationError(f"history: {self._path} is a database of something else. Name another file.")
        if self._number("user_version") != _VERSION:
            raise ConfigurationError(f"history: {self._path} was written by a newer version of this collection.")

    def _is_new(self) -> bool:
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return tables == 0 and self._number("application_id") == 0

    def _number(self, name: str) -> int:
        (value,) = self._database.execute(f"PRAGMA {name}").fetchone()
        return int(value)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _cannot(self, error: sqlite3.Error) -> ConfigurationError:
        return ConfigurationError(
            f"history: {self._path} cannot be opened: {error}.",
            hint="Name a file in a folder that is there and that the user of this run may write to; the file itself is "
            "made by winbackup.storage.dpm_allocation_info.",
        )
