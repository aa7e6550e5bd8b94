# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""powershell.exe of the lab's host: the lab's evaluator, or a real `pwsh` where the switch is on and no model is
needed."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterable, Mapping

from powershell import ErrorRecord, Session, UnknownConstruct
from powershell.errors import ERROR_CATEGORY

from .processes import Commands, PowerShellError, Process, codec_of, program
from .psrp import text_of

# Set to 1, scripts that need no model run in the `pwsh` of this machine.
SWITCH = "LAB_PWSH"
_NAMES = ("powershell", "powershell.exe")


class PowerShellCommands:
    """Runs `powershell -EncodedCommand ...`; every other command is one of the protocol's own tests.

    `new_session(process)` makes one session a process, as one powershell.exe has one connection to the server that it
    is about. Its commands are a model's, which only the evaluator can call; `functions` are the same in PowerShell,
    with `environment` for them, where a real engine can have them. Without either there is no model.
    """

    def __init__(
        self,
        new_session: Callable[[Process], Session] | None = None,
        functions: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.new_session = new_session or (lambda process: Session())
        self._functions = functions
        self._environment = {**(environment or {})}
        self._engine = bool(functions) or new_session is None
        self._others = Commands()

    def start(self, command_line: str, environment: Mapping[str, str], codepage: int) -> Process:
        words = command_line.split()
        if not words or words[0].lower() not in _NAMES:
            return self._others.start(command_line, environment, codepage)
        lower = [word.lower() for word in words]
        encoded = next((words[place + 1] for place, word in enumerate(lower[:-1]) if word == "-encodedcommand"), "")
        script = base64.b64decode(encoded).decode("utf-16-le")
        if self._engine and os.environ.get(SWITCH) == "1":
            return self._run_for_real(script, {**os.environ, **self._environment, **environment})
        return Process(lambda process: self._evaluate(process, script, codec_of(codepage)))

    def _run_for_real(self, script: str, environment: Mapping[str, str]) -> Process:
        pwsh = shutil.which("pwsh")
        if pwsh is None:
            missing = f"{SWITCH} is set, and there is no pwsh on PATH.\r\n".encode()
            return Process(lambda process: process.write("stderr", missing) or 1)
        whole = base64.b64encode(f"{self._functions}\n{script}".encode("utf-16-le")).decode()
        return program([pwsh, "-NoProfile", "-NonInteractive", "-EncodedCommand", whole], environment)

    def _evaluate(self, process: Process, script: str, codec: str) -> int:
        text = process.read_all_stdin().decode(codec, "replace")
        session = self.new_session(process)
        try:
            outcome = session.run(script, input_lines=text.splitlines())
        except UnknownConstruct as unknown:
            process.write("stderr", f"the lab's evaluator does not know this: {unknown}\r\n".encode(codec, "replace"))
            return 1
        process.write("stdout", "".join(f"{line}\r\n" for line in outcome.output).encode(codec, "replace"))
        process.records = [
            _record(one) for one in (*outcome.errors, *([outcome.error.record] if outcome.error is not None else []))
        ]
        if process.records:
            process.write("stderr", clixml(process.records).encode(codec, "replace"))
        return outcome.exit_code


def _record(record: ErrorRecord) -> PowerShellError:
    category = ERROR_CATEGORY.members[record.category]
    reason = record.exception.type_name.rpartition(".")[2]
    return PowerShellError(record.message, record.error_id, record.category, category, reason)


def clixml(errors: Iterable[PowerShellError]) -> str:
    """What powershell.exe writes of errors to a stderr that is no console: the lines that a console would show."""
    lines: list[str] = []
    for error in errors:
        lines += [
            *error.message.splitlines(),
            f"    + CategoryInfo          : {error.category}: (:) [], {error.reason}",
        ]
        lines += [f"    + FullyQualifiedErrorId : {error.error_id}", " "]
    said = "".join(f'<S S="Error">{text_of(line)}_x000D__x000A_</S>' for line in lines)
    namespace = "http://schemas.microsoft.com/powershell/2004/04"
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="{namespace}">{said}</Objs>'
