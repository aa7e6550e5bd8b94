# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Records as the evidence of a diagnosis. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.backups import BackupRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Evidence
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import Sign
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import shown

# So many records stand with one fault, the latest.
MOST_EVIDENCE = 20


def evidence_of(sign: Sign) -> Evidence:
    """Returns a record as evidence: with its control code first, where it has one."""
    record = sign.record
    codes = ((shown(sign.control),) if sign.control is not None else ()) + tuple(shown(code) for code in sign.codes)
    return Evidence(record.log, record.provider, record.id, record.number, record.time, codes)


def evidence_of_backup(one: BackupRecord) -> Evidence:
    """Returns a record of a backup as evidence."""
    record = one.record
    codes = tuple(shown(code) for code in (one.code, one.detail) if code)
    return Evidence(record.log, record.provider, record.id, record.number, record.time, codes)
