# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for WinRM on a Windows host: real authentication, real WS-Management, a model behind. For tests, on
loopback only."""

from __future__ import annotations

from .accounts import Account
from .certificates import Certificates
from .host import WinRmHost
from .processes import Commands, Executor, Process
from .security import Settings
from .shells import Quotas
from .troubles import Entry, Hold, Trouble

__all__ = [
    "Account",
    "Certificates",
    "Commands",
    "Entry",
    "Executor",
    "Hold",
    "Process",
    "Quotas",
    "Settings",
    "Trouble",
    "WinRmHost",
]
