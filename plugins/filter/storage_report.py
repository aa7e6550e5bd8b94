# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in storage_report.yml beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.winbackup.storage.plugins.module_utils._core.plain import to_plain
from ansible_collections.winbackup.storage.plugins.module_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.plugins.module_utils._report.reading import NotAResult

_COLLECTION = Path(__file__).resolve().parents[2]


def storage_report(
    mappings: object, luns: object = None, allocations: object = None, servers: Sequence[str] = (), read_at: str = ""
) -> dict[str, str]:
    """Returns `html` and `csv`; raises AnsibleFilterError where something else than a result was given."""
    heading = Heading(str(read_at) or None, tuple(str(server) for server in servers if server), collection_version())
    try:
        # Ansible's own strings and lists carry tags and look values up when asked; plain ones do not.
        made = report(to_plain(mappings), to_plain(luns), to_plain(allocations), heading)
    except (NotAResult, TypeError) as error:
        raise AnsibleFilterError(f"storage_report: {error}") from error
    return {"html": made.html, "csv": made.csv}


def collection_version() -> str | None:
    """Returns the version of this collection: of an installed one from its manifest, else from galaxy.yml."""
    manifest, galaxy = _COLLECTION / "MANIFEST.json", _COLLECTION / "galaxy.yml"
    if manifest.is_file():
        version = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
    elif galaxy.is_file():
        version = yaml_load(galaxy.read_text(encoding="utf-8"))["version"]
    else:
        return None
    return str(version)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"storage_report": storage_report}
