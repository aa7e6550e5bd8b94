#!/usr/bin/env python3
"""Runs what depends on Ansible and pyVmomi once more with the newest of both, where a Python that they need is there.

The first of $NEWEST_PYTHON, python3.13, python3.12 and those installed beside the Python that runs this is taken that
works; without one this says so and ends well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-newest"
BESIDE = Path(sys.base_prefix).parent
CANDIDATES = (
    os.environ.get("NEWEST_PYTHON", ""),
    "python3.13",
    "python3.12",
    *(str(path) for minor in (13, 12) for path in sorted(BESIDE.glob(f"3.{minor}*/bin/python3"))),
)

TESTS = (
    "tests/unit/plugins/module_utils/_vsphere",
    "tests/scenarios/gather",
    "tests/scenarios/convert/test_numbered_conversions.py",
    "tests/scenarios/playbooks/test_convert_rdms.py",
    "tests/scenarios/playbooks/test_recovery_points.py",
    "tests/scenarios/playbooks/test_storage_report.py",
    "tests/scenarios/winrm/test_task_connection.py",
    "tests/lab_tests/wsman/test_ansible_connections.py",
)


def working_python() -> str | None:
    """Returns the first Python of the candidates that runs, or None."""
    for candidate in filter(None, CANDIDATES):
        try:
            subprocess.run([candidate, "-c", "import venv"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


def main() -> int:
    """Returns the exit code of the tests."""
    if sys.version_info >= (3, 12):
        print("== newest versions: the tests above ran with it")
        return 0
    python = working_python()
    if python is None:
        print("== newest versions: SKIPPED, it needs Python 3.12 or 3.13 (set NEWEST_PYTHON)")
        return 0
    program = ENVIRONMENT / "bin" / "python"
    if not program.exists():
        print(f"== newest versions: making its environment with {python}", flush=True)
        subprocess.run([python, "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", str(ROOT / "requirements-test.lock")], check=True)
    # Where these cannot be built, the tests that need them fail and say so.
    subprocess.run([*pip, "-r", str(ROOT / "requirements-kerberos.lock")], check=False)
    print("== newest versions: ansible-core and pyVmomi", flush=True)
    pytest = [str(program), "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-m", "not slow"]
    return subprocess.run([*pytest, *TESTS], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
