"""An answer counts only where it is whole and unaltered."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer, NoFrame, read_answer

BODY = (
    b"=system\n|VMkernel\n|\n|0\n=query\n>/vmfs/volumes/1/a\n>b.vmdk\n|=end none\n||x\n|\n|1\n=lost\n>x\n|was cut off"
)


def framed(body: bytes = BODY, kind: str = "md5") -> bytes:
    checksum = {"md5": hashlib.md5, "sha1": hashlib.sha1}.get(kind)
    lines = body + b"\n"
    end = f"=end {kind} {checksum(lines).hexdigest() if checksum else ''}\n"
    return b"a banner\n=begin\n" + body + b"\n" + end.encode()


@pytest.mark.parametrize("kind", ["md5", "sha1", "none"])
def test_an_answer_that_is_whole(kind: str) -> None:
    answer = read_answer(framed(kind=kind), "esx1")
    assert answer.text("system") == "VMkernel\n"
    query = answer.find("query", "/vmfs/volumes/1/a\nb.vmdk")
    assert query is not None
    # What looks like a part of the frame is what was printed.
    assert (query.text, query.code, query.succeeded) == ("=end none\n|x\n", 1, False)
    assert answer.text("query", query.about) is None
    assert answer.text("never run") is None
    lost = answer.find("lost", "x")
    assert lost is not None
    assert lost.code is None


def test_an_answer_that_was_cut_off_anywhere_is_none() -> None:
    whole = framed()
    for length in range(len(whole) - 1):
        with pytest.raises(NoFrame, match="esx1"):
            read_answer(whole[:length], "esx1")


def test_an_answer_that_was_altered_is_none() -> None:
    with pytest.raises(NoFrame, match="altered"):
        read_answer(framed().replace(b"VMkernel", b"VMkermel"), "esx1")


def test_what_was_said_instead_is_quoted() -> None:
    with pytest.raises(NoFrame, match="it said: Login incorrect"):
        read_answer(b"Login incorrect\nbye\n", "esx1")
    with pytest.raises(NoFrame, match="nothing came back"):
        read_answer(b"", "esx1")


@given(st.binary(max_size=300))
def test_no_output_whatever_is_a_traceback(output: bytes) -> None:
    for text in (output, b"=begin\n" + output + b"\n=end none\n"):
        with suppress(NoFrame):
            assert isinstance(read_answer(text, "esx1"), Answer)
