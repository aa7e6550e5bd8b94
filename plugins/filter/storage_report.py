# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in storage_report.yml beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import NotAResult

_COLLECTION = Path(__file__).resolve().parents[2]


def storage_report(
    mappings: object,
    luns: object = None,
    allocations: object = None,
    servers: Sequence[str] = (),
    read_at: str = "",
    stories: object = None,
) -> dict[str, str]:
    """Returns the texts of the files by their keys; raises AnsibleFilterError where something else than a result was
    given."""
    try:
        # Ansible's own strings and lists carry tags and look values up when asked; plain ones do not.
        read = (to_json_types(mappings), to_json_types(luns), to_json_types(allocations))
        return report_of(*read, servers, read_at, to_json_types(stories))
    except TypeError as error:
        raise AnsibleFilterError(f"storage_report: {error}") from error


def report_of(
    mappings: object, luns: object, allocations: object, servers: Sequence[str], read_at: str, stories: object
) -> dict[str, str]:
    """Returns what `storage_report` does, of results that are made of plain dictionaries, lists and texts already."""
    about = collection_info()
    heading = Heading(
        str(read_at) or None,
        tuple(str(server) for server in servers if server),
        about.get("version"),
        about.get("documentation"),
    )
    try:
        return asdict(report(mappings, luns, allocations, heading, stories))
    except NotAResult as error:
        raise AnsibleFilterError(f"storage_report: {error}") from error


def collection_info() -> dict[str, str]:
    """Returns what this collection says of itself: of an installed one in its manifest, else in galaxy.yml."""
    manifest, galaxy = _COLLECTION / "MANIFEST.json", _COLLECTION / "galaxy.yml"
    if manifest.is_file():
        about = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
    elif galaxy.is_file():
        about = yaml_load(galaxy.read_text(encoding="utf-8"))
    else:
        return {}
    return {key: str(value) for key, value in about.items() if value}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"storage_report": storage_report}
