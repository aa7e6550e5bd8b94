# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides name is there: playbooks, variables, modules with their options, codes, and the texts of errors."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import GUIDES, ROOT, blocks, guide, readme_blocks

README = ROOT / "README.md"
PAGES = [*GUIDES, README]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def examples(page: Path, language: str) -> list[str]:
    return readme_blocks(language) if page == README else blocks(page.read_text(encoding="utf-8"), language)


def specs(file: Path) -> dict[str, Any]:
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values()
    return {name: option for entry in entries for name, option in entry["options"].items()}


def variables() -> set[str]:
    """The variables of the roles and playbooks."""
    files = [*(ROOT / "roles" / role / "meta" / "argument_specs.yml" for role in ROLES)]
    return {name for file in [*files, ROOT / "playbooks" / "vars" / "argument_specs.yml"] for name in specs(file)}


def commands(page: Path) -> Iterator[list[str]]:
    """The commands of Ansible that a page shows, as words."""
    shown = [line.removeprefix("$ ") for block in examples(page, "console") for line in block.splitlines()]
    shown += [line for block in examples(page, "sh") for line in block.splitlines()]
    for line in shown:
        if line.startswith("ansible-playbook"):
            yield shlex.split(line, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_name_playbooks_and_variables_that_there_are(page: Path) -> None:
    for words in commands(page):
        (named,) = [word for word in words[1:] if word.startswith("winbackup.storage.") or word.endswith("setup.yml")]
        known = variables()
        if named == "setup.yml":
            known = set(re.findall(r"winbackup_\w+", (ROOT / "docs" / "awx" / named).read_text(encoding="utf-8")))
        else:
            assert named.removeprefix("winbackup.storage.") in PLAYBOOKS
        for option, value in pairwise(words):
            if option == "-e":
                given = json.loads(value) if value.startswith("{") else [value.partition("=")[0]]
                assert set(given) <= known, words
            elif option == "--tags":
                assert value in ("rdm", "dpm", "report")


def documentation(file: Path) -> dict[str, Any]:
    """What a file of Python says as DOCUMENTATION, or as another constant of its name."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id.isupper():
                    found[target.id] = yaml.safe_load(node.value.value)
    return found


def options_of(module: str) -> set[str]:
    """The options of a module, with those of its fragments."""
    said = documentation(ROOT / "plugins" / "modules" / f"{module}.py")["DOCUMENTATION"]
    found = set(said.get("options") or {})
    for fragment in said.get("extends_documentation_fragment", []):
        name, _dot, part = fragment.removeprefix("winbackup.storage.").partition(".")
        shared = documentation(ROOT / "plugins" / "doc_fragments" / f"{name}.py")[part.upper() or "DOCUMENTATION"]
        found |= set(shared.get("options") or {})
    return found


def tasks(plays: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for play in plays:
        yield from play.get("tasks", [])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_playbooks_name_modules_options_and_roles_that_there_are(page: Path) -> None:
    for block in examples(page, "yaml"):
        plays = yaml.safe_load(block)
        if not isinstance(plays, list):
            continue
        for task in tasks(plays):
            for name, given in task.items():
                if name.startswith("winbackup.storage."):
                    module = name.removeprefix("winbackup.storage.")
                    assert set(given or {}) <= options_of(module), task
        for role in (role for play in plays for role in play.get("roles", [])):
            assert role["role"].removeprefix("winbackup.storage.") in ROLES
            assert set(role["vars"]) <= variables()


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_codes_that_are_named_are_in_the_tables(page: Path) -> None:
    tables = (ROOT / "docs" / "docsite" / "rst" / "codes.rst").read_text(encoding="utf-8")
    for named in re.findall(r"\b[Cc]odes? ((?:``\w+``(?:, | and )?)+)", page.read_text(encoding="utf-8")):
        for code in re.findall(r"``(\w+)``", named):
            assert f"``{code}``" in tables


def texts_of_errors() -> list[str]:
    """The first cells of the tables of texts in the guide of troubleshooting."""
    tables = re.findall(r"   \* - text\n.*?(?=\n\S|\Z)", guide("troubleshooting"), re.DOTALL)
    return [cell for table in tables for cell in re.findall(r"^   \* - (.+)$", table, re.MULTILINE) if cell != "text"]


def test_every_text_of_troubleshooting_is_said_somewhere() -> None:
    said = {
        node.value
        for path in (ROOT / "plugins").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    texts = texts_of_errors()
    assert len(texts) > 40
    assert [text for text in texts if not any(text in constant for constant in said)] == []


def test_the_readme_begins_as_the_first_guide_does() -> None:
    first, over_ssh = readme_blocks("sh")[:2]
    assert first == "".join(blocks(guide("first_audit"), "sh"))
    assert over_ssh == "".join(blocks(guide("over_ssh"), "sh"))


def test_every_guide_is_reached_from_the_readme_or_the_index() -> None:
    index = (ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8")
    assert [page.stem for page in GUIDES if page.stem not in index] == []
