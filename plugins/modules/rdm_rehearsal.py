#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rdm_rehearsal
short_description: Find out on a spare LUN what a vCenter or ESXi host accepts
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Tries every step of a conversion of raw device mappings, there and back, with a spare LUN and a virtual machine that
    it makes for the purpose and removes again. It answers what documentation does not tell, such as whether the mapping
    may be swapped in one reconfigure, whether a LUN may have a second mapping file, whether a local disk can be mapped
    over the API, and whether a mapping can hang on a SATA controller.
  - The virtual machine has no disk of its own and no guest system and is never started, so nothing is written to the
    LUN. Mapping files lie in the machine's own folder.
  - A record is written with the request that makes the virtual machine; over SSH it is a file on the datastore, the
    first that is written and the last that goes. What a killed run left is recognised by that record, and never by its
    name alone, and the next run over the same way removes it, unless it holds anything that no rehearsal made.
  - A refusal of the server is an answer and does not fail the task. A right or a licence that is missing does.
  - Without O(hostname), a task on an ESXi host itself rehearses what its shell accepts, over its own connection, which
    must be C(ssh), and needs neither Python there nor a licence for the API. There the virtual machine is made of a
    C(.vmx) with C(vim-cmd solo/registervm) and goes with C(vim-cmd vmsvc/unregister); mappings are made and deleted
    with C(vmkfstools), and put on and taken off with C(vim-cmd vmsvc/device.diskaddexisting) and C(device.diskremove).
extends_documentation_fragment:
  - winbackup.storage._vsphere
  - winbackup.storage._attributes
  - winbackup.storage._attributes.vsphere
attributes:
  check_mode:
    support: full
    details:
      - It says what it would make and remove, with everything that stands against it, and writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - It leaves everything as it was. Only what an earlier run left is removed, and that counts as a change.
  async:
    support: partial
    details:
      - With O(hostname) it is supported. Over the task's own connection to an ESXi host it is not.
options:
  lun:
    description:
      - The spare LUN by its exact canonical name. No other spelling is taken.
      - A LUN that carries a partition table or a datastore, that a virtual machine maps, or of which this could not be
        read, is refused.
    type: str
    required: true
  lun_again:
    description:
      - The same name once more, for a LUN that is spare although it carries something. It is not needed otherwise.
      - What a host itself uses (boot, dump, vSAN) and what cannot be mapped at all is refused all the same.
    type: str
  datastore:
    description:
      - Name of a VMFS datastore on which the virtual machine gets a folder of its own for the time of the rehearsal.
    type: str
    required: true
  host:
    description:
      - Name or managed object id of the host on which the virtual machine is made.
      - Without it, the first by name of the connected hosts that show the LUN and write to the datastore.
    type: str
  timeout:
    description:
      - Seconds for the whole run. When they are over nothing more is asked; what was made is removed in any case.
    type: int
    default: 1800
notes:
  - Privileges that are needed on the folder of virtual machines of the datacenter are
    C(VirtualMachine.Inventory.Create), C(VirtualMachine.Inventory.Delete) and those of
    M(winbackup.storage.rdm_compatibility); on the resource pool C(Resource.AssignVMToPool); on the datastore
    C(Datastore.AllocateSpace), C(Datastore.Browse) and C(Datastore.FileManagement). Without C(Host.Config.Storage) the
    partition table may stay unknown. Over SSH the user must be one who may do everything there (root).
seealso:
  - module: winbackup.storage.rdm_compatibility
  - module: winbackup.storage.lun_info
"""

EXAMPLES = r"""
---
- name: Say what a rehearsal would make and touch
  winbackup.storage.rdm_rehearsal:
    hostname: vcenter.example.com
    username: "{{ vcenter_username }}"
    password: "{{ vcenter_password }}"
    lun: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    datastore: san01
  check_mode: true
  delegate_to: localhost

- name: Rehearse, and show how conversions will go
  winbackup.storage.rdm_rehearsal:
    lun: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    datastore: san01
    host: esx1.example.com
  delegate_to: localhost
  register: rehearsal

- name: Rehearse with a LUN that still has an old partition table
  winbackup.storage.rdm_rehearsal:
    lun: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    lun_again: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    datastore: san01
  delegate_to: localhost

- name: Rehearse on the shell of an ESXi host, in a play over ssh
  winbackup.storage.rdm_rehearsal:
    lun: t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001
    datastore: datastore1
"""

RETURN = r"""
lun:
  description: Canonical name of the LUN.
  type: str
  returned: once the LUN was found, also when the task fails
  sample: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
host:
  description: The host of the virtual machine.
  type: str
  returned: once the LUN was found, also when the task fails
  sample: esx1.example.com
datastore:
  description: The datastore of its files.
  type: str
  returned: once the LUN was found, also when the task fails
  sample: san01
vm:
  description: Name of the virtual machine that was made; null where none was.
  type: str
  returned: once the LUN was found, also when the task fails
  sample: winbackup-rehearsal-0a1b2c3d4e5f
plan:
  description: What is done on a server that accepts everything, in order. Empty where something stands against it.
  type: list
  elements: str
  returned: once the LUN was found, also when the task fails
  sample:
    - make rehearsal-physical.vmdk (physical) and attach it at scsi0:0 (naa.600508b1001c4d1e0a5f0c6a2b3c4d5e)
removed:
  description: Virtual machines of earlier rehearsals that were removed, or in check mode would be.
  type: list
  elements: str
  returned: once the LUN was found, also when the task fails
  sample: []
blockers:
  description: Everything that stands against a rehearsal. Codes are listed in the documentation of the collection.
  type: list
  elements: dict
  returned: once the LUN was found, also when the task fails
  contains:
    code:
      description: Stable code.
      type: str
      returned: always
      sample: lun_has_partitions
    severity:
      description: Always V(error).
      type: str
      returned: always
      sample: error
    message:
      description: What was seen, with the values.
      type: str
      returned: always
      sample: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e carries a partition table (gpt, 2 partitions).
    hint:
      description: What to do about it.
      type: str
      returned: always
      sample: Name a spare LUN.
    object:
      description: What it was seen of.
      type: str
      returned: always
      sample: naa.600508b1001c4d1e0a5f0c6a2b3c4d5e
    overridable:
      description: Whether O(lun_again) accepts it.
      type: bool
      returned: always
      sample: true
answers:
  description: Every question in order, whether it was asked or not. Empty in check mode and where a blocker stands.
  type: list
  elements: dict
  returned: once the LUN was found, also when the task fails
  contains:
    question:
      description:
        - What was asked. V(new_physical_mapping) and V(new_virtual_mapping) are a mapping made by being attached;
          V(to_virtual_in_one_reconfigure) and V(to_physical_in_one_reconfigure) a mapping that takes another's place,
          V(to_virtual_in_two_reconfigures) and V(to_physical_in_two_reconfigures) the same with the old one taken off
          first; V(second_mapping_file) a second mapping file of a LUN while the first is there.
        - V(old_mapping_again) is a kept mapping file that is attached again, as an undo does; V(deletion_of_mapping) a
          mapping file deleted that nothing uses; V(local_disk) a mapping of a local disk; V(sata_controller),
          V(mapping_on_sata), V(on_sata_in_one_reconfigure) and V(on_sata_in_two_reconfigures) the same on a SATA
          controller; V(removal_of_vm) the virtual machine removed with all that it had.
        - Over SSH the first two are a mapping file made by itself, V(mapping_attached) one that is attached then;
          V(old_file_kept) the file of a disk that is taken off; V(to_virtual_in_steps) and V(to_physical_in_steps) the
          new file attached in the place of the old one. Nothing is asked about reconfigures there.
      type: str
      returned: always
      sample: to_virtual_in_one_reconfigure
    verdict:
      description:
        - V(accepted), V(refused), V(not_as_asked) where the server said yes and the virtual machine does not show it,
          V(unknown) where it could not be told, V(not_asked) where an answer before made it meaningless.
      type: str
      returned: always
      sample: accepted
    fault:
      description: The server's own name of the fault of a refusal; null otherwise.
      type: str
      returned: always
      sample: InvalidDeviceSpec
    message:
      description: The words of the refusal; null where nothing was said.
      type: str
      returned: always
      sample: "InvalidDeviceSpec: Invalid configuration for device '0' (deviceIndex 0)."
conversion:
  description:
    - How M(winbackup.storage.rdm_compatibility) will go over the same way with a disk like the rehearsed one. Over the
      API each is V(one_reconfigure), V(two_reconfigures), V(rolled_back), or V(unknown).
    - Over SSH each is V(step_by_step), V(old_mapping_first) where the host takes one mapping of a LUN, so that the old
      file goes before the new one is made, V(old_mapping_lost) where it deletes the file of a disk that is taken off,
      V(rolled_back), V(failed) where a disk could not be attached again either, or V(unknown).
  type: dict
  returned: once the LUN was found, also when the task fails; null where nothing was rehearsed
  contains:
    to_virtual:
      description: A physical mapping made virtual.
      type: str
      returned: always
      sample: one_reconfigure
    to_physical:
      description: A virtual mapping made physical.
      type: str
      returned: always
      sample: one_reconfigure
    on_sata:
      description: A mapping on a SATA controller.
      type: str
      returned: always
      sample: rolled_back
report:
  description:
    - The same without any name of the site, to be attached to an issue; null where nothing was rehearsed.
  type: dict
  returned: once the LUN was found, also when the task fails
  contains:
    format:
      description: Version of this structure.
      type: int
      returned: always
      sample: 1
    complete:
      description: Whether the rehearsal came to its end.
      type: bool
      returned: always
      sample: true
    server:
      description: What the server says of itself.
      type: dict
      returned: always
      contains:
        kind:
          description: V(vcenter) or V(esxi).
          type: str
          returned: always
          sample: vcenter
        version:
          description: Its version.
          type: str
          returned: always
          sample: 8.0.3
        build:
          description: Its build; empty where it is not told.
          type: str
          returned: always
          sample: "24022515"
        over:
          description: The way that led to it, V(api) or V(ssh).
          type: str
          returned: always
          sample: api
    host:
      description: The host of the virtual machine.
      type: dict
      returned: always
      contains:
        version:
          description: Its version.
          type: str
          returned: always
          sample: 8.0.3
    datastore:
      description: The datastore of the mapping files.
      type: dict
      returned: always
      contains:
        type:
          description: Its type.
          type: str
          returned: always
          sample: VMFS
        version:
          description: Version of its file system; null where it is not told.
          type: str
          returned: always
          sample: "6.82"
    vm:
      description: The virtual machine.
      type: dict
      returned: always
      contains:
        hardware_version:
          description: Its hardware version; null where it was not made.
          type: str
          returned: always
          sample: vmx-21
    lun:
      description: What kind of LUN it is.
      type: dict
      returned: always
      contains:
        kind_of_name:
          description: How its canonical name begins.
          type: str
          returned: always
          sample: naa
        local:
          description: Whether it is local; null where the host does not tell.
          type: bool
          returned: always
          sample: false
        ssd:
          description: Whether it is solid-state; null where the host does not tell.
          type: bool
          returned: always
          sample: false
        sectors:
          description: Kind of its sectors; null where the host does not tell.
          type: str
          returned: always
          sample: native512
        block_size:
          description: Bytes of a block; null where the host does not tell.
          type: int
          returned: always
          sample: 512
        larger_than_2_tib:
          description: Whether it has more than 2 TiB; null where its size is not known.
          type: bool
          returned: always
          sample: true
        is_ata:
          description: Whether its vendor is "ATA", as of SATA disks; null where the host does not tell.
          type: bool
          returned: always
          sample: false
    answers:
      description: As RV(answers).
      type: list
      elements: dict
      returned: always
      contains:
        question:
          description: As RV(answers[].question).
          type: str
          returned: always
          sample: to_virtual_in_one_reconfigure
        verdict:
          description: As RV(answers[].verdict).
          type: str
          returned: always
          sample: accepted
        fault:
          description: The server's own name of the fault of a refusal; null otherwise.
          type: str
          returned: always
          sample: InvalidDeviceSpec
        message:
          description: The words of the refusal, with every name replaced by what it is; null where nothing was said.
          type: str
          returned: always
          sample: "InvalidDeviceSpec: Invalid configuration for device '0' (deviceIndex 0)."
    conversion:
      description: As RV(conversion).
      type: dict
      returned: always
      contains:
        to_virtual:
          description: A physical mapping made virtual.
          type: str
          returned: always
          sample: one_reconfigure
        to_physical:
          description: A virtual mapping made physical.
          type: str
          returned: always
          sample: one_reconfigure
        on_sata:
          description: A mapping on a SATA controller.
          type: str
          returned: always
          sample: rolled_back
"""

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import run_module
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import (
    RDM_REHEARSAL,
    rdm_rehearsal,
)


def main() -> None:
    """Runs the module."""
    run_module(RDM_REHEARSAL, rdm_rehearsal)


if __name__ == "__main__":
    main()
