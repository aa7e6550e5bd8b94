# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A task's own connection to a Windows host, lent by an action plugin: winrm, psrp or ssh, whatever the inventory
says."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
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
_NOT_SHARED = "-o ControlPath=none"
_ATTEMPTS = 3
# How long a host that was there may be away, in seconds, and the pauses between looks.
_AWAY = 60.0
_PAUSES = (0.2, 1.0, 2.0, 5.0)
# How long a command that was ended may take to say so; how often it is ended, and the pause that grows in between.
_ENDING = 5.0
_ENDINGS = 4
_ENDING_PAUSE = 0.2
_REFUSED = re.compile(
    "credentials were rejected|failed to authenticate|Kerberos auth failure|error status from the server|"
    "integrity check failed|preauthentication failed|password|"
    r"Permission denied \(|Too many authentication failures|Host key verification failed",
    re.IGNORECASE,
)
# What the program ssh says where it had no connection on which it could ask for a command. Ansible's plugin puts it
# behind words of its own, and says the same of every connection that fails.
_SSH_NOT_CONNECTED = re.compile(
    r"(?:^|over ssh: )(?:ssh: connect to host |ssh: Could not resolve hostname |kex_exchange_identification: |"
    r"banner exchange: |Connection timed out during banner exchange|Unable to negotiate with |"
    r"Host key verification failed|(?:\S+: )?Permission denied(?: \(|, please))",
    re.MULTILINE | re.IGNORECASE,
)


class _Failed(Exception):
    """An exception of a connection plugin, as text."""

    def __init__(self, error: Exception) -> None:
        super().__init__(re.sub(r"\s+", " ", str(error) or type(error).__name__).rstrip(". "))
        self.refused = _is_refusal(error, fresh=False)


class _NotConnected(_Failed):
    """There is no connection: nothing was run."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.refused = _is_refusal(error, fresh=True)


class _Broken(_Failed):
    """The connection failed while a command was on its way or running: it may have been run."""


class LentTransport:
    """A transport over a connection plugin of Ansible's. It belongs to the task: it is used, and not closed."""

    def __init__(self, connection: Any, name: str) -> None:
        """`connection` is the connection plugin, `name` how messages call the host; raises ConfigurationError."""
        self._connection = connection
        self._name = name
        self._was_there = False
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
            self._run_once()
        attempts = absences = 0
        away_since = 0.0
        while True:
            started = time.monotonic()
            try:
                return self._run(data, deadline, repeatable)
            except _NotConnected as failed:
                away_since = started if not absences else away_since
                waited = time.monotonic() - away_since >= _AWAY or time.monotonic() >= deadline
                if failed.refused or waited or not self._was_there:
                    message = f"The connection {self._kind} to {self._name} cannot be made: {failed}."
                    raise ConnectionFailed(message) from failed
                # It was there before: it may be on its way back.
                time.sleep(min(_PAUSES[min(absences, len(_PAUSES) - 1)], max(0.0, deadline - time.monotonic())))
                absences += 1
            except _Broken as failed:
                message = f"The connection {self._kind} to {self._name} failed: {failed}."
                if not repeatable:
                    self._leave()
                    raise OutcomeUnknown(f"{UNKNOWN}: {message}", hint=AGAIN_HINT) from failed
                attempts, absences = attempts + 1, 0
                over = attempts == _ATTEMPTS or time.monotonic() >= deadline
                if failed.refused or over or not self._end():
                    raise ConnectionFailed(message) from failed

    def close(self) -> None:
        """The connection is the task's: nothing is to be closed."""

    def _run_once(self) -> None:
        """Keeps the connection ssh from running a command again, unasked, where it breaks off."""
        self._connection.set_option("reconnection_retries", 0)
        # That option or not, it does so once more where ssh, before that, found the other end of a shared connection
        # gone. The first word about an option of ssh is the one that counts.
        arguments = self._connection.get_option("ssh_args") or ""
        if not arguments.startswith(_NOT_SHARED):
            self._connection.set_option("ssh_args", f"{_NOT_SHARED} {arguments}")

    def _run(self, data: bytes, deadline: float, repeatable: bool) -> Completed:
        """Connects and runs the frame once; raises _NotConnected or _Broken."""
        outcome: list[Completed | _Failed] = []
        thread = threading.Thread(target=self._execute, args=(data, outcome), name="winbackup", daemon=True)
        thread.start()
        thread.join(max(0.0, deadline - time.monotonic()))
        if not outcome:
            # Nothing else ends a command that a connection plugin waits for.
            self._end()
            self._join(thread)
            message = f"The script on {self._name} did not end in time; the connection was closed."
            raise TimeIsUp(message) if repeatable else WriteTimeIsUp(message, hint=AGAIN_HINT)
        completed = outcome[0]
        if isinstance(completed, _Failed):
            raise completed
        self._was_there = True
        return completed

    def _join(self, thread: threading.Thread) -> None:
        """Waits a while for a thread whose command was ended."""
        if self._kind != "ssh":
            thread.join(_ENDING)
            return
        end = time.monotonic() + _ENDING
        while thread.is_alive() and time.monotonic() < end:
            _end_program(thread)
            thread.join(_ENDING_PAUSE)

    def _execute(self, data: bytes, outcome: list[Completed | _Failed]) -> None:
        # A connection plugin may raise anything.
        try:
            self._connection._connect()
        except Exception as error:
            # Else psrp takes what it could not open for open the next time.
            with contextlib.suppress(Exception):
                self._connection.close()
            outcome.append(_NotConnected(error))
            return
        self._was_there = self._was_there or self._kind != "ssh"
        try:
            code, stdout, stderr = self._connection.exec_command(
                " ".join(bootstrap.command()), in_data=data + GO, sudoable=False
            )
        except Exception as error:
            never = self._kind == "ssh" and _SSH_NOT_CONNECTED.search(str(error))
            outcome.append(_NotConnected(error) if never else _Broken(error))
        else:
            outcome.append(Completed(_bytes(stdout), _bytes(stderr), int(code)))

    def _end(self) -> bool:
        """Closes the connection, and with it ends what runs there, as far as it can be reached; returns False where the
        logon for that was refused."""
        for attempt in range(_ENDINGS):
            try:
                self._connection.close()
                return True
            except Exception as error:
                if _is_refusal(error, fresh=attempt > 0):
                    return False
                # What is sealed for a connection that is gone is refused: once more, over a new one. A thread that
                # still waits there may come in between; it ends with its first failure.
                self._forget_session()
                time.sleep(_ENDING_PAUSE * attempt)
        try:
            self._connection.reset()
        except Exception as error:
            with contextlib.suppress(Exception):
                self._connection.close()
            return not _is_refusal(error, fresh=True)
        return True

    def _leave(self) -> None:
        """Forgets the connection without ending what runs there: a script that writes may still be at work."""
        for name in ("protocol", "shell_id", "runspace"):
            if hasattr(self._connection, name):
                setattr(self._connection, name, None)
        self._connection._connected = False

    def _forget_session(self) -> None:
        protocol = getattr(self._connection, "protocol", None)
        runspace = getattr(self._connection, "runspace", None)
        transport = getattr(protocol or getattr(runspace, "connection", None), "transport", None)
        if transport is not None:
            with contextlib.suppress(Exception):
                (transport.close_session if protocol else transport.close)()
            transport.encryption = None


def _is_refusal(error: Exception, *, fresh: bool) -> bool:
    """Whether it was the logon, which is not to be tried again, so that no account is locked.

    `fresh`: on a new connection. On an old one CredSSP says the same where that one was dropped."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"InvalidCredentialsError", "AuthenticationError"} or _REFUSED.search(str(error)):
        return True
    return fresh and ("AuthenticationException" in names or "CredSSP" in str(error))


def _end_program(thread: threading.Thread) -> None:
    """Ends the program that a thread waits for: Ansible's ssh connection keeps it to itself."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, subprocess.Popen) and value.returncode is None:
                value.terminate()
        frame = frame.f_back


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
