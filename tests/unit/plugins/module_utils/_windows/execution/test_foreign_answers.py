# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a host answers, it gives facts that results can hold, or is named as no answer of our scripts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import decide, wanted_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_results import disk_info_result
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_disks import parse_disks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_shadow_copies import (
    parse_made,
    parse_shadow_copies,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.shadow_copies.allowed import refusal_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import vm_disks_of

GUID = "0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11"
TEXTS = st.sampled_from(
    [
        "",
        "1",
        "2",
        "Policy",
        "gpt",
        f"{{{GUID}}}",
        f"\\\\?\\Volume{{{GUID}}}\\",
        "E:",
        "E:\\",
        "日本語",
        "\0",
        "NTFS",
        "-1",
    ]
)
VALUES = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | TEXTS
ANYTHING = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


def row(names: str, **kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping[str, Any]]:
    """A table with some of these keys, mostly of the right type and sometimes of any."""
    usual = {name: kinds.get(name, VALUES) for name in names.split()}
    return st.fixed_dictionaries({}, optional=usual)


def answer(*names: str, **lists: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An answer with these lists, a machine and these values, or anything."""
    whole = {name: st.lists(kind, max_size=3) for name, kind in lists.items()}
    return st.fixed_dictionaries({"machine": MACHINE, **{name: SINGLES[name] for name in names}, **whole}) | ANYTHING


SINGLES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("san_policy", "now"), st.none() | TEXTS),
    **dict.fromkeys(("most_copies", "least_area"), st.none() | st.integers(0, 100)),
    "dpm": st.booleans(),
}
NUMBERS, FLAGS = st.integers(0, 3) | st.none(), st.booleans() | st.none()
MACHINE = row("name bios_uuid serial os_build", **dict.fromkeys(["name", "bios_uuid", "serial", "os_build"], TEXTS))
DRIVE = row("number port bus target lun size serial model signature sector device slot", number=NUMBERS, size=NUMBERS)
DISK = row(
    "number path name serial unique_id size logical physical bus style guid signature offline reason read_only "
    "clustered boot system",
    **dict.fromkeys(("path", "name", "serial", "unique_id", "bus", "style", "guid", "reason"), TEXTS),
    **dict.fromkeys(("offline", "read_only", "clustered", "boot", "system"), FLAGS),
    **dict.fromkeys(("number", "size", "logical", "physical", "signature"), NUMBERS),
)
PARTITION = row("disk offset size gpt_type mbr_type paths", disk=NUMBERS, offset=NUMBERS, size=NUMBERS, gpt_type=TEXTS)
VOLUME = row(
    "path letter name size file_system free mark",
    **dict.fromkeys(("path", "letter", "name", "file_system"), TEXTS),
    size=NUMBERS,
    free=NUMBERS,
    mark=row("until before copy", until=TEXTS, before=TEXTS, copy=TEXTS) | st.none(),
)
DISKS = answer(
    "san_policy",
    drives=DRIVE,
    disks=DISK,
    partitions=PARTITION,
    physical=row("number size reasons"),
    volumes=VOLUME,
    unread_parts=row("part message", part=TEXTS, message=TEXTS),
)
COPIES = answer(
    "now",
    "most_copies",
    "least_area",
    "dpm",
    volumes=VOLUME,
    copies=row("id volume client_accessible", id=TEXTS, volume=TEXTS, client_accessible=FLAGS),
    areas=row("volume on allocated most", **dict.fromkeys(("volume", "on", "allocated", "most"), TEXTS)),
    unread_parts=row("part message", part=TEXTS, message=TEXTS),
)
MADE = row(
    "outcome message return_value ticks copy removed events",
    outcome=st.sampled_from(["answered", "failed", "no_mark", "else"]),
    events=st.lists(row("xml log", xml=TEXTS, log=TEXTS), max_size=2),
)


@given(DISKS)
@settings(max_examples=40)
def test_disks(given_answer: Any) -> None:
    try:
        facts = parse_disks(given_answer)
    except CorruptReply:
        return
    to_json_types(disk_info_result(facts, ()))
    for decision in decide(facts, wanted_state_of([GUID], online=True, read_only=False)):
        # Nothing is changed of a disk of which something is not known.
        assert not decision.steps or (decision.disk is not None and decision.disk.offline is not None)
        assert bool(decision.steps) <= (decision.refusal is None)


@given(COPIES)
@settings(max_examples=40)
def test_copies(given_answer: Any) -> None:
    try:
        facts = parse_shadow_copies(given_answer)
    except CorruptReply:
        return
    for one in facts.volumes:
        refusal = refusal_of(facts, one)
        # Where copies or their storage are not known, none is made.
        assert refusal is not None or (facts.copies is not None and facts.areas is not None)


@pytest.mark.parametrize(("read", "error"), [(parse_made, CorruptReply), (vm_disks_of, ConfigurationError)])
@given(data=st.data())
@settings(max_examples=40)
def test_other_answers(read: Callable[[Any], Any], error: type[Exception], data: st.DataObject) -> None:
    with contextlib.suppress(error):
        read(data.draw(MADE | ANYTHING))
