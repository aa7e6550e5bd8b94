#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_failure_info
short_description: Read why backups of a Windows machine fail, from the codes in its event logs
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Reads the event logs of a Windows machine, its disks and volumes, what Windows Server Backup says itself, and on a
    DPM server the data sources, and tells which failures are those that this collection cures, how sure that is, what
    it rests on and what to do next.
  - Everything is decided by codes - provider, id, version, named or positional data - and never by a text in a
    language. What is easily taken for one of these failures and is another stands in RV(other_failures), by name; what
    no signature knows is told as V(unexplained), with its codes.
  - Reads one log after the other in one run of PowerShell, then the disks in another one; on a DPM server the data
    sources in a third.
  - Nothing is changed.
  - What could not be read is null, and a finding says so. RV(logs) tells how far back each log reaches, so that nothing
    found is not taken for nothing there.
notes:
  - The signature of a mapping in physical mode is 0x80780034 of Windows Server Backup together with VSS 12289 of the
    call 0x0053C008 and the error 0x80070057, on the volume of the storage location and within the time of the backup.
    The code of Windows Server Backup alone is V(possible); other faults have it too.
  - It was observed on single machines. Whether a disk is such a mapping is known only with O(vm_disks).
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
  - winbackup.storage._attributes.info_module
attributes:
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the Windows host it is not.
options:
  since:
    description:
      - How far back to look. A time like V(2026-11-24T22:00:00Z) (UTC where it has no zone), or an age by the clock of
        the machine, with a unit - V(m), V(h), V(d) or V(w).
    type: str
    default: 7d
  signatures:
    description:
      - The failures to look for in RV(failures). All where none is named; RV(other_failures) is always told.
    type: list
    elements: str
    choices:
      - rdm_physical_shadow_copy
      - capacity_mismatch
      - truncated_at_2_tib
      - replica_offline
      - recovery_point_volume_short
      - replica_inconsistent
    default: []
  logs_needed:
    description:
      - Fail where a log that every version of Windows has, or one that is there, could not be read. Without it that is
        a finding.
    type: bool
    default: false
  vm_disks:
    description:
      - What M(winbackup.storage.rdm_info) returned, or its list RV(winbackup.storage.rdm_info#module:rdms), of this VM
        or of all. With it the disk of a failure is joined to the disk of the VM that it is, as by
        M(winbackup.storage.windows_disk_info).
    type: raw
  timeout:
    description:
      - Seconds for the whole reading.
    type: int
    default: 600
seealso:
  - module: winbackup.storage.windows_disk_info
  - module: winbackup.storage.rdm_info
  - module: winbackup.storage.dpm_allocation_info
"""

EXAMPLES = r"""
---
- name: Read why backups failed last night, over the task's own connection to Windows
  winbackup.storage.backup_failure_info:
    since: 24h
  register: windows

- name: Say it
  ansible.builtin.debug:
    msg: "{{ item.signature }} ({{ item.confidence }}): {{ item.summary }} {{ item.cause }} {{ item.next }}"
  loop: "{{ windows.failures }}"
  loop_control:
    label: "{{ item.last_seen }}"

- name: Read the mappings of all VMs
  winbackup.storage.rdm_info:
  delegate_to: localhost
  register: mappings

- name: Say which disk of which VM is behind it
  winbackup.storage.backup_failure_info:
    vm_disks: "{{ mappings.rdms }}"
    signatures:
      - rdm_physical_shadow_copy

- name: Read a DPM server from the controller
  winbackup.storage.backup_failure_info:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
    logs_needed: true
  delegate_to: localhost
"""

RETURN = r"""
failures:
  description: The failures that this collection cures, or leads to the cure of; the latest first.
  type: list
  elements: dict
  returned: always
  contains:
    signature:
      description:
        - V(rdm_physical_shadow_copy), no shadow copy can be made on the storage location of backups.
        - V(capacity_mismatch) or V(truncated_at_2_tib), the interfaces of Windows tell several sizes of a disk.
        - V(replica_offline), Windows took a replica of DPM offline because its recovery-point volume ran full.
        - V(recovery_point_volume_short) or V(replica_inconsistent), which DPM says itself.
      type: str
      returned: always
      sample: rdm_physical_shadow_copy
    confidence:
      description:
        - How sure that is - V(certain), V(likely), V(possible), or V(unclear) where the codes mean several things.
      type: str
      returned: always
      sample: likely
    time: &time
      description: When it was seen first.
      type: str
      returned: always
      sample: "2026-11-24T22:00:05Z"
    last_seen: &last_seen
      description: When it was seen last.
      type: str
      returned: always
      sample: "2026-11-26T22:00:07Z"
    count: &count
      description: How often it was seen.
      type: int
      returned: always
      sample: 3
    still_so: &still_so
      description:
        - V(false) where it was seen to be over - a later backup onto the same storage location ended well, or DPM says
          that all is well; V(true) where it is so now; null where that is not known.
      type: bool
      returned: always
      sample: true
    summary:
      description: What was seen.
      type: str
      returned: always
      sample: >-
        The shadow copy of E: failed in its preparation (0x0053C008) with 0x80070057, the parameter is incorrect.
    cause:
      description: What causes it, as far as that is known.
      type: str
      returned: always
      sample: The disk is a raw device mapping in physical compatibility mode, on which this was reported.
    next:
      description: What to do next.
      type: str
      returned: always
      sample: >-
        Make the mapping virtual with winbackup.storage.rdm_compatibility, then prove it with
        winbackup.storage.shadow_copy_test.
    evidence: &evidence
      description: The records that it rests on, of the last time; no more than 20.
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
          description: Who wrote it.
          type: str
          returned: always
          sample: VSS
        id:
          description: The id of the event.
          type: int
          returned: always
          sample: 12289
        record:
          description: Number of the record in its log.
          type: int
          returned: always
          sample: 177900
        time:
          description: Its time.
          type: str
          returned: always
          sample: "2026-11-26T22:00:05Z"
        codes:
          description: The codes in it.
          type: list
          elements: str
          returned: always
          sample: ["0x0053C008", "0x80070057"]
    codes: &codes
      description: All codes together; of Windows Server Backup first.
      type: list
      elements: str
      returned: always
      sample: ["0x80780034", "0x80042306", "0x0053C008", "0x80070057"]
    volume: &volume
      description: The volume that it is about; null where that is not known.
      type: dict
      returned: always
      contains:
        guid:
          description: The GUID of the volume; null where it is known by another name only.
          type: str
          returned: always
          sample: a59dcd66-5963-4ba8-995c-915935cb8654
        letter:
          description: The drive letter, where it has one.
          type: str
          returned: always
          sample: "E:"
        path:
          description: The volume name, or the name by which a record calls it where Windows knows no other.
          type: str
          returned: always
          sample: '\\?\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\'
    disk:
      description: The disk that holds the volume; null where that is not known, as of a volume on dynamic disks.
      type: dict
      returned: always
      contains:
        number:
          description: Number of the disk in Windows, which may change with a restart.
          type: int
          returned: always
          sample: 1
        disk_id:
          description: GUID of a GPT disk, signature of an MBR disk; null where it has none.
          type: str
          returned: always
          sample: 0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11
        sizes_agree:
          description: Whether the interfaces of Windows agree on its size; null where fewer than two tell one.
          type: bool
          returned: always
          sample: false
    vm_disk:
      description:
        - The disk of the VM that it is, as in RV(winbackup.storage.windows_disk_info#module:disks); null without
          O(vm_disks), and where that is not certain.
      type: dict
      returned: always
      contains:
        vm:
          description: Name of the VM.
          type: str
          returned: always
          sample: backup01
        vm_id:
          description: Its instance UUID, else its managed object id; names and files may be those of several VMs.
          type: str
          returned: always
          sample: 5029aa3d-2f51-4c3a-8f6e-0c3f1f6e9a10
        address:
          description: Where it hangs in the VM.
          type: str
          returned: always
          sample: "scsi0:1"
        file:
          description: Its file.
          type: str
          returned: always
          sample: "[ds01] backup01/disk1.vmdk"
        compatibility:
          description: Compatibility mode of a mapping.
          type: str
          returned: always
          sample: physical
        capacity_bytes:
          description: Its size.
          type: int
          returned: always
          sample: 3000592982016
        lun:
          description: The LUN that it maps, as M(winbackup.storage.rdm_info) tells it.
          type: raw
          returned: always
          sample:
            canonical_name: naa.6006016012345678
    datasource:
      description: The data source of DPM whose replica the volume is; null for none, or where that is not known.
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
other_failures:
  description: What failed for another reason, by its codes; the latest first.
  type: list
  elements: dict
  returned: always
  contains:
    kind:
      description:
        - What it is. All kinds stand with
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
        - V(unexplained) where no signature knows the codes.
      type: str
      returned: always
      sample: source_snapshot_failed
    time: *time
    last_seen: *last_seen
    count: *count
    still_so: *still_so
    summary:
      description: What it is.
      type: str
      returned: always
      sample: The shadow copy of a volume that is backed up failed, not that on the storage location.
    next:
      description: What helps.
      type: str
      returned: always
      sample: >-
        Run vssadmin list writers as administrator: the state of a writer and its last error say which program it is.
    evidence: *evidence
    codes: *codes
    volume: *volume
backup:
  description:
    - What Windows Server Backup says itself. Null where its cmdlets are not there (on clients, without the feature, on
      2008 R2), and where they refused, which is a finding.
  type: dict
  returned: always
  contains:
    last_success:
      description: When a backup ended well; null for never.
      type: str
      returned: always
      sample: "2026-11-20T22:31:00Z"
    last_result_code:
      description: Code of the last backup; V(0x00000000) for one that ended well.
      type: str
      returned: always
      sample: "0x80780034"
    target:
      description: Storage location of the last backup, as its label, letter or path.
      type: str
      returned: always
      sample: "E:"
    next:
      description: When the next one is due.
      type: str
      returned: always
      sample: "2026-11-27T22:00:00Z"
logs:
  description: The logs, and how far back one could see.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the log.
      type: str
      returned: always
      sample: Application
    present:
      description: Whether this machine has a log of that name. Some came with later versions of Windows.
      type: bool
      returned: always
      sample: true
    enabled:
      description: Whether it is switched on; null where that could not be read.
      type: bool
      returned: always
      sample: true
    oldest:
      description: Time of its oldest record; null where it has none, or that could not be read.
      type: str
      returned: always
      sample: "2026-09-01T03:00:00Z"
    records_read:
      description: How many records of it could tell of a failure since O(since); null where it could not be read.
      type: int
      returned: always
      sample: 12
    complete:
      description: V(false) where there are more of them than were read; the latest were.
      type: bool
      returned: always
      sample: true
disk_history:
  description:
    - Disks that came and went since O(since), as C(Microsoft-Windows-Partition/Diagnostic) recorded them, oldest first,
      so the sizes that Windows saw before and after a conversion. That log came with Windows 10 1703 and Server 2019.
  type: list
  elements: dict
  returned: always
  contains:
    time:
      description: When.
      type: str
      returned: always
      sample: "2026-11-26T21:00:00Z"
    number:
      description: Number of the disk at that time.
      type: int
      returned: always
      sample: 1
    capacity_bytes:
      description: Its size as Windows saw it.
      type: int
      returned: always
      sample: 3000592982016
    serial:
      description: Its serial as Windows saw it.
      type: str
      returned: always
      sample: 6000c292a560cfee7485ca30dd209394
    partitions:
      description: How many partitions it had; 0 where it went.
      type: int
      returned: always
      sample: 2
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
findings:
  description: What is to be said of the reading, among it what could not be read.
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
      sample: log_too_short
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: info
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: The log Microsoft-Windows-Backup reaches back to 2026-11-23T22:00:00Z only.
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: Make it larger (wevtutil sl <log> /ms:<bytes>), if failures before that time matter.
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: Microsoft-Windows-Backup of BACKUP01
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import FAILURE_INFO
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.failure_info import failure_info


def main() -> None:
    """Runs the module."""
    run_module(FAILURE_INFO, failure_info)


if __name__ == "__main__":
    main()
