# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine of a rehearsal as texts: its .vmx, its record, and scripts that delete no more than their own."""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import vmx_settings
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.rehearsal_script import (
    OwnPlace,
    settings_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import record_file, vmx_of_record

NAME = "winbackup-rehearsal-0a1b2c3d4e5f"
ROOT = "/vmfs/volumes/5f90-1"
PLACE = OwnPlace(f"{ROOT}/{NAME}/{NAME}.vmx")


def test_the_record_lies_beside_the_folder_and_leads_to_it() -> None:
    assert PLACE.record == f"{ROOT}/{NAME}.winbackup.storage.rehearsal.json"
    assert vmx_of_record(record_file(PLACE.vmx)) == PLACE.vmx
    assert vmx_of_record(f"{ROOT}/other.winbackup.storage.rehearsal.json") is None
    assert vmx_of_record(f"{ROOT}/{NAME}.json") is None


def test_the_machine_has_controllers_and_neither_disk_nor_network() -> None:
    settings = vmx_settings(settings_of(NAME, ("scsi0", "sata0")))
    assert settings["displayname"] == NAME
    assert (settings["scsi0.present"], settings["sata0.present"]) == ("TRUE", "TRUE")
    assert not [key for key in settings if "filename" in key or "ethernet" in key]


def test_nothing_is_deleted_that_is_not_named() -> None:
    scripts = PLACE.made("{}", "").decode() + PLACE.leftover("{}", "t", None).decode()
    scripts += "\n".join(PLACE.removed().commands) + PLACE.removed().functions
    assert not re.findall(r"rm -[a-z]*r|destroy|vmkfstools -[diE]", scripts)
    for deleted in re.findall(r"rm -f (\S+)", scripts):
        assert deleted.strip('";') in ("$record", "$vmx", "$folder/$name$own", "$claim/$me/new")
