# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks and volumes as scripts see them."""

from __future__ import annotations

from powershell import Int64

from .faces import Face, member
from .options import Options
from .records import DataSource
from .server import DpmServer
from .sources import SourceFace
from .storage import Disk, ModernVolume, Volume
from .units import shown


class DiskFace(Face):
    kind = "Disk"

    def __init__(self, options: Options, disk: Disk) -> None:
        super().__init__(
            {
                "NtDiskId": disk.number,
                "Name": disk.name,
                "TotalCapacity": Int64(disk.capacity),
                "UnallocatedSpace": Int64(disk.unallocated),
                "TotalCapacityLabel": shown(disk.capacity),
                "UnallocatedSpaceLabel": shown(disk.unallocated),
                "DiskStatus": member(options, "DiskStatus", ("Healthy", "Missing"), disk.status),
                "IsInStoragePool": disk.in_pool,
                "CanAddToStoragePool": not disk.in_pool,
                "HasData": disk.allocated > 0,
            }
        )


class ModernVolumeFace(Face):
    kind = "Volume"

    def __init__(self, volume: ModernVolume) -> None:
        super().__init__({"Name": volume.name, "Size": Int64(volume.size), "SizeRemaining": Int64(volume.remaining)})


class DpmVolumeFace(Face):
    """A volume that DPM uses, and the data sources on it."""

    kind = "DpmServerVolume"

    def __init__(self, server: DpmServer, volume: Volume) -> None:
        kind = "Replica" if volume.kind == "replica" else "DiffArea"
        sources = [one for one in server.sources if volume in (one.replica, one.recovery, *one.earlier)]
        super().__init__(
            {
                "VolumeType": member(server.options, "VolumeType", ("Replica", "DiffArea"), kind),
                "VolumeLabel": f"{kind} {volume.number}",
                "VolumeSetID": volume.id,
                "TotalSpace": Int64(volume.allocated),
                "UnusedSpace": Int64(volume.free),
                "VolumeSize": Int64(volume.allocated),
                "ContainedDataSources": lambda: [SourceFace(server, one) for one in sources],
            }
        )


class ModernReplicaFace(Face):
    """The replica of a data source on modern storage, as a volume that DPM uses."""

    kind = "DpmServerVolume"

    def __init__(self, server: DpmServer, source: DataSource) -> None:
        super().__init__(
            {
                "VolumeType": member(server.options, "VolumeType", ("Replica", "DiffArea"), "Replica"),
                "VolumeLabel": f"Replica {source.name}",
                "VolumeSetID": source.id,
                "TotalSpace": Int64(source.replica_size),
                "UnusedSpace": Int64(source.replica_size - source.replica_used),
                "VolumeSize": Int64(source.replica_size),
                "ContainedDataSources": lambda: [SourceFace(server, source)],
            }
        )
