# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's Windows machines behind WinRM, for a client that knows nothing of the lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pypsrp_client import RemoteGuest, remote_guest


@pytest.fixture(scope="package")
def remote() -> Iterator[RemoteGuest]:
    with remote_guest() as one:
        yield one
