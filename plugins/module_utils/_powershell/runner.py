# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""PowerShell on a Windows host: a script and its parameters go in as data, data comes out."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import (
    LOST_ANSWER,
    RUN_AGAIN_HINT,
    Completed,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import WRITE_GRACE_SECONDS, clock
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.diagnostics import text_of
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import (
    POWERSHELL_HINT,
    CorruptReply,
    NoAnswer,
    ScriptFailed,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import make_input, read_answer
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.hints import hint_for
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport

_READ_ATTEMPTS = 3


class PowerShell:
    """Runs scripts over one transport, one after the other. Not for several threads."""

    def __init__(self, transport: Transport, prologue: str = "") -> None:
        """`prologue` is a script without parameters that runs before each script, in the same process."""
        self._transport = transport
        self._prologue = prologue

    def __enter__(self) -> PowerShell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what the transport holds; raises nothing."""
        self._transport.close()

    def run(
        self,
        script: str,
        parameters: Mapping[str, object],
        *,
        deadline: float,
        writes: bool = False,
        writes_end: float | None = None,
    ) -> Any:
        """Returns what a script returned, as JSON has it; `deadline` is a time of `clock()`.

        A script with `writes` gets the parameter SecondsLeft and begins nothing after that time; it ends itself, and
        only one that does not is ended from here, 120 s later or at `writes_end`. It is never run twice.

        Raises ScriptFailed; ConnectionFailed or ConfigurationError (nothing was run);
        for a script that writes OutcomeUnknown, for another TimeIsUp or NoAnswer."""
        for attempt in range(1, _READ_ATTEMPTS + 1):
            sent = dict(parameters)
            if writes:
                sent["SecondsLeft"] = max(0, int(deadline - clock()))
            request = make_input(script, sent, self._prologue)
            end = deadline
            if writes:
                end = writes_end if writes_end is not None else deadline + WRITE_GRACE_SECONDS
            completed = self._transport.execute(request.data, deadline=end, repeatable=not writes)
            try:
                answer = read_answer(completed.stdout, request.nonce)
            except CorruptReply as corrupt:
                # A part was lost with a connection: a script that only reads is run again.
                if completed.interrupted and not writes and attempt < _READ_ATTEMPTS:
                    continue
                raise self._no_answer(completed, corrupt, writes) from corrupt
            if "error" in answer:
                raise self._failure(answer["error"])
            return answer.get("data")
        raise AssertionError("unreachable")

    def _no_answer(self, completed: Completed, corrupt: CorruptReply, writes: bool) -> OutcomeUnknown | NoAnswer:
        said = text_of(completed.stderr)
        message = f"PowerShell on {self._transport.name} ended with exit code {completed.exit_code} and {corrupt}"
        message += f": {said}" if said else "."
        if writes:
            return OutcomeUnknown(f"{LOST_ANSWER}: {message}", hint=RUN_AGAIN_HINT)
        return NoAnswer(message, hint=hint_for(said) or POWERSHELL_HINT)

    def _failure(self, error: Mapping[str, Any]) -> ScriptFailed:
        kind = str(error.get("type") or "")
        message = str(error.get("message") or kind).strip()
        return ScriptFailed(
            f"PowerShell on {self._transport.name} refused: {message}",
            said=message,
            type=kind,
            error_id=str(error.get("id") or ""),
            category=str(error.get("category") or ""),
            hint=hint_for(kind, message, str(error.get("id") or "")),
        )
