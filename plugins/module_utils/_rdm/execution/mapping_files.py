# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The files of mappings as a run sees them: what one is now, and deleting one."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import FileFacts, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    Folder,
    Questions,
    Survey,
    folder_of_path,
)


def file_facts(run: Run, state: VmState, path: str) -> tuple[bool, FileFacts | None]:
    """Returns (whether its folder could be read, the file as it is now with its uuid; None where it is not there)."""
    folder = folder_of_path(path, state.datastores)
    if folder is None:
        return False, None
    file = from_volume_path(path, state.datastores)
    survey = run.survey(Questions((), frozenset(), frozenset({folder}), frozenset({(state.machine.id, file)})))
    return facts_in(survey, folder, file)


def facts_in(survey: Survey, folder: Folder | None, file: str) -> tuple[bool, FileFacts | None]:
    """Returns what a survey says of a file, in the shape of `file_facts`."""
    listing = survey.files_in(folder)
    if listing is None:
        return False, None
    facts = listing.get(file)
    return True, replace(facts, disk_uuid=survey.disk_uuids.get(file)) if facts is not None else None


def delete_file(run: Run, machine: VirtualMachine, path: str, state: VmState) -> None:
    """Deletes a mapping file; raises what the server said where the file is still there afterwards."""
    run.check_ownership(run.read_vm())
    run.changed = True
    try:
        run.backend.delete_mapping(machine, from_volume_path(path, state.datastores))
    except StorageError:
        readable, facts = file_facts(run, state, path)
        if not readable or facts is not None:
            raise
