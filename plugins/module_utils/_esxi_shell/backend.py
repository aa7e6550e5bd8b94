# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the ESXi shell, as far as reading goes: a constant number of runs over SSH, however many VMs there are.

One script reads the host, its devices, datastores, and the files of all VMs. A second one asks hostd about the VMs that
have a mapping, each of which costs it seconds; it is not run where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed, TimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError, StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer, read_answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.collect import (
    FirstReading,
    first_reading,
    not_asked,
    second_reading,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import (
    COMMAND,
    host_script,
    machines_script,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Reader, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, FileFacts, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey

_ESXI = "VMkernel"
# A script that nobody gave a time is ended after this, in seconds.
_LONGEST = 3600.0


class ShellConnection(Protocol):
    """Runs a command on the host with an input; raises ConnectionFailed, TimeIsUp."""

    name: str

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input and returns its output."""


class ShellReader(Reader):
    """An ESXi host over its shell. See `Reader` for what each method returns and raises."""

    def __init__(self, connection: ShellConnection) -> None:
        self._connection = connection
        self._reading: FirstReading | None = None

    def now(self) -> float:
        """Raises StepRefused: whose record is alive is not asked over the shell."""
        raise StepRefused("The clock of the host is not read over SSH.")

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the host's shell tells; the paths of LUNs are always among it."""
        answer = self._run(host_script(), until)
        system = (answer.text("system") or "").strip()
        if system != _ESXI:
            raise ConfigurationError(
                f"{self._connection.name} is no ESXi host: uname says {system or 'nothing'}, not {_ESXI}.",
                hint="Run the task on an ESXi host over ssh; or give hostname and delegate_to: localhost.",
            )
        self._reading = first = first_reading(answer, self._connection.name)
        if not first.to_ask:
            return first.inventory
        if clock() >= until:
            return not_asked(first, "time was up.")
        try:
            return second_reading(first, self._run(machines_script(first.to_ask), until))
        except TimeIsUp as over:
            return not_asked(first, over.message)

    def survey(self, questions: Questions) -> Survey:
        """Raises StepRefused: what a plan needs besides the inventory is not read over the shell."""
        raise StepRefused("Folders are not listed over SSH.")

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns the mapping files that the reading found; raises StepRefused where it did not get to the end."""
        if self._reading is None or datastore.uuid not in self._reading.stores.searched:
            raise StepRefused(
                "find did not get through its folders.", hint="See that it is mounted and accessible on the host."
            )
        return self._reading.stores.mapping_files(datastore)

    def _run(self, script: bytes, until: float) -> Answer:
        deadline = min(until, clock() + _LONGEST)
        completed = self._connection.run(COMMAND, script, deadline=deadline, repeatable=True)
        return read_answer(completed.stdout or completed.stderr, self._connection.name)
