#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_disk_info
short_description: Read the disks of a Windows machine by every interface, and which disks of its VM they are
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Reads disks, partitions and volumes of a Windows machine in one run of PowerShell. Disks are listed by
    C(Win32_DiskDrive), which has dynamic disks too, and enriched by the Storage classes (C(MSFT_Disk),
    C(MSFT_PhysicalDisk), C(MSFT_Partition)), which have not.
  - Sizes are told by interface, with the tolerance that belongs to each - that Disk Management and diskpart show two
    capacities of a disk becomes a fact. A disk whose size one interface tells modulo 2 TiB is named.
  - With O(vm_disks) each disk is joined to the disk of the VM that it is, by the serial or the LUN's own name, then by
    PCI slot and target, then by what VMware Tools reported; never by size and never by port number. What is not certain
    is not joined, and the candidates are returned.
  - Nothing is changed. Windows is asked to update what it keeps of its disks first (C(Update-HostStorageCache)).
  - What could not be read is null, and a finding says so. A session without an elevated token is shown no disks by
    Windows; that is an error.
notes:
  - A disagreement of sizes shows a storage stack that tells two sizes. It was seen on raw device mappings in physical
    mode, and on a PC whose driver was at fault.
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
  vm_disks:
    description:
      - What M(winbackup.storage.rdm_info) returned, or its list RV(winbackup.storage.rdm_info#module:rdms), of this VM
        or of all. The VM is told by the serial of the machine's firmware, else by its UUID, never by its name.
      - Disks of the VM that are no raw device mappings are not in it, and are not joined.
    type: raw
  timeout:
    description:
      - Seconds for the whole reading.
    type: int
    default: 600
seealso:
  - module: winbackup.storage.rdm_info
"""

EXAMPLES = r"""
---
- name: Read the mappings of a VM
  winbackup.storage.rdm_info:
    vms:
      - backup01
  delegate_to: localhost
  register: mappings

- name: Say which disks of Windows they are, over the task's own connection to Windows
  winbackup.storage.windows_disk_info:
    vm_disks: "{{ mappings.rdms }}"
  register: windows

- name: Name the disks whose sizes do not agree
  ansible.builtin.debug:
    msg: "Disk {{ item.number }} ({{ item.vm_disk.address | default('not joined') }}): {{ item.size_bytes }}"
  loop: "{{ windows.disks | rejectattr('sizes_agree', 'equalto', true) }}"
  loop_control:
    label: "{{ item.number }}"

- name: Read from the controller
  winbackup.storage.windows_disk_info:
    hostname: backup01.example.com
    username: svc-backup@EXAMPLE.COM
    password: "{{ windows_password }}"
    transport: kerberos
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
  description: Its disks, by number.
  type: list
  elements: dict
  returned: always
  contains:
    number:
      description: Number of the disk, which may be another one after a restart; null for some.
      type: int
      returned: always
      sample: 1
    device_path:
      description: Path of the device in Windows; null of a disk that the Storage classes do not list.
      type: str
      returned: always
      sample: '\\?\scsi#disk&ven_vmware&prod_virtual_disk#5&1982005&0&000100#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}'
    scsi:
      description: Place on the bus as Windows counts. The port is no number of a controller of the VM.
      type: dict
      returned: always
      contains:
        port:
          description: Number that Windows gives the adapter.
          type: int
          returned: always
          sample: 2
        bus:
          description: Bus of the adapter.
          type: int
          returned: always
          sample: 0
        target:
          description: Target, on SCSI controllers of VMware the unit.
          type: int
          returned: always
          sample: 1
        lun:
          description: LUN of the target.
          type: int
          returned: always
          sample: 0
    pci_slot:
      description: PCI slot of the adapter as Windows shows it; null where the registry does not tell it.
      type: int
      returned: always
      sample: 160
    disk_id:
      description:
        - What Windows knows the disk by, wherever it hangs - the GUID of a GPT disk without braces, or the
          signature of an MBR disk as eight hexadecimal digits. Null of a disk that is not initialised.
      type: str
      returned: always
      sample: 0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11
    serial:
      description: Serial as the disk tells it; null where it tells none.
      type: str
      returned: always
      sample: 6000c292a560cfee7485ca30dd209394
    unique_id:
      description: Unique id as the disk tells it.
      type: str
      returned: always
      sample: 6000C292A560CFEE7485CA30DD209394
    friendly_name:
      description: Name of the model.
      type: str
      returned: always
      sample: VMware Virtual disk
    bus_type:
      description: Kind of the bus as Windows sees it, V(unknown) for one that no list has.
      type: str
      returned: always
      sample: sas
    partition_style:
      description: One of V(gpt), V(mbr) and V(raw) (not initialised).
      type: str
      returned: always
      sample: gpt
    dynamic:
      description: Whether it is a dynamic disk; null where that is not known.
      type: bool
      returned: always
      sample: false
    multipath:
      description: Whether it is a disk of Windows' own MPIO.
      type: bool
      returned: always
      sample: false
    clustered:
      description: Whether a failover cluster has it; null where that is not known.
      type: bool
      returned: always
      sample: false
    storage_pool:
      description: Whether it is a member of a storage pool (Storage Spaces); null where that is not known.
      type: bool
      returned: always
      sample: false
    boot:
      description: Whether Windows was started from it.
      type: bool
      returned: always
      sample: false
    system:
      description: Whether the firmware starts from it.
      type: bool
      returned: always
      sample: false
    offline:
      description: Whether it is offline; null where that is not known.
      type: bool
      returned: always
      sample: true
    offline_reason:
      description:
        - Why it is offline - V(policy) (the SAN policy, or somebody's wish), V(redundant_path), V(snapshot),
          V(collision), V(resource_exhaustion), V(critical_write_failures), V(data_integrity_scan_required),
          V(lost_data_persistence), or V(unknown).
      type: str
      returned: always
      sample: policy
    read_only:
      description: Whether it is read-only.
      type: bool
      returned: always
      sample: true
    sector_sizes:
      description: Bytes of a sector.
      type: dict
      returned: always
      contains:
        logical:
          description: As Windows addresses it.
          type: int
          returned: always
          sample: 512
        physical:
          description: As the disk has it.
          type: int
          returned: always
          sample: 4096
    volumes:
      description: The volumes on it. Null where that is not known - of an offline disk, of a dynamic one.
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
    size_bytes:
      description: Its size by the interface that tells it; null where it does not.
      type: dict
      returned: always
      contains:
        disk:
          description: Exact, of C(MSFT_Disk), as Disk Management shows it.
          type: int
          returned: always
          sample: 2000398934016
        wmi:
          description: Of C(Win32_DiskDrive), rounded down to whole cylinders of 8225280 bytes.
          type: int
          returned: always
          sample: 2000396321280
        physical:
          description: Exact, of C(MSFT_PhysicalDisk).
          type: int
          returned: always
          sample: 2000398934016
        partitions_end:
          description: Where its last partition ends.
          type: int
          returned: always
          sample: 2000397868544
    sizes_agree:
      description: Whether they agree, each within its tolerance; null where fewer than two are known.
      type: bool
      returned: always
      sample: true
    truncated_at_2_tib:
      description: Whether one size is another one modulo 2 TiB; null where that cannot be told.
      type: bool
      returned: always
      sample: false
    vm_disk:
      description: The disk of the VM that it is; null where that is not certain, or O(vm_disks) was not given.
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
          description: Controller and unit.
          type: str
          returned: always
          sample: "scsi0:1"
        file:
          description: Its file.
          type: str
          returned: always
          sample: "[datastore1] backup01/backup01_1.vmdk"
        compatibility:
          description: Compatibility mode of the mapping.
          type: str
          returned: always
          sample: physical
        capacity_bytes:
          description: Its capacity.
          type: int
          returned: always
          sample: 2000398934016
        lun:
          description: Its LUN, as RV(winbackup.storage.rdm_info#module:rdms[].lun) tells it.
          type: dict
          returned: always
    joined_by:
      description:
        - What told it - V(serial), V(naa) (the unique id), V(pci_slot_and_target) or V(vsphere) (VMware Tools).
      type: str
      returned: always
      sample: serial
    vm_disk_candidates:
      description: Where RV(disks[].vm_disk) is null, the disks of the VM that it may be.
      type: list
      elements: dict
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
          description: Controller and unit.
          type: str
          returned: always
          sample: "scsi0:1"
        file:
          description: Its file.
          type: str
          returned: always
          sample: "[datastore1] backup01/backup01_1.vmdk"
        compatibility:
          description: Compatibility mode of the mapping.
          type: str
          returned: always
          sample: physical
        capacity_bytes:
          description: Its capacity.
          type: int
          returned: always
          sample: 2000398934016
        lun:
          description: Its LUN, as RV(winbackup.storage.rdm_info#module:rdms[].lun) tells it.
          type: dict
          returned: always
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
          sample: disk_sizes_differ
        severity:
          description: One of V(info), V(warning) and V(error).
          type: str
          returned: always
          sample: warning
        message:
          description: What was seen, with the values.
          type: str
          returned: always
          sample: "Windows tells several sizes of Disk 1 (bytes)."
        hint:
          description: What to do about it.
          type: str
          returned: always
          sample: "Try shadow_copy_test."
        object:
          description: What it was seen of.
          type: str
          returned: always
          sample: "Disk 1"
other_volumes:
  description:
    - Volumes of which it is not known on which disk they lie, as those of dynamic disks; null where volumes could
      not be read.
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
san_policy:
  description:
    - What becomes of a disk that Windows has not seen before - V(online_all), V(offline_shared), V(offline_all),
      V(offline_internal) or V(unknown); null where it could not be read. It is never changed.
  type: str
  returned: always
  sample: offline_shared
findings:
  description: What is worth knowing about the machine, among it what could not be read.
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
      sample: unreadable
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: warning
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: "Windows did not give the SAN policy."
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: "Give the user a session with an elevated token."
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: "BACKUP01"
summary:
  description: Counts.
  type: dict
  returned: always
  contains:
    disks:
      description: How many disks there are.
      type: int
      returned: always
      sample: 3
    offline:
      description: How many of them are known to be offline.
      type: int
      returned: always
      sample: 1
    joined:
      description: How many were joined to a disk of the VM.
      type: int
      returned: always
      sample: 2
    complete:
      description: Whether everything that the counts rest on was read.
      type: bool
      returned: always
      sample: true
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import DISK_INFO
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import disk_info, on_host


def main() -> None:
    """Runs the module."""
    run_module(DISK_INFO, on_host(disk_info))


if __name__ == "__main__":
    main()
