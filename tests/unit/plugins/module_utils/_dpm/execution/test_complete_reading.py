# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`{}` is no answer, and neither is one that lacks anything that the script always sends."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.complete_reading import complete_reading
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.parse import parse_facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import PowerShellServer
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply

WHOLE: dict[str, Any] = {
    "now": "2026-11-01T10:00:00.1234567Z",
    "machine": {"name": "DPM01"},
    "server": {},
    "sources": [],
    "running": None,
    "checks": [],
    "failed": None,
    "alerts": None,
    "disks": None,
    "volumes": None,
    "modern_volumes": None,
    "knows_modern": True,
    "edits_directly": True,
    "unread_parts": [],
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Saying:
    """A way to a host on which every script answers one thing."""

    name = "dpm01"

    def __init__(self, data: object) -> None:
        self._data = data

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        nonce = json.loads(base64.b64decode(data))["nonce"]
        packed = gzip.compress(json.dumps({"data": self._data}).encode())
        head = f"<<{nonce} {len(packed)} {hashlib.sha256(packed).hexdigest().upper()}"
        return Completed(f"{head}\r\n{base64.b64encode(packed).decode()}\r\n{nonce}>>".encode(), b"", 0)

    def close(self) -> None:
        """Nothing is open."""


def test_a_whole_answer_is_one() -> None:
    assert complete_reading(WHOLE) is WHOLE


@pytest.mark.parametrize("answer", [{}, None, [], "", 0, [WHOLE]], ids=["{}", "null", "[]", "text", "0", "a list"])
def test_nothing_is_no_server_without_data_sources(answer: object) -> None:
    server = PowerShellServer({}, Saying(answer))
    with pytest.raises(CorruptReply, match="answer"):
        server.read(server.time() + 10)


@pytest.mark.parametrize("key", WHOLE)
def test_every_key_that_the_script_always_sends_is_required(key: str) -> None:
    with pytest.raises(CorruptReply, match=f"lacks {key}"):
        complete_reading({name: value for name, value in WHOLE.items() if name != key})


@given(st.sampled_from(sorted(WHOLE)), VALUES)
def test_whatever_stands_there_is_read_or_one_sentence(key: str, value: object) -> None:
    with contextlib.suppress(CorruptReply):
        parse_facts(complete_reading({**WHOLE, key: value}))


@pytest.mark.parametrize(
    "answer",
    [{}, None, {"answers": None}, {"answers": [{}]}, {"answers": [{"id": "a"}]}]
    + [{"answers": [{"id": "a", "outcome": word}]} for word in ("", None, "fine", 1)],
    ids=repr,
)
def test_what_a_script_that_writes_does_not_say_is_not_known(answer: object) -> None:
    server = PowerShellServer({}, Saying(answer))
    with pytest.raises(OutcomeUnknown, match="what it did is not known"):
        server.start_checks(["a"], CallTimes.of(server.time(), 20))
