# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages in Markdown become pages of the documentation site that say the same, or are refused by file and line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import build_docs  # noqa: E402
import markdown_pages  # noqa: E402
import reference_pages  # noqa: E402

PAGE = "docs/codes.md"
LABEL = markdown_pages.LABELS


def lines(markdown: str) -> list[str]:
    """Returns what a text becomes, without the label of the page and without empty lines."""
    return [line for line in markdown_pages.rendered(markdown, PAGE).splitlines()[1:] if line]


def test_headings_paragraphs_and_lists() -> None:
    assert lines("# A page\n\nOne\nparagraph.\n\n1. first\n2. second,\n   which goes on\n\n- a point") == [
        "A page",
        "======",
        "One paragraph.",
        "1. first",
        "2. second, which goes on",
        "- a point",
    ]


def test_a_table_with_and_without_a_header() -> None:
    head = [".. list-table::", "   :header-rows: 1", "   :width: 100%"]
    assert lines("| a | b |\n|---|---|\n| `c` | |") == [*head, "   * - a", "     - b", "   * - ``c``", "     -"]
    assert lines("| | |\n|---|---|\n| c | d |")[1:] == ["   :header-rows: 0", head[2], "   * - c", "     - d"]


def test_code_is_kept_as_it_is() -> None:
    assert lines("```sh\nls *.vmdk `x`\n\n  # |\n```") == [".. code-block:: sh", "   ls *.vmdk `x`", "     # |"]
    assert markdown_pages.inline(r"`D:\` on `a|b`, not `_`s", PAGE) == r"``D:\`` on ``a|b``, not ``_``\ s"


def test_what_would_be_markup_there_is_none() -> None:
    assert markdown_pages.inline(r"a * b_ c|d \x", PAGE) == r"a \* b\_ c\|d \\x"
    assert markdown_pages.inline("**bold**, *said*, **`code`**, 2*3*4", PAGE) == r"**bold**, *said*, ``code``, 2\*3\*4"


def test_links_lead_to_pages_of_the_site_or_to_the_repository() -> None:
    assert markdown_pages.inline("[security.md](security.md)", PAGE) == f":ref:`{LABEL}attacks`"
    assert markdown_pages.inline("[the codes](../codes.md)", "docs/awx/README.md") == f":ref:`the codes <{LABEL}codes>`"
    assert markdown_pages.inline("[a guide](docsite/rst/guide_x.rst)", PAGE) == f":ref:`a guide <{LABEL}guide_x>`"
    assert markdown_pages.inline("[it](../tests/lab/README.md)", PAGE) == (
        f"`it <{markdown_pages.REPOSITORY}tests/lab/README.md>`__"
    )
    assert markdown_pages.inline("[it](https://example.com/)", PAGE) == "`it <https://example.com/>`__"


@pytest.mark.parametrize("text", ["#### deep", "> said", "    indented", "<b>x</b>", "---", "| a | b |\n|---|\n| c |"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(markdown_pages.Unknown, match=re.escape(PAGE)):
        markdown_pages.rendered(text, PAGE)


@pytest.mark.parametrize("page", markdown_pages.PAGES)
def test_every_page_keeps_its_words(page: str) -> None:
    markdown = (ROOT / page).read_text(encoding="utf-8")
    made = re.sub(r"<[^<>]+>`__|<ansible_collections[^<>]+>`", "", markdown_pages.rendered(markdown, page))
    plain = re.sub(r"\]\([^)]+\)", "", markdown)
    spoken = re.findall(r"[^\W_]{3,}", "\n".join(line for line in plain.splitlines() if not line.startswith("```")))
    assert not set(spoken) - set(re.findall(r"[^\W_]{3,}", made)) - {"README"}


@pytest.mark.parametrize("page", markdown_pages.PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert link.startswith("https://") or (ROOT / page).parent.joinpath(link.partition("#")[0]).exists(), link


def test_every_page_of_the_index_is_there() -> None:
    index = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    named = [page for section in index["sections"] for page in section["toctree"]]
    guides = {path.stem for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst")}
    made = {*markdown_pages.PAGES.values(), *reference_pages.pages(ROOT)}
    assert sorted(named) == sorted(guides | made)


def test_every_playbook_and_every_option_is_on_its_page() -> None:
    pages = reference_pages.pages(ROOT)
    for path in (ROOT / "playbooks").glob("*.yml"):
        assert f"\nwinbackup.storage.{path.stem}\n---" in pages["playbooks"]
    assert "Takes the variables of the role :ansplugin:`winbackup.storage.rdm_convert#role`." in pages["playbooks"]
    assert "   * - ``audit_fail_on``" in pages["playbooks"]
    assert "       Default: ``none``." in pages["playbooks"]
    assert "   * - ``alerts_interval``\n\n       *int*\n" in pages["event_source_dpm_events"]


def test_ansibles_markup_is_that_of_the_site() -> None:
    assert reference_pages.inline("O(a) is V(b*) in C(c_), B(not) I(d)_, M(ns.col.mod)") == (
        "``a`` is ``b*`` in ``c_``, **not** *d*\\_, :ansplugin:`ns.col.mod#module`"
    )


def test_the_labels_of_ansibles_documentation_are_an_inventory_that_sphinx_reads() -> None:
    head, _line, packed = build_docs.inventory({"a_label": "b.html"}).partition(b"(zlib).\n")
    assert head.startswith(b"# Sphinx inventory version 2\n")
    assert build_docs.zlib.decompress(packed) == b"a_label std:label -1 b.html a_label\n"
