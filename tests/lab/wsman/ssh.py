# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH on the lab's host: a real sshd, and behind it what runs the commands of the host's other ways in."""

from __future__ import annotations

import json
import shlex
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from openssh import SshServer, end

from . import ssh_session
from .processes import Executor, Process
from .shells import CMD_LIMIT, too_long
from .troubles import Entry, Trouble, Troubles

_STREAMS = {"stdout": 1, "stderr": 2}


class SshHost(SshServer):
    """Started at once, for the user of the tests, who has a key.

    `default_shell` is what sshd gives commands to on Windows: "cmd", or "powershell", which tells of a failed command
    only that it failed. `troubles` counts a command as a request "Exec"; of the kinds of trouble those of connections
    and hosts are known, and `delay`. A command whose connection is lost goes on.
    """

    def __init__(
        self,
        executor: Executor,
        folder: Path,
        troubles: Troubles | None = None,
        *,
        default_shell: str = "cmd",
        codepage: int = 437,
    ) -> None:
        session = [sys.executable, "-I", "-S", str(Path(ssh_session.__file__)), str(folder / "ssh.socket")]
        super().__init__(folder, f"exec {shlex.join(session)}")
        self.troubles = troubles or Troubles()
        self.default_shell = default_shell
        self._executor, self._codepage = executor, codepage
        self._processes: list[Process] = []
        self._arriving = 0  # commands that have come and are not counted yet
        self._commands = socket.socket(socket.AF_UNIX)
        self._commands.bind(str(folder / "ssh.socket"))
        self._commands.listen(64)
        self._start_thread(self._accept_commands)
        self._start()

    def __enter__(self) -> SshHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the port, all connections and all commands."""
        super().close()
        end(self._commands)
        for process in self._processes:
            process.terminate()

    def end_everything(self) -> None:
        """Ends all connections and commands; after it nothing of what was begun before is counted, logged or done."""
        self.drop_connections()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections and not self._arriving, 30):
                raise RuntimeError("connections of the lab's ssh did not end")
            processes, self._processes = self._processes, []
        for process in processes:
            process.terminate()

    def variables(self) -> dict[str, Any]:
        """The variables of a host of an inventory."""
        return {**super().variables(), "ansible_shell_type": "powershell"}

    def _accept_commands(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._commands.accept()
                self._start_thread(self._serve, link)

    def _arrived(self, link: socket.socket) -> tuple[dict[str, Any], Trouble | None] | None:
        """What a session asks for, counted and logged, and the trouble that it meets; None where its connection has
        ended meanwhile: a session starts slowly, and is no command of those who are gone."""
        with self._lock:
            self._arriving += 1
        try:
            said: dict[str, Any] = json.loads(_input(link))
            with self._lock:
                if int(said["connection"]) not in self._connections:
                    return None
            number, trouble = self.troubles.arrived("Exec")
            kind = None if trouble is None else trouble.kind
            connection = int(said["connection"])
            self.troubles.record(Entry(connection, number, "Exec", "ssh", self.user, True, False, 0, trouble=kind))
            return said, trouble
        finally:
            with self._changed:
                self._arriving -= 1
                self._changed.notify_all()

    def _serve(self, link: socket.socket) -> None:
        """Runs one command. Who asked for it may be gone at any time."""
        with link, suppress(OSError):
            arrived = self._arrived(link)
            if arrived is None:
                return
            said, trouble = arrived
            kind = None if trouble is None else trouble.kind
            connection = int(said["connection"])
            if trouble is not None and not self._happens(trouble.kind, trouble.seconds, connection):
                return
            process = self._run(said["command"])
            with self._lock:
                self._processes.append(process)
            self._start_thread(self._feed, link, process)
            loses_the_answer = kind in ("reset_after", "close_after")
            done = False
            while not done:
                taken, done = process.take(65536, 60)
                for stream, data in taken:
                    if not loses_the_answer:
                        link.sendall(ssh_session.OUTPUT.pack(_STREAMS[stream], len(data)) + data)
            if loses_the_answer:
                self._drop(connection)
                return
            code = str(self._code_of(process)).encode()
            link.sendall(ssh_session.OUTPUT.pack(ssh_session.EXIT, len(code)) + code)

    def _happens(self, kind: str, seconds: float, connection: int) -> bool:
        """Does what comes before a command; returns whether it is run."""
        if kind == "delay":
            threading.Event().wait(seconds)
        elif kind in ("reset_before", "close_before"):
            self._drop(connection)
        elif kind == "reboot":
            self.drop_connections()
        elif kind == "restart":
            self.go_away(seconds)
        elif kind not in ("reset_after", "close_after"):
            raise ValueError(f"the lab's ssh has no trouble {kind}")
        return kind in ("delay", "reset_after", "close_after")

    def _run(self, line: str | None) -> Process:
        if line is None:
            return Process(_no_terminal)
        if self.default_shell == "cmd" and len(line) > CMD_LIMIT:
            return Process(too_long)
        return self._executor.start(line, {}, self._codepage)

    def _code_of(self, process: Process) -> int:
        # What goes over the wire has 32 bits, what the client ends with has 8.
        code = (process.exit_code or 0) & 0xFF
        return min(code, 1) if self.default_shell == "powershell" else code

    @staticmethod
    def _feed(link: socket.socket, process: Process) -> None:
        with suppress(OSError):
            while data := _input(link):
                process.write_stdin(data, False)
        process.write_stdin(b"", True)


def _input(link: socket.socket) -> bytes:
    (length,) = ssh_session.INPUT.unpack(ssh_session.received(link, ssh_session.INPUT.size))
    return ssh_session.received(link, length)


def _no_terminal(process: Process) -> int:
    process.write("stderr", b"The lab has no shell for people: give a command.\r\n")
    return 1
