"""What no XML may hold costs one value: it is replaced, wherever a chunk ends, and all else arrives unchanged."""

from __future__ import annotations

from itertools import pairwise
from xml.etree.ElementTree import Element, XMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.legal_xml import LegalXml, take_marks


def parsed(data: bytes, cuts: list[int]) -> tuple[Element, bool]:
    """Returns the element that the bytes are once they were passed on in pieces, and whether something was replaced."""
    legal, parser = LegalXml(), XMLParser()
    places = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in pairwise(places):
        parser.feed(legal.pass_on(data[start:end]))
    parser.feed(legal.pass_on(b"", last=True))
    element = parser.close()
    return element, take_marks(element)


@pytest.mark.parametrize(
    "spoilt",
    [b"\x01", b"\x00", b"\x1f", b"&#0;", b"&#x1;", b"&#xFFFE;", b"\xff", b"\xe3\x83", b"\xed\xa0\x80", b"\xef\xbf\xbf"],
)
@pytest.mark.parametrize("around", [b"%s", b"a%sb", "名%s前".encode()])
def test_what_is_no_character_is_replaced_wherever_a_chunk_ends(spoilt: bytes, around: bytes) -> None:
    data = b"<a>" + around % spoilt + b"</a>"
    for cut in range(len(data)):
        element, marked = parsed(data, [cut])
        assert marked
        assert element.text is not None
        assert element.text.replace("\ufffd", "") == (around % b"").decode()


@given(
    text=st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30),
    cuts=st.lists(st.integers(0, 200)),
)
def test_all_other_text_arrives_as_it_was_sent(text: str, cuts: list[int]) -> None:
    escaped = text.replace("&", "&#38;").replace("<", "&#x3C;").replace(">", "&gt;").replace("é", "&#233;")
    element, marked = parsed(f"<a>{escaped}&#10;</a>".encode(), cuts)
    assert element.text == text + "\n"
    assert not marked
