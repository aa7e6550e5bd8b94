# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Who else works on the VM: open records of other runs, whether they live, and waiting until they do not."""

from __future__ import annotations

import time

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.plan import own_records


def live_records(machine: VirtualMachine, now: float) -> dict[str, JournalEntry]:
    """Returns the open records of this very VM whose lease is not over, by address."""
    records, _unreadable = own_records(machine)
    return {
        address: record.open
        for address, record in records.items()
        if record.machine == machine.instance_uuid and record.open is not None and record.open.is_live_at(now)
    }


def wait_for_others(run: Run, machine: VirtualMachine, may_wait: bool) -> Finding | None:
    """Waits until the leases of other runs are over; returns a blocker where one is renewed, or may not be waited for.

    A killed run renews nothing, so its lease ends within a minute and this run takes over. A run that lives renews.
    """
    leases: dict[str, float] = {}
    while True:
        now = run.now()
        live = live_records(machine, now)
        if not live:
            return None
        renewed = any(record.lease > leases.get(address, record.lease) for address, record in live.items())
        if renewed or not may_wait or run.time_is_up():
            return _in_progress(machine, live, now)
        leases.update({address: record.lease for address, record in live.items()})
        run.log(f"Another run works on {machine.name}, or was killed: waiting until its lease is over.")
        time.sleep(min(max(0.1, min(record.lease for record in live.values()) - now), 2 * run.poll_seconds))
        machine = run.read_vm().machine


def in_progress(machine: VirtualMachine, now: float) -> Finding | None:
    """Returns the blocker that a run at work on this machine is, None where none is."""
    live = live_records(machine, now)
    return _in_progress(machine, live, now) if live else None


def _in_progress(machine: VirtualMachine, live: dict[str, JournalEntry], now: float) -> Finding:
    seconds = max(record.lease for record in live.values()) - now
    return Finding.blocker(
        BlockerCode.RUN_IN_PROGRESS,
        f"Another run works on {', '.join(sorted(live))} of {machine.name}; its lease ends in {seconds:.0f} s.",
        "Wait for that run to end; if it was killed, run again once its lease is over.",
        machine.name,
    )
