# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Whether a new mapping could be made of a LUN, with every reason against it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import is_native_4k, is_working
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory


class MappableReason(StrEnum):
    """Why no mapping can be made of a LUN, or why that is not known, in the order in which it is listed."""

    USED_BY_VM = "used_by_vm"
    USE_UNKNOWN = "use_unknown"
    CARRIES_VMFS = "carries_vmfs"
    HOST_BOOT_OR_SYSTEM = "host_boot_or_system"
    USED_BY_VSAN = "used_by_vsan"
    PROTOCOL_ENDPOINT = "protocol_endpoint"
    NVME_OVER_FABRICS = "nvme_over_fabrics"
    REMOVABLE = "removable"
    NATIVE_4K = "native_4k"
    NOT_A_DISK = "not_a_disk"
    NOT_OK = "not_ok"
    PERENNIALLY_RESERVED = "perennially_reserved"
    NOT_OFFERED = "not_offered"


def mappable(
    inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex
) -> tuple[bool | None, tuple[MappableReason, ...]]:
    """Returns whether a mapping could be made of a LUN, given as every host sees it, and why not.

    Where it is None, the reasons say what is not known. A host does not offer what is in use, so that counts only where
    nothing else speaks against it.
    """
    verdicts = {reason: _worst(facts) for reason, facts in _against(inventory, group, lun_index).items()}
    against = [reason for reason in MappableReason if verdicts.get(reason)]
    if against:
        return False, tuple(
            reason for reason in against if reason is not MappableReason.NOT_OFFERED or len(against) == 1
        )
    unknown = tuple(reason for reason in MappableReason if verdicts.get(reason, False) is None)
    return (None if unknown else True), unknown


def users_are_known(inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex) -> bool:
    """Tells whether everything that may use a LUN could be read."""
    alone = inventory.stand_alone and any(lun.local is not True for lun in group)
    return not alone and not any(lun_index.unread.users_of(lun) for lun in group)


def _against(
    inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex
) -> dict[MappableReason, list[bool | None]]:
    """Returns what speaks against it, host by host: true, false, or None where that is not known."""
    return {
        MappableReason.USED_BY_VM: [bool(lun_index.mappings_of(group[0]))],
        MappableReason.USE_UNKNOWN: [None if not users_are_known(inventory, group, lun_index) else False],
        MappableReason.CARRIES_VMFS: [
            lun.vmfs_datastore is not None if lun.volumes_known or lun.vmfs_datastore is not None else None
            for lun in group
        ],
        MappableReason.HOST_BOOT_OR_SYSTEM: [
            True if lun.boot or lun.dump_or_scratch else None if lun.dump_or_scratch is None else False for lun in group
        ],
        MappableReason.USED_BY_VSAN: [lun.used_by_vsan for lun in group],
        MappableReason.PROTOCOL_ENDPOINT: [lun.protocol_endpoint for lun in group],
        MappableReason.NVME_OVER_FABRICS: [lun.nvme_over_fabrics for lun in group],
        MappableReason.REMOVABLE: [lun.removable for lun in group],
        MappableReason.NATIVE_4K: [is_native_4k(lun) for lun in group],
        MappableReason.NOT_A_DISK: [lun.device_type != "disk" for lun in group],
        MappableReason.NOT_OK: [_is_not_ok(lun) for lun in group],
        MappableReason.PERENNIALLY_RESERVED: [lun.perennially_reserved for lun in group],
        MappableReason.NOT_OFFERED: [None if lun.offered is None else not lun.offered for lun in group],
    }


def _is_not_ok(lun: HostLun) -> bool | None:
    working = is_working(lun)
    if working is False or lun.capacity_bytes == 0:
        return True
    return None if working is None or lun.capacity_bytes is None else False


def _worst(facts: Sequence[bool | None]) -> bool | None:
    """Returns true where one is, None where one is not known, else false."""
    return True if True in facts else None if None in facts else False
