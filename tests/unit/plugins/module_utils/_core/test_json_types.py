"""Results are plain values, whatever the domain works with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import as_sentence, to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility


class Named(str):
    """A text of another type, as some libraries return."""


def test_dataclasses_enumerations_and_tuples_become_plain() -> None:
    found = (Finding.blocker("code", "m", "h", "o"), Finding("code", "info", "m", "h", "o"))
    plain = to_json_types({"b": found, "mode": Compatibility.VIRTUAL, "n": Named("x")})
    assert plain == {
        "b": [
            {"code": "code", "message": "m", "hint": "h", "object": "o", "overridable": False, "severity": "error"},
            # A finding that is no blocker does not say whether it may be overridden.
            {"code": "code", "message": "m", "hint": "h", "object": "o", "severity": "info"},
        ],
        "mode": "virtual",
        "n": "x",
    }
    assert isinstance(plain, dict)
    assert type(plain["mode"]) is str
    assert type(plain["n"]) is str


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda leaf: st.lists(leaf) | st.dictionaries(st.text(), leaf),
    )
)
def test_plain_values_stay_what_they_are(value: object) -> None:
    assert to_json_types(value) == value


def test_half_characters_of_a_server_become_whole_ones() -> None:
    assert to_json_types({"a\ud800": ["\udfffb", Named("\ud83d"), "日本"]}) == {
        "a<U+D800>": ["<U+DFFF>b", "<U+D83D>", "日本"]
    }


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_a_sentence_moves_no_cursor_and_can_be_written(text: str) -> None:
    shown = as_sentence(text)
    shown.encode()
    assert not any(ord(character) < 0x20 and character not in "\t\n" for character in shown)
    assert not set("\x7f\x9b\u202e\u2066") & set(shown)


def test_a_sentence_keeps_what_people_write() -> None:
    assert as_sentence("Zugriff verweigert: 日本\n\tfor é") == "Zugriff verweigert: 日本\n\tfor é"
    assert as_sentence("\x1b]0;owned\x07\x1b[2J") == "\u241b]0;owned\u2407\u241b[2J"
