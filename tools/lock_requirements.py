#!/usr/bin/env python3
"""Writes the lock files beside the requirements: every package that an environment gets, with the hashes of its files.

Run it after a change to requirements-*.txt; it needs `uv` (pip install uv) and the package index.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of each environment, in the order in which they are installed: a later one keeps what the earlier ones brought.
# (`collection` is installed nowhere: it is what a release needs, at the versions that it was tested with.)
ENVIRONMENTS = (("test", "collection", "kerberos", "lint", "go"), ("release",), ("events",), ("docs",))
HEADER = "# Made by tools/lock_requirements.py from {source}; not to be edited by hand.\n"


def lock(names: tuple[str, ...]) -> int:
    """Writes the lock files of one environment; returns the exit code of what resolves them."""
    earlier: list[str] = []
    for name in names:
        source, locked = f"requirements-{name}.txt", ROOT / f"requirements-{name}.lock"
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-header", "--no-annotate", *earlier, source]
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            return done.returncode
        locked.write_text(HEADER.format(source=source) + done.stdout, encoding="utf-8")
        earlier += ["--constraint", locked.name]
    return 0


def main() -> int:
    """Returns the exit code."""
    return max(map(lock, ENVIRONMENTS))


if __name__ == "__main__":
    sys.exit(main())
