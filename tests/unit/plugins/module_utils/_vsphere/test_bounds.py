"""Whatever a server sends, a reading ends, takes less than 200 MB, and what it did not read is not called absent."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.tests.unit.helpers.endless_server import read_in_a_process

_MOST_BYTES = 200_000_000


@pytest.mark.parametrize("kind", ["objects", "elements"])
def test_an_inventory_without_an_end_is_not_kept(kind: str) -> None:
    read = read_in_a_process(kind)
    assert read["peak_bytes"] < _MOST_BYTES
    assert not read["complete"]
    assert any("more memory than a reading may" in finding for finding in read["findings"])


def test_luns_without_an_end_are_not_kept_and_the_luns_of_that_host_are_not_known() -> None:
    read = read_in_a_process("LUNs")
    assert read["peak_bytes"] < _MOST_BYTES
    assert read["complete"]
    assert read["hosts"] == ["its LUNs (it takes more memory than a reading may)"]
