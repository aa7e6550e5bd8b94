# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what was read to what failed, and how sure that is. Pure and total.

A backup that failed is judged by its codes and by what was logged while it ran; what no backup explains is judged by
itself. A fault seen again is one fault, counted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures import wording
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.backups import (
    BackupRecord,
    FailedBackup,
    failed_backups,
    places_told,
    read_backup,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.evidence import (
    MOST_EVIDENCE,
    evidence_of,
    evidence_of_backup,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    Diagnosis,
    Evidence,
    Failure,
    OtherFailure,
    Reading,
    SeenDisk,
    Signature,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.near_misses import (
    INVALID_PARAMETER,
    NEAR_MISSES,
    OF_THE_SOURCE,
    PREPARE_FOR_SNAPSHOT,
    TARGET_FAILED,
    UNEXPLAINED,
    NearMiss,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.replicas import (
    offline_replicas,
    troubled_sources,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import (
    DISK,
    OLD_NTFS,
    PARTITION_MANAGER,
    SERVICES,
    VSS,
    Sign,
    read_sign,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import shown
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume

# What belongs to a backup is logged from a minute before its beginning to two minutes after its end. [inferred]
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(minutes=2)
# A backup that does not tell its beginning is looked at this far back; its codes then prove less.
_ASSUMED = timedelta(hours=1)
# They tell something beside another record only. NTFS 57 comes with every snapshot that vSphere makes of a running
# machine. [seen in the field]
_ONLY_BESIDE = (DISK, PARTITION_MANAGER, SERVICES)
_SURENESS = tuple(Confidence)


def diagnose(reading: Reading, wanted: Collection[Signature] = tuple(Signature)) -> Diagnosis:
    """Returns what failed; of the collection's own faults those that are wanted."""
    signs = [sign for record in reading.records if (sign := read_sign(record, reading.volumes)) is not None]
    signs.sort(key=lambda sign: sign.record.time)
    told = [one for record in reading.records if (one := read_backup(record)) is not None]
    judged = [one for backup in failed_backups(told) for one in _judge(backup, signs, reading)]
    used = {id(sign) for one in judged for sign in one.signs}
    left = [sign for sign in signs if id(sign) not in used]
    offline, left = offline_replicas(left, reading)
    alone = [*_preparations(left, reading)]
    used = {id(sign) for one in alone for sign in one.signs}
    alone += [found for sign in left if id(sign) not in used and (found := _by_itself(sign)) is not None]
    own = [
        *_counted_failures([one for one in (*judged, *alone) if one.miss is None], reading, told),
        *offline,
        *troubled_sources(reading),
        *_sizes(reading),
    ]
    others = _counted_others([one for one in (*judged, *alone) if one.miss is not None], told)
    return Diagnosis(
        tuple(sorted((one for one in own if one.signature in wanted), key=_latest_first)),
        tuple(sorted(others, key=_latest_first)),
    )


@dataclass(frozen=True)
class _Judged:
    """What one failure is: a near miss, or (None) the fault of a physical mapping, of a volume, as sure as that is."""

    miss: NearMiss | None
    time: datetime
    evidence: tuple[Evidence, ...]
    codes: tuple[int, ...]
    signs: tuple[Sign, ...] = ()
    volume: NamedVolume | None = None
    confidence: Confidence = Confidence.POSSIBLE
    paired: bool = False
    target: str | None = None


def _judge(backup: FailedBackup, signs: Sequence[Sign], reading: Reading) -> Iterable[_Judged]:
    """Yields what a backup that failed is: one thing, but for the codes of a physical mapping beside those of another
    fault, which both are told."""
    began = backup.began
    beside = _between(signs, (began or backup.records[0].record.time - _ASSUMED) - _BEFORE, backup)
    target = _target_of(backup, reading)
    pairs = [sign for sign in beside if _is_preparation(sign)]
    of_source = OF_THE_SOURCE.fits(backup, ())
    miss = next((row for row in NEAR_MISSES if row.fits(backup, beside)), None)
    other_step = any(sign.control == PREPARE_FOR_SNAPSHOT for sign in beside) and not pairs
    if TARGET_FAILED not in backup.codes[:1] or of_source or miss is not None or other_step:
        yield _missed(backup, miss or UNEXPLAINED, beside, target)
        if TARGET_FAILED not in backup.codes[:1] or of_source or not pairs:
            return
    on_target = [sign for sign in pairs if target is not None and sign.volume and sign.volume.is_same_as(target)]
    confidence = Confidence.POSSIBLE
    if on_target and began is not None and miss is None:
        confidence = _sure_of(on_target[0].volume, reading)
    chosen = on_target or pairs
    yield _own(backup, chosen, chosen[0].volume if chosen else target, confidence)


def _between(signs: Sequence[Sign], first: datetime, backup: FailedBackup) -> Sequence[Sign]:
    """Returns the signs, which are in order, from a time to shortly after the end of a backup."""
    begin = bisect_left(signs, first, key=_when)
    return signs[begin : bisect_right(signs, backup.ended + _AFTER, key=_when)]


def _when(sign: Sign) -> datetime:
    return sign.record.time


def _sure_of(volume: NamedVolume | None, reading: Reading) -> Confidence:
    """Returns how sure the pair of codes on the storage location itself is, by what is known of its disk."""
    disk = reading.disk(volume)
    if disk is not None and disk.physical_mapping is not None:
        return Confidence.CERTAIN if disk.physical_mapping else Confidence.POSSIBLE
    if reading.is_vmware is False:
        return Confidence.POSSIBLE
    if disk is not None and disk.sizes_agree is False and reading.is_vmware:
        return Confidence.CERTAIN
    return Confidence.LIKELY


def _is_preparation(sign: Sign) -> bool:
    return (
        sign.key == (VSS, 12289)
        and sign.call == "DeviceIoControl"
        and sign.control == PREPARE_FOR_SNAPSHOT
        and INVALID_PARAMETER in sign.codes
    )


def _target_of(backup: FailedBackup, reading: Reading) -> NamedVolume | None:
    """Returns the volume of the storage location, looked up by whatever name the backup has for it."""
    name = backup.target
    if name is None:
        return None
    found = reading.volumes.find(name)
    if found is not None and (found.guid or found.letter):
        return found
    path = places_told(reading.records).get(name)
    summary = reading.backup
    if path is None and summary is not None and summary.success_target == name:
        path = summary.success_path
    return reading.volumes.find(path) or reading.volumes.by_label(name)


def _own(backup: FailedBackup, pairs: Sequence[Sign], volume: NamedVolume | None, confidence: Confidence) -> _Judged:
    return _Judged(
        None,
        backup.ended,
        (*(evidence_of_backup(one) for one in backup.records), *(evidence_of(sign) for sign in pairs)),
        tuple(dict.fromkeys((*backup.codes, *_codes_of(pairs)))),
        tuple(pairs),
        volume,
        confidence,
        bool(pairs),
        backup.target,
    )


def _missed(backup: FailedBackup, miss: NearMiss, beside: Sequence[Sign], target: NamedVolume | None) -> _Judged:
    counted = [sign for sign in beside if miss.counts(sign)] or (list(beside) if miss is UNEXPLAINED else [])
    return _Judged(
        miss,
        backup.ended,
        (*(evidence_of_backup(one) for one in backup.records), *(evidence_of(sign) for sign in counted)),
        tuple(dict.fromkeys((*backup.codes, *_codes_of(counted)))),
        tuple(counted),
        target,
        target=backup.target,
    )


def _preparations(signs: Sequence[Sign], reading: Reading) -> Iterable[_Judged]:
    """Yields the shadow copies that failed as on a physical mapping, and of which no backup tells."""
    for sign in signs:
        if _is_preparation(sign):
            disk = reading.disk(sign.volume)
            known = disk is not None and disk.physical_mapping
            sure = Confidence.LIKELY if known else Confidence.POSSIBLE
            evidence, codes = (evidence_of(sign),), _codes_of([sign])
            yield _Judged(None, sign.record.time, evidence, codes, (sign,), sign.volume, sure, paired=True)


def _by_itself(sign: Sign) -> _Judged | None:
    """Returns what a record is that belongs to no backup; None where it is nothing by itself."""
    if sign.key[0] in _ONLY_BESIDE or sign.key == (OLD_NTFS, 57):
        return None
    miss = next((row for row in NEAR_MISSES if not row.of_backups and row.counts(sign)), UNEXPLAINED)
    return _Judged(miss, sign.record.time, (evidence_of(sign),), _codes_of([sign]), (sign,), sign.volume)


def _counted_failures(judged: Sequence[_Judged], reading: Reading, told: Sequence[BackupRecord]) -> Iterable[Failure]:
    """Yields one failure a volume, as sure as the surest of them is."""
    for same in _alike(judged, lambda one: one.volume.display_name if one.volume else None):
        surest = min(_SURENESS.index(one.confidence) for one in same)
        last = [one for one in same if one.confidence is _SURENESS[surest]][-1]
        disk = reading.disk(last.volume)
        yield Failure(
            Signature.RDM_PHYSICAL_SHADOW_COPY,
            last.confidence,
            same[0].time,
            same[-1].time,
            len(same),
            wording.shadow_copy_summary(last.volume, last.paired, last.target),
            wording.shadow_copy_cause(last.confidence, last.paired, disk, reading.is_vmware),
            wording.shadow_copy_next(last.confidence, last.volume, disk),
            last.evidence[-MOST_EVIDENCE:],
            tuple(shown(code) for code in last.codes),
            last.volume,
            disk,
            still_so=_still_so(same[-1], told),
        )


def _counted_others(judged: Sequence[_Judged], told: Sequence[BackupRecord]) -> Iterable[OtherFailure]:
    def about(one: _Judged) -> tuple[object, ...]:
        kind = one.miss.kind if one.miss else ""
        return kind, one.volume.display_name if one.volume else None, one.codes if kind == UNEXPLAINED.kind else ()

    for same in _alike(judged, about):
        last = same[-1]
        if last.miss is None:
            continue
        yield OtherFailure(
            last.miss.kind,
            same[0].time,
            last.time,
            len(same),
            last.miss.summary,
            last.miss.next,
            last.evidence[-MOST_EVIDENCE:],
            tuple(shown(code) for code in last.codes),
            last.volume,
            _still_so(last, told) if last.target is not None else None,
        )


def _still_so(last: _Judged, told: Sequence[BackupRecord]) -> bool | None:
    """Returns false where a backup onto the same storage location ended well later; else it is not known."""
    later = [one for one in told if one.succeeded and one.record.time > last.time and one.target is not None]
    return False if any(one.target == last.target for one in later) else None


def _sizes(reading: Reading) -> Iterable[Failure]:
    """Yields the disks whose sizes the interfaces of Windows do not agree on."""
    for disk in reading.disks:
        if disk.sizes_agree is not False:
            continue
        signature = Signature.TRUNCATED_AT_2_TIB if disk.truncated else Signature.CAPACITY_MISMATCH
        yield Failure(
            signature,
            Confidence.CERTAIN,
            reading.now,
            reading.now,
            1,
            wording.sizes_summary(disk),
            wording.sizes_cause(disk),
            wording.sizes_next(disk),
            volume=_only_volume(disk, reading),
            disk=disk,
            still_so=True,
        )


def _only_volume(disk: SeenDisk, reading: Reading) -> NamedVolume | None:
    found = [volume for volume in reading.volumes.volumes if volume.disk == disk.number]
    return found[0] if len(found) == 1 else None


def _codes_of(signs: Iterable[Sign]) -> tuple[int, ...]:
    found = (code for sign in signs for code in (sign.control, *sign.codes) if code is not None)
    return tuple(dict.fromkeys(found))


def _alike(judged: Sequence[_Judged], key: Callable[[_Judged], object]) -> Iterable[list[_Judged]]:
    """Yields the groups of those that are the same, each oldest first."""
    groups: dict[object, list[_Judged]] = {}
    for one in sorted(judged, key=lambda one: one.time):
        groups.setdefault(key(one), []).append(one)
    return groups.values()


def _latest_first(one: Failure | OtherFailure) -> tuple[float, str]:
    return -one.last_seen.timestamp(), one.summary
