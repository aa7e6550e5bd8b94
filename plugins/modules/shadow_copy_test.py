#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: shadow_copy_test
short_description: Prove that shadow copies of a volume can be made, or that they cannot
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Makes a shadow copy (VSS) of each volume and removes it again, and returns what Windows logged meanwhile. On a disk
    that is a raw device mapping in physical mode this proves the fault; after the conversion it proves that it is gone.
  - Backups of Windows Server Backup are shadow copies of the volume that they lie on. So no copy is made where it could
    push an older one out, by number or by space, or where that is not known; all copies of the machine are compared
    before and after, and one that went is a failure of the task in any case.
  - Nothing stays behind. What a run leaves that was killed is known by its mark in the registry
    (C(HKLM:\SOFTWARE\winbackup.storage.shadow_copy_test.)GUID), and removed by the next run, by its id and nothing
    else.
  - A test that fails is a result and fails no task, unless O(fail_on_failure) is set.
notes:
  - The copies are of the kind that clients see (C(ClientAccessible)), made by C(Win32_ShadowCopy). No writer takes
    part, so a fault of writers is not reproduced.
  - Products that watch for ransomware may raise an alert when a shadow copy is removed.
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
attributes:
  check_mode:
    support: full
    details:
      - Makes no copy, and tells which volumes would be tested and which refused.
  diff_mode:
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    support: full
    details:
      - Nothing is changed.
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the Windows host it is not.
options:
  volumes:
    description:
      - The volumes, each by its drive letter, a folder at which it is mounted, or its volume name.
    type: list
    elements: str
    required: true
  fail_on_failure:
    description:
      - Whether the task fails if a test fails or is refused.
    type: bool
    default: false
  timeout:
    description:
      - Seconds for the whole call. When they are over no further test is begun; one that was begun has five minutes.
    type: int
    default: 1800
seealso:
  - module: winbackup.storage.windows_disk_info
  - module: winbackup.storage.rdm_compatibility
  - module: winbackup.storage.backup_failure_info
"""

EXAMPLES = r"""
---
- name: See whether a shadow copy of the backup's target can be made
  winbackup.storage.shadow_copy_test:
    volumes:
      - "E:"
  register: proof

- name: Say so
  ansible.builtin.debug:
    msg: "{{ proof.tests[0].state }}: {{ proof.tests[0].message | default('', true) }}"

- name: Prove after the conversion that the fault is gone, from the controller
  winbackup.storage.shadow_copy_test:
    hostname: backup01.example.com
    username: svc-backup@EXAMPLE.COM
    password: "{{ windows_password }}"
    transport: kerberos
    volumes:
      - '\\?\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\'
    fail_on_failure: true
  delegate_to: localhost
"""

RETURN = r"""
machine:
  description: The Windows machine.
  type: dict
  returned: always
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: BACKUP01
    bios_uuid:
      description: UUID of its firmware as Windows writes it, which swaps the bytes of the first three groups.
      type: str
      returned: always
      sample: DD4F3942-F393-1A50-8614-C6FA55F75468
    serial:
      description: Serial of its firmware, in which VMware writes the BIOS UUID of the VM.
      type: str
      returned: always
      sample: VMware-42 39 4f dd 93 f3 50 1a-86 14 c6 fa 55 f7 54 68
    os_build:
      description: Build of Windows.
      type: str
      returned: always
      sample: "17763"
tests:
  description: A test of each volume, in the order of their names.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The volume as it was named.
      type: str
      returned: always
      sample: "E:"
    volume:
      description: The volume; null where there is none of the name.
      type: dict
      returned: always
      contains:
        guid:
          description: Its GUID.
          type: str
          returned: always
          sample: a59dcd66-5963-4ba8-995c-915935cb8654
        letter:
          description: Its drive letter, or null.
          type: str
          returned: always
          sample: "E:"
        path:
          description: Its name in Windows.
          type: str
          returned: always
          sample: '\\?\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\'
    state:
      description: V(succeeded), V(failed), V(refused) or V(would_test).
      type: str
      returned: always
      sample: failed
    return_value:
      description: What Windows returned; null where it was not asked, or did not answer.
      type: int
      returned: always
      sample: 10
    code:
      description:
        - Stable name of why it failed or was refused, else null. It is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: str
      returned: always
      sample: provider_vetoed
    message:
      description: Why, in a sentence, else null.
      type: str
      returned: always
      sample: "No shadow copy of E: could be made."
    seconds:
      description: How long it took.
      type: float
      returned: always
      sample: 4.2
    is_the_fault:
      description:
        - Whether VSS logged the fault that was seen on raw device mappings in physical mode - event 12289 about
          the call C(0x0053C008) with C(0x80070057) on this volume. Null where the logs could not be read, or no
          test was made.
      type: bool
      returned: always
      sample: true
    events:
      description: What VSS and the driver volsnap logged during the test; null where that could not be read.
      type: list
      elements: dict
      returned: always
      contains:
        log:
          description: The log.
          type: str
          returned: always
          sample: Application
        provider:
          description: The provider.
          type: str
          returned: always
          sample: VSS
        id:
          description: Id of the event.
          type: int
          returned: always
          sample: 12289
        record:
          description: Number of the record.
          type: int
          returned: always
          sample: 177900
        time:
          description: When it was logged, in UTC.
          type: str
          returned: always
          sample: "2026-11-24T22:10:40Z"
        codes:
          description: Its codes.
          type: list
          elements: str
          returned: always
          sample: ["0x0053C008", "0x80070057"]
        data:
          description: Its data as it stands in the record; only codes in it are the same in every language.
          type: list
          elements: str
          returned: always
          sample: ["0x80070057"]
findings:
  description: What is worth knowing beside.
  type: list
  elements: dict
  returned: always
  contains:
    code:
      description:
        - Stable name of the kind. It is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: str
      returned: always
      sample: test_left_open
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: warning
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: "The copy of an earlier test was removed."
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: "Nothing is to be done."
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: "E:"
summary:
  description: How many tests came to each state.
  type: dict
  returned: always
  contains:
    succeeded:
      description: Copies that could be made.
      type: int
      returned: always
      sample: 1
    failed:
      description: Copies that could not.
      type: int
      returned: always
      sample: 0
    refused:
      description: Volumes of which none was made.
      type: int
      returned: always
      sample: 0
    would_test:
      description: In check mode, volumes of which one would be made.
      type: int
      returned: always
      sample: 0
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import (
    SHADOW_COPY_TEST,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import on_host
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.testing_shadow_copies import (
    shadow_copy_test,
)


def main() -> None:
    """Runs the module."""
    run_module(SHADOW_COPY_TEST, on_host(shadow_copy_test))


if __name__ == "__main__":
    main()
