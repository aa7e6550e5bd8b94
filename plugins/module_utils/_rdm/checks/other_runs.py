# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Other runs that work on a VM, as their open entries tell. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry, own_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine


def live_entries(machine: VirtualMachine, now: float) -> dict[str, JournalEntry]:
    """Returns the open entries of this very VM whose lease is not over, by address."""
    return {address: entry for address, entry in own_entries(machine).items() if entry.is_live_at(now)}


def in_progress(machine: VirtualMachine, now: float) -> Finding | None:
    """Returns the blocker that a run at work on this machine is, None where none is."""
    live = live_entries(machine, now)
    if not live:
        return None
    seconds = max(entry.lease for entry in live.values()) - now
    return Finding.blocker(
        BlockerCode.RUN_IN_PROGRESS,
        f"Another run works on {', '.join(sorted(live))} of {machine.name}; its lease ends in {seconds:.0f} s.",
        "Wait for that run to end; if it was killed, run again once its lease is over.",
        machine.name,
    )
