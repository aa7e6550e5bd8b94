# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""An answer of the script read_server is one only if it has every key that the script always sends. Pure.

`{}` is no server without data sources: it is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply

_LISTS = ("sources", "unread_parts")
# Null where the server refused to tell them; a finding says why.
_LISTS_OR_NULL = ("running", "checks", "failed", "alerts", "disks", "volumes", "modern_volumes")
_TYPES = {"now": str, "machine": Mapping, "server": Mapping, "knows_modern": bool, "edits_directly": bool}


def complete_reading(answer: object) -> Mapping[str, Any]:
    """Returns the answer; raises CorruptReply, a sentence about the first key that is missing or of another type."""
    for key in _LISTS:
        answers.rows(answer, key)
    for key in _LISTS_OR_NULL:
        answers.rows_or_none(answer, key)
    for key, kind in _TYPES.items():
        if not isinstance(answers.value_of(answer, key), kind):
            raise CorruptReply(f"The script's answer holds something of another kind than its own as {key}.")
    if not isinstance(answer, Mapping):
        raise CorruptReply("The script did not answer with a table.")
    return answer
