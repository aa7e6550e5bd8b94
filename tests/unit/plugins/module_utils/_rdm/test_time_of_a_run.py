"""A reading takes no longer than its run has left; what was begun is finished or undone all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline, clock
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_machine, select_machines
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import HostInMemory, lun, machine
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import inventory


class Asked(HostInMemory):
    """An edge that notes until when it may read."""

    until = inf

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        self.until = until
        return super().inventory(meanwhile=meanwhile)


@pytest.mark.parametrize(("begun", "least", "most"), [(False, 0, 30), (True, 590, 600)])
def test_a_reading_has_the_time_that_its_run_has_left(begun: bool, least: float, most: float) -> None:
    backend = Asked({"vm-1": machine("vm-1", [lun(0)])}, {"host-1": (lun(0),)})
    run = Run(backend, "vm-1", "a run", Deadline(30), lambda sentence: None, changed=begun)
    for read in (run.inventory, run.inventory_as_owner):
        began = clock()
        read()
        assert least < backend.until - began <= most + 5


def test_a_vm_that_was_perhaps_not_read_is_not_said_to_be_none() -> None:
    part = replace(inventory([machine("one", [lun(0)])], [lun(0)]), complete=False)
    with pytest.raises(SelectionError, match="not read to its end"):
        select_machine(part, "two")
    with pytest.raises(SelectionError, match="not read to its end"):
        select_machines(part, ["two"], None)
