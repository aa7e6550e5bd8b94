# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A finding, in the one shape that findings and blockers have everywhere. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import ONLY_WHERE_SET


@dataclass(frozen=True, slots=True)
class Finding:
    """Something seen: a stable code, info, warning or error, what was seen, what to do, and of what object.

    A blocker is a finding that says whether the user may go ahead in spite of it; of others `overridable` is None, and
    results do not show it.
    """

    code: str
    severity: str
    message: str
    hint: str
    object: str
    overridable: bool | None = field(default=None, metadata=ONLY_WHERE_SET)

    @classmethod
    def blocker(cls, code: str, message: str, hint: str, object: str, *, overridable: bool = False) -> Finding:
        """Returns a reason not to do what was asked for."""
        return cls(code, "error", message, hint, object, overridable)
