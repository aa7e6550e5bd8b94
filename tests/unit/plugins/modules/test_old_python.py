# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python that is too old is told so by every module, before anything is imported that it cannot read."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULES = "ansible_collections.winbackup.storage.plugins.modules"
FOLDERS = importlib.util.find_spec(MODULES)
assert FOLDERS is not None
assert FOLDERS.submodule_search_locations is not None
# Those that run: one that is all action plugin has its documentation there alone.
NAMES = sorted(
    path.stem
    for path in Path(next(iter(FOLDERS.submodule_search_locations))).glob("*.py")
    if "def main()" in path.read_text(encoding="utf-8")
)
# An older Python: its version, and what it does not have. What of ours was read until the end is told on stderr.
OLDER = """
import enum, runpy, sys
sys.version_info = (3, 9, 18, "final", 0)
del enum.StrEnum
try:
    runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
finally:
    ours = [one for name, one in list(sys.modules.items()) if name.startswith("ansible_collections.winbackup.")]
    print("\\n".join(sorted(one.__file__ for one in ours if one.__file__)), file=sys.stderr)
"""
# The same where Ansible runs, which is imported before: what each plugin that is named says.
OLDER_CONTROLLER = """
import enum, importlib, json, sys
import ansible.plugins.action, ansible.plugins.lookup
sys.version_info, sys.executable = (3, 9, 18, "final", 0), "python3.9"
del enum.StrEnum
said = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def run_older(script: str, *names: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", script, *names]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_on_a_controller_each_way_in_says_it_in_a_sentence() -> None:
    plugins = MODULES.rpartition(".")[0]
    ways = [f"{plugins}.lookup.role_variables", *(f"{plugins}.action.{name}" for name in NAMES)]
    said = json.loads(run_older(OLDER_CONTROLLER, *ways).stdout)
    assert said == dict.fromkeys(
        ways,
        "The collection winbackup.storage needs Python 3.11 or later where Ansible runs, and this is Python 3.9.18 "
        "(python3.9). Install ansible-core with a newer one.",
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_older_python_is_told_which_is_needed_and_which_ran(name: str) -> None:
    done = run_older(OLDER, f"{MODULES}.{name}")
    result = json.loads(done.stdout)
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["msg"].startswith(
        "The collection winbackup.storage needs Python 3.11 or later where its modules run, and this is Python 3.9.18 "
        f"({sys.executable}). Set ansible_python_interpreter"
    )
    assert "Traceback" not in done.stderr
    # The module itself and what was read before: in the grammar of the oldest Python that Ansible runs a module with.
    read = [*done.stderr.split("\n"), str(Path(next(iter(FOLDERS.submodule_search_locations))) / f"{name}.py")]
    files = [Path(one) for one in read if one]
    assert any(one.name == "interpreter.py" for one in files)
    for one in files:
        ast.parse(one.read_text(encoding="utf-8"), feature_version=(3, 8))
