# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reading the disks of a Windows machine. Nothing is decided here."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_disks import parse_disks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import MachineDisks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.scripts import read_disks


def read_machine_disks(host: WindowsHost, deadline: float, *, refresh: bool = True) -> MachineDisks:
    """Returns the disks of a machine; with `refresh` Windows updates what it keeps of them first.

    Raises StorageError where it lists none: it runs from one, so they were not shown; and what WindowsHost.run does."""
    facts = parse_disks(host.run(read_disks.SCRIPT, {"Refresh": refresh}, deadline=deadline))
    if not facts.disks:
        raise StorageError(
            f"Windows lists no disk at all on {facts.machine.name or 'the machine'}, which runs from one: it shows "
            "none to this session.",
            hint="The session has no elevated token. Use a domain account among the local Administrators, or for a "
            "local one the setting LocalAccountTokenFilterPolicy.",
        )
    return facts
