"""Whatever a name is, the page and the CSV file show it and are not changed by it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.rendering import embedded
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import columns, printable, shortened
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    HARMLESS,
    dpm_info,
    lun_info,
    page_of,
    rdm_info,
    site_of,
    story,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import (
    Element,
    cell_texts,
    rows_of,
    shape,
)

WICKED = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "]]></svg><svg onload=alert(1)>",
    "</title></style><style>*{display:none}",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;&amp;&#60;",
    '=HYPERLINK("http://127.0.0.1/","click")',
    "a/b 100% \"quoted\" 'vm'",
    "バックアップ サーバー",
    "javascript:alert(1)",
    "tab\tline\nreturn\rnull\0",
    "\u202egnp.exe",
    "\ud800",
)
ANY_NAME = st.one_of(st.sampled_from(WICKED), st.text(st.characters(), min_size=1))
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


DOCS = "https://docs.example.com/winbackup"
CODES = f"{DOCS}/docsite/codes.html"


def whole_page(name: str) -> Element:
    site = site_of(name)
    mappings = {**rdm_info(site), "host": name}
    for rdm in mappings["rdms"]:
        # Of a path with such names in it they cannot always be told.
        rdm["vm"].update(datacenter=name, cluster=name, folder=name)
    head = {"servers": (name,), "read_at": name, "version": name, "documentation": DOCS}
    return page_of(mappings, lun_info(site), dpm_info(name), [story(name)], **head)


@given(st.recursive(ANY_NAME, lambda some: st.lists(some) | st.dictionaries(st.sampled_from("abc"), some)))
def test_data_for_the_script_are_read_back_and_hold_no_markup(value: object) -> None:
    text = str(embedded(value))
    assert not set("<>&") & set(text)
    text.encode()

    def seen(one: object) -> object:
        if isinstance(one, str):
            return printable(one)
        return [seen(member) for member in one] if isinstance(one, list) else {key: seen(one[key]) for key in one}

    assert json.loads(text) == seen(value)


@given(st.text(st.characters(categories=("L", "M", "Nd", "P", "S", "Zs"))))
def test_letters_digits_and_signs_of_every_script_are_shown_as_they_are(name: str) -> None:
    assert printable(name) == name


@given(st.text(st.characters()))
def test_nothing_invisible_is_left(name: str) -> None:
    shown = printable(name)
    assert printable(shown) == shown
    assert not [character for character in shown if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
    assert "\u202e" not in shown
    shown.encode()


@settings(max_examples=40)
@given(ANY_NAME)
def test_no_name_changes_the_elements_and_attributes_of_the_page(name: str) -> None:
    # Where nothing of a name is left in front of its ending, the display name of a LUN is not shown apart.
    page = whole_page(f"n{name}")
    assert shape(page) == shape(whole_page(HARMLESS))


@settings(max_examples=40)
@given(ANY_NAME)
def test_every_name_is_readable_in_the_page(name: str) -> None:
    name = f"n{name}"
    shown = printable(name)
    page = whole_page(name)
    mapping, source = page.one("tr", id="m1"), page.one("tr", id="d1")
    assert mapping.all("th")[0].all("div")[0].text == shown
    assert f"[{shown}] {shown}/0/{shown}.vmdk" in mapping.text
    assert f"serial {shown}" in mapping.text
    assert source.all("th")[0].all("div")[0].text == shown
    assert f"114 {shown}" in source.text
    assert shown in page.one("header").text
    assert any(title.text.startswith(f"/{shown}/vm/0/{shown}: ") for title in page.all("title"))
    # What the script draws is what the page shows without it.
    data = rows_of(page, "mappings-table")
    assert [cell_texts(cell) for cell in data[0]["cells"]] == [
        [line.text for line in cell.all("div")] for cell in mapping.children if isinstance(cell, Element)
    ]


@pytest.mark.parametrize("name", WICKED)
def test_the_page_runs_its_own_script_and_asks_nobody(name: str) -> None:
    page = whole_page(name)
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"] or ""
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; ")
    scripts = page.all("script")
    assert [one.attributes for one in scripts] == [
        *[{"type": "application/json", "class": "rows"}] * (len(scripts) - 1), {},
    ]  # fmt: skip
    for one in scripts[:-1]:
        assert not set("<>&") & set(one.text)
        assert json.loads(one.text)["rows"]
    for code, directive in ((scripts[-1], "script-src"), (page.one("style"), "style-src")):
        text = code.text
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
        assert "url(" not in text
        assert "http" not in text
    for one in page.within():
        assert one.tag not in (
            "img",
            "iframe",
            "object",
            "embed",
            "link",
            "form",
            "base",
            "use",
            "foreignobject",
            "image",
        )
        assert not [attribute for attribute in one.attributes if attribute.startswith("on")]
        assert not {"style", "src", "srcset", "action", "xlink:href", "formaction"} & set(one.attributes)
        href = one.attributes.get("href") or "#"
        # Only a click on what explains a code leaves the page.
        assert href.startswith("#") or re.fullmatch(re.escape(CODES) + "(#:~:text=[a-z0-9_]+)?", href)
        assert (one.attributes.get("clip-path") or "url(#").startswith("url(#")


@settings(max_examples=60)
@given(ANY_NAME)
def test_the_csv_file_gives_back_every_name(name: str) -> None:
    site = site_of(name, machines=2)
    made = report(rdm_info(site), lun_info(site), dpm_info(name), Heading())
    guarded = f"'{printable(name)}" if name.startswith(FORMULA) else printable(name)
    for other, named in ((made.luns_csv, ("Vendor", "Serial")), (made.datasources_csv, ("DPM Server", "Computer"))):
        assert other.encode("utf-8").startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(other.removeprefix("\ufeff"), newline=""), strict=True))
        assert len(rows) == 2
        for row in rows:
            assert {row[column] for column in named} == {guarded}
            assert not [cell for cell in row.values() if cell.startswith(FORMULA)]
    text = made.csv
    assert text.encode("utf-8").startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    assert len(rows) == 2
    shown = printable(name)
    for number, row in enumerate(rows):
        assert (row["VM"], row["Label"], row["LUN Serial"]) == (guarded, guarded, guarded)
        assert row["Path"] == f"[{shown}] {shown}/{number}/{shown}.vmdk"
        assert not [cell for cell in row.values() if cell.startswith(FORMULA)]


@given(st.text(), st.integers(4, 40))
def test_a_shortened_name_fits_and_keeps_both_ends(name: str, most: int) -> None:
    short = shortened(name, most)
    assert columns(short) <= most
    if short != name:
        head, _dots, tail = short.partition("…")
        assert name.startswith(head)
        assert name.endswith(tail.rpartition("…")[2])
