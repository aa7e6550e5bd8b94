# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The trends of a server's volumes, from the file of history that a call names."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.history import History
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import Past, sizes_to_keep
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import WINDOW, trend_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import short_name
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts


def opened(path: str | None, *, writes: bool) -> AbstractContextManager[History | None]:
    """Returns the history, to be used in a `with`; None where no file was named. Raises ConfigurationError."""
    return nullcontext() if path is None else History(path, writes=writes)


def keep_and_look(history: History, facts: Facts, *, writes: bool) -> tuple[Facts, Past]:
    """Adds the reading to the history where it `writes`, and returns the facts and what it tells; where the file fails
    the facts have a finding, and it tells nothing. Raises nothing of StorageError."""
    try:
        if writes:
            history.add(_server(facts), facts.now, sizes_to_keep(facts))
        return facts, past_of(history, facts)
    except StorageError as error:
        finding = Finding(
            "history_failed",
            "warning",
            f"Nothing can be said of the days ahead, and this reading may be missing there: {error.message}",
            "See to the file and its folder; the next reading is added as it comes.",
            "history",
        )
        return replace(facts, unreadable=(*facts.unreadable, finding)), Past({}, {})


def past_of(history: History, facts: Facts) -> Past:
    """Returns what the history tells of the server's volumes; raises StorageError."""
    readings = history.readings(_server(facts), facts.now - WINDOW - timedelta(days=1))
    trends = {key: trend_of(some) for key, some in readings.items()}
    return Past(readings, {key: trend for key, trend in trends.items() if trend is not None})


def _server(facts: Facts) -> str:
    """Returns how the history calls the server: by its computer's name, which every reading tells."""
    name = facts.machine.name or facts.server_name
    if name is None:
        raise StorageError("DPM does not tell the name of the server.")
    return short_name(name)
