# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Whether the interfaces of Windows agree on the size of a disk. Pure.

Disk Management and diskpart showed two capacities of a disk whose shadow copies failed. What tells two sizes is the
storage stack; that it is a raw device mapping does not follow from it.
"""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, Sizes

# Win32_DiskDrive counts whole cylinders of 255 tracks with 63 sectors (Microsoft, Win32_DiskDrive.Size).
_SECTORS_OF_CYLINDER = 255 * 63
_USUAL_SECTOR = 512
TWO_TIB = 2**41


def cylinder_bytes(disk: Disk) -> int:
    """Returns by how much Win32_DiskDrive may say less than the disk has."""
    return _SECTORS_OF_CYLINDER * (disk.sector_sizes.logical or _USUAL_SECTOR)


def sizes_agree(disk: Disk) -> bool | None:
    """Returns whether the sizes agree, each within the tolerance of its interface; None where fewer than two tell one.

    `disk` and `physical` are exact, `wmi` is rounded down to whole cylinders, and partitions end within the disk."""
    exact = _exact(disk.sizes)
    wmi, end, cylinder = disk.sizes.wmi, disk.sizes.partitions_end, cylinder_bytes(disk)
    if len(exact) + (wmi is not None) + (end is not None) < 2:
        return None
    ok = len(set(exact)) <= 1
    if wmi is not None:
        ok = ok and all(abs(size - wmi) <= cylinder for size in exact)
    if end is not None:
        ok = ok and all(end <= size for size in exact) and (wmi is None or end <= wmi + cylinder)
    return ok


def truncated_at_2_tib(disk: Disk) -> bool | None:
    """Returns whether an interface tells the size modulo 2 TiB (2^41 bytes), as one does that keeps 32 bits of the
    number of sectors; None where that cannot be told."""
    exact = _exact(disk.sizes)
    wmi, cylinder = disk.sizes.wmi, cylinder_bytes(disk)
    if len(exact) + (wmi is not None) < 2:
        return None
    pairs = [(larger, smaller, 0) for larger in exact for smaller in exact]
    if wmi is not None:
        pairs += [pair for size in exact for pair in ((size, wmi, cylinder), (wmi, size, cylinder))]
    if any(same_modulo_2_tib(larger, smaller, tolerance) for larger, smaller, tolerance in pairs):
        return True
    # All of them may say one wrong size, which a partition shows that ends behind it.
    end = disk.sizes.partitions_end
    return None if end is not None and any(end > size for size in exact) else False


def same_modulo_2_tib(larger: int, smaller: int, tolerance: int = 0) -> bool:
    """Returns whether two sizes differ by a multiple of 2 TiB, and not by nothing."""
    if larger - smaller < TWO_TIB - tolerance:
        return False
    rest = (larger - smaller) % TWO_TIB
    return min(rest, TWO_TIB - rest) <= tolerance


def _exact(sizes: Sizes) -> list[int]:
    return [size for size in (sizes.disk, sizes.physical) if size is not None]
