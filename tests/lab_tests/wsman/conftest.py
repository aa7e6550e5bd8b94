# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's WinRM host, with simple commands and PowerShell in it, for clients that know nothing of the lab."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from wsman.powershell import PowerShellCommands
from wsman.site import Site, windows_site


@pytest.fixture(scope="session")
def windows() -> Iterator[Site]:
    with windows_site(PowerShellCommands()) as one:
        yield one


@pytest.fixture
def site(windows: Site) -> Iterator[Site]:
    before = dict(os.environ)
    windows.host.troubles.clear()
    windows.host.shells.lose_all()
    yield windows
    windows.host.troubles.clear()
    os.environ.clear()
    os.environ.update(before)
