# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""powershell.exe of the lab's host: a real `pwsh` where the switch is on and there is one, else the lab's evaluator."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Mapping

from powershell import Session, UnknownConstruct

from .processes import Commands, Process, codec_of, program

# Set to 1, the scripts run in the `pwsh` of this machine (without the commands of a model, which it cannot have).
SWITCH = "WINBACKUP_LAB_PWSH"
_NAMES = ("powershell", "powershell.exe")


class PowerShellCommands:
    """Runs `powershell -EncodedCommand ...`; every other command is one of the protocol's own tests.

    `new_session(process)` makes one session a process, as one powershell.exe has one connection to the server that it
    is about.
    """

    def __init__(self, new_session: Callable[[Process], Session] = lambda process: Session()) -> None:
        self.new_session = new_session
        self._others = Commands()

    def start(self, command_line: str, environment: Mapping[str, str], codepage: int) -> Process:
        words = command_line.split()
        if not words or words[0].lower() not in _NAMES:
            return self._others.start(command_line, environment, codepage)
        lower = [word.lower() for word in words]
        encoded = next((words[place + 1] for place, word in enumerate(lower[:-1]) if word == "-encodedcommand"), "")
        script = base64.b64decode(encoded).decode("utf-16-le")
        pwsh = shutil.which("pwsh") if os.environ.get(SWITCH) == "1" else None
        if pwsh:
            return program([pwsh, *words[1:]], {**os.environ, **environment})
        return Process(lambda process: self._evaluate(process, script, codec_of(codepage)))

    def _evaluate(self, process: Process, script: str, codec: str) -> int:
        text = process.read_all_stdin().decode(codec, "replace")
        session = self.new_session(process)
        try:
            outcome = session.run(script, input_lines=text.splitlines())
        except UnknownConstruct as unknown:
            process.write("stderr", f"the lab's evaluator does not know this: {unknown}\r\n".encode(codec, "replace"))
            return 1
        process.write("stdout", "".join(f"{line}\r\n" for line in outcome.output).encode(codec, "replace"))
        if outcome.error is not None:
            process.write("stderr", f"{outcome.error.record.message}\r\n".encode(codec, "replace"))
        return outcome.exit_code
