#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dpm_allocation
short_description: Extend recovery-point and replica volumes of a DPM server
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Brings the recovery-point volumes, or the replica volumes, of a System Center Data Protection Manager (DPM) server
    to a wished size or free space. For each volume one total is computed and compared with what is allocated; nothing
    is done where it is met.
  - One extension rather than many is made, since each one costs a slot in the database of the dynamic disks. All
    extensions of the call are held against the storage pool before the first is written.
  - Data sources that share a volume are one extension; each of them is listed.
  - Right before each edit the allocation is read again. Where auto-grow or an administrator was faster, that counts,
    and no volume gets smaller that was not asked to. What DPM does between that reading and its edit is its own.
  - Volumes with a running job are written when it has ended, the idle ones first.
  - Where auto-grow is on, or not known to be off, no less is asked for than auto-grow makes of the volume at its next
    step (a quarter more, 10 GB at the least), since a smaller total could take back what it gives meanwhile. With
    O(allow_shrink) O(size) is taken literally.
  - A data source that has no such volume to extend is refused only where data sources were selected; else it
    is unchanged, with the reason C(nothing_to_extend). What is refused is a warning too.
notes:
  - Modern Backup Storage has no recovery-point volumes, and DPM does not manage custom volumes.
  - On Modern Backup Storage DPM makes most replicas larger by itself; O(volume=replica) is for those of bare metal and
    system state (data sources of the type System Protection) there, and others are refused. What they may take is
    compared with the storage volume that has the most free space, since DPM does not tell which one they lie on.
  - Never resize a volume of the storage pool with tools of Windows. DPM deletes such a volume (error 368).
  - A consistency check writes recovery points of its own, so leave more free than the bare need.
  - What the free space is computed from are the values that DPM shows; some of what is known of DPM is documented
    nowhere and was tested on a model only.
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
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to the DPM server it is not.
options:
  volume:
    description:
      - Which volume of each data source is meant. A replica volume is never made smaller.
    type: str
    choices:
      - recovery_point
      - replica
    default: recovery_point
  size:
    description:
      - Wished total of each volume, in bytes or with a unit such as V(40GB) or V(1.5 TiB); units are powers of 1024.
        A number below 1 MiB without a unit is an error.
      - Needs a selection.
      - Exactly one of O(size), O(min_free), O(min_free_percent) and O(min_days) is to be given.
    type: str
  min_free:
    description:
      - Wished free space of each volume beside the 600 MB that DPM keeps for itself, in bytes or with a unit.
    type: str
  min_free_percent:
    description:
      - Wished free part of each volume, in percent of the new total; the 600 MB that DPM keeps for itself count as
        used.
    type: float
  min_days:
    description:
      - Wished free space of each volume, as much as it will need for so many days by the trend of its readings in
        O(history), beside the 600 MB that DPM keeps for itself. A volume that does not grow needs no more.
      - A volume whose readings are of fewer than 14 days is refused with the reason C(history_too_short).
    type: int
  history:
    description:
      - With O(min_days), the file in which M(winbackup.storage.dpm_allocation_info) keeps its readings. It lies on the
        host that runs the module, which is the controller where the task's own connection to the DPM server is used.
    type: path
  max_size:
    description:
      - Largest total of a volume, in bytes or with a unit. What it leaves unmet is reported as
        C(max_size_reached) and does not fail the task.
    type: str
  round_to:
    description:
      - New totals are multiples of this. A volume counts as met that is less than this, or 10 MB if that is more,
        below its total.
    type: str
    default: 10MB
  allow_shrink:
    description:
      - Whether a volume that is larger than O(size) is made smaller, within the limits that DPM itself names. Else it
        is left alone, with the reason C(larger_than_wish).
    type: bool
    default: false
  headroom_percent:
    description:
      - How much larger than wished the new total is made, with O(min_free), O(min_free_percent) and O(min_days), so
        that a volume is not extended a little every night. It is never a reason to extend.
      - Without it V(5) is used. It is an error with O(size).
    type: float
  busy_timeout:
    description:
      - Seconds to wait for the jobs of volumes. What is still busy then has failed with the reason C(busy).
    type: int
    default: 900
  timeout:
    description:
      - Seconds for the whole call.
      - In the last two minutes of them, or the last half where they are few, no new edit is begun, so that one that is
        under way can come to its end. Whatever the server does, the call ends within a minute after O(timeout).
    type: int
    default: 1800
  on_refused:
    description:
      - V(fail) writes nothing if anything is refused.
      - V(skip) does the others, the fullest first if the pool is short, and fails the task only if all were refused.
    type: str
    choices:
      - fail
      - skip
    default: fail
seealso:
  - module: winbackup.storage.dpm_allocation_info
  - module: winbackup.storage.dpm_consistency_check
"""

EXAMPLES = r"""
---
- name: See what it would take for every recovery-point volume to have a fifth of it free
  winbackup.storage.dpm_allocation:
    hostname: dpm01.example.com
    username: svc-dpm@EXAMPLE.COM
    password: "{{ dpm_password }}"
    transport: kerberos
    min_free_percent: 20
    on_refused: skip
  check_mode: true
  diff: true
  delegate_to: localhost

- name: Leave 20 GB free on the volumes of one group, and a little more where they are extended
  winbackup.storage.dpm_allocation:
    protection_groups:
      - Files
    min_free: 20GB
    max_size: 1TB

- name: Give every volume what the next 60 days will need by its history
  winbackup.storage.dpm_allocation:
    min_days: 60
    history: /var/lib/winbackup/dpm.history
    max_size: 2TB
    on_refused: skip

- name: Leave a tenth of the replica volume of one computer's system state free
  winbackup.storage.dpm_allocation:
    computers:
      - fs01
    volume: replica
    min_free_percent: 10
    on_refused: skip

- name: Give one volume exactly 60 GB, also if it is larger now
  winbackup.storage.dpm_allocation:
    datasources:
      - 'D:\'
    computers:
      - fs01
    size: 60GB
    allow_shrink: true
"""

RETURN = r"""
volumes:
  description: Every data source on the volumes of the call.
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
      before:
        description: The sizes of the volume before.
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
      wanted_bytes:
        description:
          - The total that the wish comes to, before rounding, headroom and O(max_size); null where not known.
        type: int
        returned: always
        sample: 54473523200
      after:
        description: The sizes after, in check mode as they would be; null where they could not be read again.
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
      state:
        description:
          - What became of it.
          - V(unchanged) if there was nothing to do, V(extended), V(shrunk), in check mode V(would_extend) and
            V(would_shrink), V(refused) without being tried, V(failed).
        type: str
        returned: always
        sample: extended
      reason:
        description:
          - Null, or one of
            L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
          - With V(unchanged) and V(extended) V(max_size_reached), V(larger_than_wish), V(nothing_to_extend) or
            V(auto_grow_step); with V(failed)
            V(busy), V(changed_meanwhile), V(outcome_unknown), V(total_not_reached), V(gone), V(dpm_refused),
            V(pool_too_small), V(pool_failed) or V(not_started).
          - With V(refused) V(modern_storage), V(replica_grows_itself), V(type_unknown), V(no_disk_storage),
            V(custom_volume), V(inactive), V(size_unknown), V(storage_unknown), V(sharing_unknown),
            V(history_too_short), V(pool_too_small), V(pool_unknown), V(storage_volume_too_small), V(ldm_slots),
            V(shrink_impossible), V(outside_shrink_limits) or V(not_started).
        type: str
        returned: always
        sample: max_size_reached
      message:
        description: The sentence that goes with the reason, or null.
        type: str
        returned: always
        sample: null
pool:
  description: The storage pool of disks.
  type: dict
  returned: once the selection was found, also when the task fails
  contains:
    before:
      description: Before the call; null where it could not be read, and where the server has none.
      type: dict
      returned: always
      contains:
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
            - Slots that so many volumes take at least in the database of the dynamic disks. What they really take
              cannot be read.
          type: int
          returned: always
          sample: 66
        ldm_slots_left:
          description: Slots that are left at most.
          type: int
          returned: always
          sample: 2894
    after:
      description: After the call, in check mode as it would be; null where it could not be read again.
      type: dict
      returned: always
      contains:
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
            - Slots that so many volumes take at least in the database of the dynamic disks. What they really take
              cannot be read.
          type: int
          returned: always
          sample: 66
        ldm_slots_left:
          description: Slots that are left at most.
          type: int
          returned: always
          sample: 2894
diff:
  description: The volumes that changed, before and after.
  type: dict
  returned: in diff mode
  sample: {'before': {'D:\ on fs01': {'allocated_bytes': 42949672960, 'used_bytes': 38654705664}}, 'after': {}}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import ALLOCATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import on_server, resize


def main() -> None:
    """Runs the module."""
    run_module(ALLOCATION, on_server(resize))


if __name__ == "__main__":
    main()
