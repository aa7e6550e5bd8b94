# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of rdm_compatibility over SSH, here or in a process that can be killed, and the commands that it ran."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from esxi_shell import EsxiShell
from harness import Controller, options_for, started
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed, TimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.commands import rdm_compatibility

_ENDED = b"\n=== the script has ended ===\n"
_LOOP = (
    "echo ready; while read -r size; do /lab/busybox head -c $size | sh -s; "
    f"printf '\\n%s\\n' '{_ENDED.decode().strip()}'; done"
)


class Way:
    """A host's shell as the action plugins lend it, over one channel of OpenSSH's client: a session costs the lab most.

    In it a loop gives each script to a shell of its own, as sshd would. What breaks the connection breaks the channel,
    and the next script gets another one.
    """

    def __init__(self, shell: EsxiShell, name: str) -> None:
        self.shell, self.name = shell, name
        self.runs = 0
        self._channel: subprocess.Popen[bytes] | None = None

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input and returns its output."""
        self.runs += 1
        lost = ConnectionFailed if repeatable else OutcomeUnknown
        channel = self._channel or self._open()
        channel.stdin.write(b"%d\n" % len(data) + data)  # type: ignore[union-attr]
        try:
            channel.stdin.flush()  # type: ignore[union-attr]
            output = self._answer(channel, min(deadline - time.monotonic(), 120.0))
        except (BrokenPipeError, EOFError) as broken:
            self.close()
            raise lost("The connection was lost.") from broken
        except TimeoutError as late:
            self.close()
            raise TimeIsUp("The script did not end in time.") from late
        return Completed(output, b"", 0)

    def close(self) -> None:
        """Ends the channel."""
        if self._channel is not None:
            self._channel.kill()
            self._channel.communicate()
            self._channel = None

    def _open(self) -> subprocess.Popen[bytes]:
        channel = subprocess.Popen(
            self.shell.client(_LOOP), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert channel.stdout is not None
        if channel.stdout.readline() != b"ready\n":
            channel.kill()
            raise ConnectionFailed("There is no connection.")
        self._channel = channel
        return channel

    def _answer(self, channel: subprocess.Popen[bytes], seconds: float) -> bytes:
        pipe, output = channel.stdout, b""
        assert pipe is not None
        end = time.monotonic() + seconds
        while not output.endswith(_ENDED):
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError
            part = os.read(pipe.fileno(), 1 << 16)
            if not part:
                raise EOFError
            output += part
        return output.removesuffix(_ENDED)


class Killed(BaseException):
    """The controller is gone: nothing above may catch it."""


class DyingWay(Way):
    """A way whose controller dies before it sends the script of a step, or after the script was done."""

    step, when = "", ""

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input, unless the controller dies of it."""
        due = not repeatable and {**STEPS, **STEPS_OF_GIVING_UP}[self.step] in data.decode(errors="replace")
        if due and self.when == "before":
            raise Killed
        done = super().run(command, data, deadline=deadline, repeatable=repeatable)
        if due:
            raise Killed
        return done


# What each step's own script has, and no other one.
STEPS = {
    "claim": "told step '' true",
    "shutdown": "power.shutdown",
    "create": "told step '' vmkfstools -r",
    "detach": "device vmsvc/device.diskremove",
    "attach": "device vmsvc/device.diskaddexisting",
    "power on": "told step '' start",
    "close": '"open":null',
}
# And those of a host that takes no second mapping of a LUN.
STEPS_OF_GIVING_UP = {
    "spare": "told step '' vmkfstools -z",
    "give up": '"one_at_a_time":true',
    "delete": "told step '' vmkfstools -U",
    "forget": "rm -f '/vmfs/",
}


def killed_at(lab: VcenterLab, shell: EsxiShell, step: str, when: str, **given: Any) -> None:
    """Makes a call whose controller dies at a step; raises Killed."""
    way = DyingWay(shell, shell.host)
    way.step, way.when = step, when
    try:
        rdm_compatibility(ModuleCall(options_for(lab, **given), diff_mode=True), way, pace=Pace(0.02))
    finally:
        way.close()


def over_ssh(
    lab: VcenterLab, shell: EsxiShell, *, check: bool = False, way: Way | None = None, **given: Any
) -> dict[str, Any]:
    """Calls the module's code once over SSH; returns what a playbook sees, with `failed` and `msg`.

    `way` is one that is open: a session costs most, and may serve several calls in one world."""
    call = ModuleCall(options_for(lab, **given), check_mode=check, diff_mode=True)
    with nullcontext(way) if way is not None else opened(shell) as taken:
        failure, result = result_of(_work(taken), call)
    return {**result, "failed": failure is not None, "msg": failure}


@contextmanager
def opened(shell: EsxiShell) -> Iterator[Way]:
    """Gives a way to a host, and closes it."""
    way = Way(shell, shell.host)
    try:
        yield way
    finally:
        way.close()


def _work(way: Way) -> Callable[[ModuleCall], ModuleResult]:
    return lambda call: rdm_compatibility(call, way, pace=Pace(0.02))


def _child(pipe: Any, options: dict[str, Any], shell: EsxiShell) -> None:
    with opened(shell) as way:
        failure, result = result_of(_work(way), ModuleCall(options, diff_mode=True))
    pipe.send({**result, "failed": failure is not None, "msg": failure})


def ssh_controller(lab: VcenterLab, shell: EsxiShell, **given: Any) -> AbstractContextManager[Controller]:
    """A run over SSH in another process."""
    return started(_child, options_for(lab, **given), shell)


def commands(lab: VcenterLab) -> list[dict[str, Any]]:
    """Returns what was run on hosts since the log was cleared."""
    return [entry for entry in lab.log() if entry["object"].get("type") == "shell"]


def records_of(shell: EsxiShell) -> dict[str, str]:
    """Returns the record files on all datastores, by their names."""
    return {path.name: path.read_text() for path in shell.stores.rglob("*.winbackup.storage.rdm.*.json")}


def leftovers(shell: EsxiShell) -> list[Path]:
    """Returns claims that were not given back."""
    return list(shell.stores.rglob("*.winbackup.claim"))
