"""Every text is one word of a command, and nothing of it is run."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.quote import quote

WORDS = ["a b", "it's", "''", "$(reboot)", "`id`", "; rm -rf /", "a\nb", "日本語", "-rf", "", "\\", "*", "~", "%s"]


def back_from_shell(words: list[str]) -> list[str]:
    """Returns the words as a shell gives them to a command."""
    script = "for word in " + " ".join(map(quote, words)) + "; do printf '%s\\0' \"$word\"; done"
    done = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=True, timeout=30)
    return done.stdout.decode().split("\0")[:-1]


def test_words_that_a_shell_would_read() -> None:
    assert back_from_shell(WORDS) == WORDS


@settings(max_examples=20)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_words(words: list[str]) -> None:
    assert back_from_shell(words) == words


def test_a_nul_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="NUL"):
        quote("a\0b")
