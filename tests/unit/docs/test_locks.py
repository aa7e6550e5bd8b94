# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock files hold what the requirements name, and the hash of everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("collection", "docs", "events", "go", "kerberos", "lint", "release", "test")


def locked(name: str) -> dict[str, str]:
    """Each package with its version and marker, as "pyyaml==6.0.4", and the lines of its hashes."""
    text = (ROOT / f"requirements-{name}.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split()[0]: line for line in lines}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_for_is_locked(name: str) -> None:
    text = (ROOT / f"requirements-{name}.txt").read_text(encoding="utf-8")
    asked = {line.split(";")[0].strip().lower() for line in text.splitlines() if line and not line.startswith("#")}
    assert asked
    assert {line for line in asked if "==" in line} <= set(locked(name))


def test_what_the_collection_needs_is_locked_at_the_versions_that_it_was_tested_with() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    needed = {re.split(r"[<>=]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    assert needed == {"pyvmomi", "pywinrm"}
    assert needed | {"ansible-core"} <= {package.partition("==")[0] for package in locked("collection")}
    assert set(locked("collection")) <= set(locked("test"))


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_locked_has_a_version_and_a_hash(name: str) -> None:
    for package, line in locked(name).items():
        assert re.fullmatch(r"[a-z0-9._-]+==[\w.+!]+", package)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line)


def test_no_package_is_locked_at_two_versions_for_one_python() -> None:
    """All of them are installed into one environment."""
    sets = [locked(name) for name in ("test", "kerberos", "lint")]
    for one in sets:
        for other in sets:
            for package in one:
                same_name = {entry for entry in other if entry.partition("==")[0] == package.partition("==")[0]}
                assert not same_name or package in same_name
