# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Switching the VM off before its disks change, and on again after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import ONLY_RECORDED
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import RENEW_SECONDS, Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import STEP_SHUTDOWN_ASKED
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request

_TASK_SECONDS = 60
_ASKS = 3


class GuestStillOn(StorageError):
    """The guest was asked to shut down and has not, in time. It may still go down."""


class ChangedMeanwhile(StorageError):
    """Host, devices or snapshots of the VM are not those the plan was made on."""


class NotShutDown(StorageError):
    """The guest cannot be asked to shut down; nothing was done to it."""


@dataclass(frozen=True)
class Fingerprint:
    """What must stay as it was between the plan and the moment the VM is off."""

    host: str | None
    has_snapshots: bool | None
    disks: tuple[tuple[str, str, str | None], ...]

    @classmethod
    def of(cls, machine: VirtualMachine) -> Fingerprint:
        """Returns the fingerprint of a machine as it was read."""
        disks = tuple((disk.address, disk.file, disk.lun_uuid) for disk in machine.disks if disk.key != ONLY_RECORDED)
        return cls(machine.host, machine.has_snapshots, disks)


def switch_off(run: Run, request: Request, planned: VirtualMachine) -> bool:
    """Shuts the guest down, or switches the VM off where that was asked for; returns False where others had done it.

    Raises NotShutDown where nothing was done, GuestStillOn where the guest may still go down, ChangedMeanwhile.
    """
    fingerprint = Fingerprint.of(planned)
    vm_state = run.renew(STEP_SHUTDOWN_ASKED)
    if vm_state.machine.power is Power.OFF:
        return False
    refusal = _ask_guest(run, vm_state)
    if refusal is not None:
        vm_state = run.read_vm_as_owner()
        if vm_state.machine.power is not Power.OFF and request.power != "power_off":
            raise NotShutDown(
                f"The guest of {planned.name} cannot be asked to shut down: {refusal.message}",
                hint="Start VMware Tools in the guest, shut it down yourself, or allow power: power_off.",
            ) from refusal
        _switch_off_hard(run)
        return True
    vm_state = _wait_until_off(run, request, fingerprint)
    if vm_state.machine.power is Power.OFF:
        return True
    if request.power == "power_off":
        _switch_off_hard(run)
        return True
    raise GuestStillOn(
        f"The guest of {planned.name} has not shut down within {request.shutdown_timeout:g} s.",
        hint="It may still go down: no disk was changed, and the next run starts it again if it has. "
        "Raise shutdown_timeout, or allow power: power_off.",
    )


def _ask_guest(run: Run, vm_state: VmState) -> StepRefused | None:
    """Asks the guest to shut down; returns the refusal where it surely was not asked. To ask twice does no harm."""
    lost = False
    for _attempt in range(_ASKS):
        run.changed = True
        try:
            run.backend.shut_down_guest(vm_state.machine)
            return None
        except ConnectionFailed:
            pass
        except OutcomeUnknown:
            lost = True
        except StepRefused as refusal:
            return None if lost else refusal
        vm_state = run.read_vm_as_owner()
        if vm_state.machine.power is not Power.ON:
            return None
    return None


def _wait_until_off(run: Run, request: Request, fingerprint: Fingerprint) -> VmState:
    end = Deadline(min(request.shutdown_timeout, run.deadline.remaining))
    renewal = Deadline(RENEW_SECONDS)
    while True:
        vm_state = run.read_vm_as_owner()
        if vm_state.machine.power is Power.OFF:
            return vm_state
        if Fingerprint.of(vm_state.machine) != fingerprint:
            raise ChangedMeanwhile(
                f"{vm_state.machine.name} was changed (host, disks or snapshots) while its guest was shutting down.",
                hint="No disk was changed; the guest may still go down, and the next run starts it again if it has.",
            )
        if end.is_over:
            return vm_state
        if renewal.is_over:
            run.renew()
            renewal = Deadline(RENEW_SECONDS)
        run.pace.pause()


def _switch_off_hard(run: Run) -> VmState:
    """Switches the VM off; what was read afterwards decides whether that worked."""
    refusal: StorageError | None = None
    for _attempt in range(2):
        vm_state = run.read_vm_as_owner()
        if vm_state.machine.power is Power.OFF:
            return vm_state
        try:
            run.backend.power_off(vm_state.machine)
        except (StepRefused, OutcomeUnknown, ConnectionFailed) as error:
            refusal = error
        run.changed = True
        _let_task_end(run)
    vm_state = run.read_vm_as_owner()
    if vm_state.machine.power is Power.OFF:
        return vm_state
    raise refusal or StepRefused(f"{vm_state.machine.name} is still on after it was switched off.")


def _let_task_end(run: Run) -> None:
    """Waits for a power task whose reply was lost; a VM that asks a question keeps its task, and is not waited for."""
    end = Deadline(_TASK_SECONDS)
    while not end.is_over:
        machine = run.read_machine()
        if machine.running_task is None or machine.question is not None:
            return
        run.pace.pause()


def start(run: Run, verify: Callable[[VmState], None]) -> VmState:
    """Starts the VM where it is registered; returns the look that shows it on, or raises what the server said.

    `verify` looks at the VM, still off, on the host where it is about to be started, and raises to keep it off.
    """
    lost: StorageError | None = None
    for _attempt in range(2):
        vm_state = run.read_vm_as_owner()
        if vm_state.machine.power is Power.ON:
            return vm_state
        verify(vm_state)
        run.changed = True
        try:
            run.backend.power_on(vm_state.machine)
        except StepRefused:
            _let_task_end(run)
            vm_state = run.read_vm_as_owner()
            if vm_state.machine.power is Power.ON:
                return vm_state
            raise
        except (OutcomeUnknown, ConnectionFailed) as error:
            lost = error
        _let_task_end(run)
    vm_state = run.read_vm_as_owner()
    if vm_state.machine.power is Power.ON:
        return vm_state
    raise lost or StepRefused(f"{vm_state.machine.name} is still off after it was started.")
