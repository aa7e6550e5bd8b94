# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The ids of machines and disks in all their spellings. Pure."""

from __future__ import annotations

import re

_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?")
_SIGNATURE = re.compile(r"(?:0x)?([0-9a-f]{8})")
_HEX = re.compile(r"[0-9a-f]{32}")
_NO_SERIALS = ("unavailable", "none", "n/a")


def guid_of(text: str | None) -> str | None:
    """Returns a GUID in lower case without braces; None for what is none."""
    found = _GUID.fullmatch((text or "").strip().lower())
    return found[1] if found is not None else None


def disk_id_of(text: str | None) -> str | None:
    """Returns the id of a disk in the collection's spelling: a GPT disk's GUID in lower case without braces, an MBR
    disk's signature as eight hexadecimal digits; None for what is neither."""
    plain = (text or "").strip().lower()
    signature = _SIGNATURE.fullmatch(plain)
    return signature[1] if signature is not None else guid_of(plain)


def signature_of(number: int | None) -> str | None:
    """Returns an MBR disk's signature as eight hexadecimal digits; None for zero, which is no signature."""
    return f"{number:08x}" if number is not None and 0 < number < 2**32 else None


def plain_serial(text: str | None) -> str | None:
    """Returns the serial of a disk so that it can be compared: trimmed, without dashes, in lower case; None for one
    that is empty, all zeros, or says that there is none."""
    plain = (text or "").strip().replace("-", "").lower()
    return None if not plain.strip("0") or plain in _NO_SERIALS else plain


def machine_uuids(serial: str | None, uuid: str | None) -> tuple[str, ...]:
    """Returns the UUIDs, as vCenter writes them without dashes, that a Windows machine's firmware may mean.

    The serial "VMware-42 39 4f dd ..." has one byte order and decides. Without it the UUID counts in both orders:
    Windows shows its first three groups swapped (Broadcom KB 344089).
    """
    digits = re.sub(r"[\s-]", "", (serial or "").strip().lower().removeprefix("vmware-"))
    if (serial or "").strip().lower().startswith("vmware-") and _HEX.fullmatch(digits):
        return (digits,)
    plain = (guid_of(uuid) or "").replace("-", "")
    if not plain.strip("0f"):
        return ()
    swapped = "".join(bytes.fromhex(part)[::-1].hex() for part in (plain[:8], plain[8:12], plain[12:16]))
    return tuple(dict.fromkeys((plain, swapped + plain[16:])))
