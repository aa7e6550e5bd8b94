# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that takes every connection, and answers nothing any more once it was given something to write."""

from __future__ import annotations

import threading
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution import commands
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import ALLOCATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import PowerShellServer

from .conftest import Lab, states

_TIMEOUT = 20
_REQUESTS = 500


@pytest.mark.slow
def test_the_call_ends_within_a_minute_after_its_timeout_and_says_that_the_outcome_is_not_known(lab: Lab) -> None:
    edit = lab.control.hooks.hold("Edit-DPMDiskAllocation")

    def fall_silent() -> None:
        assert edit.reached.wait(_TIMEOUT)
        for _ in range(_REQUESTS):
            lab.site.host.troubles.hold()

    silence = threading.Thread(target=fall_silent)
    silence.start()
    given = {**lab.site.options("ntlm", "http"), "datasources": ["E:\\"], "size": "60GB", "timeout": _TIMEOUT}
    options = ArgumentSpecValidator(dict(ALLOCATION.options), **ALLOCATION.rules).validate(given).validated_parameters
    began = time.monotonic()
    try:
        call = ModuleCall(options, False, True, lambda sentence: None)
        with PowerShellServer(options) as server:
            failure, result = result_of(lambda one: commands.resize(server, one), call)
        took = time.monotonic() - began
    finally:
        silence.join()
        edit.release()
        lab.site.host.troubles.clear()
    assert failure is not None
    assert "is not known" in failure
    assert states(result)["E:\\"] == ("failed", "outcome_unknown")
    assert result["changed"] is True
    # It waited for the script's own end first.
    assert _TIMEOUT < took <= _TIMEOUT + 60
