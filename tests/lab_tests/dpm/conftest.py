# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's DPM server behind WinRM, for a client that knows nothing of the lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pypsrp_client import Remote, remote_dpm


@pytest.fixture(scope="package")
def remote() -> Iterator[Remote]:
    with remote_dpm() as one:
        yield one
