"""timeout bounds a reading whatever the server does: each of its requests in turn is never answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from harness import options_for
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec, ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import (
    LUN_INFO,
    RDM_INFO,
    lun_info,
    rdm_info,
)

_LUN = "naa.60060160a1b12345000000000000000a"
_WORLD = {
    "hosts": [{"name": "esx1.lab"}],
    "datastores": [{"name": "san01"}],
    "luns": [{"name": _LUN, "sectors": 2097152000, "serial": "S1"}],
    "vms": [{"name": "one", "host": "esx1.lab", "datastore": "san01", "disks": [{"rdm": _LUN}]}],
}
_TIMEOUT = 1
# What may come on top: the session is ended, or that is tried for some seconds.
_MARGIN = 15


def check_every_request(
    vcenter: VcenterLab, spec: ArgumentSpec, work: Callable[[ModuleCall], Any], **given: Any
) -> None:
    """Holds each request of a clean run in turn."""
    vcenter.world(json.dumps(_WORLD))
    vcenter.clear_log()
    assert result_of(work, ModuleCall(options_for(vcenter, spec, **given)))[0] is None
    methods = [entry["method"] for entry in vcenter.log()]
    for number, method in enumerate(methods):
        hold = vcenter.hold(skip=number)
        began = time.monotonic()
        failure, result = result_of(work, ModuleCall(options_for(vcenter, spec, timeout=_TIMEOUT, **given)))
        taken = time.monotonic() - began
        hold.release()
        assert taken < _TIMEOUT + _MARGIN, f"{method} ({number}) held the run for {taken:.0f} s"
        if failure is not None:
            assert "timeout" in failure, (method, failure)
        elif method != "Logout":
            codes = {finding["code"] for finding in result["findings"]}
            rows = [*result.get("rdms", ()), *result.get("luns", ())]
            assert "unreadable" in codes or not any(row.get("convertible") or row.get("mappable") for row in rows)


def test_a_reading_of_mappings_ends_in_time(vcenter: VcenterLab) -> None:
    check_every_request(vcenter, RDM_INFO, rdm_info)


@pytest.mark.slow
def test_a_reading_of_everything_ends_in_time(vcenter: VcenterLab) -> None:
    check_every_request(vcenter, RDM_INFO, rdm_info, orphans=True, vms=["one"])
    check_every_request(vcenter, LUN_INFO, lun_info, detail=["lun_paths"])
