# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Who else works on the VM: open entries of other runs, whether they live, and waiting until they do not."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.other_runs import in_progress, live_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import LEASE_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine

# One lease, and some seconds for what is on its way.
LONGEST_WAIT_SECONDS = LEASE_SECONDS + 15.0


def wait_for_others(
    run: Run, machine: VirtualMachine, may_wait: bool, longest: float = LONGEST_WAIT_SECONDS
) -> Finding | None:
    """Waits until the leases of other runs are over; returns a blocker where one is renewed, or may not be waited for.

    A killed run renews nothing, so its lease ends within a minute and this run takes over. A run that lives renews.
    The server's clock may stand still or step back, so no more than `longest` seconds are waited on a clock of our own.
    """
    patience_ends = Deadline(longest)
    leases: dict[str, float] = {}
    while True:
        now = run.now()
        live = live_entries(machine, now)
        if not live:
            return None
        renewed = any(entry.lease > leases.get(address, entry.lease) for address, entry in live.items())
        if renewed or not may_wait or run.time_is_up():
            return in_progress(machine, now)
        if patience_ends.is_over:
            run.log(f"Nobody has renewed a lease on {machine.name} for longer than one lease: taking over.")
            return None
        leases.update({address: entry.lease for address, entry in live.items()})
        run.log(f"Another run works on {machine.name}, or was killed: waiting until its lease is over.")
        run.pace.until(min(entry.lease for entry in live.values()) - now)
        machine = run.read_machine()
