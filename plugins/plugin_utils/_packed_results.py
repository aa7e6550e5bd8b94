# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Results of megabytes on their way from a task to the report: as one text, which Ansible does not look into. Pure.

Ansible copies a result member by member: from the task's process, for the callbacks, into the variables of the host.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of

# A playbook sets it to the number of characters above which it wants a result packed; what it registers is then for the
# lookup plugin `audit` alone.
PACKS_ABOVE = "winbackup_storage_packs_above"
_PACKED = "winbackup_storage_packed"
# What Ansible itself puts into a result, some of it in types of its own.
_OF_ANSIBLE = frozenset({"warnings", "deprecations", "exception", "invocation", "diff"})
# The first level makes 9 MB twenty times smaller; the best one takes six times as long for a fifth more.
_LEVEL = 1
# Thirty times what a site with 20,000 virtual machines comes to.
_LARGEST_BYTES = 256 * 1024**2


class NotPacked(ValueError):
    """A text that `packed` did not make; its words say why."""


def limit_of(value: object) -> int:
    """Returns the number of characters that a variable says; raises AnsibleActionFail where it says none."""
    number = count_of(str(value))
    if number is None:
        raise AnsibleActionFail(f"The variable {PACKS_ABOVE} is for the playbook audit, and must be a number.")
    return number


def packed(result: Mapping[str, Any], above: int) -> dict[str, Any]:
    """Returns a result with its lists in one short text, where it has more than `above` characters as JSON; else as it
    is."""
    ours = {key: value for key, value in result.items() if key not in _OF_ANSIBLE and not key.startswith("_ansible_")}
    text = json.dumps(ours, ensure_ascii=False)
    if len(text) <= above:
        return dict(result)
    kept = {key: value for key, value in result.items() if key not in ours or not isinstance(value, list)}
    small = base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode("ascii")
    # As the facts of a host, it is nothing to read on a screen.
    return {**kept, _PACKED: small, "_ansible_verbose_override": True}


def unpacked(registered: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a registered result, packed or not, made of plain dictionaries, lists and texts; raises NotPacked."""
    plain: Any = to_json_types(registered)
    text = plain.pop(_PACKED, None)
    # What Ansible made of the members that it could see counts.
    return plain if text is None else {**_unpacked_text(text), **plain}


def _unpacked_text(text: object) -> dict[str, Any]:
    """Returns the members that were packed into a text; raises NotPacked for one that was made by somebody else."""
    opened = zlib.decompressobj()
    try:
        whole = opened.decompress(base64.b64decode(text, validate=True), _LARGEST_BYTES)  # type: ignore[arg-type]
        members = json.loads(whole) if opened.eof else None
    # A text nested thousands deep ends the parser's recursion.
    except (TypeError, ValueError, zlib.error, RecursionError) as error:
        raise NotPacked("it was not packed by this collection, or was changed since") from error
    if not isinstance(members, dict):
        raise NotPacked("it was not packed by this collection, or is larger than any reading")
    return members
