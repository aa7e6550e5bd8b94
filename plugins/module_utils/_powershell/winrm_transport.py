# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""WinRM by pywinrm: its requests, one by one, in a loop of our own that has an end and survives what networks do.

Nothing of a script runs before the end of its input was sent, so until then everything may be begun anew. That end is
one request with nothing but a mark, which may be sent twice. After it only a script that reads is begun anew; for
another the answer is waited for, over as many connections as it takes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any, TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import (
    LONGEST_ABSENCE,
    LOST_ANSWER,
    RUN_AGAIN_HINT,
    Completed,
    TimeIsUp,
    WriteTimeIsUp,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock, pause_for
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap, library, replies
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.classify import (
    Kind,
    TransportError,
    classify,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.diagnostics import text_of
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import POWERSHELL_HINT
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.kerberos import Ticket
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target

_T = TypeVar("_T")

# Fits into the 150 kB that a message of Windows Server 2008 R2 may have, once it is base64 twice and sealed.
CHUNK = 96_000
_UTF8 = 65001
# Left behind by a connection that never came back, a shell ends itself; Windows' own default is two hours.
_IDLE_TIMEOUT = "PT15M"
_ATTEMPTS = 3
# What scripts answer is packed and comes to some MB for thousands of data sources; errors are read by people.
LARGEST_OUTPUT_BYTES = 64 * 1024**2
_LARGEST_ERRORS_BYTES = 256 * 1024
# A connection that was dropped is made anew at once; who is busy, or away, is given time.
_PAUSES = (0.0, 0.2, 1.0, 2.0, 5.0)
_BUSY_PAUSES = (0.3, 1.0)
# A host that is alive says within so long that an operation had no more time.
_LAST_ANSWER_SECONDS = 5.0
# So long ending a command, and deleting a shell, may take: a host that does not answer ends both by itself.
_ENDING_SECONDS = 5.0
_DELETING_SECONDS = 10.0


class _Retry(Exception):
    """The command is to be begun anew, if that is still allowed; `cause` is why."""

    def __init__(self, cause: TransportError) -> None:
        super().__init__()
        self.cause = cause


class WinRmTransport:
    """A transport with one shell on the host, made when it is first needed. Not for several threads."""

    def __init__(self, target: Target) -> None:
        """Raises ConfigurationError or ConnectionFailed; the host itself is not asked yet."""
        self._target = target
        self._shell: str | None = None
        self._protocol: Any = None
        self._established = False
        # When the request that is under way is given up at the latest, by the monotonic clock.
        self._latest = math.inf
        # When it last answered, by the monotonic clock.
        self._answered: float | None = None
        protocol = library.load_protocol(target.transport)
        self._ticket: Ticket | None = None
        if target.transport == "kerberos" and target.password:
            self._ticket = Ticket(target.username or "", target.password, forwardable=target.kerberos_delegation)
        try:
            self._protocol = self._understood(lambda: protocol(**target.protocol_arguments()))
        except TransportError as error:
            self.close()
            raise error.meaning from error
        except BaseException:
            self.close()
            raise
        replies.guard(self._protocol, lambda: self._latest - clock())
        self._operation_timeout: int = self._protocol.operation_timeout_sec

    @property
    def name(self) -> str:
        return self._target.name

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        attempts = absences = 0
        away_since = 0.0
        while True:
            answered, started = self._answered, clock()
            try:
                return self._run(data, deadline, repeatable)
            except _Retry as retry:
                kind = retry.cause.kind
                if kind is Kind.CONNECTION and answered is not None and answered == self._answered:
                    # It was there before and does not answer at all now: it may be on its way back.
                    away_since = started if not absences else away_since
                    goes_on = clock() - away_since < LONGEST_ABSENCE
                    pause = _PAUSES[min(absences, len(_PAUSES) - 1)]
                    absences += 1
                else:
                    attempts, absences = attempts + 1, 0
                    goes_on = attempts < _ATTEMPTS
                    pauses = _BUSY_PAUSES if kind in (Kind.QUOTA_SHELLS, Kind.QUOTA_OPERATIONS, Kind.BUSY) else _PAUSES
                    pause = pauses[min(attempts, len(pauses)) - 1]
                if not goes_on or clock() >= deadline:
                    raise retry.cause.meaning from retry
                self._prepare(kind)
                pause_for(min(pause, max(0.0, deadline - clock())))
            except TransportError as error:
                raise error.meaning from error

    def close(self) -> None:
        try:
            if self._protocol is not None:
                with contextlib.suppress(Exception):
                    self._delete_shell()
                with contextlib.suppress(Exception):
                    self._disconnect()
        finally:
            if self._ticket is not None:
                self._ticket.close()
                self._ticket = None

    def _run(self, data: bytes, deadline: float, repeatable: bool) -> Completed:
        command, input_taken = self._begin(data, deadline)
        ends = True
        try:
            if input_taken:
                return self._finish(command, deadline, repeatable)
            completed = self._finish(command, deadline, True, input_ended=True)
        except OutcomeUnknown as unknown:
            # It may still be at work there, and is left to come to its end.
            ends = isinstance(unknown, WriteTimeIsUp)
            raise
        except KeyboardInterrupt:
            if input_taken and not repeatable:
                # Somebody ended the run: a script that writes comes to its own end, and then the shell, left idle.
                ends, self._shell = False, None
            raise
        finally:
            if ends:
                self._end(command)
        said = text_of(completed.stderr) or text_of(completed.stdout)
        message = f"PowerShell on {self.name} ended with exit code {completed.exit_code} before it had read its input"
        raise ConnectionFailed(f"{message}: {said}" if said else f"{message}.", hint=POWERSHELL_HINT)

    # ---- before the end of the input: nothing has run

    def _begin(self, data: bytes, deadline: float) -> tuple[str, bool]:
        """Starts the command and sends its input but for the mark that ends it; returns its id, and whether the input
        was taken; raises _Retry or TransportError."""
        protocol = self._protocol
        first, *rest = bootstrap.command()
        try:
            if self._shell is None:
                self._shell = self._ask(
                    lambda: protocol.open_shell(codepage=_UTF8, noprofile=False, idle_timeout=_IDLE_TIMEOUT), deadline
                )
            command: str = self._ask(
                lambda: protocol.run_command(self._shell, first, rest, console_mode_stdin=False), deadline
            )
            for start in range(0, len(data), CHUNK):
                if clock() >= deadline:
                    raise _Retry(TransportError(Kind.FATAL, ConnectionFailed(f"{self.name} took too long.")))
                if not self._send(command, data[start : start + CHUNK], end=False, deadline=deadline):
                    return command, False
        except TransportError as error:
            if error.kind is Kind.FATAL:
                raise
            raise _Retry(error) from error
        return command, True

    def _send(self, command: str, data: bytes, *, end: bool, deadline: float) -> bool:
        """Sends a part of the input; False where nobody reads it any more."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._ask(lambda: self._protocol.send_command_input(self._shell, command, data, end=end), deadline)
                return True
            except TransportError as error:
                # A timeout of Send means that the process has not read it yet; the input is there.
                if error.kind is Kind.OPERATION_TIMEOUT:
                    return True
                if error.kind is Kind.PIPE_CLOSING:
                    return False
                if error.kind is not Kind.BUSY or attempt == _ATTEMPTS:
                    raise
                pause_for(_BUSY_PAUSES[attempt - 1])
        raise AssertionError("unreachable")

    # ---- from the end of the input on: it may have run

    def _finish(self, command: str, deadline: float, repeatable: bool, *, input_ended: bool = False) -> Completed:
        """Ends the input and takes the output; raises _Retry where the script is repeatable, else OutcomeUnknown."""
        stdout, stderr = bytearray(), bytearray()
        interrupted = False
        failing_since: float | None = None
        failures = 0
        while True:
            if clock() >= deadline:
                raise self._time_is_up(repeatable)
            try:
                if not input_ended:
                    # Where nobody reads any more, the mark came through before, or the process is gone: its output
                    # says which.
                    self._send(command, GO, end=True, deadline=deadline)
                    input_ended = True
                out, err, code, done = self._ask(
                    lambda: self._protocol.get_command_output_raw(self._shell, command), deadline
                )
                failing_since, failures = None, 0
                stdout += out
                stderr += err[: _LARGEST_ERRORS_BYTES - len(stderr)]
                if len(stdout) > LARGEST_OUTPUT_BYTES:
                    raise self._broken_off(self._too_much(), repeatable)
                if done:
                    return Completed(bytes(stdout), bytes(stderr), code, interrupted)
            except TransportError as error:
                if error.kind is Kind.OPERATION_TIMEOUT:
                    failing_since, failures = None, 0
                    continue
                now = clock()
                failing_since = now if failing_since is None else failing_since
                again = error.kind in (Kind.CONNECTION, Kind.BUSY) and now - failing_since <= LONGEST_ABSENCE
                if not again and not (error.kind is Kind.NOT_THE_ANSWER and failures < _ATTEMPTS - 1):
                    raise self._broken_off(error, repeatable) from error
                interrupted = True
                pause_for(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    def _time_is_up(self, repeatable: bool) -> StorageError:
        message = f"The script on {self.name} did not end in time and was stopped."
        if repeatable:
            return TimeIsUp(message, hint="It only reads: nothing was changed. Raise timeout.")
        return WriteTimeIsUp(message, hint=RUN_AGAIN_HINT)

    def _too_much(self) -> TransportError:
        much = f"A script on {self.name} wrote more than {LARGEST_OUTPUT_BYTES} bytes, which no script of ours does."
        return TransportError(Kind.FATAL, ConnectionFailed(much))

    def _broken_off(self, error: TransportError, repeatable: bool) -> Exception:
        if not repeatable:
            return OutcomeUnknown(f"{LOST_ANSWER}: {error.meaning.message}", hint=RUN_AGAIN_HINT)
        return error if error.kind is Kind.FATAL else _Retry(error)

    # ---- requests

    def _understood(self, request: Callable[[], _T]) -> _T:
        try:
            return request()
        except Exception as error:
            raise classify(error, self._target, self._established) from error

    def _ask(self, request: Callable[[], _T], deadline: float) -> _T:
        """Sends one request; raises TransportError. No operation takes longer than what is left until the deadline; a
        host that answers nothing is given up a little later."""
        self._latest = deadline + _LAST_ANSWER_SECONDS
        left = int(deadline - clock()) + 1
        self._protocol.operation_timeout_sec = max(1, min(self._operation_timeout, left))
        try:
            answer = self._understood(request)
        except TransportError as error:
            if error.kind in (Kind.CONNECTION, Kind.NOT_THE_ANSWER, Kind.FATAL):
                self._disconnect()
            raise
        self._established = True
        self._answered = clock()
        return answer

    def _prepare(self, kind: Kind) -> None:
        """Puts things in order for another attempt."""
        if kind is Kind.SHELL_LOST:
            self._shell = None
        elif kind is Kind.QUOTA_OPERATIONS:
            # Ending a command does not give its place back; ending its shell does.
            self._delete_shell()

    def _disconnect(self) -> None:
        self._protocol.transport.close_session()
        # Else what comes before the next logon would be taken for sealed.
        self._protocol.transport.encryption = None
        self._established = False

    def _end(self, command: str) -> None:
        if self._shell is None:
            return
        try:
            self._ask(lambda: self._protocol.cleanup_command(self._shell, command), clock() + _ENDING_SECONDS)
        except TransportError as error:
            if error.kind is Kind.SHELL_LOST:
                self._shell = None

    def _delete_shell(self) -> None:
        shell, self._shell = self._shell, None
        end = clock() + _DELETING_SECONDS
        for _attempt in range(2 if shell else 0):
            try:
                self._ask(lambda: self._protocol.close_shell(shell, close_session=False), end)
                return
            except TransportError as error:
                if error.kind not in (Kind.CONNECTION, Kind.NOT_THE_ANSWER):
                    return
