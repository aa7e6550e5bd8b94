# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `vmkfstools -q` says of a file: a mapping of which mode and which LUN, none, or why it cannot tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility

_MAPS_TO = re.compile(r"^[ \t]*maps to:[ \t]*(?P<vml>\S+)[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_IS_A = re.compile(r" is a (?P<kind>[\w \-]*pass[ \-]?through) raw device mapping", re.IGNORECASE)
_NOT_ONE = re.compile(r" is not an? rdm", re.IGNORECASE)


@dataclass(frozen=True)
class MappingQuery:
    """The answer: `compatibility` and `vml` of a mapping; `not_a_mapping` where it said so; else `said` tells why."""

    compatibility: Compatibility | None = None
    vml: str | None = None
    not_a_mapping: bool = False
    said: str = ""


def mapping_query(text: str) -> MappingQuery:
    """Returns what was answered about one file. A leaf above a virtual mapping answers like the mapping itself."""
    maps_to = _MAPS_TO.search(text)
    kind = _IS_A.search(text)
    if maps_to is not None and kind is not None:
        # "Non-passthrough" has "passthrough" in it, and documents also print "non Pass through".
        virtual = kind["kind"].lower().startswith("non")
        return MappingQuery(Compatibility.VIRTUAL if virtual else Compatibility.PHYSICAL, maps_to["vml"])
    if maps_to is None and kind is None and _NOT_ONE.search(text):
        return MappingQuery(not_a_mapping=True)
    said = " ".join(text.split())
    return MappingQuery(said=said[:300] or "nothing was printed")
