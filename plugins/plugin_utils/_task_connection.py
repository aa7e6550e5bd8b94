# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The connection that a task already has: one command with an input and a deadline over it, whatever the command.

Ansible's connection plugins winrm, psrp and ssh give a command an input, and nothing else is asked of them. What they
raise is understood here: whether there was no connection, so that nothing was run, or one that broke off.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import (
    LONGEST_ABSENCE,
    LOST_ANSWER,
    RUN_AGAIN_HINT,
    Completed,
    TimeIsUp,
    WriteTimeIsUp,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock, pause_for
from ansible_collections.winbackup.storage.plugins.plugin_utils._connection_failures import (
    describe_failure,
    is_refused_logon,
    ssh_had_no_connection,
)

# Those that give a command an input; the others could not be given a script.
WITH_INPUT = ("winrm", "psrp", "ssh")
_NOT_SHARED = "-o ControlPath=none"
_ATTEMPTS = 3
# The pauses between looks for a host that is away, in seconds.
_PAUSES = (0.2, 1.0, 2.0, 5.0)
# How long a command that was ended may take to say so; how often it is ended, and the pause that grows in between.
_ENDING = 5.0
_ENDINGS = 4
# How long closing a connection may take that a command did not end on, in seconds.
_CLOSING = 20.0
_ENDING_PAUSE = 0.2


def kind_of(connection: Any) -> str:
    """Returns the short name of a connection plugin, as "ssh"."""
    return str(connection.transport).rpartition(".")[2]


class _TransportError(Exception):
    """An exception of a connection plugin. `refused`: the logon was, and is not to be tried again."""

    def __init__(self, error: Exception, *, refused: bool) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.refused = refused


class _NotConnected(_TransportError):
    """There is no connection: nothing was run."""


class _ConnectionLost(_TransportError):
    """The connection failed while a command was on its way or running: it may have been run."""


class TaskConnection:
    """Runs commands over a connection plugin of Ansible's. It belongs to the task: it is used, and not closed."""

    def __init__(self, connection: Any, name: str) -> None:
        """`connection` is the connection plugin, `name` how messages call the host; raises ConfigurationError."""
        self._connection = connection
        self.name = name
        self._kind = kind_of(connection)
        self._was_there = False
        self._never_reached = False
        # What the user says of repeating commands and sharing connections, once it was asked for.
        self._users_options: dict[str, Any] = {}
        # How often a host that was never reached is looked for again here.
        self._retries = 0
        if self._kind not in WITH_INPUT:
            raise ConfigurationError(
                f"The connection {self._kind} to {name} cannot give a command an input.",
                hint="Use connection winrm, psrp or ssh; or delegate_to: localhost and the option hostname.",
            )

    @property
    def never_reached(self) -> bool:
        """Whether a connection was tried, and there never was one: the host is unreachable."""
        return self._never_reached and not self._was_there

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input and returns its output; `deadline` is a time of `clock()`.

        Raises ConnectionFailed where nothing was run. Once it may have been run: runs it again where that is
        `repeatable`, else raises OutcomeUnknown. Raises TimeIsUp or WriteTimeIsUp at the deadline."""
        if self._kind == "ssh":
            self._allow_repetition(repeatable)
        attempts = absences = 0
        away_since = 0.0
        while True:
            started = clock()
            try:
                return self._run(command, data, deadline, repeatable)
            except _NotConnected as failed:
                away_since = started if not absences else away_since
                waited = clock() - away_since >= LONGEST_ABSENCE or clock() >= deadline
                if failed.refused or waited or (not self._was_there and absences >= self._retries):
                    self._never_reached = True
                    raise self._failure("cannot be made", failed) from failed
                # It was there before, or the user wants it: it may be on its way back.
                pause_for(min(_PAUSES[min(absences, len(_PAUSES) - 1)], max(0.0, deadline - clock())))
                absences += 1
            except _ConnectionLost as failed:
                failure = self._failure("failed", failed)
                if not repeatable:
                    self._leave()
                    raise OutcomeUnknown(f"{LOST_ANSWER}: {failure.message}", hint=RUN_AGAIN_HINT) from failed
                attempts, absences = attempts + 1, 0
                over = attempts == _ATTEMPTS or clock() >= deadline
                if failed.refused or over or not self._end():
                    raise failure from failed

    def _failure(self, what: str, failed: _TransportError) -> ConnectionFailed:
        host, where = self._address()
        reason, hint = describe_failure(str(failed), host=host, where=where)
        return ConnectionFailed(f"The connection {self._kind} to {self.name} {what}: {reason}.", hint=hint)

    def _address(self) -> tuple[str, str]:
        """Returns the address that is connected to, and the same with its port, as far as the plugin tells them."""
        found: dict[str, object] = {}
        for name in ("remote_addr", "host", "port"):
            with contextlib.suppress(KeyError):
                found[name] = self._connection.get_option(name)
        host = str(found.get("remote_addr") or found.get("host") or self.name)
        return host, f"{host}:{found['port']}" if found.get("port") else host

    def _allow_repetition(self, allowed: bool) -> None:
        """Lets the connection ssh run a command again, unasked, where it breaks off, as often as the user says, or
        keeps it from that."""
        options = self._users_options
        if not options:
            names = ("reconnection_retries", "ssh_args", "password")
            options |= {name: self._connection.get_option(name) for name in names}
        arguments = options["ssh_args"] or ""
        # It would try a refused password as often, which locks accounts: with a password they are made here.
        retries = options["reconnection_retries"] if allowed else 0
        with_password = options["password"] or self._connection._play_context.password
        self._retries = retries if with_password else 0
        # Without any retry it does so once more where ssh, before that, found the other end of a shared connection
        # gone. The first word about an option of ssh is the one that counts.
        self._connection.set_option("reconnection_retries", 0 if with_password else retries)
        self._connection.set_option("ssh_args", arguments if allowed else f"{_NOT_SHARED} {arguments}")

    def _run(self, command: str, data: bytes, deadline: float, repeatable: bool) -> Completed:
        """Connects and runs the command once; raises _NotConnected or _ConnectionLost."""
        outcome: list[Completed | _TransportError] = []
        thread = threading.Thread(target=self._execute, args=(command, data, outcome), name="winbackup", daemon=True)
        thread.start()
        try:
            thread.join(max(0.0, deadline - clock()))
        except BaseException:
            # Somebody ended the run. What reads is ended there, too; what writes comes to its own end.
            if repeatable:
                self._end()
                self._join(thread)
            else:
                self._leave()
            raise
        if not outcome:
            # Nothing else ends a command that a connection plugin waits for; it may wait for the same host again.
            closing = threading.Thread(target=self._end, name="winbackup-end", daemon=True)
            closing.start()
            closing.join(_CLOSING)
            self._join(thread)
            message = f"The script on {self.name} did not end in time; the connection was closed."
            raise TimeIsUp(message) if repeatable else WriteTimeIsUp(message, hint=RUN_AGAIN_HINT)
        completed = outcome[0]
        if isinstance(completed, _TransportError):
            raise completed
        self._was_there = True
        return completed

    def _join(self, thread: threading.Thread) -> None:
        """Waits a while for a thread whose command was ended."""
        if self._kind != "ssh":
            thread.join(_ENDING)
            return
        end = clock() + _ENDING
        while thread.is_alive() and clock() < end:
            _end_program(thread)
            thread.join(_ENDING_PAUSE)

    def _execute(self, command: str, data: bytes, outcome: list[Completed | _TransportError]) -> None:
        # A connection plugin may raise anything.
        try:
            self._connection._connect()
        except Exception as error:
            # Else psrp takes what it could not open for open the next time.
            with contextlib.suppress(Exception):
                self._connection.close()
            outcome.append(_NotConnected(error, refused=is_refused_logon(error, new_connection=True)))
            return
        self._was_there = self._was_there or self._kind != "ssh"
        try:
            code, stdout, stderr = self._connection.exec_command(command, in_data=data, sudoable=False)
        except Exception as error:
            never = self._kind == "ssh" and ssh_had_no_connection(error)
            kind = _NotConnected if never else _ConnectionLost
            outcome.append(kind(error, refused=is_refused_logon(error, new_connection=never)))
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
                if is_refused_logon(error, new_connection=attempt > 0):
                    return False
                # What is sealed for a connection that is gone is refused: once more, over a new one. A thread that
                # still waits there may come in between; it ends with its first failure.
                self._forget_session()
                pause_for(_ENDING_PAUSE * attempt)
        try:
            self._connection.reset()
        except Exception as error:
            with contextlib.suppress(Exception):
                self._connection.close()
            return not is_refused_logon(error, new_connection=True)
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
