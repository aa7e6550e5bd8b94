# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Whether a shadow copy of a volume may be made for a test: never where it could push an older one out. Pure.

Backups of Windows Server Backup are shadow copies of the volume that they lie on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import Refusal
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Machine, UnreadPart, Volume
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import key_of

MIB, GIB = 1024**2, 1024**3
# Of a volume there are at most so many copies; of those that clients see so many, where MaxShadowCopies says no other
# number. (Microsoft, Volume Shadow Copy Service)
MOST_COPIES, MOST_CLIENT_ACCESSIBLE = 512, 64
# What a new copy takes at first (MinDiffAreaFileSize): 320 MB, or 32 MB on a volume below 500 MB; and room beside it
# for what is written while the copy is there. [the last is chosen here]
_FIRST_AREA, _FIRST_AREA_OF_SMALL, _SMALL = 320 * MIB, 32 * MIB, 500 * MIB
_SLACK = GIB
# Without a limit MaxSpace is -1, which some interfaces show without its sign, or as the largest number of 63 bits.
_UNLIMITED = 2**63 - 1


@dataclass(frozen=True)
class Mark:
    """What a test wrote down: how long it may last, the copies of the volume before it, by id (None while they were not
    read), and the id of its own copy ("" while it was not known)."""

    until: datetime | None
    before: frozenset[str] | None
    copy: str


@dataclass(frozen=True)
class ShadowedVolume:
    """A volume, with what is free on it, and the mark of a test."""

    volume: Volume
    free_bytes: int | None = None
    mark: Mark | None = None

    @property
    def title(self) -> str:
        """How sentences call it."""
        return self.volume.letter or self.volume.path or "a volume"


@dataclass(frozen=True)
class Copy:
    """A shadow copy; `volume` is the path of the volume that was copied."""

    id: str
    volume: str | None
    client_accessible: bool | None


@dataclass(frozen=True)
class Area:
    """Where the copies of a volume are stored, by the paths of both; `most_bytes` -1 stands for no limit."""

    volume: str | None
    on: str | None
    allocated_bytes: int | None
    most_bytes: int | None

    @property
    def room(self) -> int | None:
        """Bytes that the area may still grow by; -1 without a limit, None where that is not known."""
        if self.most_bytes is None:
            return None
        if self.most_bytes < 0 or self.most_bytes >= _UNLIMITED:
            return -1
        return None if self.allocated_bytes is None else max(0, self.most_bytes - self.allocated_bytes)


@dataclass(frozen=True)
class ShadowCopyFacts:
    """All that was read. Lists that could not be read are None, `most_copies` and `least_area_mib` where not set."""

    now: datetime
    machine: Machine
    volumes: tuple[ShadowedVolume, ...]
    copies: tuple[Copy, ...] | None
    areas: tuple[Area, ...] | None
    most_copies: int | None
    least_area_mib: int | None
    dpm: bool
    unread_parts: tuple[UnreadPart, ...] = ()

    def find(self, name: str) -> ShadowedVolume | None:
        """Returns the volume of a name: a letter, a folder that it is mounted at, or a volume name."""
        wanted = key_of(name)
        if wanted is None:
            return None
        for one in self.volumes:
            names = (one.volume.path, one.volume.letter, *one.volume.mount_points)
            if wanted in (key_of(known) for known in names):
                return one
        return None

    def copies_of(self, one: ShadowedVolume) -> Sequence[Copy]:
        """Returns the copies of a volume, of those that were read."""
        return [copy for copy in self.copies or () if key_of(copy.volume) == key_of(one.volume.path)]

    def may_be_left(self, one: ShadowedVolume) -> Sequence[Copy]:
        """Returns the copies that a test may have made which was ended before it knew its copy's id."""
        if one.mark is None or one.mark.before is None or one.mark.copy:
            return ()
        copies = (copy for copy in self.copies_of(one) if copy.client_accessible is not False)
        return [copy for copy in copies if copy.id.lower() not in one.mark.before]

    @property
    def most_client_accessible(self) -> int:
        """How many copies that clients see a volume may have."""
        return self.most_copies if self.most_copies is not None and self.most_copies > 0 else MOST_CLIENT_ACCESSIBLE


def refusal_of(facts: ShadowCopyFacts, one: ShadowedVolume) -> Refusal | None:
    """Returns why no copy of a volume is made, or None."""
    if facts.dpm and one.volume.letter is None:
        message = f"{one.title} has no drive letter on a DPM server: it may be a volume of the storage pool."
        hint = "There a full area takes the replica offline; use dpm_allocation_info for it."
        return Refusal("dpm_pool_volume", message, hint)
    if one.volume.file_system != "ntfs":
        shown = one.volume.file_system or "no file system that Windows knows"
        return Refusal("not_ntfs", f"{one.title} has {shown}; such copies are of NTFS only.", "Test an NTFS volume.")
    return _refusal_of_number(facts, one) or _refusal_of_space(facts, one)


def _refusal_of_number(facts: ShadowCopyFacts, one: ShadowedVolume) -> Refusal | None:
    if facts.copies is None:
        return _unknown(one, "its shadow copies could not be read")
    copies = facts.copies_of(one)
    seen = sum(copy.client_accessible is not False for copy in copies)
    most = facts.most_client_accessible
    if len(copies) < MOST_COPIES and seen < most:
        return None
    return Refusal(
        "copies_at_their_number",
        f"{one.title} has {len(copies)} shadow copies ({seen} that clients see, of at most {most}): another one would "
        "push the oldest out.",
        "Remove one that nobody needs, or raise MaxShadowCopies.",
    )


def _refusal_of_space(facts: ShadowCopyFacts, one: ShadowedVolume) -> Refusal | None:
    needed = _needed(facts, one)
    if facts.areas is None:
        return _unknown(one, "the storage of its shadow copies could not be read")
    # Without an association Windows makes one, on the volume itself.
    own = Area(one.volume.path, one.volume.path, 0, -1)
    area = next((area for area in facts.areas if key_of(area.volume) == key_of(one.volume.path)), own)
    on = facts.find(area.on or "")
    free = on.free_bytes if on is not None else None
    room = area.room
    if room is None or free is None or needed is None:
        return _unknown(one, "how much room its shadow copies have could not be read")
    if 0 <= room < needed or free < needed:
        left = free if room < 0 else min(room, free)
        return Refusal(
            "copies_at_their_space",
            f"The storage of the shadow copies of {one.title} has {left} bytes left, and a copy may take {needed}: it "
            "could push older ones out.",
            "Make it larger (vssadmin resize shadowstorage), or make room on the volume that it lies on.",
        )
    return None


def _needed(facts: ShadowCopyFacts, one: ShadowedVolume) -> int | None:
    size = one.volume.size_bytes
    if size is None:
        return None
    first = _FIRST_AREA_OF_SMALL if size < _SMALL else _FIRST_AREA
    if facts.least_area_mib is not None:
        first = max(first, facts.least_area_mib * MIB)
    return first + _SLACK


def _unknown(one: ShadowedVolume, what: str) -> Refusal:
    return Refusal(
        "copies_unknown",
        f"Of {one.title} {what}: whether a copy would push an older one out is not known.",
        "Give the user a session with an elevated token.",
    )
