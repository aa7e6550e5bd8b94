# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What an action plugin answers of work that it did itself, as a module's process would have answered it."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.utils.display import Display

from ansible_collections.winbackup.storage.plugins.module_utils._core.secrets_in_text import may_hold_one


def answered(
    display: Display, failure: str | None, result: dict[str, Any], secrets: set[str], *, failed_as: str = "failed"
) -> dict[str, Any]:
    """Shows the warnings of a result and returns the rest, with the sentence of its failure where there is one.

    No secret is in what is shown or returned. `failed_as` is the key that tells of a failure."""
    for sentence in result.pop("warnings", ()):
        display.warning(remove_values(sentence, secrets))
    if failure is not None:
        result.update({failed_as: True, "msg": failure})
    # Ansible's search looks at each member by itself, and most results hold no secret.
    if may_hold_one(json.dumps(result, ensure_ascii=False), secrets):
        cleaned: dict[str, Any] = remove_values(result, secrets)
        return cleaned
    return result
