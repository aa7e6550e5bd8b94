# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The sentences why a data source has no volume that DPM could extend. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import VolumeKind


def why_nothing(name: str, kind: VolumeKind, reason: str) -> str:
    """Returns the sentence for what `DataSource.nothing_to_extend` told; raises KeyError for no code of its."""
    return {
        "modern_storage": f"{name} is kept on Modern Backup Storage, which has no recovery-point volumes. See to the "
        "free space of the volumes of the storage itself.",
        "replica_grows_itself": f"{name} is kept on Modern Backup Storage, where DPM makes the replica of its type "
        "larger by itself. See to the free space of the volumes of the storage.",
        "type_unknown": f"{name} is kept on Modern Backup Storage, where the size of a replica can be set for bare "
        "metal and system state (type System Protection). Whether for its type is not known. Look at it in the DPM "
        "console.",
        "no_disk_storage": f"{name} is not kept on the disks of this server (on tape or in the cloud only, no replica "
        f"yet, or protected by a secondary server), so that it has no {kind.display_name}.",
        "inactive": f"{name} is not protected at present. Resume its protection, or leave it out.",
        "custom_volume": f"{name} is kept on a custom volume, which DPM does not manage. Extend it with the tools of "
        "Windows, or move it into the storage pool.",
    }[reason]
