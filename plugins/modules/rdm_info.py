#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rdm_info
short_description: List raw device mappings, their LUNs and their risks
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Lists every raw device mapping (RDM) of a vCenter or of a stand-alone ESXi host with the LUN behind it, who
    shares it, what is risky about it, and what would stop its conversion.
  - Takes a few requests however many virtual machines there are.
  - What a single virtual machine, host or datastore refuses to tell becomes a finding on that object; the rest is still
    returned. What was not read is null, never empty, and no mapping is called convertible while a virtual machine or
    host that may use its LUN could not be read.
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
  vms:
    description:
      - Virtual machines to look at, by name, inventory path, instance UUID or managed object id. Without it all are.
      - An entry that matches nothing, or more than one, is an error.
      - With 50 entries or fewer everything is checked, and RV(rdms[].unchecked) is empty.
    type: list
    elements: str
    default: []
  luns:
    description:
      - Only mappings of these LUNs, by canonical name, vml id, world wide name or serial number. A world wide name may
        be written bare, with colons, with C(0x), in either case.
    type: list
    elements: str
    default: []
  compatibility:
    description:
      - Only mappings in this compatibility mode.
    type: str
    choices:
      - physical
      - virtual
  datacenter:
    description:
      - Only virtual machines of the datacenter with this name.
    type: str
  orphans:
    description:
      - Whether to search the datastores for mapping files that no virtual machine uses. This takes a while.
      - The search also finds what an interrupted conversion over SSH left beside a virtual machine. Over the vSphere
        API such a conversion is otherwise seen only by M(winbackup.storage.rdm_compatibility) for that machine.
    type: bool
    default: false
  detail:
    description:
      - What to read beyond the usual. It costs more round trips.
      - V(lun_paths) adds the paths from each host to each LUN.
      - V(luns) adds RV(luns), every LUN of the hosts, so that who wants both reads once.
    type: list
    elements: str
    choices:
      - lun_paths
      - luns
    default: []
  timeout:
    description:
      - Seconds for the whole reading, the search of datastores included. What was not read by then is a finding
        C(unreadable), and everything that rests on it is null.
    type: int
    default: 600
seealso:
  - module: winbackup.storage.lun_info
  - module: winbackup.storage.rdm_compatibility
"""

EXAMPLES = r"""
---
- name: Read every raw device mapping
  winbackup.storage.rdm_info:
    hostname: vcenter.example.com
    username: "{{ vcenter_username }}"
    password: "{{ vcenter_password }}"
  delegate_to: localhost
  register: mappings

- name: Show the mappings that Windows Server Backup may fail on
  ansible.builtin.debug:
    msg: "{{ item.vm.name }} {{ item.address }}: {{ item.findings | map(attribute='message') | join(' ') }}"
  loop: "{{ mappings.rdms | selectattr('compatibility', 'eq', 'physical') }}"
  loop_control:
    label: "{{ item.file }}"

- name: Find what stops a conversion of one virtual machine's mappings
  winbackup.storage.rdm_info:
    vms:
      - winsrv
    compatibility: physical
  delegate_to: localhost

- name: Find mapping files that nobody uses any more
  winbackup.storage.rdm_info:
    orphans: true
  delegate_to: localhost

- name: Read the mappings of an ESXi host over SSH, in a play on that host
  winbackup.storage.rdm_info:
"""

RETURN = r"""
rdms:
  description:
    - The mappings, sorted by the name of their virtual machine and their address.
    - A disk that an interrupted conversion left detached is among them, with the finding V(conversion_open).
  type: list
  elements: dict
  returned: always
  contains:
    vm:
      description: The virtual machine.
      type: dict
      returned: always
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
        same_bios_uuid:
          description:
            - Names of other virtual machines, of those that could be read, that have the same BIOS UUID. A guest cannot
              tell which of them it runs in.
          type: list
          elements: str
          returned: always
          sample: [backup01-copy]
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
          description: Whether it is a template; null where it could not be read.
          type: bool
          returned: always
          sample: false
        has_snapshots:
          description: Whether it has snapshots; null where it could not be read.
          type: bool
          returned: always
          sample: false
        vmx_path:
          description: Its configuration file.
          type: str
          returned: always
          sample: "[datastore1] winsrv/winsrv.vmx"
    label:
      description: Label of the disk.
      type: str
      returned: always
      sample: Hard disk 2
    key:
      description: Device key. It is null of a disk that an interrupted conversion left detached.
      type: int
      returned: always
      sample: 2001
    address:
      description: Type and bus of the controller, and unit.
      type: str
      returned: always
      sample: "scsi0:1"
    controller:
      description: The controller.
      type: dict
      returned: always
      contains:
        type:
          description: Kind of controller.
          type: str
          returned: always
          sample: scsi
        bus:
          description: Bus number.
          type: int
          returned: always
          sample: 0
        shared_bus:
          description: One of V(none), V(virtual) and V(physical).
          type: str
          returned: always
          sample: none
        model:
          description: Model of the controller, as V(pvscsi) and V(lsilogic_sas).
          type: str
          returned: always
          sample: pvscsi
        pci_slot_number:
          description:
            - Its C(pciSlotNumber), which tells the guest's disks on it; null before the machine was first started.
          type: int
          returned: always
          sample: 160
    unit:
      description: Unit number on the controller. It is null where it could not be read.
      type: int
      returned: always
      sample: 1
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
    disk_uuid:
      description: UUID of the disk, which in virtual mode the guest may see as its serial; null where it is not told.
      type: str
      returned: always
      sample: 6000c292-a560-cfee-7485-ca30dd209394
    guest_paths:
      description:
        - Where VMware Tools found volumes of it in the guest; null where they told nothing, and over the shell of a
          host.
      type: list
      elements: str
      returned: always
      sample: ['E:\']
    capacity_bytes:
      description: Capacity that the disk has for the guest.
      type: int
      returned: always
      sample: 3000592982016
    mapping:
      description: What the mapping itself names, also where the host does not show its LUN.
      type: dict
      returned: always
      contains:
        lun_uuid:
          description: The id of the LUN in the mapping; null where it names none.
          type: str
          returned: always
          sample: "0200000000600508b1001c4d1e0a5f0c6a2b3c4d5e4c4f47494341"
        device_name:
          description: The device in the mapping; null where the LUN is masked or unavailable.
          type: str
          returned: always
          sample: vml.0200000000600508b1001c4d1e0a5f0c6a2b3c4d5e4c4f47494341
    lun:
      description: The LUN as the virtual machine's host sees it; null where not known, with a finding that says why.
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
    shared_with:
      description: Other virtual machines on the same LUN or the same mapping file.
      type: list
      elements: dict
      returned: always
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
          description: Whether it is a template; null where it could not be read.
          type: bool
          returned: always
          sample: false
        has_snapshots:
          description: Whether it has snapshots; null where it could not be read.
          type: bool
          returned: always
          sample: false
        vmx_path:
          description: Its configuration file.
          type: str
          returned: always
          sample: "[datastore1] winsrv/winsrv.vmx"
    findings:
      description: What is worth knowing about the mapping.
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
    blockers:
      description: What would stop its conversion to virtual mode, or of a virtual mapping the way back.
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
          description: Whether O(winbackup.storage.rdm_compatibility#module:override) accepts the code.
          type: bool
          returned: always
          sample: false
    unchecked:
      description:
        - Codes of blockers that need a look into a directory or file which was not taken, or that the server does not
          tell.
      type: list
      elements: str
      returned: always
      sample: []
    convertible:
      description:
        - False with a blocker, null while something is unchecked, the text V(after_shutdown) where the virtual machine
          only has to be shut down, true otherwise.
      type: raw
      returned: always
      sample: true
luns:
  description:
    - Every LUN of the hosts, in whatever mapping it is or is not, as RV(winbackup.storage.lun_info#module:luns) has it.
  type: list
  elements: dict
  returned: when O(detail) has V(luns)
orphaned_mappings:
  description:
    - Mapping files that no virtual machine uses. Those of a datastore that could not be searched are missing, and a
      finding says so.
  type: list
  elements: dict
  returned: when O(orphans) is true
  contains:
    file:
      description: The mapping file.
      type: str
      returned: always
      sample: "[datastore1] old/data.vmdk"
    compatibility:
      description: V(physical) or V(virtual); null where the server does not tell.
      type: str
      returned: always
      sample: physical
    size_bytes:
      description: Size of the LUN that the file maps.
      type: int
      returned: always
      sample: 3000592982016
    datastore:
      description: Name of the datastore.
      type: str
      returned: always
      sample: datastore1
    in_use:
      description: False; null where a virtual machine or host that may use the file could not be read.
      type: bool
      returned: always
      sample: false
    lun_uuid:
      description: Id of the LUN that the file maps, as C(vmkfstools) tells it.
      type: str
      returned: over SSH, where it could be told
      sample: 02000500006006016043201700d14ca17fe2f7df11524149442035
summary:
  description: Counts.
  type: dict
  returned: always
  contains:
    vms:
      description: Virtual machines looked at.
      type: int
      returned: always
      sample: 12
    rdms:
      description: Mappings returned.
      type: int
      returned: always
      sample: 3
    physical:
      description: Those in physical compatibility mode.
      type: int
      returned: always
      sample: 2
    virtual:
      description: Those in virtual compatibility mode.
      type: int
      returned: always
      sample: 1
    luns:
      description: Different LUNs behind them.
      type: int
      returned: always
      sample: 3
    convertible:
      description: Those in physical mode whose RV(rdms[].convertible) is true.
      type: int
      returned: always
      sample: 2
    after_shutdown:
      description: Those in physical mode whose RV(rdms[].convertible) is V(after_shutdown).
      type: int
      returned: always
      sample: 1
    unchecked:
      description: Those that were not fully checked; name their virtual machines in O(vms) to have it done.
      type: int
      returned: always
      sample: 0
    findings:
      description: How often each code of a finding occurs.
      type: dict
      returned: always
      sample: {"physical_compatibility": 2}
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
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info


def main() -> None:
    """Runs the module."""
    run_module(RDM_INFO, rdm_info)


if __name__ == "__main__":
    main()
