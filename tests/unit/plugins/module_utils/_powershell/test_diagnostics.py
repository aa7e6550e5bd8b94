# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PowerShell writes to its error stream, in the forms that were seen on Windows, as text for a message."""

from __future__ import annotations

import time

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.diagnostics import text_of

OPEN = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
PROGRESS = (
    f'{OPEN}<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN><MS>'
    '<I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV></PR></MS></Obj></Objs>'
)
ERROR = f'{OPEN}<S S="Error">It failed : _x000D__x000A_</S><S S="Error">at line 1_x000D__x000A_</S></Objs>'
SAID = "It failed :\nat line 1"

STREAMS = {
    "only progress": (f"#< CLIXML\r\n{PROGRESS}", ""),
    "errors": (f"#< CLIXML\r\n{ERROR}", SAID),
    "a byte order mark": (f"\ufeff#< CLIXML\r\n{ERROR}", SAID),
    "two blocks": (f"#< CLIXML\r\n{PROGRESS}#< CLIXML\r\n{ERROR}", SAID),
    "two documents after one mark": (f"#< CLIXML\r\n{PROGRESS}{ERROR}", SAID),
    "the mark twice": (f"#< CLIXML\r\n#< CLIXML\r\n{PROGRESS}{ERROR}", SAID),
    "lines that end as on Unix": (f"#< CLIXML\n{ERROR}\n", SAID),
    "text before it": (f"cmd said this\r\n#< CLIXML\r\n{ERROR}", f"cmd said this\n{SAID}"),
    "text after it": (f"#< CLIXML\r\n{ERROR}\r\nand this", f"and this\n{SAID}"),
    "warnings and verbose lines": (f'#< CLIXML\r\n{OPEN}<S S="warning">w</S><S S="verbose">v</S></Objs>', ""),
    "escapes": (f'#< CLIXML\r\n{OPEN}<S S="Error">_x001B_[31mred_x001B_[0m _x65E5__x672C_</S></Objs>', "red 日本"),
    "entities": (f'#< CLIXML\r\n{OPEN}<S S="Error">a &lt; b &amp; c</S></Objs>', "a < b & c"),
    "no CLIXML at all": ("The command line is too long.\r\n", "The command line is too long."),
    "nothing": ("", ""),
    "cut off": (f"#< CLIXML\r\n{ERROR[:-20]}", None),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams(name: str) -> None:
    stream, expected = STREAMS[name]
    text = text_of(stream.encode())
    if expected is None:
        # Better as it came than not at all.
        assert "It failed" in text
    else:
        assert text == expected


@pytest.mark.parametrize(("codec", "word"), [("cp437", "Zugriff verweigert für Gerät"), ("cp850", "señal é")])
def test_bytes_of_a_console_code_page_are_not_lost(codec: str, word: str) -> None:
    assert text_of(f'#< CLIXML\r\n{OPEN}<S S="Error">{word}</S></Objs>'.encode(codec)).startswith(word[:2])


@pytest.mark.parametrize("again", ["#< CLIXML\r\n", "#< CLIXML\r\n<Objs ", "<Objs", "_x0041", "\x1b[0;"])
def test_what_is_begun_again_and_again_costs_no_time(again: str) -> None:
    started = time.process_time()
    text_of(b"#< CLIXML\r\n" + again.encode() * (2**24 // len(again)))
    assert time.process_time() - started < 2


def test_a_page_of_text_is_cut() -> None:
    assert len(text_of(b"x" * 100_000)) == 2000
