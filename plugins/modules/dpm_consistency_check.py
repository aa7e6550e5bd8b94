#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dpm_consistency_check
short_description: Run consistency checks of a DPM server
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Runs consistency checks of replicas of a System Center Data Protection Manager (DPM) server, by default of those
    that are inconsistent, and waits for them.
  - A check that already runs, started by DPM itself, an administrator or an earlier run of this module, is waited
    for and not started a second time.
  - While it waits, no shell is held open on the server. A run that ends at O(timeout) leaves the checks running; the
    next run waits for them.
notes:
  - If a recovery-point volume ran full, extend it first with M(winbackup.storage.dpm_allocation). The check itself
    writes to it.
  - What is refused fails the task only if data sources were selected, and is a warning always.
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._windows.selection
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - A consistency check leads to nothing that could be shown before and after.
  idempotent:
    support: partial
    details:
      - A second run finds nothing inconsistent. With O(only_inconsistent=false) every run checks.
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the DPM server it is not.
options:
  only_inconsistent:
    description:
      - Whether to check only replicas that DPM calls inconsistent, by their state or by an active alert. One of which
        that is not known is refused, with the reason C(state_unknown).
      - V(false) needs a selection.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait for the end of the checks. V(false) starts all of them at once.
    type: bool
    default: true
  timeout:
    description:
      - Seconds for the whole call. Checks of terabytes take hours.
      - In the last two minutes of them, or the last half where they are few, no new check is begun. Whatever the server
        does, the call ends within a minute after O(timeout).
    type: int
    default: 14400
  parallel:
    description:
      - How many checks may run at once, with O(wait=true); many at once overload the storage.
    type: int
    default: 1
seealso:
  - module: winbackup.storage.dpm_allocation
  - module: winbackup.storage.dpm_allocation_info
"""

EXAMPLES = r"""
---
- name: Check what is inconsistent, two at a time
  winbackup.storage.dpm_consistency_check:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
    parallel: 2
  delegate_to: localhost

- name: Start a check of one data source whatever its state, and do not wait
  winbackup.storage.dpm_consistency_check:
    datasources:
      - 'D:\'
    computers:
      - fs01
    only_inconsistent: false
    wait: false
"""

RETURN = r"""
checks:
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
      job_id:
        description: Id of the job, where DPM tells one.
        type: str
        returned: always
        sample: 38b22d43-f354-56a0-a1aa-194ecfdcc825
      state:
        description:
          - What became of it.
          - V(not_needed) if the replica is consistent, V(succeeded), V(failed), V(running) if it still runs,
            V(already_running) if it ran before this call and was not waited for, V(not_started) if it was not begun
            at O(timeout), V(would_run) in check mode, V(refused).
        type: str
        returned: always
        sample: succeeded
      started:
        description: When the job began.
        type: str
        returned: always
        sample: "2026-11-25T07:30:58Z"
      finished:
        description: When the job ended.
        type: str
        returned: always
        sample: "2026-11-25T07:35:58Z"
      reason:
        description:
          - Null, or one of
            L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
          - V(job_failed), V(dpm_refused), V(gone), V(job_not_found), V(outcome_unknown), V(timeout),
            V(unreachable), V(not_started), V(inactive), V(no_disk_storage) or V(state_unknown).
        type: str
        returned: always
        sample: job_failed
      error:
        description: What is wrong, or null; what DPM says is in the language of the server.
        type: str
        returned: always
        sample: There is not enough space on the recovery point volume. (ID 214)
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import CHECK
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (
    consistency_check,
    on_server,
)


def main() -> None:
    """Runs the module."""
    run_module(CHECK, on_server(consistency_check))


if __name__ == "__main__":
    main()
