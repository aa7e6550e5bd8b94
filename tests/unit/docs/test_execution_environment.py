# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An execution environment gets what the collection needs, from files of its own, and no compiler."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
WANTED = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))["dependencies"]


def lines(name: str) -> list[str]:
    """Returns the lines of a requirements file that are no comment."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_it_takes_files_of_its_own() -> None:
    assert WANTED == {"python": "meta/ee-requirements.txt", "system": "meta/ee-bindep.txt"}


def test_it_gets_what_the_collection_needs_at_the_versions_it_needs_with_kerberos() -> None:
    given = {re.sub(r"\[.*\]", "", line): line for line in lines(WANTED["python"])}
    assert set(lines("requirements.txt")) <= set(given)
    assert all("kerberos" in line for name, line in given.items() if not name.startswith("pyvmomi"))


def test_compilers_and_headers_are_there_only_while_it_is_built() -> None:
    packages = {line.split()[0]: line for line in lines(WANTED["system"])}
    building = {name for name in packages if re.search(r"gcc|-dev(el)?$", name)}
    assert len(building) == 6
    assert {name for name, line in packages.items() if re.search(r"\bcompile\b", line)} == building
    assert {"krb5-workstation", "krb5-user"} <= set(packages) - building
