# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the Windows modules do: one function a module, given a Windows host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import (
    EVERY_SECOND,
    CallTimes,
    Pace,
    clock,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_change_results import (
    change_failure,
    change_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import wanted_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_results import disk_info_result
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.changing_disks import change_disks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.reading_disks import (
    read_machine_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import vm_disks_of


class ModuleCommand(Protocol):
    """A command as the frame of a module, or of an action plugin with its task's connection, calls it."""

    def __call__(self, call: ModuleCall, task_connection: Transport | None = None) -> ModuleResult:
        """Does one call."""


def on_host(command: Callable[[WindowsHost, ModuleCall], ModuleResult]) -> ModuleCommand:
    """Returns the command on the Windows host that the options or the connection lead to; it is closed afterwards."""

    def run(call: ModuleCall, task_connection: Transport | None = None) -> ModuleResult:
        with WindowsHost(call.options, task_connection) as host:
            return command(host, call)

    return run


def times_of(options: Mapping[str, Any]) -> CallTimes:
    """Returns the times of `clock()` that follow from the option `timeout`; raises ConfigurationError."""
    seconds = int(options["timeout"])
    if seconds < 1:
        raise ConfigurationError(f"timeout must be at least 1, not {seconds}.")
    return CallTimes.of(clock(), seconds)


def deadline_of(options: Mapping[str, Any]) -> float:
    """Returns the time of `clock()` at which the option `timeout` is over; raises ConfigurationError."""
    return times_of(options).deadline


def disk_info(host: WindowsHost, call: ModuleCall) -> ModuleResult:
    """Does one call of windows_disk_info."""
    given = call.options["vm_disks"]
    vm_disks = None if given is None else vm_disks_of(given)
    return ModuleResult(disk_info_result(read_machine_disks(host, deadline_of(call.options)), vm_disks))


def disk(host: WindowsHost, call: ModuleCall, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of windows_disk."""
    options = call.options
    wanted = wanted_state_of(options["disk_ids"], online=options["online"], read_only=options["read_only"])
    facts, outcomes = change_disks(
        host,
        wanted,
        times_of(options),
        rescan=options["rescan"],
        check_mode=call.check_mode,
        pace=pace,
        log=call.log,
    )
    result = change_result(facts.machine, wanted, outcomes, check_mode=call.check_mode)
    return ModuleResult(result, change_failure(outcomes))
