# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The names of LUNs: one spelling of each, and what of a name holds on every host. Pure.

A vml id is (KB 2078730, KB 379673): type, SCSI device type, LUN number, two bytes more of it, the id proper, and six
bytes of the model; a byte is two digits. Type 00 names where a device is plugged in, type 02 carries the naa name.
"""

from __future__ import annotations

from functools import lru_cache

_HEX = frozenset("0123456789abcdef")
_BY_PLACE, _BY_NAA = "00", "02"
_HEAD_DIGITS, _MODEL_DIGITS = 10, 12
# A naa name has 8 or 16 bytes (SPC-4, 7.8.6).
_NAA_DIGITS = (16, 32)
# What a name of such a kind is, without the kind: the world wide name as storage teams write it.
_WORLD_WIDE = ("naa.", "eui.", "uuid.", "fc.")


# The same few names are asked for again with every LUN, host and mapping; so many are kept.
_KEPT = 65536


@lru_cache(maxsize=_KEPT)
def plain_name(device: str | None) -> str | None:
    """Returns "naa.6…" for "/vmfs/devices/disks/naa.6…", a vml id without prefix, all in lower case; or None."""
    if not device:
        return None
    return device.rsplit("/", 1)[-1].lower().removeprefix("vml.") or None


@lru_cache(maxsize=_KEPT)
def names_for_all(name: str | None) -> tuple[str, ...]:
    """Returns what a device name or vml id names on every host: itself, unless it is one host's own, and without the
    LUN number, which each host may give its own (KB 1016210). "naa.6…" for a vml id of type 02."""
    plain = plain_name(name)
    if plain is None or plain.startswith("mpx."):
        return ()
    if not _HEX.issuperset(plain):
        return (plain,)
    kind, proper = plain[:2], plain[_HEAD_DIGITS:-_MODEL_DIGITS]
    if kind == _BY_PLACE:
        return ()
    if kind == _BY_NAA and len(proper) in _NAA_DIGITS:
        return (plain, f"naa.{proper}")
    return (plain, f"{plain[:4]}:{plain[_HEAD_DIGITS:]}") if proper else (plain,)


def spellings(name: str) -> frozenset[str]:
    """Returns the plain names that a person may mean: a world wide name is written bare, with colons, with 0x, or in
    upper case."""
    plain = plain_name(name.strip()) or ""
    bare = plain.removeprefix("0x")
    pairs = bare.replace("-", ":").split(":")
    if len(pairs) > 1 and all(len(pair) == 2 for pair in pairs):
        bare = "".join(pairs)
    found = {plain}
    if _HEX.issuperset(bare) and len(bare) in _NAA_DIGITS:
        found |= {bare, *(f"{kind}{bare}" for kind in _WORLD_WIDE)}
    return frozenset(found - {""})
