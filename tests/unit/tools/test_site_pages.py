# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of the documentation site that are named are there; what is made of the code says what that says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import build_docs  # noqa: E402
import reference_pages  # noqa: E402

RST = ROOT / "docs" / "docsite" / "rst"
SITE = "https://winbackup.github.io/storage/"


def pages() -> set[str]:
    """Returns the names of the pages in docsite/ of the site."""
    return {path.stem for path in RST.glob("*.rst")} | set(reference_pages.pages(ROOT))


def files() -> list[Path]:
    """Returns the files of the project that people read."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name.endswith((".md", ".py", ".rst", ".yml"))]


def test_every_address_of_the_site_is_one_of_its_pages() -> None:
    named = {
        page
        for path in files()
        if path.is_file()
        for page in re.findall(re.escape(SITE) + r"docsite/(\w+)\.html", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 12
    assert named - pages() == set()


def test_every_page_of_the_index_is_there() -> None:
    index = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    named = [page for section in index["sections"] for page in section["toctree"]]
    assert sorted(named) == sorted(pages())


def test_every_playbook_and_every_option_is_on_its_page() -> None:
    made = reference_pages.pages(ROOT)
    for path in (ROOT / "playbooks").glob("*.yml"):
        assert f"\nwinbackup.storage.{path.stem}\n---" in made["playbooks"]
    assert "Takes the variables of the role :ansplugin:`winbackup.storage.rdm_convert#role`." in made["playbooks"]
    assert "   * - ``audit_fail_on``" in made["playbooks"]
    assert "       Default: ``none``." in made["playbooks"]
    assert "   * - ``alerts_interval``\n\n       *int*\n" in made["event_source_dpm_events"]


def test_ansibles_markup_is_that_of_the_site() -> None:
    assert reference_pages.inline("O(a) is V(b*) in C(c_), B(not) I(d)_, M(ns.col.mod)") == (
        "``a`` is ``b*`` in ``c_``, **not** *d*\\_, :ansplugin:`ns.col.mod#module`"
    )


def test_the_labels_of_ansibles_documentation_are_an_inventory_that_sphinx_reads() -> None:
    head, _line, packed = build_docs.inventory({"a_label": "b.html"}).partition(b"(zlib).\n")
    assert head.startswith(b"# Sphinx inventory version 2\n")
    assert build_docs.zlib.decompress(packed) == b"a_label std:label -1 b.html a_label\n"
