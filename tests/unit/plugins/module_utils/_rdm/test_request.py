# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What options of a call are refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import request_of

OPTIONS: dict[str, Any] = {
    "vm": "backup01",
    "compatibility": "virtual",
    "disks": [],
    "power": "refuse",
    "shutdown_timeout": 600,
    "restore_power": True,
    "disk_mode": None,
    "datastore": None,
    "directory": None,
    "old_mapping": "keep",
    "override": [],
    "timeout": 1800,
}


@pytest.mark.parametrize("directory", ["..", "../../../tmp", "backup01/../other", "./backup01", "/backup01/.."])
def test_no_folder_leads_out_of_its_datastore(directory: str) -> None:
    """A record names the new file, and one that names such a file is not believed: nobody could end that conversion."""
    with pytest.raises(ConfigurationError) as raised:
        request_of({**OPTIONS, "directory": directory})
    assert "directory must be a folder of the datastore, without . and .." in str(raised.value)


@pytest.mark.parametrize("directory", [None, "", "backup01", "/backup01/", "..data", "a/...", "新しい"])
def test_any_other_name_is_a_folder(directory: str | None) -> None:
    assert request_of({**OPTIONS, "directory": directory}).directory == directory
