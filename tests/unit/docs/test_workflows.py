# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the workflows, the hooks before a commit and the maintainers' page run is what the Makefile has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([\w./-]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize(
    "page", [*WORKFLOWS, *(ROOT / name for name in ("MAINTAINERS.md", "CONTRIBUTING.md"))], ids=lambda path: path.name
)
def test_every_target_that_is_run_is_one_of_the_makefile(page: Path) -> None:
    text = re.sub("PYTHON=[^ ]+ ", "", page.read_text(encoding="utf-8"))
    named = set(re.findall(r"(?:run: |`|=PATH )make ([\w./-]+)", text))
    assert named
    assert named <= TARGETS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_of_others_are_pinned_to_a_commit_and_may_read_only(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    for used in re.findall(r"uses: (\S+)", text):
        assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used)
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_the_hooks_before_a_commit_are_lints_own() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local"
    lint = MAKEFILE.partition("\nlint-code:")[2].partition("\nlint-sanity:")[0]
    for hook in repository["hooks"]:
        words = re.findall(
            r"ruff format|ruff check|mypy|tools/lint_powershell.py|yamllint|antsibull-changelog lint|gofmt -l",
            hook["entry"],
        )
        assert words, f"{hook['id']} runs nothing that lint runs"
        assert words[0] in lint
