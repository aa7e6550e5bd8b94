# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH on the lab's host: a real sshd for each connection, on a loopback port of its own, and behind it what runs
the commands of the host's other ways in.

The port is the lab's own; what it accepts it gives to `sshd -i`. So every process of it is a child of the lab's, and
none outlives it.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import ssh_session
from .processes import Executor, Process
from .shells import CMD_LIMIT, too_long
from .troubles import Entry, Trouble, Troubles

# Debian keeps the daemon out of an ordinary user's path.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_STREAMS = {"stdout": 1, "stderr": 2}
_PRIVILEGE_SEPARATION = Path("/run/sshd")
ADDRESS = "127.0.0.1"


def is_installed() -> bool:
    """Whether this machine has an OpenSSH server and its client."""
    return all(shutil.which(program, path=_PATH) for program in ("sshd", "ssh", "ssh-keygen"))


class SshHost:
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
        self.troubles = troubles or Troubles()
        self.default_shell = default_shell
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.key_file = folder / "ssh-key"
        self._executor, self._codepage, self._folder = executor, codepage, folder
        self._sshd = str(shutil.which("sshd", path=_PATH))
        self._connections: dict[int, subprocess.Popen[bytes]] = {}
        self._processes: list[Process] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._arriving = 0  # commands that have come and are not counted yet
        self._returning: threading.Timer | None = None
        self._closed = False
        self._configure()
        self._commands = socket.socket(socket.AF_UNIX)
        self._commands.bind(str(folder / "ssh.socket"))
        self._commands.listen(64)
        self._start_thread(self._accept_commands)
        self.port = self._listen(0)
        host_key = (folder / "ssh-host-key.pub").read_text(encoding="utf-8")
        (folder / "ssh-known-hosts").write_text(f"[{ADDRESS}]:{self.port} {host_key}", encoding="utf-8")

    def __enter__(self) -> SshHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the port, all connections and all commands."""
        self._closed = True
        self._stop_listening()
        if self._returning is not None:
            self._returning.cancel()
        self.drop_connections()
        _end(self._commands)
        for process in self._processes:
            process.terminate()

    @property
    def options(self) -> list[str]:
        """What tells OpenSSH's client whom to trust; nothing of this user's own counts."""
        named = {
            "UserKnownHostsFile": self._folder / "ssh-known-hosts",
            "GlobalKnownHostsFile": "none",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
        }
        return ["-F", "none", *(word for name, value in named.items() for word in ("-o", f"{name}={value}"))]

    def client(self, *command: str) -> list[str]:
        """The command line of OpenSSH's client for a command on this host."""
        where = ["-i", str(self.key_file), "-p", str(self.port), f"{self.user}@{ADDRESS}"]
        return ["ssh", "-o", "BatchMode=yes", *self.options, *where, *command]

    def variables(self) -> dict[str, Any]:
        """The variables of a host of an inventory."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": ADDRESS,
            "ansible_port": self.port,
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.key_file),
            "ansible_ssh_common_args": shlex.join(self.options),
            "ansible_control_path_dir": str(self._folder / "ssh"),
            "ansible_shell_type": "powershell",
        }

    def drop_connections(self) -> None:
        """Ends all connections, in the middle of whatever they do."""
        with self._lock:
            connections = list(self._connections)
        for number in connections:
            self._drop(number)

    def end_everything(self) -> None:
        """Ends all connections and commands; after it nothing of what was begun before is counted, logged or done."""
        self.drop_connections()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections and not self._arriving, 30):
                raise RuntimeError("connections of the lab's ssh did not end")
            processes, self._processes = self._processes, []
        for process in processes:
            process.terminate()

    def go_away(self, seconds: float) -> None:
        """As `drop_connections`, and connections are refused for a while."""
        self._stop_listening()
        self._returning = threading.Timer(seconds, self._come_back)
        self._returning.start()
        self.drop_connections()

    def wait_until_back(self) -> None:
        """Returns once a host that went away is there again."""
        if self._returning is not None:
            self._returning.join()

    def _come_back(self) -> None:
        if not self._closed:
            self._listen(self.port)

    def _configure(self) -> None:
        for name in ("ssh-host-key", self.key_file.name):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(self._folder / name)]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        shutil.copy(self.key_file.with_suffix(".pub"), self._folder / "ssh-authorized-keys")
        if os.geteuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        session = [sys.executable, "-I", "-S", str(Path(ssh_session.__file__)), str(self._folder / "ssh.socket")]
        # Without PAM a user whose account is locked ("!" in /etc/shadow) is refused, where sshd runs as root.
        (self._folder / "sshd.conf").write_text(
            f"""HostKey "{self._folder / "ssh-host-key"}"
AuthorizedKeysFile "{self._folder / "ssh-authorized-keys"}"
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PermitTTY no
PermitUserRC no
DisableForwarding yes
PrintMotd no
MaxSessions 100
ForceCommand exec {shlex.join(session)}
""",
            encoding="utf-8",
        )

    def _listen(self, port: int) -> int:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(64)
        self._listener = listener
        self._start_thread(self._accept, listener)
        return int(listener.getsockname()[1])

    def _stop_listening(self) -> None:
        _end(self._listener)

    @staticmethod
    def _start_thread(target: Any, *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name="ssh lab", daemon=True)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        command = [self._sshd, "-i", "-e", "-f", str(self._folder / "sshd.conf")]
        with open(self._folder / "sshd.log", "ab") as log, suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, self._lock:
                    # A group of its own, so that it can be ended whole.
                    process = subprocess.Popen(
                        command, stdin=connection, stdout=connection, stderr=log, start_new_session=True
                    )
                    self._connections[process.pid] = process
                self._start_thread(self._reap, process)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        # Waits and keeps its number, so that nobody else has it while it may be ended.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            del self._connections[process.pid]
            process.wait()
            self._changed.notify_all()

    def _drop(self, number: int) -> None:
        with self._lock:
            if number in self._connections:
                os.killpg(number, signal.SIGKILL)

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
            process = self._start(said["command"])
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

    def _start(self, line: str | None) -> Process:
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


def _end(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _no_terminal(process: Process) -> int:
    process.write("stderr", b"The lab has no shell for people: give a command.\r\n")
    return 1
