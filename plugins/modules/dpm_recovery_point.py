#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dpm_recovery_point
short_description: Make recovery points on a DPM server
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Makes a recovery point on disk of each selected data source of a System Center Data Protection Manager (DPM) server,
    unless there is one that is new enough, and waits until DPM shows it. Meant for after the repair of a replica, when
    DPM says that the creation of recovery points failed (alert 3114).
  - Files are synchronised first; of applications an express full backup is made. Where the type of a data source tells
    neither, both ways are tried, the second where DPM refuses the first.
  - A data source with a running job, or that shares its volumes with one, is started when that has ended.
notes:
  - A recovery point counts as made once DPM shows one that is newer than the start; what DPM calls the job is not
    relied upon.
  - Whether a replica is consistent decides DPM where it does not tell; one that is inconsistent is refused here.
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._windows.selection
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A second run within O(newer_than) makes none.
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the DPM server it is not.
options:
  newer_than:
    description:
      - No recovery point is made of a data source whose newest one is at most this old, as in V(30m), V(36h) or V(2d).
        One of which DPM does not tell the newest gets one.
    type: str
    default: 1h
  wait:
    description:
      - Whether to wait until the recovery points are there. V(false) starts what is idle, and fails for what is not.
    type: bool
    default: true
  timeout:
    description:
      - Seconds for the whole call.
      - In the last two minutes of them, or the last half where they are few, no new recovery point is begun. Whatever
        the server does, the call ends within a minute after O(timeout).
    type: int
    default: 3600
seealso:
  - module: winbackup.storage.dpm_consistency_check
  - module: winbackup.storage.dpm_allocation_info
"""

EXAMPLES = r"""
---
- name: Make a recovery point of a repaired replica
  winbackup.storage.dpm_recovery_point:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
    datasources:
      - 'D:\'
    computers:
      - fs01
  delegate_to: localhost

- name: See to it that everything of one group has a recovery point of today
  winbackup.storage.dpm_recovery_point:
    protection_groups:
      - Files
    newer_than: 12h
"""

RETURN = r"""
points:
  description: The chosen data sources, by computer and name.
  type: list
  elements: dict
  returned: once the selection was found, also when the task fails
  contains:
      datasource:
        description: The data source.
        type: dict
        returned: always
        contains:
          id:
            description: Id that DPM gives it.
            type: str
            returned: always
            sample: 732c9e22-1661-5130-9d8a-a6750dad2015
          name:
            description: Name as the console shows it.
            type: str
            returned: always
            sample: 'D:\'
          computer:
            description: The protected computer.
            type: str
            returned: always
            sample: fs01.example.com
      state:
        description:
          - What became of it.
          - V(created), V(unchanged) if there was one that is new enough, V(failed), V(running) if its job still runs,
            V(would_create) in check mode, V(refused).
        type: str
        returned: always
        sample: created
      job_id:
        description: Id of the job, where DPM tells one.
        type: str
        returned: always
        sample: 38b22d43-f354-56a0-a1aa-194ecfdcc825
      created:
        description: The time of the recovery point that was made, or is new enough; null where there is none yet.
        type: str
        returned: always
        sample: "2026-11-25T07:35:58Z"
      reason:
        description:
          - Null, or one of
            L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
          - V(job_failed), V(dpm_refused), V(gone), V(busy), V(outcome_unknown), V(timeout), V(unreachable),
            V(not_started), V(inactive), V(no_disk_storage) or V(replica_inconsistent).
        type: str
        returned: always
        sample: job_failed
      error:
        description: What is wrong, or null; what DPM says is in the language of the server.
        type: str
        returned: always
        sample: There is not enough space on the recovery point volume. (ID 214)
diff:
  description: The newest recovery points before and after.
  type: dict
  returned: in diff mode
  sample: {'before': {'D:\ on fs01': null}, 'after': {'D:\ on fs01': '2026-11-25T07:35:58Z'}}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import POINT
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (
    on_server,
    recovery_point,
)


def main() -> None:
    """Runs the module."""
    run_module(POINT, on_server(recovery_point))


if __name__ == "__main__":
    main()
