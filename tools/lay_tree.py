#!/usr/bin/env python3
"""Lays the tree ansible_collections/winbackup/storage, in which Ansible and its tools expect a collection.

`lay_tree.py link` makes .build/tree with a link to this checkout, for pytest, mypy and ansible-playbook.
`lay_tree.py copy` makes .build/copy with a copy of what git knows or would add, for ansible-test, which refuses links.
In the copy the pages of playbooks and event sources are pages of the documentation site too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import reference_pages

ROOT = Path(__file__).resolve().parent.parent
INNER = Path("ansible_collections/winbackup/storage")


def link() -> Path:
    """Makes the linked tree; returns its top."""
    top = ROOT / ".build" / "tree"
    place = top / INNER
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink() or place.resolve() != ROOT:
        place.unlink(missing_ok=True)
        place.symlink_to(ROOT, target_is_directory=True)
    return top


def copy(top: Path = ROOT / ".build" / "copy") -> Path:
    """Makes the copied tree anew; returns its top."""
    place = top / INNER
    shutil.rmtree(place, ignore_errors=True)
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
    )
    for name in filter(None, listing.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place / name)
    reference_pages.write_pages(place)
    # Of a folder that the repository around it ignores ansible-test would see no file.
    subprocess.run(["git", "init", "--quiet", str(place)], check=True)
    return top


if __name__ == "__main__":
    forms = {"link": link, "copy": copy}
    if len(sys.argv) != 2 or sys.argv[1] not in forms:
        sys.exit(f"usage: {Path(sys.argv[0]).name} link|copy")
    print(forms[sys.argv[1]]())
