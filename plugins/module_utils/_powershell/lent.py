# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A task's own connection to a Windows host, lent by an action plugin: winrm, psrp or ssh, whatever the inventory
says."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import (
    AGAIN_HINT,
    UNKNOWN,
    TimeIsUp,
    WriteTimeIsUp,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Completed

# Those that give a command an input; the others could not be given a script.
_WITH_INPUT = ("winrm", "psrp", "ssh")
# What ssh itself ends with where it could not connect.
_SSH_FAILED = 255
_ATTEMPTS = 3
# A password that was refused is not tried again, so that no account is locked.
_REFUSED = {"InvalidCredentialsError", "AuthenticationError", "AuthenticationException"}
# How long a command that was ended may take to say so.
_ENDING = 5.0


class _Broken(Exception):
    """The connection failed while a command was on its way or running: it may have been run."""


class LentTransport:
    """A transport over a connection plugin of Ansible's. It belongs to the task: it is used, and not closed."""

    def __init__(self, connection: Any, name: str) -> None:
        """`connection` is the connection plugin, `name` how messages call the host; raises ConfigurationError."""
        self._connection = connection
        self._name = name
        self._kind = str(connection.transport).rpartition(".")[2]
        if self._kind not in _WITH_INPUT:
            raise ConfigurationError(
                f"The connection {self._kind} to {name} cannot give a command an input.",
                hint="Use connection winrm, psrp or ssh; or delegate_to: localhost and the option hostname.",
            )

    @property
    def name(self) -> str:
        return self._name

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        if self._kind == "ssh" and not repeatable:
            # It would run the command again, unasked, where the connection breaks off.
            self._connection.set_option("reconnection_retries", 0)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._run(data, deadline, repeatable)
            except _Broken as broken:
                message = f"The connection {self._kind} to {self._name} failed: {broken}"
                if not repeatable:
                    raise OutcomeUnknown(f"{UNKNOWN}: {message}", hint=AGAIN_HINT) from broken
                refused = type(broken.__cause__).__name__ in _REFUSED
                if refused or attempt == _ATTEMPTS or time.monotonic() >= deadline:
                    raise ConnectionFailed(message) from broken
                self._end()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """The connection is the task's: nothing is to be closed."""

    def _run(self, data: bytes, deadline: float, repeatable: bool) -> Completed:
        """Connects and runs the frame once; raises _Broken, and ConnectionFailed where it could not connect."""
        outcome: list[Completed | Exception] = []
        thread = threading.Thread(target=self._execute, args=(data, outcome), name="winbackup", daemon=True)
        thread.start()
        thread.join(max(0.0, deadline - time.monotonic()))
        if not outcome:
            # Nothing else ends a command that a connection plugin waits for.
            self._end()
            thread.join(_ENDING)
            message = f"The script on {self._name} did not end in time; the connection was closed."
            raise TimeIsUp(message) if repeatable else WriteTimeIsUp(message, hint=AGAIN_HINT)
        completed = outcome[0]
        if isinstance(completed, Exception):
            raise completed
        if self._kind == "ssh" and completed.exit_code == _SSH_FAILED:
            reason = completed.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise _Broken("".join(reason))
        return completed

    def _execute(self, data: bytes, outcome: list[Completed | Exception]) -> None:
        try:
            # A connection plugin may raise anything.
            try:
                self._connection._connect()
            except Exception as error:
                raise ConnectionFailed(
                    f"The connection {self._kind} to {self._name} cannot be made: {error}"
                ) from error
            try:
                code, stdout, stderr = self._connection.exec_command(
                    " ".join(bootstrap.command()), in_data=data + GO, sudoable=False
                )
            except Exception as error:
                raise _Broken(str(error)) from error
            outcome.append(Completed(_bytes(stdout), _bytes(stderr), int(code)))
        except (ConnectionFailed, _Broken) as error:
            outcome.append(error)

    def _end(self) -> None:
        """Closes the connection, and with it ends what runs there, as far as it can be reached."""
        for _attempt in range(2):
            try:
                self._connection.close()
                return
            except Exception:
                # What is sealed for a connection that is gone is refused: once more, over a new one.
                self._forget_session()
        with contextlib.suppress(Exception):
            self._connection.reset()

    def _forget_session(self) -> None:
        protocol = getattr(self._connection, "protocol", None)
        runspace = getattr(self._connection, "runspace", None)
        transport = getattr(protocol or getattr(runspace, "connection", None), "transport", None)
        if transport is not None:
            with contextlib.suppress(Exception):
                (transport.close_session if protocol else transport.close)()
            transport.encryption = None


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
