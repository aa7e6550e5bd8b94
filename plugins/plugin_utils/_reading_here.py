# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A reading in the process that Ansible made for the task, where the module would run on this machine by the same
Python: nothing is compiled, packed and started for it, and its result is not written and read as text."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.secrets_in_text import (
    passwords_in_addresses,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.signals import Interrupted
from ansible_collections.winbackup.storage.plugins.plugin_utils._answer import answered
from ansible_collections.winbackup.storage.plugins.plugin_utils._packed_results import PACKS_ABOVE, limit_of


def packs_above(action: ActionBase, task_vars: Mapping[str, Any]) -> int | None:
    """Returns above how many characters the play wants a result packed; None where it does not. Raises
    AnsibleActionFail where the variable is no such number."""
    above = action._templar.template(task_vars.get(PACKS_ABOVE))
    return None if above is None else limit_of(above)


def would_run_here(action: ActionBase, kind: str, task_vars: Mapping[str, Any]) -> bool:
    """Tells whether the module of a task would run on this machine, as this user, by this Python, and with this
    environment; `kind` is the short name of the task's connection."""
    task = action._task
    elsewhere = task.delegate_to or task.async_val or any(task.environment or ())
    if kind != "local" or action._connection.become is not None or elsewhere:
        return False
    return str(action._templar.template(task_vars.get("ansible_python_interpreter"))) == sys.executable


def read_here(action: ActionBase, spec: ArgumentSpec, work: Callable[[ModuleCall], ModuleResult]) -> dict[str, Any]:
    """Does the work of a module that only reads; returns its result."""
    validation, _arguments = action.validate_argument_spec(dict(spec.options), **spec.rules)
    options = validation.validated_parameters
    secrets = set(validation._no_log_values) | passwords_in_addresses(options)
    call = ModuleCall(options, bool(action._task.check_mode), bool(action._task.diff), action._display.debug)
    # What the process had at its start stays until its end, which comes with this task's: nobody need look through it.
    gc.freeze()
    try:
        failure, result = result_of(work, call)
    except Interrupted as interrupted:
        failure, result = str(interrupted), {}
    return answered(action._display, failure, result, secrets)
