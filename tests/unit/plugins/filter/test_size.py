"""A number of bytes as people read it."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.filter.size import size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "unknown"),
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.00 KiB"),
        (40 * 2**30, "40.00 GiB"),
        (3000592982016, "2.73 TiB"),
        (2**80, "1048576.00 EiB"),
    ],
)
def test_a_size(count: int | None, said: str) -> None:
    assert size(count) == said
