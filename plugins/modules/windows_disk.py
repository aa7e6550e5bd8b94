#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_disk
short_description: Bring exactly the named disks of a Windows machine online and make them writable
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - After a raw device mapping was converted Windows may take it for a new disk, which the SAN policy leaves offline and
    read-only. This module brings the named disks online and makes them writable, and touches no other.
  - A disk is named by what stands on it, so record RV(winbackup.storage.windows_disk_info#module:disks[].disk_id)
    before the conversion; numbers of disks change.
  - Only the offline reason C(policy) is lifted. Disks that are offline for another reason, that belong to a failover
    cluster or a storage pool, dynamic disks, and disks of which not everything needed is known are refused. If one of
    the named disks is refused, none is changed.
  - Online and writable are two steps, each read back; what somebody did meanwhile is seen right before them.
  - Nothing is initialised, nothing is formatted, no id is written, and the SAN policy is left as it is.
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
      - With O(hostname) it is supported. Over the task's own connection to the Windows host it is not.
options:
  disk_ids:
    description:
      - The disks, each by the GUID of a GPT disk (with or without braces) or by the signature of an MBR disk (eight
        hexadecimal digits).
    type: list
    elements: str
    required: true
  online:
    description:
      - Whether they are to be online. With V(false) they are taken offline; the disk that Windows runs from is refused.
    type: bool
    default: true
  read_only:
    description:
      - Whether they are to be read-only. With O(online=false) it does not count.
    type: bool
    default: false
  rescan:
    description:
      - Whether Windows is asked to update what it keeps of its disks first (C(Update-HostStorageCache)).
    type: bool
    default: true
  timeout:
    description:
      - Seconds for the whole call.
      - In the last two minutes of them, or the last half where they are few, no further change is begun; what was begun
        is read. Whatever the machine does, the call ends within a minute after O(timeout).
    type: int
    default: 600
seealso:
  - module: winbackup.storage.windows_disk_info
  - module: winbackup.storage.rdm_compatibility
"""

EXAMPLES = r"""
---
- name: Note the ids of the disks before the conversion
  winbackup.storage.windows_disk_info:
    vm_disks: "{{ mappings.rdms }}"
  register: before

- name: Bring exactly these online after it
  winbackup.storage.windows_disk:
    disk_ids: "{{ before.disks | selectattr('vm_disk') | map(attribute='disk_id') | list }}"

- name: Show what would be changed, from the controller
  winbackup.storage.windows_disk:
    hostname: backup01.example.com
    username: svc-backup@EXAMPLE.COM
    password: "{{ windows_password }}"
    transport: kerberos
    disk_ids:
      - 0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11
      - a1b2c3d4
  check_mode: true
  diff: true
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
disks:
  description: The named disks, in their order.
  type: list
  elements: dict
  returned: always
  contains:
    disk_id:
      description: The id, in lower case and without braces.
      type: str
      returned: always
      sample: 0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11
    number:
      description: Number of the disk at present; null where there is none, or not one.
      type: int
      returned: always
      sample: 1
    state:
      description:
        - V(unchanged), V(changed), V(would_change), V(refused), V(failed), or V(not_started) (another disk was
          refused or failed, or time was up).
      type: str
      returned: always
      sample: changed
    reason:
      description:
        - Stable name of why it is not as wanted, else null. It is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: str
      returned: always
      sample: disk_collision
    message:
      description: Why, in a sentence, else null.
      type: str
      returned: always
      sample: "Disk 1 is offline (collision)."
    before:
      description: As it was; null of a disk that is not there.
      type: dict
      returned: always
      contains:
        offline:
          description: Whether it is offline.
          type: bool
          returned: always
          sample: true
        offline_reason:
          description:
            - Why it is offline, as in RV(winbackup.storage.windows_disk_info#module:disks[].offline_reason).
          type: str
          returned: always
          sample: policy
        read_only:
          description: Whether it is read-only.
          type: bool
          returned: always
          sample: true
    after:
      description: As it is, or in check mode would be; null where that is not known.
      type: dict
      returned: always
      contains:
        offline:
          description: Whether it is offline.
          type: bool
          returned: always
          sample: true
        offline_reason:
          description:
            - Why it is offline, as in RV(winbackup.storage.windows_disk_info#module:disks[].offline_reason).
          type: str
          returned: always
          sample: policy
        read_only:
          description: Whether it is read-only.
          type: bool
          returned: always
          sample: true
    volumes:
      description: The volumes on it, once Windows has mounted them; null where that is not known.
      type: list
      elements: dict
      returned: always
      contains:
        guid:
          description: Its GUID, in lower case and without braces.
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
          sample: '\?\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\'
        mount_points:
          description: Drive letter and folders at which it is mounted.
          type: list
          elements: str
          returned: always
          sample: ['E:\']
        file_system:
          description: Its file system, in lower case; null where Windows recognises none.
          type: str
          returned: always
          sample: ntfs
        size_bytes:
          description: Its capacity.
          type: int
          returned: always
          sample: 2000396288000
diff:
  description: The disks that changed, by their ids.
  type: dict
  returned: in diff mode
  contains:
    before:
      description: The state of each before.
      type: dict
      returned: always
      sample: {"a1b2c3d4": {"offline": true, "offline_reason": "policy", "read_only": true}}
    after:
      description: The state of each after.
      type: dict
      returned: always
      sample: {"a1b2c3d4": {"offline": false, "offline_reason": null, "read_only": false}}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import DISK
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import disk, on_host


def main() -> None:
    """Runs the module."""
    run_module(DISK, on_host(disk))


if __name__ == "__main__":
    main()
