# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real sshd for each connection, on a loopback port of its own.

The port is the lab's own; what it accepts it gives to `sshd -i`. So every process of it is a child of the lab's, and
none outlives it.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

# Debian keeps the daemon out of an ordinary user's path.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_PRIVILEGE_SEPARATION = Path("/run/sshd")
ADDRESS = "127.0.0.1"


def is_installed() -> bool:
    """Whether this machine has an OpenSSH server and its client."""
    return all(shutil.which(program, path=_PATH) for program in ("sshd", "ssh", "ssh-keygen"))


class SshServer:
    """For the user of the tests, who has a key.

    `command` is what sshd runs, whatever it is asked for; `settings` are further lines of its configuration.
    """

    def __init__(self, folder: Path, command: str, settings: str = "") -> None:
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.key_file = folder / "ssh-key"
        self._folder = folder
        self._sshd = str(shutil.which("sshd", path=_PATH))
        self._connections: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._returning: threading.Timer | None = None
        self._closed = False
        self._refused = 0
        # How often somebody connected.
        self.connected = 0
        # The name of a socket has 107 characters at most, and a test's folder takes most of them.
        self._sockets = tempfile.mkdtemp(prefix="ssh-")
        self._configure(command, settings)

    def _start(self) -> None:
        self.port = self._listen(0)
        host_key = (self._folder / "ssh-host-key.pub").read_text(encoding="utf-8")
        (self._folder / "ssh-known-hosts").write_text(f"[{ADDRESS}]:{self.port} {host_key}", encoding="utf-8")

    def close(self) -> None:
        """Ends the port and all connections."""
        self._closed = True
        self.stop_listening()
        if self._returning is not None:
            self._returning.cancel()
        self.drop_connections()
        shutil.rmtree(self._sockets, ignore_errors=True)

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
            "ansible_control_path_dir": self._sockets,
        }

    def drop_connections(self) -> None:
        """Ends all connections, in the middle of whatever they do."""
        with self._lock:
            connections = list(self._connections)
        for number in connections:
            self._drop(number)

    def go_away(self, seconds: float) -> None:
        """As `drop_connections`, and connections are refused for a while."""
        self.stop_listening()
        self._returning = threading.Timer(seconds, self.listen_again)
        self._returning.start()
        self.drop_connections()

    def wait_until_back(self) -> None:
        """Returns once a host that went away is there again."""
        if self._returning is not None:
            self._returning.join()

    def listen_again(self) -> None:
        """Takes connections on the same port as before."""
        if not self._closed:
            self._listen(self.port)

    def stop_listening(self) -> None:
        """Refuses connections; those that are there stay."""
        end(self._listener)

    def refuse_connections(self, count: int) -> None:
        """Closes the next connections before a word is said, as MaxStartups does."""
        self._refused = count

    def _configure(self, command: str, settings: str) -> None:
        for name in ("ssh-host-key", self.key_file.name):
            generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(self._folder / name)]
            subprocess.run(generate, check=True, capture_output=True, timeout=60)
        shutil.copy(self.key_file.with_suffix(".pub"), self._folder / "ssh-authorized-keys")
        if os.geteuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
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
ForceCommand {command}
{settings}""",
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
                self.connected += 1
                if self._refused > 0:
                    self._refused -= 1
                    connection.close()
                    continue
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


def end(listener: socket.socket) -> None:
    """Ends a socket that somebody may be waiting on."""
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
