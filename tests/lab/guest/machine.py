# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Windows machine on VMware tells of itself: one UUID in two spellings, in two byte orders."""

from __future__ import annotations

import uuid
from typing import Any


def vmware_serial(bios_uuid: str) -> str:
    """The serial of the firmware: "VMware-42 39 4f dd 93 f3 50 1a-86 14 c6 fa 55 f7 54 68"."""
    pairs = [bios_uuid.replace("-", "")[place : place + 2] for place in range(0, 32, 2)]
    return f"VMware-{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"


def identity(class_name: str, name: str, bios_uuid: str, build: int) -> dict[str, Any] | None:
    """The one instance of a class about the machine itself; None for another class. Windows shows the first three
    groups of the UUID with their bytes swapped."""
    serial = vmware_serial(bios_uuid)
    swapped = str(uuid.UUID(bytes_le=uuid.UUID(bios_uuid).bytes)).upper()
    known = {
        "win32_computersystemproduct": {"UUID": swapped, "IdentifyingNumber": serial, "Name": "VMware7,1"},
        "win32_bios": {"SerialNumber": serial, "Manufacturer": "VMware, Inc."},
        "win32_operatingsystem": {"BuildNumber": str(build), "CSName": name.upper()},
    }
    return known.get(class_name.lower())
