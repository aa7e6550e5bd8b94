# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which way to a Windows host: by the options of a module, or over a connection that an action plugin lends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport


def open_powershell(options: Mapping[str, Any], lent: Transport | None = None, prologue: str = "") -> PowerShell:
    """Returns a PowerShell to be used in a `with`, whose scripts all run after `prologue`; raises ConfigurationError
    or ConnectionFailed."""
    return PowerShell(lent if lent is not None else WinRmTransport(Target.of(options)), prologue)
