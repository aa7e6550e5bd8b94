# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long lines are broken between words for a terminal; nothing is lost, and a command to be pasted stays whole."""

from __future__ import annotations

from ansible.utils.display import get_text_width
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.action.show import broken

WORDS = st.lists(st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=12), min_size=1, max_size=40)


@given(words=WORDS, indent=st.integers(0, 8), width=st.integers(40, 120))
def test_no_word_is_lost_and_none_is_broken(words: list[str], indent: int, width: int) -> None:
    pieces = list(broken(" " * indent + " ".join(words), width))
    assert " ".join(" ".join(pieces).split()) == " ".join(" ".join(words).split())
    assert all(piece.startswith(" " * indent) for piece in pieces)
    for piece in pieces:
        assert get_text_width(piece) < width or len(piece.split()) == 1


def test_a_line_goes_on_below_where_its_text_began() -> None:
    line = "    Extend it with winbackup.storage.dpm_allocation, or let DPM do so by itself."
    assert list(broken(line, 50)) == [
        "    Extend it with",
        "      winbackup.storage.dpm_allocation, or let",
        "      DPM do so by itself.",
    ]


def test_letters_of_double_width_count_twice() -> None:
    assert next(broken("予備 " * 12, 42)) == "予備 予備 予備 予備 予備 予備 予備 予備"


def test_a_command_and_what_goes_to_no_terminal_stay_one_line() -> None:
    line = 'See ansible-playbook winbackup.storage.convert_rdms -e \'{"rdm_convert_vms": ["backup 01"]}\''
    assert list(broken(line, 40)) == [line]
    assert list(broken("word " * 100, None)) == ["word " * 100]
