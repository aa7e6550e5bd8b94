# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A task's own connection to a Windows host, lent by an action plugin: winrm, psrp or ssh, whatever the inventory
says."""

from __future__ import annotations

import threading
import time
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import TimeIsUp, WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Completed

# Those that give a command an input; the others could not be given a script.
_WITH_INPUT = ("winrm", "psrp", "ssh")
# What ssh itself ends with where it could not connect.
_SSH_FAILED = 255


class LentTransport:
    """A transport over a connection plugin of Ansible's. It belongs to the task: it is used, and not closed."""

    def __init__(self, connection: Any, name: str) -> None:
        """`connection` is the connection plugin, `name` how messages call the host; raises ConfigurationError."""
        self._connection = connection
        self._name = name
        self._kind = str(connection.transport).rpartition(".")[2]
        if self._kind not in _WITH_INPUT:
            raise ConfigurationError(
                f"The connection {self._kind} to {name} cannot give a command an input.",
                hint="Use connection winrm, psrp or ssh; or delegate_to: localhost and the option hostname.",
            )

    @property
    def name(self) -> str:
        return self._name

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        if self._kind == "ssh" and not repeatable:
            # It would run the command again, unasked, where the connection breaks off.
            self._connection.set_option("reconnection_retries", 0)
        outcome: list[Completed | Exception] = []

        def run() -> None:
            try:
                code, stdout, stderr = self._connection.exec_command(
                    " ".join(bootstrap.command()), in_data=data + GO, sudoable=False
                )
                outcome.append(Completed(_bytes(stdout), _bytes(stderr), int(code)))
            except Exception as error:  # a connection plugin may raise anything
                outcome.append(error)

        thread = threading.Thread(target=run, name="winbackup", daemon=True)
        thread.start()
        thread.join(max(0.0, deadline - time.monotonic()))
        if not outcome:
            # Nothing else ends a command that a connection plugin waits for.
            self._connection.close()
            message = f"The script on {self._name} did not end in time; the connection was closed."
            raise TimeIsUp(message) if repeatable else WriteTimeIsUp(message)
        completed = outcome[0]
        if isinstance(completed, Exception):
            raise self._failure(completed, repeatable) from completed
        if self._kind == "ssh" and completed.exit_code == _SSH_FAILED:
            reason = completed.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise self._failure(ConnectionError("".join(reason)), repeatable)
        return completed

    def close(self) -> None:
        """The connection is the task's: nothing is to be closed."""

    def _failure(self, error: Exception, repeatable: bool) -> Exception:
        message = f"The connection {self._kind} to {self._name} failed: {error}"
        if repeatable:
            return ConnectionFailed(message)
        return OutcomeUnknown(message, hint="Run again: the state is read first, and decides.")


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
