# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The sentences of a diagnosis: what was seen, what causes it and how sure that is, what to do next. Pure.

No sentence claims more than its confidence does.
"""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    ProtectedSource,
    SeenDisk,
    Signature,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume

_TEST = "Run winbackup.storage.shadow_copy_test on {volume}: it makes a shadow copy there, and removes it again."
_ELSEWHERE = (
    "Two sizes show a storage stack that does not agree with itself. A raw device mapping in physical mode has been "
    "seen to cause it, and so has the driver of a SATA controller."
)


def shadow_copy_summary(volume: NamedVolume | None, paired: bool, target: str | None) -> str:
    """Returns what was seen of a shadow copy that failed."""
    name = volume.display_name if volume else f"the storage location {target}" if target else "the storage location"
    if paired:
        return (
            f"The shadow copy of {name} failed in its preparation (0x0053C008) with 0x80070057, the parameter is "
            "incorrect."
        )
    return f"A backup failed because no shadow copy of {name} could be made (0x80780034); VSS did not log why."


def shadow_copy_cause(confidence: Confidence, paired: bool, disk: SeenDisk | None, is_vmware: bool | None) -> str:
    """Returns what causes it, as sure as that is."""
    if not paired:
        return (
            "Not known. A disk that is a raw device mapping in physical mode does this, and so do a broken shadow copy "
            "service, too little room and a disk that fails."
        )
    if disk is not None and disk.physical_mapping:
        return "The disk is a raw device mapping in physical compatibility mode, on which this was reported."
    if disk is not None and disk.physical_mapping is False:
        return (
            "Not known: the disk is no raw device mapping in physical compatibility mode, on which this was reported."
        )
    if is_vmware is False:
        return "Not known: it was reported of raw device mappings, and this is no virtual machine of VMware."
    if disk is not None and disk.sizes_agree is False:
        return f"Its disk has two sizes. {_ELSEWHERE} Whether it is such a mapping has to be looked up in vSphere."
    sure = "This was reported" if confidence is Confidence.LIKELY else "This was also reported"
    return (
        f"{sure} of disks that are raw device mappings in physical compatibility mode. Whether this one is has to be "
        "looked up in vSphere."
    )


def shadow_copy_next(confidence: Confidence, volume: NamedVolume | None, disk: SeenDisk | None) -> str:
    """Returns what to do next."""
    test = _TEST.format(volume=volume.display_name if volume else "the volume of the storage location")
    if disk is not None and disk.physical_mapping:
        return (
            "Make the mapping virtual with winbackup.storage.rdm_compatibility, then prove it with "
            "winbackup.storage.shadow_copy_test."
        )
    if confidence in (Confidence.CERTAIN, Confidence.LIKELY):
        return (
            "See with winbackup.storage.rdm_info whether its disk is a mapping in physical mode; if so, make it "
            "virtual with winbackup.storage.rdm_compatibility, and prove it with winbackup.storage.shadow_copy_test."
        )
    return test


def offline_summary(volume: NamedVolume | None, id: int) -> str:
    """Returns what was seen of a volume that went offline."""
    name = volume.display_name if volume else "a volume that the record does not name"
    if id == 140:
        return f"The file system of {name} could not be written to: the volume was not connected (0xC000009D)."
    said = {
        87: "their storage is exhausted",
        88: "their storage was exhausted before it could grow",
        89: "their storage could not be increased",
        93: "their storage is full, or was removed",
    }.get(id, "their storage failed")
    return f"Windows took {name} offline to protect its shadow copies: {said} (volsnap {id})."


def offline_cause(id: int, confidence: Confidence, source: ProtectedSource | None, is_dpm: bool | None) -> str:
    """Returns what causes it, as sure as that is."""
    if confidence is Confidence.UNCLEAR:
        if source is not None and source.short is False:
            return (
                f"Unclear: the recovery-point volume of {source.display_name} is not short of space now. DPM may have "
                "extended it by itself, or the storage of the shadow copies was removed or not accessible."
            )
        return (
            "Unclear: volsnap 93 means storage that ran full, and also storage that was removed or not accessible; "
            "no volume that is known to be short of space fits it."
        )
    if source is not None:
        return (
            f"The volume is the replica of {source.display_name}; its recovery-point volume ran full"
            f"{f' ({source.sizes})' if source.short and source.sizes else ''}."
        )
    if is_dpm is False:
        return "The storage of its shadow copies ran full. This machine is no DPM server, so it is no replica of DPM's."
    return "The storage of its shadow copies ran full. Which data source of DPM it is the replica of is not known."


def offline_next(confidence: Confidence, source: ProtectedSource | None, is_dpm: bool | None) -> str:
    """Returns what to do next."""
    if is_dpm is False:
        return (
            "Raise the limit of the shadow copies of the volume (vssadmin resize shadowstorage), or put them on "
            "another volume; then restart the machine, which brings the volume back."
        )
    if confidence is Confidence.UNCLEAR:
        return (
            "Look in the DPM console which volumes are short of space and whether auto-grow acted, and at the disks of "
            "the storage pool. A consistency check helps in either case, once the volume is there."
        )
    if source is not None:
        return (
            f"Extend the recovery-point volume of {source.display_name} with winbackup.storage.dpm_allocation, then "
            "run winbackup.storage.dpm_consistency_check."
        )
    return (
        "Look with winbackup.storage.dpm_allocation_info which recovery-point volume is short, extend it with "
        "winbackup.storage.dpm_allocation, then run winbackup.storage.dpm_consistency_check."
    )


def source_words(signature: Signature, source: ProtectedSource) -> tuple[str, str, str]:
    """Returns summary, cause and next step of what DPM says of a data source."""
    if signature is Signature.REPLICA_INCONSISTENT:
        return (
            f"The replica of {source.display_name} is inconsistent: nothing of it is protected.",
            "DPM says so. A job that failed, or a replica that went offline, leaves it like that.",
            "Extend its recovery-point volume if that is short, then run winbackup.storage.dpm_consistency_check.",
        )
    return (
        f"The recovery-point volume of {source.display_name} is short of space"
        f"{f': {source.sizes}' if source.sizes else ''}.",
        "It grows with every recovery point. When it is full, Windows takes the replica offline.",
        "Extend it with winbackup.storage.dpm_allocation.",
    )


def sizes_summary(disk: SeenDisk) -> str:
    """Returns which sizes a disk has."""
    told = ", ".join(f"{name} {size} bytes" for name, size in disk.sizes.items() if size is not None)
    return f"The interfaces of Windows do not agree on the size of disk {disk.number}: {told}."


def sizes_cause(disk: SeenDisk) -> str:
    """Returns what two sizes mean."""
    if disk.truncated:
        return (
            "The sizes differ by whole multiples of 2 TiB: something on the way to the disk reads its length in 32 "
            f"bits. {_ELSEWHERE}"
        )
    return f"Not known which of them is right. {_ELSEWHERE}"


def sizes_next(disk: SeenDisk) -> str:
    """Returns what to do about two sizes."""
    if disk.physical_mapping:
        return "Make the mapping virtual with winbackup.storage.rdm_compatibility, and look at the sizes again."
    return (
        "Write nothing to the disk that needs its whole size. See with winbackup.storage.rdm_info whether it is a raw "
        "device mapping in physical mode, and run winbackup.storage.shadow_copy_test on its volumes."
    )
