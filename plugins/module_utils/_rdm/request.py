# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the user asked of `rdm_compatibility`: the same on every way in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility


@dataclass(frozen=True)
class Request:
    """What the user asked for, as the options of `rdm_compatibility` name it. `disks` empty means every mapping."""

    vm: str
    compatibility: Compatibility = Compatibility.VIRTUAL
    disks: tuple[str, ...] = ()
    power: str = "refuse"
    shutdown_timeout: float = 600
    restore_power: bool = True
    disk_mode: str | None = None
    datastore: str | None = None
    directory: str | None = None
    delete_old_mapping: bool = False
    override: frozenset[str] = frozenset()
    timeout: float = 1800


def request_of(options: Mapping[str, Any]) -> Request:
    """Returns the request that the options of one call make; raises ConfigurationError for a time or a folder that is
    none."""
    for name, least in (("timeout", 1), ("shutdown_timeout", 0)):
        if options[name] < least:
            raise ConfigurationError(f"{name} must be at least {least}, not {options[name]}.")
    directory = options["directory"]
    if directory is not None and {".", ".."} & set(directory.split("/")):
        raise ConfigurationError(f"directory must be a folder of the datastore, without . and .., not {directory!r}.")
    return Request(
        vm=options["vm"],
        compatibility=Compatibility(options["compatibility"]),
        disks=tuple(options["disks"]),
        power=options["power"],
        shutdown_timeout=options["shutdown_timeout"],
        restore_power=options["restore_power"],
        disk_mode=options["disk_mode"],
        datastore=options["datastore"],
        directory=directory,
        delete_old_mapping=options["old_mapping"] == "delete",
        override=frozenset(options["override"]),
        timeout=options["timeout"],
    )
