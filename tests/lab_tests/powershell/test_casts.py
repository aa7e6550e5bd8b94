# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script sees of a cast that cannot be done: as a real engine, a RuntimeException around the exception of the
cast."""

from __future__ import annotations

import pytest
from powershell import Session

SEEN = (
    "try {{\n    {}\n}}\ncatch {{\n    $_.Exception.GetType().FullName\n"
    "    $_.Exception.InnerException.GetType().FullName\n"
    "    [string]$_.CategoryInfo.Category\n    $_.FullyQualifiedErrorId\n}}"
)


@pytest.mark.parametrize(
    ("cast", "error_id"),
    [
        ("[int]'x'", "InvalidCastFromStringToInteger"),
        ("[int64]'x'", "InvalidCastFromStringToInteger"),
        ("[int]'3000000000'", "InvalidCastFromStringToInteger"),
        ("[datetime]$null", "nullToObjectInvalidCast"),
        ("[guid]$null", "nullToObjectInvalidCast"),
        ("[timespan]$null", "nullToObjectInvalidCast"),
    ],
)
def test_a_cast_that_cannot_be_done(cast: str, error_id: str) -> None:
    assert Session().run(SEEN.format(cast)).output == [
        "System.Management.Automation.RuntimeException",
        "System.Management.Automation.PSInvalidCastException",
        "InvalidArgument",
        error_id,
    ]
