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
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer, read_answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.collect import (
    HOST,
    FirstReading,
    first_reading,
    not_asked,
    second_reading,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import (
    COMMAND,
    clock_script,
    folders_script,
    host_script,
    machines_script,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import Stores
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Reader, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, FileFacts, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Folder, Questions, Survey

_ESXI = "VMkernel"
# A script that nobody gave a time is ended after this, in seconds.
_LONGEST = 3600.0
# How long the host's clock is taken to run as ours does, in seconds.
_CLOCK_SECONDS = 10.0


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
        self._answer: Answer | None = None
        # The host's clock as it was told last, and when that was on ours.
        self._told_clock: tuple[float, float] | None = None

    def now(self) -> float:
        """Returns the host's clock: as it was told a moment ago, and the time since then."""
        if self._told_clock is None or clock() - self._told_clock[1] > _CLOCK_SECONDS:
            self._run(clock_script(), inf)
        if self._told_clock is None:
            raise StepRefused(f"{self._connection.name} does not tell the time (date +%s).")
        told, then = self._told_clock
        return told + clock() - then

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the host's shell tells; the paths of LUNs are always among it."""
        self._answer = answer = self._of_esxi(self._run(host_script(), until))
        meanwhile()
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
        """Returns what a plan needs besides the inventory. Who may use the shell may do everything there."""
        if not questions.folders:
            return Survey(old_may_go_first=True)
        paths = {folder: _path_of(folder) for folder in questions.folders}
        stores = Stores.of(self._run(folders_script(paths.values()), inf), HOST, None)
        known = self._reading.inventory.datastores if self._reading is not None else {}
        stores = stores.called(known)
        listings = {folder: stores.folder_of(path) for folder, path in paths.items()}
        facts = {file: one for listing in listings.values() for file, one in (listing or {}).items()}
        uuids = {file: facts[file].disk_uuid for _vm, file in questions.disk_uuids if file in facts}
        return Survey(
            listings,
            frozenset(folder for folder, path in paths.items() if path in stores.missing),
            {file: uuid for file, uuid in uuids.items() if uuid is not None},
            old_may_go_first=True,
        )

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns the mapping files that the reading found; raises StepRefused where it did not get to the end."""
        if self._reading is None or datastore.uuid not in self._reading.stores.searched:
            raise StepRefused(
                "find did not get through its folders.", hint="See that it is mounted and accessible on the host."
            )
        return self._reading.stores.mapping_files(datastore)

    def with_records(self, inventory: Inventory, files: Sequence[str], until: float = inf) -> Inventory:
        """Returns the inventory: one run over SSH reads all records."""
        return inventory

    def _of_esxi(self, answer: Answer) -> Answer:
        """Returns the answer; raises ConfigurationError where it comes from another system."""
        system = (answer.text("system") or "").strip()
        if system != _ESXI:
            raise ConfigurationError(
                f"{self._connection.name} is no ESXi host: uname says {system or 'nothing'}, not {_ESXI}.",
                hint="Run the task on an ESXi host over ssh; or give hostname and delegate_to: localhost.",
            )
        return answer

    def _run(self, script: bytes, until: float) -> Answer:
        deadline = min(until, clock() + _LONGEST)
        completed = self._connection.run(COMMAND, script, deadline=deadline, repeatable=True)
        answer = read_answer(completed.stdout or completed.stderr, self._connection.name)
        told = count_of(answer.text("clock") or "")
        if told is not None:
            self._told_clock = (float(told), clock())
        return answer


def _path_of(folder: Folder) -> str:
    return f"/vmfs/volumes/{folder.datastore}/{folder.path}".rstrip("/")
