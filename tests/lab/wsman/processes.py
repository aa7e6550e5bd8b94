# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command runs as: a process with standard streams. Who starts it is an Executor."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol


class Terminated(Exception):
    """Raised inside a process that was ended from outside."""


@dataclass(frozen=True)
class PowerShellError:
    """An error record, as PowerShell Remoting carries it; `number` is that of its category."""

    message: str
    error_id: str
    category: str = "OperationStopped"
    number: int = 14
    reason: str = "RuntimeException"


class Process:
    """A running command. `body(process)` is what it does, in a thread of its own; what it returns is its exit code.

    `records` are the errors of a PowerShell; what of them it writes to stderr is text.
    """

    def __init__(self, body: Callable[[Process], int]) -> None:
        self.changed = threading.Condition()
        self.exit_code: int | None = None
        self.terminated = False
        self.records: list[PowerShellError] = []
        self._input = bytearray()
        self._input_ended = False
        self._input_is_console = False
        self._output: list[tuple[str, bytes]] = []
        self._body = body
        self._at_end: list[Callable[[], None]] = []
        threading.Thread(target=self._run, name="lab process", daemon=True).start()

    def _run(self) -> None:
        try:
            code = self._body(self)
        except Terminated:
            code = 1
        except Exception as error:
            self.write("stderr", f"the lab's process failed: {type(error).__name__}: {error}\r\n".encode())
            code = 1
        with self.changed:
            self.exit_code = code
            self.changed.notify_all()

    def write_stdin(self, data: bytes, end: bool) -> bool:
        """Gives the process input; False where nobody reads any more."""
        with self.changed:
            if self._input_is_console:
                return True
            if self.exit_code is not None or self._input_ended:
                return False
            self._input += data
            self._input_ended = end
            self.changed.notify_all()
            return True

    def detach_stdin(self) -> None:
        """Makes the input a console: no pipe that the process could read to its end, whatever is sent."""
        with self.changed:
            self._input_is_console = self._input_ended = True
            self.changed.notify_all()

    def read_stdin(self) -> bytes:
        """For the process: some input, b"" at its end; raises Terminated."""
        with self.changed:
            while not self._input and not self._input_ended and not self.terminated:
                self.changed.wait()
            if self.terminated:
                raise Terminated
            data, self._input = bytes(self._input), bytearray()
            return data

    def read_all_stdin(self) -> bytes:
        """For the process: all input, to its end."""
        parts = list(iter(self.read_stdin, b""))
        return b"".join(parts)

    def write(self, stream: str, data: bytes) -> None:
        """For the process: writes to "stdout" or "stderr"."""
        with self.changed:
            if data and not self.terminated:
                self._output.append((stream, data))
                self.changed.notify_all()

    def take(self, limit: int, seconds: float) -> tuple[list[tuple[str, bytes]], bool]:
        """Waits for output or the end; returns what was written, `limit` bytes at most, and whether that was all."""
        with self.changed:
            self.changed.wait_for(lambda: self._output or self.exit_code is not None, seconds)
            taken: list[tuple[str, bytes]] = []
            while self._output and limit > 0:
                stream, data = self._output.pop(0)
                if len(data) > limit:
                    self._output.insert(0, (stream, data[limit:]))
                    data = data[:limit]
                limit -= len(data)
                taken.append((stream, data))
            return taken, self.exit_code is not None and not self._output

    def on_termination(self, action: Callable[[], None]) -> None:
        """For the process: what else has to end with it."""
        self._at_end.append(action)

    def terminate(self) -> None:
        """Ends the process."""
        with self.changed:
            self.terminated = True
            self.changed.notify_all()
        for action in self._at_end:
            action()


class Executor(Protocol):
    """Starts commands. `command_line` is the whole line; a command that cannot be found writes that to stderr."""

    def start(self, command_line: str, environment: Mapping[str, str], codepage: int) -> Process:
        """Starts a command."""


def codec_of(codepage: int) -> str:
    """Python's name of a console code page."""
    return "utf-8" if codepage == 65001 else f"cp{codepage}"


class Commands:
    """Simple commands for tests of the protocol itself: `cat`, `echo`, `exit`, `bytes`, `sleep`, `env`, and cmd's own
    refusals."""

    def start(self, command_line: str, environment: Mapping[str, str], codepage: int) -> Process:
        words = command_line.split()
        name = words[0].lower() if words else ""
        codec = codec_of(codepage)
        actions: dict[str, Callable[[Process], int]] = {
            "cat": self._cat,
            "echo": lambda process: self._say(process, " ".join(words[1:]), codec),
            "exit": lambda process: int(words[1]),
            "bytes": lambda process: self._bytes(process, int(words[1])),
            "sleep": self._sleep,
            "env": lambda process: self._say(process, environment.get(words[1], ""), codec),
        }
        missing = f"'{name}' is not recognized as an internal or external command,\r\noperable program or batch file."
        return Process(actions.get(name) or (lambda process: self._say(process, missing, codec, "stderr", 1)))

    @staticmethod
    def _cat(process: Process) -> int:
        for data in iter(process.read_stdin, b""):
            process.write("stdout", data)
        return 0

    @staticmethod
    def _say(process: Process, text: str, codec: str, stream: str = "stdout", code: int = 0) -> int:
        process.write(stream, (text + "\r\n").encode(codec, "replace"))
        return code

    @staticmethod
    def _bytes(process: Process, count: int) -> int:
        block = bytes(range(256)) * 256
        for start in range(0, count, len(block)):
            process.write("stdout", block[: count - start])
        return 0

    @staticmethod
    def _sleep(process: Process) -> int:
        with process.changed:
            process.changed.wait_for(lambda: process.terminated)
        raise Terminated


def program(arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
    """A process of this machine, its streams joined to a process of the lab."""

    def body(process: Process) -> int:
        child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(environment)
        )
        process.on_termination(child.kill)

        def copy(stream: str, source: IO[bytes] | None) -> None:
            for data in iter(lambda: source.read1(65536) if source else b"", b""):  # type: ignore[attr-defined]
                process.write(stream, data)

        copies = [
            threading.Thread(target=copy, args=(stream, source), daemon=True)
            for stream, source in (("stdout", child.stdout), ("stderr", child.stderr))
        ]
        for thread in copies:
            thread.start()
        assert child.stdin is not None
        try:
            for data in iter(process.read_stdin, b""):
                child.stdin.write(data)
                child.stdin.flush()
            child.stdin.close()
        except (BrokenPipeError, Terminated):
            pass
        for thread in copies:
            thread.join()
        return child.wait()

    return Process(body)
