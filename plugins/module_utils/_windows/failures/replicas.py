# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Volumes that Windows took offline to keep their shadow copies: replicas of DPM whose recovery-point volume ran full.

Pure. volsnap 87, 88 and 89 say that the storage is exhausted; 93 that it is full or was removed. NTFS 140 follows where
data could not be written any more. [message table of the driver; Microsoft's Japanese support blog]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures import wording
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.evidence import (
    MOST_EVIDENCE,
    evidence_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    Failure,
    ProtectedSource,
    Reading,
    Signature,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import (
    NTFS,
    OLD_NTFS,
    SNAPSHOT_DRIVER_PROVIDER,
    VOLSNAP,
    Sign,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import shown

EXHAUSTED, FULL_OR_GONE = (87, 88, 89), 93
# STATUS_DEVICE_NOT_CONNECTED: what a volume in protection mode answers. [message table of the driver]
NOT_CONNECTED = 0xC000009D
# So close to each other two records are about one event.
_NEAR = timedelta(minutes=5)


def offline_replicas(signs: Sequence[Sign], reading: Reading) -> tuple[list[Failure], list[Sign]]:
    """Returns the volumes that went offline because the storage of their shadow copies was exhausted, and the signs
    that tell of something else. The signs are in order."""
    offline = [sign for sign in signs if sign.key[0] == VOLSNAP and sign.key[1] in (*EXHAUSTED, FULL_OR_GONE)]
    followers = [sign for sign in signs if _follows(sign)]
    groups: dict[str | None, list[Sign]] = {}
    for sign in offline:
        groups.setdefault(sign.volume.display_name if sign.volume else None, []).append(sign)
    found, used = [], {id(sign) for sign in offline}
    for group in groups.values():
        near = [one for one in followers if any(_is_of(one, sign) for sign in group)]
        used.update(id(one) for one in near)
        found.append(_offline(group, near, reading))
    # NTFS alone says so by its code where the volume is known to be a replica.
    lone = [one for one in followers if id(one) not in used and one.key[0] in (NTFS, OLD_NTFS)]
    for one in lone:
        if NOT_CONNECTED in one.codes and reading.source(one.volume) is not None:
            used.add(id(one))
            found.append(_offline([one], [], reading))
    return found, [sign for sign in signs if id(sign) not in used]


def troubled_sources(reading: Reading) -> Iterable[Failure]:
    """Yields what DPM itself says of its data sources now: short volumes and inconsistent replicas."""
    for source in reading.sources or ():
        if not source.active:
            continue
        if source.short:
            yield _now(Signature.RECOVERY_POINT_VOLUME_SHORT, source, reading)
        if source.consistent is False:
            yield _now(Signature.REPLICA_INCONSISTENT, source, reading)


def _now(signature: Signature, source: ProtectedSource, reading: Reading) -> Failure:
    summary, cause, next = wording.source_words(signature, source)
    return Failure(
        signature,
        Confidence.CERTAIN,
        reading.now,
        reading.now,
        1,
        summary,
        cause,
        next,
        volume=source.replica,
        disk=reading.disk(source.replica),
        datasource=source,
        still_so=True,
    )


def _follows(sign: Sign) -> bool:
    """Whether it is what follows when a volume is taken offline, whatever its code."""
    return sign.key[0] in (NTFS, OLD_NTFS) or (
        sign.key == (SNAPSHOT_DRIVER_PROVIDER, 102) and NOT_CONNECTED in sign.codes
    )


def _is_of(follower: Sign, sign: Sign) -> bool:
    near = abs(follower.record.time - sign.record.time) <= _NEAR
    return near and sign.volume is not None and follower.volume is not None and follower.volume.is_same_as(sign.volume)


def _offline(group: Sequence[Sign], near: Sequence[Sign], reading: Reading) -> Failure:
    last = group[-1]
    source = reading.source(last.volume)
    sure = [_sure(sign.key, any(_is_of(one, sign) for one in near), source, reading.is_dpm) for sign in group]
    confidence = min(sure, key=tuple(Confidence).index)
    return Failure(
        Signature.REPLICA_OFFLINE,
        confidence,
        group[0].record.time,
        last.record.time,
        len(group),
        wording.offline_summary(last.volume, last.record.id),
        wording.offline_cause(last.record.id, confidence, source, reading.is_dpm),
        wording.offline_next(confidence, source, reading.is_dpm),
        tuple(evidence_of(sign) for sign in [*group, *near])[-MOST_EVIDENCE:],
        tuple(dict.fromkeys(shown(code) for sign in near or [last] for code in sign.codes)),
        last.volume,
        reading.disk(last.volume),
        source,
        _still_so(source),
    )


def _sure(key: tuple[str, int], followed: bool, source: ProtectedSource | None, is_dpm: bool | None) -> Confidence:
    """Returns how sure it is that a replica went offline because its recovery-point volume ran full."""
    provider, id = key
    if provider != VOLSNAP or (is_dpm is False and id != FULL_OR_GONE):
        return Confidence.POSSIBLE
    if id == FULL_OR_GONE:
        if source is None or not source.short:
            return Confidence.UNCLEAR
        return Confidence.LIKELY if followed else Confidence.POSSIBLE
    if source is not None:
        return Confidence.CERTAIN if followed else Confidence.LIKELY
    return Confidence.LIKELY if followed else Confidence.POSSIBLE


def _still_so(source: ProtectedSource | None) -> bool | None:
    """Returns whether it still is so, as DPM tells: false where it is neither short nor inconsistent any more."""
    if source is None:
        return None
    if source.consistent is False or source.short:
        return True
    return False if source.consistent and source.short is False else None
