#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dpm_allocation_info
short_description: Read the allocations of a DPM server
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Reads the data sources of a System Center Data Protection Manager (DPM) server in one run of PowerShell, whatever
    their number - allocated and used space of replica and recovery-point volume, state of the replica, recovery
    points, the last failed job of the last seven days, and active alerts - the storage pool, and the volumes of Modern
    Backup Storage.
  - What DPM does not tell is null, and never a number; it is waited for first, within bounds and only for the data
    sources that were chosen. One object that cannot be read is a finding, and all else is returned.
  - Each active alert of the severity Error or Warning is a finding C(dpm_alert), of its data source, else of its
    computer, else of the server.
  - Runs where the task runs if O(hostname) is given, or over the task's own connection to the DPM server.
notes:
  - A recovery-point volume that runs full takes the replica offline. The running job fails and its data is lost; DPM
    brings the replica back by itself, inconsistent. Extend the volume first, then run a consistency check.
extends_documentation_fragment:
  - winbackup.storage._windows
  - winbackup.storage._windows.selection
  - winbackup.storage._attributes
  - winbackup.storage._windows.attributes
  - winbackup.storage._attributes.info_module
attributes:
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the DPM server it is not.
options:
  threshold_percent:
    description:
      - From this used percentage on a recovery-point volume gets the finding C(recovery_point_volume_short), a replica
        volume C(replica_volume_short), and a volume of Modern Backup Storage C(storage_volume_short).
    type: float
    default: 90
  max_age:
    description:
      - How old the newest recovery point of a protected data source may be, as in V(36h), V(3d) or V(2w). An older one
        is the finding C(recovery_point_old), and none the finding C(no_recovery_point).
      - DPM does not tell the recovery points on disk and those in the cloud apart where it names the newest one.
    type: str
  history:
    description:
      - A file, on the host that runs the module (the controller where the task's own connection to the DPM server is
        used), to which the sizes of all volumes of the reading are added, for forecasts. It is made if it is not there,
        by SQLite, and serves several DPM servers. In check mode nothing is added.
      - A volume that by its readings of the last 90 days, 14 at the least, will be full gets the finding
        C(recovery_point_volume_filling), C(replica_volume_filling) or C(storage_volume_filling) with the days between
        which that is expected. Nothing is said where they do not show it.
      - The forecast knows what is used of a volume, and nothing of what recovery points will expire or be added.
    type: path
  timeout:
    description:
      - Seconds for the whole reading.
    type: int
    default: 600
seealso:
  - module: winbackup.storage.dpm_allocation
  - module: winbackup.storage.dpm_consistency_check
"""

EXAMPLES = r"""
---
- name: Read a whole DPM server from the controller
  winbackup.storage.dpm_allocation_info:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
  delegate_to: localhost
  register: dpm

- name: Say which recovery-point volumes are short
  ansible.builtin.debug:
    msg: "{{ item.name }} on {{ item.computer }}: {{ item.recovery_point_volume.used_percent }} %"
  loop: "{{ dpm.datasources }}"
  loop_control:
    label: "{{ item.id }}"
  when: "'recovery_point_volume_short' in item.findings | map(attribute='code')"

- name: Say of which data sources of one group the newest recovery point is older than a day and a half
  winbackup.storage.dpm_allocation_info:
    protection_groups:
      - Files
    max_age: 36h

- name: Keep a history, and say which volumes will be full and when
  winbackup.storage.dpm_allocation_info:
    history: /var/lib/winbackup/dpm.history

- name: Read two computers over the task's own connection to the DPM server
  winbackup.storage.dpm_allocation_info:
    computers:
      - fs01
      - sql01.example.com
    threshold_percent: 80
"""

RETURN = r"""
datasources:
  description: The chosen data sources, by computer and name.
  type: list
  elements: dict
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
      protection_group:
        description: Name of its protection group.
        type: str
        returned: always
        sample: Files
      type:
        description: What it is, as DPM calls it.
        type: str
        returned: always
        sample: Volume
      state:
        description: State as DPM tells it; V(invalid) is an inconsistent replica.
        type: str
        returned: always
        sample: valid
      consistent:
        description:
          - Whether the replica is consistent. V(false) also where an active alert says that it is inconsistent.
          - Null where that is not known - a state of which no list tells the meaning, or alerts that could not be read.
        type: bool
        returned: always
        sample: true
      active:
        description: Whether it is protected at present.
        type: bool
        returned: always
        sample: true
      replica:
        description: The replica volume.
        type: dict
        returned: always
        contains:
          allocated_bytes:
            description: What is allocated; null where DPM does not tell.
            type: int
            returned: always
            sample: 42949672960
          used_bytes:
            description: What of it is used; null where DPM does not tell.
            type: int
            returned: always
            sample: 38654705664
          path:
            description: Its volume name in Windows.
            type: str
            returned: always
            sample: '\\?\Volume{241c8864-32ea-5e09-b43c-e5b295664e46}\'
      recovery_point_volume:
        description: The recovery-point volume; null where there is none, or nothing of it is known.
        type: dict
        returned: always
        contains:
          allocated_bytes:
            description: What is allocated.
            type: int
            returned: always
            sample: 42949672960
          used_bytes:
            description: What of it is used; null where DPM does not tell.
            type: int
            returned: always
            sample: 38654705664
          free_bytes:
            description: What of it is not used; DPM keeps 600 MB of that for itself.
            type: int
            returned: always
            sample: 4294967296
          used_percent:
            description: Used part.
            type: float
            returned: always
            sample: 90.0
      storage_kind:
        description:
          - V(legacy) for volumes of its own, V(modern) for Modern Backup Storage, V(none) for what is not kept on the
            disks of this server (on tape or in the cloud only, no replica yet, protected by a secondary server), or
            V(unknown).
        type: str
        returned: always
        sample: legacy
      custom_volume:
        description: Whether it is kept on volumes that DPM does not manage.
        type: bool
        returned: always
        sample: false
      colocated_with:
        description: The data sources on the same volumes; null if it shares them and with whom is not known.
        type: list
        elements: dict
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
      auto_grow:
        description: Whether DPM extends the volume by itself; null where it does not tell.
        type: bool
        returned: always
        sample: true
      last_failed_job:
        description: The job that failed last within seven days, or null.
        type: dict
        returned: always
        contains:
          type:
            description: Type of the job.
            type: str
            returned: always
            sample: replication
          ended:
            description: When it failed.
            type: str
            returned: always
            sample: "2026-11-24T22:10:40Z"
          error_code:
            description: DPM's number of the error, where it tells one.
            type: int
            returned: always
            sample: 214
          message:
            description: What DPM says, in the language of the server.
            type: str
            returned: always
            sample: There is not enough space on the recovery point volume.
      history:
        description:
          - What was used of its recovery-point volume, by the fullest reading of a day, of the last 90 days; of many
            days some, evenly, and the last one.
        type: list
        elements: dict
        returned: with O(history)
        contains:
          time:
            description: When it was read, by the server's clock.
            type: str
            returned: always
            sample: "2026-11-25T03:00:00Z"
          used_bytes:
            description: What was used of it.
            type: int
            returned: always
            sample: 38654705664
      recovery_points:
        description: The recovery points on disk.
        type: dict
        returned: always
        contains:
          count:
            description: How many; null where DPM did not load it in time, or has none.
            type: int
            returned: always
            sample: 14
          newest:
            description: Time of the newest.
            type: str
            returned: always
            sample: "2026-11-24T19:10:40Z"
          oldest:
            description: Time of the oldest.
            type: str
            returned: always
            sample: "2026-11-11T19:10:40Z"
      alerts:
        description: Its active alerts; null where they could not be read.
        type: list
        elements: dict
        returned: always
        contains:
          id:
            description: Id of the alert, where it has one.
            type: str
            returned: always
            sample: 0a3c2a44-7d2f-5b3c-8f20-2d7c1c5b9f11
          severity:
            description: Severity as DPM tells it.
            type: str
            returned: always
            sample: error
          type:
            description: Type as DPM tells it.
            type: str
            returned: always
            sample: replica_inconsistent
          since:
            description: Since when.
            type: str
            returned: always
            sample: "2026-11-24T22:10:40Z"
          message:
            description: What DPM says, in the language of the server.
            type: str
            returned: always
            sample: Replica is inconsistent
      findings:
        description: What is worth knowing about it.
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
            sample: recovery_point_volume_short
          severity:
            description: One of V(info), V(warning) and V(error).
            type: str
            returned: always
            sample: warning
          message:
            description: What was seen, with the values.
            type: str
            returned: always
            sample: "38654705664 bytes (36.0 GiB) of 42949672960 bytes (40.0 GiB) are used (90.0 %)."
          hint:
            description: What to do about it.
            type: str
            returned: always
            sample: Extend it with winbackup.storage.dpm_allocation.
          object:
            description: What it was seen of.
            type: str
            returned: always
            sample: 'D:\ on fs01.example.com'
pool:
  description:
    - The storage pool of disks. Null where it could not be read, and where the server has none.
  type: dict
  returned: always
  contains:
    disks:
      description: Its disks.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: Name of the disk.
          type: str
          returned: always
          sample: Disk 1
        id:
          description: Number of the disk in Windows.
          type: str
          returned: always
          sample: "1"
        status:
          description: Its status as DPM tells it; only the space of one that is V(healthy) counts.
          type: str
          returned: always
          sample: healthy
        capacity_bytes:
          description: Capacity.
          type: int
          returned: always
          sample: 2199023255552
        unallocated_bytes:
          description: What of it no volume has.
          type: int
          returned: always
          sample: 1099511627776
    capacity_bytes:
      description: Capacity of its disks together; null where not known.
      type: int
      returned: always
      sample: 2199023255552
    unallocated_bytes:
      description: What of it no volume has, on disks that are healthy; null where not known.
      type: int
      returned: always
      sample: 1099511627776
    volumes:
      description: How many volumes of data sources there are; null where not known.
      type: int
      returned: always
      sample: 22
    ldm_slots_used:
      description:
        - Slots that so many volumes take at least in the database of the dynamic disks. What they really take cannot
          be read.
      type: int
      returned: always
      sample: 66
    ldm_slots_left:
      description: Slots that are left at most.
      type: int
      returned: always
      sample: 2894
modern_volumes:
  description:
    - The volumes of Modern Backup Storage; an empty list where the server's version has none, null where they could not
      be read.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name as DPM shows it.
      type: str
      returned: always
      sample: 'E:\'
    size_bytes:
      description: Its size; null where DPM does not tell.
      type: int
      returned: always
      sample: 4398046511104
    free_bytes:
      description: What of it is free; null where DPM does not tell.
      type: int
      returned: always
      sample: 21474836480
    datasources:
      description:
        - How many data sources are kept on it. DPM does not tell which of several volumes a data source lies on, so
          that it is null where there is more than one.
      type: int
      returned: always
      sample: 7
    history:
      description:
        - What was used of it, by the fullest reading of a day, of the last 90 days; of many
          days some, evenly, and the last one.
      type: list
      elements: dict
      returned: with O(history)
      contains:
        time:
          description: When it was read, by the server's clock.
          type: str
          returned: always
          sample: "2026-11-25T03:00:00Z"
        used_bytes:
          description: What was used of it.
          type: int
          returned: always
          sample: 38654705664
    findings:
      description: What is worth knowing about it.
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
          sample: recovery_point_volume_short
        severity:
          description: One of V(info), V(warning) and V(error).
          type: str
          returned: always
          sample: warning
        message:
          description: What was seen, with the values.
          type: str
          returned: always
          sample: "38654705664 bytes (36.0 GiB) of 42949672960 bytes (40.0 GiB) are used (90.0 %)."
        hint:
          description: What to do about it.
          type: str
          returned: always
          sample: Extend it with winbackup.storage.dpm_allocation.
        object:
          description: What it was seen of.
          type: str
          returned: always
          sample: 'D:\ on fs01.example.com'
computers:
  description: The protected computers of the chosen data sources, by name.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Its name, as the data sources have it.
      type: str
      returned: always
      sample: fs01.example.com
    reachable:
      description: V(false) where DPM has an active alert that it does not reach its agent, else null.
      type: bool
      returned: always
      sample: false
    findings:
      description: The alerts about it, as findings.
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
          sample: recovery_point_volume_short
        severity:
          description: One of V(info), V(warning) and V(error).
          type: str
          returned: always
          sample: warning
        message:
          description: What was seen, with the values.
          type: str
          returned: always
          sample: "38654705664 bytes (36.0 GiB) of 42949672960 bytes (40.0 GiB) are used (90.0 %)."
        hint:
          description: What to do about it.
          type: str
          returned: always
          sample: Extend it with winbackup.storage.dpm_allocation.
        object:
          description: What it was seen of.
          type: str
          returned: always
          sample: 'D:\ on fs01.example.com'
server:
  description: The DPM server.
  type: dict
  returned: always
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: dpm01.example.com
    version:
      description: Version of DPM; null where it does not tell.
      type: str
      returned: always
      sample: 10.19.58.0
    findings:
      description: What is worth knowing about the server, among it what could not be read.
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
          sample: recovery_point_volume_short
        severity:
          description: One of V(info), V(warning) and V(error).
          type: str
          returned: always
          sample: warning
        message:
          description: What was seen, with the values.
          type: str
          returned: always
          sample: "38654705664 bytes (36.0 GiB) of 42949672960 bytes (40.0 GiB) are used (90.0 %)."
        hint:
          description: What to do about it.
          type: str
          returned: always
          sample: Extend it with winbackup.storage.dpm_allocation.
        object:
          description: What it was seen of.
          type: str
          returned: always
          sample: 'D:\ on fs01.example.com'
machine:
  description: The computer on which DPM runs.
  type: dict
  returned: always
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: DPM01
    bios_uuid:
      description: UUID of its firmware, by which its virtual machine is found.
      type: str
      returned: always
      sample: 4229B7F2-0D3C-9A0C-7D4E-7D0D9D1F5A10
    serial:
      description: Serial number of its firmware.
      type: str
      returned: always
      sample: VMware-42 29 b7 f2 0d 3c 9a 0c-7d 4e 7d 0d 9d 1f 5a 10
alerts:
  description: The active alerts that are about no data source and no protected computer; null where not read.
  type: list
  elements: dict
  returned: always
  contains:
    id:
      description: Id of the alert, where it has one.
      type: str
      returned: always
      sample: 0a3c2a44-7d2f-5b3c-8f20-2d7c1c5b9f11
    severity:
      description: Severity as DPM tells it.
      type: str
      returned: always
      sample: error
    type:
      description: Type as DPM tells it.
      type: str
      returned: always
      sample: disk_missing
    since:
      description: Since when.
      type: str
      returned: always
      sample: "2026-11-24T22:10:40Z"
    message:
      description: What DPM says, in the language of the server.
      type: str
      returned: always
      sample: A disk of the storage pool is missing
summary:
  description: The chosen data sources, counted.
  type: dict
  returned: always
  contains:
    datasources:
      description: All of them.
      type: int
      returned: always
      sample: 12
    inconsistent:
      description: With an inconsistent replica.
      type: int
      returned: always
      sample: 1
    consistency_unknown:
      description: Of which it is not known whether the replica is consistent.
      type: int
      returned: always
      sample: 0
    short:
      description: With a recovery-point volume at or above O(threshold_percent).
      type: int
      returned: always
      sample: 2
    legacy:
      description: On volumes of their own.
      type: int
      returned: always
      sample: 11
    modern:
      description: On Modern Backup Storage.
      type: int
      returned: always
      sample: 1
    none:
      description: Not on the disks of this server.
      type: int
      returned: always
      sample: 0
    unknown:
      description: Of which it cannot be seen where they are kept.
      type: int
      returned: always
      sample: 0
    complete:
      description: Whether all was read that these counts rest on.
      type: bool
      returned: always
      sample: true
    findings:
      description: How often each code was found.
      type: dict
      returned: always
      sample: {"recovery_point_volume_short": 2}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import INFO
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (
    allocation_info,
    on_server,
)


def main() -> None:
    """Runs the module."""
    run_module(INFO, on_server(allocation_info))


if __name__ == "__main__":
    main()
