#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lun_info
short_description: List the LUNs of ESXi hosts and what uses them
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Lists every LUN that the hosts of a vCenter, or a stand-alone ESXi host, see, one entry for each LUN however many
    hosts see it, and tells what uses it.
  - All that C(esxcfg-scsidevs --compact-list) shows is there, with sizes exact to the byte.
  - Without O(hostname), a task on an ESXi host itself reads that host over its own connection, which must be C(ssh). No
    Python, no licence for the API and none of the connection options are needed, C(gather_facts) must be false, and
    nothing is left on the host.
extends_documentation_fragment:
  - winbackup.storage._vsphere
  - winbackup.storage._attributes
  - winbackup.storage._attributes.info_module
  - winbackup.storage._attributes.vsphere
attributes:
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to an ESXi host it is not.
options:
  hosts:
    description:
      - Only LUNs that these hosts see. Without it all hosts count.
      - An entry that matches no host is an error.
    type: list
    elements: str
    default: []
  luns:
    description:
      - Only these LUNs, by canonical name, vml id, world wide name or serial number. A world wide name may be written
        bare, with colons, with C(0x), in either case.
      - An entry that matches none, or more than one, is an error.
    type: list
    elements: str
    default: []
  mappable_only:
    description:
      - Only LUNs that a new raw device mapping could be made of.
    type: bool
    default: false
  detail:
    description:
      - What to read beyond the usual. It costs more round trips.
      - V(lun_paths) adds the paths from each host to each LUN.
    type: list
    elements: str
    choices:
      - lun_paths
    default: []
  timeout:
    description:
      - Seconds for the whole reading. What was not read by then is a finding C(unreadable), and everything that rests
        on it is null.
    type: int
    default: 600
seealso:
  - module: winbackup.storage.rdm_info
"""

EXAMPLES = r"""
---
- name: Read all LUNs
  winbackup.storage.lun_info:
    hostname: vcenter.example.com
    username: "{{ vcenter_username }}"
    password: "{{ vcenter_password }}"
  delegate_to: localhost
  register: storage

- name: Read the LUNs of one host that are free to be mapped
  winbackup.storage.lun_info:
    hosts:
      - esx1.example.com
    mappable_only: true
  delegate_to: localhost

- name: Look a LUN up by the name that the storage team gave, with its paths
  winbackup.storage.lun_info:
    luns:
      - 60:05:08:b1:00:1c:4d:1e:0a:5f:0c:6a:2b:3c:4d:5e
    detail:
      - lun_paths
  delegate_to: localhost

- name: Read the LUNs of an ESXi host over SSH, in a play on that host
  winbackup.storage.lun_info:
"""

RETURN = r"""
luns:
  description: The LUNs. Values on which the hosts differ are null here and stand in RV(luns[].hosts).
  type: list
  elements: dict
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
      description: Size of a logical block in bytes; over SSH null on a host before 6.5.
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
        paths:
          description: The paths of that host to the LUN. Only with V(lun_paths) in O(detail).
          type: list
          elements: dict
          returned: when paths were asked for
          contains:
            name:
              description: Runtime name of the path.
              type: str
              returned: always
              sample: "vmhba2:C0:T0:L4"
            state:
              description: State of the path.
              type: str
              returned: always
              sample: active
            adapter:
              description: Adapter that the path goes through.
              type: str
              returned: always
              sample: vmhba2
            transport:
              description: Kind of the transport.
              type: str
              returned: always
              sample: fibre_channel
    console_device:
      description: Path of the console device.
      type: str
      returned: always
      sample: /vmfs/devices/disks/naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    device_type:
      description: Kind of device.
      type: str
      returned: always
      sample: disk
    multipath_plugin:
      description: Plugin that owns the paths.
      type: str
      returned: always
      sample: NMP
    used_by:
      description: What uses the LUN.
      type: dict
      returned: always
      contains:
        rdms:
          description: The mappings of it.
          type: list
          elements: dict
          returned: always
          contains:
            vm:
              description: Name of the virtual machine.
              type: str
              returned: always
              sample: winsrv
            address:
              description: Address of the disk.
              type: str
              returned: always
              sample: "scsi0:1"
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
        datastore:
          description: Name of the VMFS datastore that the LUN carries, or null.
          type: str
          returned: always
          sample: null
        boot:
          description:
            - True where volumes of the host itself lie on it; null where nothing tells. Over SSH false where the host
              says that it did not boot from it, or it has no partition.
          type: bool
          returned: always
          sample: null
        vsan:
          description: Whether vSAN uses it; over SSH null where the disk has partitions.
          type: bool
          returned: always
          sample: false
        complete:
          description:
            - Whether all virtual machines and hosts that may use it could be read. False for a LUN that is not local
              on a host that stands alone.
          type: bool
          returned: always
          sample: true
    mappable:
      description: Whether a new raw device mapping could be made of it; null where that is not known.
      type: bool
      returned: always
      sample: false
    mappable_reasons:
      description:
        - Why not, or where RV(luns[].mappable) is null what is not known. Each is one of
          L(all codes,https://winbackup.github.io/storage/docsite/codes.html).
      type: list
      elements: str
      returned: always
      sample: ["used_by_vm"]
    findings:
      description: What is worth knowing about the LUN.
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
          sample: physical_compatibility
        severity:
          description: One of V(info), V(warning) and V(error).
          type: str
          returned: always
          sample: warning
        message:
          description: What was seen, with the values.
          type: str
          returned: always
          sample: The mapping is in physical compatibility mode.
        hint:
          description: What to do about it.
          type: str
          returned: always
          sample: Make it virtual with winbackup.storage.rdm_compatibility.
        object:
          description: What it was seen of.
          type: str
          returned: always
          sample: "winsrv scsi0:1"
findings:
  description: Findings on hosts, datastores and virtual machines that could not be read in full.
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
      sample: physical_compatibility
    severity:
      description: One of V(info), V(warning) and V(error).
      type: str
      returned: always
      sample: warning
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: The mapping is in physical compatibility mode.
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: Make it virtual with winbackup.storage.rdm_compatibility.
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: "winsrv scsi0:1"
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import LUN_INFO, lun_info


def main() -> None:
    """Runs the module."""
    run_module(LUN_INFO, lun_info)


if __name__ == "__main__":
    main()
