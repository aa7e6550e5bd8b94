"""A run that is ended from outside logs out, and what it had begun stands in the record for the next run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from harness import assert_nothing_lost, assert_settled, machine, options_for, run
from vcenter_lab import VcenterLab
from worlds import SAN_PAIR

RUN = """
import json, sys
from ansible.module_utils import basic
from ansible_collections.winbackup.storage.plugins.modules import rdm_compatibility

basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[1])}).encode()
basic._ANSIBLE_PROFILE = "legacy"
rdm_compatibility.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
@pytest.mark.parametrize("method", ["CreateContainerView", "ReconfigVM_Task"])
def test_a_run_that_is_ended_from_outside_logs_out(vcenter: VcenterLab, method: str, number: signal.Signals) -> None:
    vcenter.world(SAN_PAIR)
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method=method)
    options = {**options_for(vcenter), "vm": "backup01", "power": "shutdown"}
    given = {name: value for name, value in options.items() if value is not None}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", RUN, json.dumps(given)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            hold.wait(60)
            process.send_signal(number)
            hold.release()
            said, _nothing = process.communicate(timeout=60)
        finally:
            process.kill()
    assert vcenter.password not in said
    assert vcenter.state()["sessions"] == before["sessions"], said
    assert "Logout" in [entry["method"] for entry in vcenter.log()]
    # The write that was on its way is done or not, and the next run goes on from there.
    vcenter.advance(120)
    again = run(vcenter, vm="backup01", power="shutdown", shutdown_timeout=3)
    assert not again["failed"], again["msg"]
    after = vcenter.state()
    assert_nothing_lost(before, after, "backup01")
    assert_settled(after, "backup01")
    assert machine(after, "backup01")["power"] == machine(before, "backup01")["power"]
