# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one family of exceptions: raised in the edges, turned into a failed task in _core/module.py."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class StorageError(Exception):
    """Something the user has to hear about: one sentence what happened, one what to do.

    `facts` are results gathered before the failure; they are returned with the failed task.
    """

    def __init__(self, message: str, *, hint: str | None = None, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts: dict[str, object] = dict(facts or {})

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class ConfigurationError(StorageError):
    """An option is wrong or missing, or a library or file on this machine is."""


class SelectionError(StorageError):
    """What the user named was not found, or names more than one thing."""


class ConnectionFailed(StorageError):
    """The server could not be reached or did not let us in; nothing was done."""


class LoginRefused(ConnectionFailed):
    """The server does not accept the user name and password. They are never sent again: accounts get locked."""


class OutcomeUnknown(StorageError):
    """A request was sent and its answer never came: it may have been carried out."""


class RefusalKind(StrEnum):
    """What a refusal is about, as far as it matters to what is done next. An edge turns its own faults into these."""

    DEVICE_OR_PLACE = "device_or_place"
    FILE_EXISTS = "file_exists"
    NO_PRIVILEGE = "no_privilege"
    LICENCE = "licence"
    # Somebody changed the object after the facts were read on which the step was decided.
    STALE = "stale"
    OTHER = "other"


class StepRefused(StorageError):
    """The server answered that it will not, or could not, do a step.

    `fault` is the server's own name of the fault ("InvalidDeviceSpec"): for the edge and for people to read, no one
    else decides by it. `said` are a program's own words, without the names of files: two of them may be compared.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: RefusalKind = RefusalKind.OTHER,
        fault: str = "",
        said: str = "",
        hint: str | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, facts=facts)
        self.kind = kind
        self.fault = fault
        self.said = said


class Unsupported(StorageError):
    """This way of reaching the server has no such step; nothing was sent, and others lead to the same end."""
