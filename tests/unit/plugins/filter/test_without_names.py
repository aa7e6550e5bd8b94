# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DPM server returned, as people attach it to an issue: the shape of it, and no name."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.filter.without_names import without_names

NAME = "Müller GmbH"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(NAME),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["id", "state", "type", NAME]), one),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["name", "state", "code", "msg", NAME]), VALUES))
def test_no_name_is_left_wherever_it_stands(result: dict[str, Any]) -> None:
    assert NAME not in json.dumps(without_names(result), ensure_ascii=False)


def test_what_was_not_read_stays_told_from_what_is_not_there() -> None:
    sources = [
        {"name": "D:\\", "state": "Valid", "consistent": True, "used_bytes": None, "alerts": [], "points": 0},
        {"name": "E:\\", "state": "In valid", "consistent": None, "used_bytes": 5, "alerts": None, "points": 3},
    ]
    server = {"name": "dpm01", "version": "4.2.1254.0"}
    assert without_names({"datasources": sources, "server": server, "msg": "dpm01 is away", "changed": False}) == {
        "datasources": {
            "least": 2,
            "most": 2,
            "each": {
                "name": "text",
                "state": ["Valid", "text"],
                "consistent": ["null", "true"],
                "used_bytes": ["null", "number"],
                "alerts": [{"least": 0, "most": 0, "each": None}, "null"],
                "points": ["0", "number"],
            },
        },
        "server": {"name": "text", "version": "4.2.1254.0"},
        "changed": "false",
    }
