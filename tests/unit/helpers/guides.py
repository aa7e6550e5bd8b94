# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides of the documentation site, and the README, as those who test them read them: their examples."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[3]
GUIDES = sorted((ROOT / "docs" / "docsite" / "rst").glob("guide_*.rst"))


def guide(name: str) -> str:
    """Returns the text of a guide, as "first_audit" names it."""
    return (ROOT / "docs" / "docsite" / "rst" / f"guide_{name}.rst").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Returns the blocks of code of a language in a page of reStructuredText, in their order, without their indent."""
    found = re.findall(rf"^( *)\.\. code-block:: {language}\n\n((?:\1   .*\n|\n)+)", text + "\n", re.MULTILINE)
    return [dedent(block).strip("\n") + "\n" for _indent, block in found]


def readme_blocks(language: str) -> list[str]:
    """Returns the blocks of code of a language in the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
