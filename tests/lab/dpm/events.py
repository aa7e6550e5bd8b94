# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event logs of the server, and the records of a replica that went offline."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from guest.records import Event

from .options import Options
from .storage import Volume

ERROR, WARNING = 2, 3
NOT_CONNECTED_STATUS = 0xC000009D

_REASONS = {
    87: ("the shadow copy storage is exhausted", "シャドウ コピーの記憶域が不足しています"),
    88: (
        "the shadow copy storage was exhausted before it could grow",
        "シャドウ コピーの記憶域が拡張前に不足しました",
    ),
    89: ("the shadow copy storage could not grow", "シャドウ コピーの記憶域を拡張できませんでした"),
    93: (
        "the shadow copy storage is inaccessible or was removed",
        "シャドウ コピーの記憶域にアクセスできないか、削除されました",
    ),
}


class EventLog:
    """All records, oldest first. The wording is the lab's own, but for the words that the sources quote."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.records: list[Event] = []
        self._numbers = itertools.count(1001)

    def add(
        self,
        time: datetime.datetime,
        log: str,
        provider: str,
        event_id: int,
        level: int,
        message: str,
        properties: tuple[Any, ...] = (),
    ) -> None:
        """Writes a record."""
        number = next(self._numbers)
        self.records.append(Event(number, time, log, provider, event_id, level, message, properties))

    def replica_offline(self, time: datetime.datetime, replica: Volume, event_id: int) -> None:
        """volsnap's record that the live volume is offline, and NTFS 140 a little later."""
        shown = self._shown(replica)
        english, japanese = _REASONS.get(event_id, _REASONS[87])
        if self.options.japanese:
            message = f"シャドウ コピー防止のため、ボリューム {shown} はオフラインです: {japanese}。"
            flush = f"トランザクション ログへのデータのフラッシュに失敗しました。 ({shown}, {replica.device})"
        else:
            message = f"Volume {shown} is offline for shadow copy protection: {english}."
            flush = (
                "The system failed to flush data to the transaction log. Corruption may occur in VolumeId: "
                f"{shown}, DeviceName: {replica.device}."
            )
        self.add(time, "System", "volsnap", event_id, ERROR, message, (replica.device, shown))
        properties = (len(shown), shown, len(replica.device), replica.device, NOT_CONNECTED_STATUS)
        later = time + datetime.timedelta(seconds=2)
        self.add(later, "System", "Microsoft-Windows-Ntfs", 140, WARNING, flush, properties)

    def _shown(self, volume: Volume) -> str:
        """A volume as the record prints it, which is not verified."""
        if self.options.volume_in_events == "device":
            return volume.device
        if self.options.volume_in_events == "mount":
            return f"C:\\Program Files\\Microsoft DPM\\DPM\\Volumes\\Replica\\{volume.id}"
        return volume.path.rstrip("\\")
