# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the properties of the API are called where no API is known: the parts of virtual machines, hosts, datastores."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties

MACHINE_PARTS: Mapping[str, Part] = {
    "name": Part.NAME,
    "parent": Part.PLACE,
    "parentVApp": Part.PLACE,
    "config": Part.CONFIGURATION,
    "config.template": Part.TEMPLATE,
    "config.uuid": Part.BIOS_UUID,
    "config.instanceUuid": Part.INSTANCE_UUID,
    "config.version": Part.HARDWARE_VERSION,
    "config.changeVersion": Part.CHANGE_VERSION,
    "config.changeTrackingEnabled": Part.CHANGE_TRACKING,
    "config.files.vmPathName": Part.CONFIGURATION_FILE,
    "config.keyId": Part.ENCRYPTION,
    "config.repConfig": Part.REPLICATION,
    "config.managedBy": Part.REPLICATION,
    "config.bootOptions.bootOrder": Part.BOOT_ORDER,
    "config.hardware.device": Part.DISKS,
    "config.extraConfig": Part.SETTINGS,
    "layoutEx.file": Part.FILES,
    "runtime.powerState": Part.POWER_STATE,
    "runtime.connectionState": Part.CONNECTION_STATE,
    "runtime.host": Part.HOST,
    "runtime.consolidationNeeded": Part.CONSOLIDATION,
    "runtime.faultToleranceState": Part.FAULT_TOLERANCE,
    "runtime.question": Part.QUESTION,
    "guest.disk": Part.GUEST_DISKS,
    "guest.toolsRunningStatus": Part.GUEST_TOOLS,
    "snapshot": Part.SNAPSHOTS,
    "disabledMethod": Part.LOCKS,
    "recentTask": Part.TASKS,
}
HOST_PARTS: Mapping[str, Part] = {
    "name": Part.NAME,
    "parent": Part.PLACE,
    "config": Part.CONFIGURATION,
    "runtime.connectionState": Part.CONNECTION_STATE,
    "runtime.inMaintenanceMode": Part.MAINTENANCE,
    "summary.managementServerIp": Part.MANAGEMENT_SERVER,
    "summary.config.product.version": Part.VERSION,
    "config.storageDevice.scsiLun": Part.LUNS,
    "config.storageDevice.scsiTopology": Part.LUN_NUMBERS,
    "config.storageDevice.hostBusAdapter": Part.ADAPTERS,
    "config.storageDevice.nvmeTopology": Part.NAMESPACES,
    "config.storageDevice.plugStoreTopology.plugin": Part.MULTIPATHING,
    "config.storageDevice.multipathInfo.lun": Part.PATHS,
    "config.fileSystemVolume.mountInfo": Part.VOLUMES,
    "config.activeDiagnosticPartition": Part.DUMP_PARTITION,
    "vm": Part.MACHINES,
}
DATASTORE_PARTS: Mapping[str, Part] = {
    "name": Part.NAME,
    "host": Part.MOUNTS,
    "info": Part.DATASTORE_FACTS,
    "summary.type": Part.DATASTORE_TYPE,
    "summary.url": Part.DATASTORE_ID,
    "summary.accessible": Part.ACCESS,
    "summary.freeSpace": Part.FREE_SPACE,
    "summary.maintenanceMode": Part.MAINTENANCE,
}


def unread_parts(read: ObjectProperties, parts: Mapping[str, Part]) -> tuple[Unreadable, ...]:
    """Returns what of an object was refused, or came with a character that is none. One member of a list, by its key,
    is no part: the whole list is asked for then."""
    refused, spoilt = ([path for path in paths if "[" not in path] for paths in (read.refused, read.spoilt))
    return (
        *(Unreadable(part_of(path, parts)) for path in refused),
        *(Unreadable(part_of(path, parts), why="a character in it is no XML") for path in spoilt),
    )


def part_of(path: str, parts: Mapping[str, Part]) -> Part:
    """Returns the part that a property is; what no list has is a part of its own, which nobody may take for known."""
    return parts.get(path, Part.OTHER)
