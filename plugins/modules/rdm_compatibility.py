#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rdm_compatibility
short_description: Make raw device mappings virtual, or physical again
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Brings raw device mappings (RDMs) of one virtual machine into virtual compatibility mode, or back into physical
    mode. Windows Server Backup has been reported to fail with C(0x80780034) on disks mapped in physical mode, and
    to work once they were mapped in virtual mode.
  - The mode belongs to the mapping file and cannot be edited, so a second mapping file of the same LUN is made and
    takes the place of the first at the same address. The data of the LUN is never written. The old mapping file is
    kept, unless the work is done over SSH on a host that takes no second mapping of a LUN; there it is deleted first,
    and made again where the conversion is undone.
  - Everything that speaks against it is looked for before the first write and returned at once as RV(blockers).
    Every failure before the new mapping is verified is undone.
  - What is being done is recorded with the virtual machine first, so that a run which was killed is finished or
    undone by the next one, from whatever controller that is started.
  - In check mode the same RV(plan) is returned and nothing is changed.
  - Without O(hostname), a task on an ESXi host itself does the same over its own connection, which must be C(ssh), with
    C(vmkfstools) and C(vim-cmd). A free licence, which lets the API read only, does not restrict that. No Python and
    none of the connection options are needed, and C(gather_facts) must be false. The record is then a file beside the
    C(.vmx).
notes:
  - A virtual mapping is part of the snapshots of the virtual machine, and of image backups, unless its disk mode is
    independent.
  - Whether the guest needs SCSI pass-through, as cluster nodes and SAN agents do, cannot be seen from outside. Ask
    before you convert. Every plan that makes a mapping virtual warns of it.
extends_documentation_fragment:
  - winbackup.storage._vsphere
  - winbackup.storage._attributes
  - winbackup.storage._attributes.vsphere
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
      - With O(hostname) it is supported. Over the task's own connection to an ESXi host it is not.
options:
  vm:
    description:
      - The virtual machine, by name, inventory path, instance UUID or managed object id.
      - A name that several have is an error that lists them.
    type: str
    required: true
  compatibility:
    description:
      - The compatibility mode that is wanted.
    type: str
    choices:
      - virtual
      - physical
    default: virtual
  disks:
    description:
      - The disks, by address such as V(scsi0:1), label, mapping file, canonical name of the LUN, or its serial number.
        Without it every raw device mapping of the virtual machine is meant.
      - An entry that matches nothing is an error.
    type: list
    elements: str
    default: []
  power:
    description:
      - What to do with a virtual machine that is powered on.
      - V(refuse) refuses with the blocker C(vm_powered_on).
      - V(shutdown) asks the guest to shut down and fails if it has not within O(shutdown_timeout).
      - V(power_off) asks the guest first and switches the virtual machine off after O(shutdown_timeout).
      - A call that has nothing to change leaves the virtual machine on.
    type: str
    choices:
      - refuse
      - shutdown
      - power_off
    default: refuse
  shutdown_timeout:
    description:
      - Seconds that the guest has to shut down.
    type: int
    default: 600
  restore_power:
    description:
      - Whether to start the virtual machine again, if this run or the interrupted run that it finishes stopped it.
        It is also started after a rollback.
    type: bool
    default: true
  disk_mode:
    description:
      - Disk mode that the mappings shall have.
      - Without it a new virtual mapping is V(persistent), and an existing one is left as it is.
    type: str
    choices:
      - persistent
      - independent_persistent
  datastore:
    description:
      - Datastore for the new mapping file. Without it that of the old one.
      - The folder is that of O(directory), else the one that is called as the old file's, which has to exist there.
    type: str
  directory:
    description:
      - Existing directory in the datastore for the new mapping file, as a path from the datastore's root without C(.)
        and C(..). Without it that of the old one.
    type: str
  old_mapping:
    description:
      - V(keep) keeps the old mapping file, and a note about it with the virtual machine. Where that cannot be, one of
        RV(findings) says so.
      - V(delete) deletes it once the new one is verified, in this run or a later one. This deletes the pointer,
        never the data of the LUN.
    type: str
    choices:
      - keep
      - delete
    default: keep
  override:
    description:
      - Codes of blockers to go ahead in spite of.
    type: list
    elements: str
    choices:
      - managed_by_vcenter
      - other_hosts_unknown
      - other_vms_unread
      - replicated
    default: []
  timeout:
    description:
      - Seconds for the whole run. When they are over no new step forward is begun; undoing what was begun and
        starting the virtual machine again still happen.
    type: int
    default: 1800
seealso:
  - module: winbackup.storage.rdm_info
"""

EXAMPLES = r"""
---
- name: See what would be done, and what speaks against it
  winbackup.storage.rdm_compatibility:
    hostname: vcenter.example.com
    username: "{{ vcenter_username }}"
    password: "{{ vcenter_password }}"
    vm: winsrv
  check_mode: true
  diff: true
  delegate_to: localhost

- name: Make all mappings of a virtual machine virtual, with the guest shut down meanwhile
  winbackup.storage.rdm_compatibility:
    vm: winsrv
    power: shutdown
  delegate_to: localhost

- name: Make one disk virtual and keep it out of snapshots
  winbackup.storage.rdm_compatibility:
    vm: /Office/vm/Servers/winsrv
    disks:
      - "scsi0:1"
    disk_mode: independent_persistent
  delegate_to: localhost

- name: Delete the old mapping files once the backup was seen to work
  winbackup.storage.rdm_compatibility:
    vm: winsrv
    old_mapping: delete
  delegate_to: localhost

- name: Go back to physical mode
  winbackup.storage.rdm_compatibility:
    vm: winsrv
    compatibility: physical
    power: shutdown
  delegate_to: localhost

- name: Make the mappings of a virtual machine virtual over SSH, in a play on its ESXi host
  winbackup.storage.rdm_compatibility:
    vm: winsrv
    power: shutdown
"""

RETURN = r"""
vm:
  description: The virtual machine as it was before.
  type: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    name:
      description: Name as people see it, decoded.
      type: str
      returned: always
      sample: winsrv
    moid:
      description: Managed object id.
      type: str
      returned: always
      sample: vm-42
    instance_uuid:
      description: UUID that the vCenter or host gives the VM.
      type: str
      returned: always
      sample: 5029f6cd-8d4a-6e6f-9c0a-3f0b1c1b8f11
    bios_uuid:
      description: UUID that the guest sees.
      type: str
      returned: always
      sample: 4229b7f2-0d3c-9a0c-7d4e-7d0d9d1f5a10
    path:
      description: Inventory path; null where not all that it leads through could be read.
      type: str
      returned: always
      sample: /Office/vm/Servers/winsrv
    datacenter:
      description: Name of the datacenter; null where it could not be read.
      type: str
      returned: always
      sample: Office
    folder:
      description:
        - The folders in which the VM lies, below the datacenter's own one, with slashes between them.
        - Empty where it lies in that one itself; null where not all of them could be read.
      type: str
      returned: always
      sample: Servers
    power_state:
      description: One of V(powered_on), V(powered_off) and V(suspended); null where it could not be read.
      type: str
      returned: always
      sample: powered_off
    host:
      description: Name of the ESXi host on which the VM is registered.
      type: str
      returned: always
      sample: esx1.example.com
    cluster:
      description: Name of the cluster of that host; null where it is in none, and where that could not be read.
      type: str
      returned: always
      sample: cluster1
    template:
      description: Whether it is a template.
      type: bool
      returned: always
      sample: false
    has_snapshots:
      description: Whether it has snapshots.
      type: bool
      returned: always
      sample: false
    vmx_path:
      description: Its configuration file.
      type: str
      returned: always
      sample: "[datastore1] winsrv/winsrv.vmx"
disks:
  description: The chosen disks.
  type: list
  elements: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    address:
      description: Type and bus of the controller, and unit.
      type: str
      returned: always
      sample: "scsi0:1"
    label:
      description: Label of the disk.
      type: str
      returned: always
      sample: Hard disk 2
    lun:
      description: The LUN as the host of the virtual machine sees it, or null.
      type: dict
      returned: always
      contains:
        canonical_name:
          description: Name of the device.
          type: str
          returned: always
          sample: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
        uuid:
          description: The LUN id as the API gives it, which is the vml id without its prefix.
          type: str
          returned: always
          sample: "0200000000600508b1001c4d1e0a5f0c6a2b3c4d5e4c4f47494341"
        vml:
          description: The id by which mapping files name the LUN. It may differ from host to host.
          type: str
          returned: always
          sample: vml.0200000000600508b1001c4d1e0a5f0c6a2b3c4d5e4c4f47494341
        display_name:
          description: Name that the administrators gave.
          type: str
          returned: always
          sample: Local ATA Disk (naa.600508b1001c4d1e0a5f0c6a2b3c4d5e)
        vendor:
          description: Vendor as the device tells it.
          type: str
          returned: always
          sample: ATA
        model:
          description: Model as the device tells it.
          type: str
          returned: always
          sample: ST3000DM001
        serial:
          description: Serial number; null where the device tells none.
          type: str
          returned: always
          sample: Z1F0ABCD
        capacity_bytes:
          description: Capacity, exact.
          type: int
          returned: always
          sample: 3000592982016
        block_size:
          description: Size of a logical block in bytes.
          type: int
          returned: always
          sample: 512
        local:
          description: Whether the LUN is local to its host.
          type: bool
          returned: always
          sample: true
        ssd:
          description: Whether it is a solid state disk.
          type: bool
          returned: always
          sample: false
        device_path:
          description: Path of the device on the host.
          type: str
          returned: always
          sample: /vmfs/devices/disks/naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
        state:
          description: Operational state; several are joined by commas.
          type: str
          returned: always
          sample: ok
        perennially_reserved:
          description: Whether it is marked as reserved for good, as cluster disks are.
          type: bool
          returned: always
          sample: false
        hosts:
          description: How each host sees the LUN.
          type: list
          elements: dict
          returned: always
          contains:
            host:
              description: Name of the host.
              type: str
              returned: always
              sample: esx1.example.com
            vml:
              description: The vml id on that host.
              type: str
              returned: always
              sample: vml.0200000000600508b1001c4d1e0a5f0c6a2b3c4d5e4c4f47494341
            lun_number:
              description: LUN number on that host.
              type: int
              returned: always
              sample: 0
            device_path:
              description: Path of the device on that host.
              type: str
              returned: always
              sample: /vmfs/devices/disks/naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
            state:
              description: Operational state on that host.
              type: str
              returned: always
              sample: ok
    before:
      description: The disk before.
      type: dict
      returned: always
      contains:
        file:
          description: The mapping file.
          type: str
          returned: always
          sample: "[datastore1] winsrv/data.vmdk"
        compatibility:
          description: V(physical) or V(virtual).
          type: str
          returned: always
          sample: physical
        disk_mode:
          description: Disk mode.
          type: str
          returned: always
          sample: independent_persistent
        sharing:
          description: V(none) or V(multi_writer).
          type: str
          returned: always
          sample: none
    after:
      description: The disk after; in check mode as it would be; null where the disk is not attached.
      type: dict
      returned: always
      contains:
        file:
          description: The mapping file.
          type: str
          returned: always
          sample: "[datastore1] winsrv/data.vmdk"
        compatibility:
          description: V(physical) or V(virtual).
          type: str
          returned: always
          sample: physical
        disk_mode:
          description: Disk mode.
          type: str
          returned: always
          sample: independent_persistent
        sharing:
          description: V(none) or V(multi_writer).
          type: str
          returned: always
          sample: none
    deleted:
      description:
        - The old mapping files of the disk that were deleted, or in check mode would be (O(old_mapping=delete)). Also
          that which had to go before the new one could be made.
      type: list
      elements: str
      returned: always
      sample: []
    state:
      description:
        - What became of it.
        - V(unchanged) it was as wanted, V(converted), V(would_convert) in check mode, V(blocked) by one of
          RV(blockers), V(rolled_back) to what it was, V(failed), V(not_started) because an earlier disk failed or
          time was up, and V(taken_over) when another run took the conversion over.
      type: str
      returned: always
      sample: converted
plan:
  description: The steps in their order, as they were run or would be run.
  type: list
  elements: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    step:
      description: Kind of step.
      type: str
      returned: always
      sample: swap
    address:
      description: The disk that the step is about, or null.
      type: str
      returned: always
      sample: "scsi0:1"
    description:
      description: What the step does.
      type: str
      returned: always
      sample: detach [datastore1] winsrv/data.vmdk (its file is kept), make and attach the virtual mapping
blockers:
  description: All that stops the call, of all disks.
  type: list
  elements: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    code:
      description:
        - Stable name of the kind. It is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: str
      returned: always
      sample: vm_powered_on
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: error
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: The VM is powered on.
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: Shut it down, or set the option power.
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: winsrv
    overridable:
      description: Whether O(override) accepts the code.
      type: bool
      returned: always
      sample: false
findings:
  description:
    - What is worth knowing of what was done. C(old_mapping_deleted) says that an old mapping was deleted that was to be
      kept, because the host takes no second mapping of a LUN.
  type: list
  elements: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    code:
      description:
        - Stable name of the kind. It is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: str
      returned: always
      sample: old_mapping_deleted
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: warning
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: The host takes no second mapping of naa.600508b1001c4d1e0a5f0c6a2b3c4d5e.
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: To go back, detach the new mapping, delete it, and make the old one again.
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: "[datastore1] winsrv/data.vmdk"
power:
  description: The power state of the virtual machine.
  type: dict
  returned: once the virtual machine was found, also when the task fails
  contains:
    before:
      description: Before the call.
      type: str
      returned: always
      sample: powered_on
    after:
      description: After the call.
      type: str
      returned: always
      sample: powered_on
resumed:
  description: Whether this run finished or undid one that was interrupted.
  type: bool
  returned: once the virtual machine was found, also when the task fails
  sample: false
rolled_back:
  description: Whether a disk was brought back to what it was.
  type: bool
  returned: once the virtual machine was found, also when the task fails
  sample: false
recovery:
  description: Exact commands for a person, whenever a disk is left neither converted nor as it was.
  type: list
  elements: str
  returned: once the virtual machine was found, also when the task fails
  sample: []
diff:
  description: The disks before and after, by address.
  type: dict
  returned: in diff mode
  sample: {'before': {'scsi0:1': {'compatibility': 'physical'}}, 'after': {'scsi0:1': {'compatibility': 'virtual'}}}
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import (
    RDM_COMPATIBILITY,
    rdm_compatibility,
)


def main() -> None:
    """Runs the module."""
    run_module(RDM_COMPATIBILITY, rdm_compatibility)


if __name__ == "__main__":
    main()
