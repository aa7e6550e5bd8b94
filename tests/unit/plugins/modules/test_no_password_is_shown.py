# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible returns the options of a call; the password inside an address is not among what it shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys

RUN = """
import json, sys
from ansible.module_utils import basic
from ansible_collections.winbackup.storage.plugins.modules import dpm_allocation_info

basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[1])}).encode()
basic._ANSIBLE_PROFILE = "legacy"
dpm_allocation_info.main()
"""


def test_the_password_inside_proxy() -> None:
    options = {
        "hostname": "127.0.0.1",
        "username": "u",
        "password": "sésame-1",
        "proxy": "http://me:geh%21eim@127.0.0.1:9",
        "connection_timeout": 5,
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", RUN, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    result = json.loads(done.stdout)
    assert result["failed"] is True
    assert result["invocation"]["module_args"]["proxy"].startswith("http://me:")
    for secret in ("geh%21eim", "geh!eim", "sésame-1"):
        assert secret not in done.stdout + done.stderr
        assert json.dumps(secret)[1:-1] not in done.stdout
