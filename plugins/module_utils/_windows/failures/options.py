# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the options of backup_failure_info mean; each error names its option. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.spans import span_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Signature

# Windows keeps no time before this in a log.
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Since:
    """How far back is looked: to a time, or (None) so many seconds back from the clock of the machine."""

    time: datetime | None
    seconds: int


def since_of(text: str) -> Since:
    """Returns what `since` means; raises ConfigurationError."""
    try:
        age = span_of(text)
    except ValueError as error:
        raise ConfigurationError(f"since {error}.") from error
    if age is not None:
        return Since(None, int(age.total_seconds()))
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigurationError(
            f"since is no time: {text}.", hint="Write a time like 2026-11-24T22:00:00Z, or an age like 24h or 7d."
        ) from None
    time = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).astimezone(UTC)
    if time < _FIRST:
        raise ConfigurationError(f"since must be later than {_FIRST:%Y-%m-%d}, not {text}.")
    return Since(time, 0)


def signatures_of(names: Iterable[str] | None) -> frozenset[Signature]:
    """Returns the signatures that are wanted; all where none is named."""
    return frozenset(Signature(name) for name in names or ()) or frozenset(Signature)
