# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of rdm_rehearsal on the lab, here or in a process that can be killed, and what must be so after it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

from harness import Controller, options_for, started, without_sessions
from vcenter_lab import VcenterLab
from worlds import SAN_B, one_disk

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import (
    RDM_REHEARSAL,
    rdm_rehearsal,
)

WORLD = one_disk()
ASK = {"lun": SAN_B, "datastore": "san01"}
PREFIX = "winbackup-rehearsal-"


def _work(call: ModuleCall) -> ModuleResult:
    return rdm_rehearsal(call, pace=Pace(0.02))


def told(lab: VcenterLab, *, check: bool = False, **given: Any) -> dict[str, Any]:
    """Calls the module's code once; returns what a playbook sees, with `failed` and `msg`."""
    options = options_for(lab, RDM_REHEARSAL, **{**ASK, **given})
    failure, result = result_of(_work, ModuleCall(options, check_mode=check))
    assert lab.password not in json.dumps([failure, result], ensure_ascii=False)
    return {**result, "failed": failure is not None, "msg": failure}


def _child(pipe: Connection, options: dict[str, Any]) -> None:
    failure, result = result_of(_work, ModuleCall(options))
    pipe.send({**result, "failed": failure is not None, "msg": failure})


def rehearsing(lab: VcenterLab, **given: Any) -> AbstractContextManager[Controller]:
    """A rehearsal in another process."""
    return started(_child, options_for(lab, RDM_REHEARSAL, **{**ASK, **given}))


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    """Returns the verdicts of a result by their questions."""
    return {answer["question"]: answer["verdict"] for answer in result["answers"]}


def left(lab: VcenterLab) -> list[str]:
    """Returns what of rehearsals is there: machines, and files."""
    state = lab.state()
    return [
        *(vm["name"] for vm in state["vms"] if vm["name"].startswith(PREFIX)),
        *(file["path"] for file in state["files"] if PREFIX in file["path"]),
    ]


def assert_as_before(lab: VcenterLab, before: dict[str, Any]) -> None:
    """The lab is what it was: nothing of a rehearsal is left, and nothing else was touched."""
    assert left(lab) == []
    assert without_sessions(lab.state()) == without_sessions(before)
