# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Answering what a plan asks for: each folder is listed once, each file's uuid and each privilege is asked for once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import FileFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Folder, Questions, Survey
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import (
    NoSuchFolder,
    browsers_of,
    disk_uuid_of,
    list_folder,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.one_machine import read_datacenter
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.privileges import missing_privileges


def survey(session: Session, questions: Questions) -> Survey:
    """Returns the answers; what could not be read is None there."""
    folders: dict[Folder, Mapping[str, FileFacts] | None] = {}
    missing: set[Folder] = set()
    try:
        browsers = browsers_of(session, sorted({folder.datastore for folder in questions.folders}))
    except StepRefused:
        browsers = {}
    for folder in sorted(questions.folders):
        name, browser = browsers.get(folder.datastore, ("", None))
        try:
            folders[folder] = list_folder(session, name, browser, folder.path) if browser is not None else None
        except NoSuchFolder:
            folders[folder] = {}
            missing.add(folder)
    return Survey(
        folders,
        frozenset(missing),
        _disk_uuids(session, questions, folders),
        missing_privileges(session, questions.machines, sorted(questions.datastores)),
    )


def _disk_uuids(
    session: Session, questions: Questions, folders: Mapping[Folder, Mapping[str, FileFacts] | None]
) -> dict[str, str]:
    """Returns the uuids of the files in question, as far as their folders show them."""
    seen = {file for listing in folders.values() for file in listing or ()}
    datacenters: dict[str, Any] = {}
    found: dict[str, str] = {}
    for machine_id, file in sorted(questions.disk_uuids):
        if file not in seen:
            continue
        if machine_id not in datacenters:
            datacenters[machine_id] = read_datacenter(session, machine_id)
        uuid = disk_uuid_of(session, file, datacenters[machine_id])
        if uuid is not None:
            found[file] = uuid
    return found
