# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors and alerts by number, in English and Japanese. The numbers are DPM's; the wording is the lab's own."""

from __future__ import annotations

TEXTS: dict[int, tuple[str, str]] = {
    207: ("VSS could not work on the DPM server.", "DPM サーバーで VSS の操作に失敗しました。"),
    211: ("Another operation works on this data source.", "このデータ ソースでは別の操作が実行中です。"),
    212: ("Another operation works on this data source.", "このデータ ソースでは別の操作が実行中です。"),
    213: (
        "The recovery point was deleted at once: the space allocated to recovery points is not enough.",
        "回復ポイントの領域が不足しているため、作成直後に削除されました。",
    ),
    214: (
        "There is not enough space on the recovery point volume.",
        "回復ポイント ボリュームに十分な空き領域がありません。",
    ),
    358: (
        "The storage pool has not enough unallocated space.",
        "記憶域プールに十分な未割り当て領域がありません。",
    ),
    360: ("The virtual disk service failed.", "仮想ディスク サービスでエラーが発生しました。"),
    362: ("The replica volume is missing.", "レプリカ ボリュームが見つかりません。"),
    364: ("An unexpected error of a disk.", "予期しないディスク エラーが発生しました。"),
    948: (
        "The DPM server cannot be reached: its service does not run.",
        "DPM サーバーに接続できません。サービスが実行されていません。",
    ),
    3100: ("Replica volume threshold exceeded", "レプリカ ボリュームのしきい値を超えました"),
    3101: ("Replica volume not detected", "レプリカ ボリュームが検出されません"),
    3104: ("Consistency check in progress", "整合性チェックの実行中"),
    3106: ("Replica is inconsistent", "レプリカに整合性がありません"),
    3114: ("Recovery point creation failed", "回復ポイントの作成に失敗しました"),
    3115: ("Synchronization failures", "同期エラー"),
    3118: ("Replica creation is pending", "レプリカの作成が保留中です"),
    3120: ("A disk of the storage pool is missing", "記憶域プールのディスクがありません"),
    3122: ("Protection agent cannot be reached", "保護エージェントに接続できません"),
    3151: ("The job took too long.", "ジョブがタイムアウトしました。"),
    3169: ("Recovery point volume threshold exceeded", "回復ポイント ボリュームのしきい値を超えました"),
    3170: ("The job could not be started.", "ジョブを開始できませんでした。"),
    31143: (
        "Connection already exists. You can only be connected to a single DPM server at a time.",
        "接続は既に存在します。一度に接続できる DPM サーバーは 1 台だけです。",
    ),
    31144: (
        "The DPM server was not found, its service does not run, or access was denied.",
        "DPM サーバーが見つからないか、サービスが停止しているか、アクセスが拒否されました。",
    ),
    31155: ("This operation is not allowed on the data source.", "この操作はデータ ソースに対して許可されていません。"),
    31207: ("The replica is to be made manually first.", "先にレプリカを手動で作成する必要があります。"),
    31208: ("The replica is missing.", "レプリカがありません。"),
    31209: (
        "This operation is not possible on an inconsistent replica.",
        "整合性のないレプリカではこの操作を実行できません。",
    ),
    31222: ("The disk is not valid or too small.", "ディスクが無効であるか小さすぎます。"),
}

# What MP and scripts call the types of alerts; the other names are the lab's own.
ALERT_TYPES = {
    3100: "ReplicaVolumeThresholdExceeded",
    3101: "ReplicaMissing",
    3104: "ConsistencyCheckInProgress",
    3106: "ReplicaInconsistent",
    3114: "RecoveryPointCreationFailed",
    3115: "SynchronizationFailed",
    3118: "ReplicaCreationPending",
    3120: "DiskMissing",
    3122: "AgentUnreachable",
    3169: "RecoveryPointVolumeThresholdExceeded",
}
WARNINGS = (3100, 3104, 3118, 3169)

# What the console calls the types of jobs. Only that it is a text in the server's language is attested.
JOB_TEXTS = {
    "Recovery": ("Recovery", "回復"),
    "InitialReplication": ("Replica creation", "レプリカの作成"),
    "Validation": ("Consistency check", "整合性チェック"),
    "ShadowCopy": ("Recovery point", "回復ポイント"),
    "Replication": ("Synchronization", "同期"),
}

# Errors that are not DPM's own but pass through its cmdlets: their type in .NET, and their text.
FOREIGN_ERRORS = {
    "sql_login": ("System.Data.SqlClient.SqlException", "Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'."),
    "out_of_memory": ("System.OutOfMemoryException", "Exception of type 'System.OutOfMemoryException' was thrown."),
    "access_denied": ("System.UnauthorizedAccessException", "Attempted to perform an unauthorized operation."),
}


def text(code: int, japanese: bool) -> str:
    """The text of an error or alert; of a number that the lab does not know, one that says so."""
    english, translated = TEXTS.get(
        code, ("An error whose text the lab does not know.", "ラボに文面のないエラーです。")
    )
    return translated if japanese else english


class DpmError(Exception):
    """A refusal of the server. `code` is None where no source gives one; `detail` is put behind its text."""

    def __init__(self, code: int | None, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def shown(self, error_format: str, japanese: bool) -> str:
        """What the error says on this server."""
        if self.code is None:
            return self.detail
        full = f"{text(self.code, japanese)} {self.detail}".strip()
        return error_format.format(text=full, code=self.code)
