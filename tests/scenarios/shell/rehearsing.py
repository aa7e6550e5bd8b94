# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of rdm_rehearsal over SSH, here or in a process that can be killed, and what must be so after it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

from esxi_shell import EsxiShell
from harness import Controller, options_for, started, without_sessions
from vcenter_lab import VcenterLab
from worlds import DISK_2TB

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.rehearsal import rdm_rehearsal
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import RDM_REHEARSAL

from .conftest import Both
from .ways import Way, opened
from .worlds_of_one_host import one_local_disk

ASK = {"lun": DISK_2TB, "datastore": "san01"}
PREFIX = "winbackup-rehearsal-"


def spare(*, version: str = "8.0.3", **changed: Any) -> str:
    """Returns the world of one host whose local disk nothing has: the VM backup01 has no mapping of it."""
    lun = {"partitioned": False, **changed.pop("lun", {})}
    whole = json.loads(one_local_disk(version=version, lun=lun, **changed))
    whole["vms"][0]["disks"] = [disk for disk in whole["vms"][0]["disks"] if "rdm" not in disk]
    return json.dumps(whole, ensure_ascii=False)


def options(lab: VcenterLab, **given: Any) -> dict[str, Any]:
    """Returns the options of a call over a lent connection, which has none of the API's."""
    found = options_for(lab, RDM_REHEARSAL, **{**ASK, **given})
    return {**found, **dict.fromkeys(("hostname", "username", "password", "port"))}


def told(both: Both, *, check: bool = False, way: Way | None = None, **given: Any) -> dict[str, Any]:
    """Calls the module's code once over SSH; returns what a playbook sees, with `failed` and `msg`."""
    call = ModuleCall(options(both.lab, **given), check_mode=check)
    with opened(both.shell) as lent:
        failure, result = result_of(lambda one: rdm_rehearsal(one, way or lent, pace=Pace(0.02)), call)
    return {**result, "failed": failure is not None, "msg": failure}


def _child(pipe: Any, given: dict[str, Any], shell: EsxiShell) -> None:
    with opened(shell) as way:
        failure, result = result_of(lambda one: rdm_rehearsal(one, way, pace=Pace(0.02)), ModuleCall(given))
    pipe.send({**result, "failed": failure is not None, "msg": failure})


def rehearsing(both: Both, **given: Any) -> AbstractContextManager[Controller]:
    """A rehearsal over SSH in another process."""
    return started(_child, options(both.lab, **given), both.shell)


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    """Returns the verdicts of a result by their questions."""
    return {answer["question"]: answer["verdict"] for answer in result["answers"]}


def left(both: Both) -> list[str]:
    """Returns what of rehearsals is there: machines, and files and folders, on the datastores themselves too."""
    state = both.lab.state()
    return [
        *(vm["name"] for vm in state["vms"] if vm["name"].startswith(PREFIX)),
        *(file["path"] for file in state["files"] if PREFIX in file["path"]),
        *(path.name for path in both.shell.stores.rglob(f"{PREFIX}*")),
    ]


def assert_as_before(both: Both, before: dict[str, Any]) -> None:
    """The host is what it was: nothing of a rehearsal is left, and nothing else was touched."""
    assert left(both) == []
    assert without_sessions(both.lab.state()) == without_sessions(before)
