#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dpm_protection_group
short_description: Switch auto-grow of a protection group of a DPM server
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Switches auto-grow of a protection group of a System Center Data Protection Manager (DPM) server on or off. With it
    DPM extends a recovery-point volume that is nearly full by itself, by a quarter and by 10 GB at the least, not again
    within 15 minutes, and not where the storage pool has no room.
  - No other setting of the group is touched.
notes:
  - Whether it is on is known from the data sources of the group, so that a group without any cannot be switched.
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the DPM server it is not.
options:
  name:
    description:
      - Name of the group, as the DPM console shows it, without regard to case.
    type: str
    required: true
  auto_grow:
    description:
      - Whether DPM extends the recovery-point volumes of the group by itself.
    type: bool
    required: true
  timeout:
    description:
      - Seconds for the whole call.
      - In the last two minutes of them, or the last half where they are few, the switch is not begun. Whatever the
        server does, the call ends within a minute after O(timeout).
    type: int
    default: 600
seealso:
  - module: winbackup.storage.dpm_allocation
  - module: winbackup.storage.dpm_allocation_info
"""

EXAMPLES = r"""
---
- name: Let DPM extend the volumes of one group by itself
  winbackup.storage.dpm_protection_group:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
    name: Files
    auto_grow: true
  delegate_to: localhost
"""

RETURN = r"""
name:
  description: Name of the group, as DPM has it.
  type: str
  returned: once the group was found, also when the task fails
  sample: Files
before:
  description: The group before.
  type: dict
  returned: once the group was found, also when the task fails
  contains:
    auto_grow:
      description: Whether auto-grow was on; null where its data sources did not tell the same.
      type: bool
      returned: always
      sample: false
after:
  description: The group after, in check mode as it would be; null where it could not be read again.
  type: dict
  returned: once the group was found, also when the task fails
  contains:
    auto_grow:
      description: Whether auto-grow is on; null where its data sources do not tell the same.
      type: bool
      returned: always
      sample: true
diff:
  description: The group before and after.
  type: dict
  returned: in diff mode
  sample: {'before': {'Files': {'auto_grow': false}}, 'after': {'Files': {'auto_grow': true}}}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import GROUP
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (
    on_server,
    protection_group,
)


def main() -> None:
    """Runs the module."""
    run_module(GROUP, on_server(protection_group))


if __name__ == "__main__":
    main()
