# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remote shells of one host: who has how many, what runs in them, and what a request does to them."""

from __future__ import annotations

import base64
import binascii
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from . import soap
from .processes import Executor, Process
from .psrp import Pipeline, RunspacePool, encoded

# What fits into one answer of 150 kB, once it is base64.
RECEIVE_LIMIT = 110_000
CMD_LIMIT, CREATE_PROCESS_LIMIT = 8191, 32767
_STATE = f"{soap.SHELL}/CommandState"


@dataclass
class Quotas:
    """What one user may have at a time, and in which shape a refusal comes ("wmi", on 2008 R2 "wsman")."""

    shells: int = 30
    operations: int = 1500
    refusal: str = "wmi"
    idle_timeout: float = 7200.0


@dataclass
class Shell:
    """A shell: what it was made with, and the commands in it."""

    id: str
    owner: str
    codepage: int
    environment: dict[str, str]
    idle_timeout: float
    last_used: float
    commands: dict[str, Process | Pipeline] = field(default_factory=dict)
    # A shell of PowerShell Remoting has one; its commands are pipelines.
    pool: RunspacePool | None = None
    # Signal ends a command and does not give its place among the operations back.
    operations: int = 0


class Shells:
    """All shells of a host. `clock` tells seconds; idle shells are gone when their time is over."""

    def __init__(self, executor: Executor, quotas: Quotas, clock: Callable[[], float] = time.monotonic) -> None:
        self.executor = executor
        self.quotas = quotas
        self.clock = clock
        self.open: dict[str, Shell] = {}
        self.deleted: list[str] = []
        self._lock = threading.RLock()
        self._actions = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Delete": self._delete,
        }

    def answer(self, request: soap.Request, user: str) -> bytes:
        """Does what a request asks for; raises soap.Fault."""
        action = self._actions.get(request.action)
        if action is None:
            raise soap.Fault(
                2150858817, "a:ActionNotSupported", f"The action {request.action} is not supported by the lab."
            )
        return action(request, user)

    def lose_all(self) -> None:
        """What a restart of the host does."""
        with self._lock:
            lost, self.open = list(self.open.values()), {}
        for shell in lost:
            self._end(shell)

    def _expire(self) -> None:
        now = self.clock()
        for shell in [shell for shell in self.open.values() if now - shell.last_used > shell.idle_timeout]:
            self.open.pop(shell.id)
            self._end(shell)

    @staticmethod
    def _end(shell: Shell) -> None:
        for process in shell.commands.values():
            process.terminate()
        if shell.pool is not None:
            shell.pool.terminate()

    def _find(self, request: soap.Request, user: str) -> Shell:
        with self._lock:
            self._expire()
            shell = self.open.get((request.shell_id or "").upper())
            if shell is None:
                raise soap.no_such_shell()
            if shell.owner.lower() != user.lower():
                raise soap.access_denied()
            shell.last_used = self.clock()
            return shell

    def _process(self, request: soap.Request, user: str) -> tuple[str, Process | Pipeline | RunspacePool]:
        shell = self._find(request, user)
        command_id = request.command_id().upper()
        if shell.pool is not None and not command_id:
            return "", shell.pool
        if command_id not in shell.commands:
            raise soap.Fault(
                2150858859, "w:InvalidSelectors", "The Windows Remote Shell command was not found in the shell."
            )
        return command_id, shell.commands[command_id]

    def _create(self, request: soap.Request, user: str) -> bytes:
        with self._lock:
            self._expire()
            if (
                len([shell for shell in self.open.values() if shell.owner.lower() == user.lower()])
                >= self.quotas.shells
            ):
                raise soap.too_many_shells(self.quotas.shells, self.quotas.refusal)
            idle = request.text("IdleTimeOut") or request.text("IdleTimeout")
            shell = Shell(
                # A client of PowerShell Remoting names its shell itself.
                request.attribute("Shell", "ShellId").upper() or str(uuid.uuid4()).upper(),
                user,
                int(request.options.get("WINRS_CODEPAGE", "437")),
                {node.get("Name", ""): node.text or "" for node in request.all("Variable")},
                soap.seconds_of(idle) if idle else self.quotas.idle_timeout,
                self.clock(),
            )
            self.open[shell.id] = shell
        if request.resource.startswith(soap.POWERSHELL_RESOURCES):
            self._open_pool(shell, request)
        return soap.reply(
            request,
            f"{soap.TRANSFER}/CreateResponse",
            f"<x:ResourceCreated><a:Address>http://lab/wsman</a:Address><a:ReferenceParameters><w:ResourceURI>{request.resource}"
            f'</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
            f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId><rsp:ResourceUri>{request.resource}</rsp:ResourceUri>"
            f"<rsp:Owner>{escape(user)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
            f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
            "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>",
        )

    def _command(self, request: soap.Request, user: str) -> bytes:
        shell = self._find(request, user)
        with self._lock:
            used = sum(one.operations for one in self.open.values() if one.owner.lower() == user.lower())
            if used >= self.quotas.operations:
                raise soap.too_many_operations(self.quotas.operations, self.quotas.refusal)
            shell.operations += 1
        arguments = [node.text or "" for node in request.all("Arguments")]
        command_id = request.attribute("CommandLine", "CommandId").upper() or str(uuid.uuid4()).upper()
        if shell.pool is not None:
            if command_id in shell.commands:
                raise soap.Malformed("there is a pipeline of this id")
            pipeline = Pipeline(shell.pool, command_id)
            pipeline.write_stdin(_decoded("".join(arguments)), False)
            shell.commands[command_id] = pipeline
            return self._command_reply(request, command_id)
        line = " ".join([request.text("Command") or "", *arguments]).strip()
        through_cmd = request.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() != "TRUE"
        if not through_cmd and len(line) > CREATE_PROCESS_LIMIT:
            raise soap.Fault(
                0x800700CE, "w:InternalError", "The filename or extension is too long. ", value="s:Receiver"
            )
        if not through_cmd and "\\" not in line.split(" ", 1)[0]:
            raise soap.Fault(
                0x80070002, "w:InternalError", "The system cannot find the file specified. ", value="s:Receiver"
            )
        if through_cmd and len(line) > CMD_LIMIT:
            process = Process(too_long)
        else:
            process = self.executor.start(line, shell.environment, shell.codepage)
            if request.options.get("WINRS_CONSOLEMODE_STDIN", "FALSE").upper() == "TRUE":
                process.detach_stdin()
        shell.commands[command_id] = process
        return self._command_reply(request, command_id)

    def _open_pool(self, shell: Shell, request: soap.Request) -> None:
        def start(script: str) -> Process:
            # Each pipeline has a process of its own here; on a real host those of a pool share one.
            return self.executor.start(encoded(script), shell.environment, 65001)

        shell.pool = RunspacePool(shell.id, start)
        shell.pool.write_stdin(_decoded(request.text("creationXml") or ""), False)

    @staticmethod
    def _command_reply(request: soap.Request, command_id: str) -> bytes:
        return soap.reply(
            request,
            f"{soap.SHELL}/CommandResponse",
            f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>",
        )

    def _send(self, request: soap.Request, user: str) -> bytes:
        _, process = self._process(request, user)
        for stream in request.all("Stream"):
            data = _decoded(stream.text or "")
            if not process.write_stdin(data, stream.get("End", "false").lower() == "true"):
                raise soap.pipe_is_closing()
        return soap.reply(request, f"{soap.SHELL}/SendResponse", "<rsp:SendResponse/>")

    def _receive(self, request: soap.Request, user: str) -> bytes:
        command_id, process = self._process(request, user)
        taken, done = process.take(RECEIVE_LIMIT, request.operation_timeout)
        self._touch(request)
        if not taken and not done:
            raise soap.timed_out()
        whose = f' CommandId="{command_id}"' if command_id else ""
        parts = [
            f'<rsp:Stream Name="{stream}"{whose}>{base64.b64encode(data).decode()}</rsp:Stream>'
            for stream, data in taken
        ]
        if done:
            parts += [f'<rsp:Stream Name="{name}"{whose} End="true"/>' for name in ("stdout", "stderr")]
            code = (process.exit_code or 0) & 0xFFFFFFFF
            state = f'State="{_STATE}/Done"><rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>'
        else:
            state = f'State="{_STATE}/Running"/>'
        parts += [f"<rsp:CommandState{whose} {state}"] if command_id else []
        body = f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
        return soap.reply(request, f"{soap.SHELL}/ReceiveResponse", body)

    def _touch(self, request: soap.Request) -> None:
        shell = self.open.get((request.shell_id or "").upper())
        if shell is not None:
            shell.last_used = self.clock()

    def _signal(self, request: soap.Request, user: str) -> bytes:
        shell = self._find(request, user)
        process = shell.commands.pop(request.command_id().upper(), None)
        if process is not None:
            process.terminate()
        return soap.reply(request, f"{soap.SHELL}/SignalResponse", "<rsp:SignalResponse/>")

    def _delete(self, request: soap.Request, user: str) -> bytes:
        shell = self._find(request, user)
        with self._lock:
            self.open.pop(shell.id, None)
            self.deleted.append(shell.id)
        self._end(shell)
        return soap.reply(request, f"{soap.TRANSFER}/DeleteResponse", "")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise soap.Malformed("a stream is not base64") from error


def too_long(process: Process) -> int:
    """What cmd.exe does with a line of more than `CMD_LIMIT` characters."""
    process.write("stderr", b"The command line is too long.\r\n")
    return 1
