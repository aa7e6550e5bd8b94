# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Jobs and alerts, from what the script read_server returns to the facts of the domain. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import VALIDATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.dpm_values import (
    code_of,
    flag_of,
    references_of,
    rows_of,
    text_of,
    time_of,
    word_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import Directory, Reference
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Alert, Job

# Alerts that a replica is inconsistent.
_INCONSISTENT_CODES = frozenset({3106, 3163})


def jobs_of(answer: Mapping[str, Any], key: str, known: Directory) -> tuple[Job, ...] | None:
    """Returns jobs, without those that could not be read; None where none could, or one of those that run could not."""
    rows = rows_of(answer, key)
    broken = [row for row in rows if row.get("unreadable")]
    if not isinstance(answer.get(key), list) or (key == "running" and broken):
        return None
    return tuple(_job(row, known) for row in rows if row not in broken)


def checks_of(answer: Mapping[str, Any], known: Directory) -> tuple[Job, ...] | None:
    """Returns the jobs that DPM itself listed as consistency checks, whatever it calls their type; None where it did
    not list any."""
    if not isinstance(answer.get("checks"), list):
        return None
    rows = [row for row in rows_of(answer, "checks") if not row.get("unreadable")]
    return tuple(replace(_job(row, known), type=VALIDATION) for row in rows)


def _job(row: Mapping[str, Any], known: Directory) -> Job:
    errors = [
        one for one in rows_of(row, "errors") if any(text_of(one.get(key)) for key in ("code", "message", "problem"))
    ]
    first = errors[0] if errors else {}
    message = text_of(first.get("message")) or text_of(first.get("problem"))
    return Job(
        id=text_of(row.get("id")),
        # Where there is a category, the type is what the console shows, in the server's language.
        type=word_of(row.get("category")) or word_of(row.get("type")),
        status=word_of(row.get("status")),
        started=time_of(row.get("started")),
        ended=time_of(row.get("ended")),
        completed=flag_of(row.get("completed")),
        sources=_sources_of(row, known),
        protection_group=text_of(row.get("group")),
        error_code=_error_code(first),
        message=message,
        problem=text_of(first.get("problem")),
    )


def _error_code(row: Mapping[str, Any]) -> int | None:
    """Returns DPM's number of an error: told as such, else out of its texts, of which the long one has it."""
    return (
        count_of(text_of(row.get("code")) or "")
        or code_of(text_of(row.get("problem")))
        or code_of(text_of(row.get("message")))
    )


def _sources_of(row: Mapping[str, Any], known: Directory) -> frozenset[str]:
    """Returns the data sources of a job. Where it tells names only, its tasks tell the computers as well."""
    sources, paths = references_of(row.get("sources")), references_of(row.get("paths"))
    if all(one.ids for one in sources):
        return known.find(sources) or known.find(paths)
    return known.find(paths) or known.find(sources)


def alerts_of(answer: Mapping[str, Any], known: Directory) -> tuple[Alert, ...] | None:
    """Returns the alerts, without those that could not be read; None where none could."""
    if not isinstance(answer.get("alerts"), list):
        return None
    return tuple(_alert(row, known) for row in rows_of(answer, "alerts") if not row.get("unreadable"))


def _alert(row: Mapping[str, Any], known: Directory) -> Alert:
    names = [text for key in ("target", "area") if (text := text_of(row.get(key))) is not None]
    server = text_of(row.get("server"))
    computers = () if server is None else (server,)
    about = known.find(references_of(row.get("sources"))) or known.find(
        Reference(names=(name,), computers=computers) for name in names
    )
    kind, message, code = word_of(row.get("type")), text_of(row.get("message")), _error_code(row)
    return Alert(
        id=text_of(row.get("id")),
        severity=word_of(row.get("severity")),
        type=kind,
        since=time_of(row.get("since")),
        message=message or text_of(row.get("problem")),
        # By name alone it is nobody's if it could be that of several.
        source=next(iter(about)) if len(about) == 1 else None,
        computer=known.computer((*names, *computers)),
        code=code,
        about_inconsistency=_about_inconsistency(kind, message, code),
    )


def _about_inconsistency(kind: str | None, message: str | None, code: int | None) -> bool | None:
    """Tells whether an alert calls a replica inconsistent; None where neither its type nor a number tells what it is.

    The text counts where it is the English one. It never proves the contrary.
    """
    said = "inconsistent" in (kind or "") or "replica is inconsistent" in (message or "").lower()
    if code in _INCONSISTENT_CODES or said:
        return True
    return None if code is None and (kind is None or kind.isdigit()) else False
