"""Results are plain values, whatever the domain works with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.plain import to_plain
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility


class Named(str):
    """A text of another type, as some libraries return."""


def test_dataclasses_enumerations_and_tuples_become_plain() -> None:
    found = (Finding.blocker("code", "m", "h", "o"), Finding("code", "info", "m", "h", "o"))
    plain = to_plain({"b": found, "mode": Compatibility.VIRTUAL, "n": Named("x")})
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
    assert to_plain(value) == value
