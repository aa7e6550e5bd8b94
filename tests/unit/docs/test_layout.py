"""The picture of the house in CONTRIBUTING.md is that of the tree."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LAYOUT = TEXT.partition("## Layout")[2].partition("```\n")[2].partition("```")[0]
WALKS = TEXT.partition("### Two walks")[2].partition("## Rules")[0]


def named_folders() -> set[str]:
    """Returns the folders that the layout names, with those that are indented below another one."""
    above, found = "", set[str]()
    for line in LAYOUT.splitlines():
        inner = line.startswith(" ")
        for name in takewhile(lambda word: word.endswith("/"), line.split()):
            found.add(f"{above}{name}".rstrip("/") if inner else name.rstrip("/"))
            above = above if inner else name
    return found


def folders_with_code(top: str) -> set[str]:
    """Returns the folders below `top` that hold Python of their own."""
    return {str(path.parent.relative_to(ROOT)) for path in (ROOT / top).rglob("*.py")}


def test_every_folder_of_the_plugins_is_in_the_layout() -> None:
    assert folders_with_code("plugins") - named_folders() == set()


def test_every_folder_of_the_layout_is_there() -> None:
    assert {name for name in named_folders() if not (ROOT / name).is_dir()} == set()


def test_the_walks_pass_each_file_once() -> None:
    for walk in WALKS.split("The name of a data source"):
        files = re.findall(r"`((?:modules|action|plugin_utils|module_utils)/\S+\.py)`", walk)
        assert len(files) > 10
        assert len(files) == len(set(files))
        assert [file for file in files if not (ROOT / "plugins" / file).is_file()] == []
