#!/usr/bin/env python3
"""Puts a stand-in for get-pip into ansible-test's cache, so that `ansible-test` needs nothing but the package index.

ansible-test downloads get-pip from a site of its own to fill its virtual environments; ensurepip does the same work.
"""

from __future__ import annotations

from pathlib import Path

NAMES = ("get_pip_24_2.py", "get_pip_25_2.py")
STAND_IN = """\
import subprocess, sys
args = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *args], check=True)
"""


def main() -> None:
    """Writes the stand-ins that are not there yet."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        if not (cache / name).exists():
            (cache / name).write_text(STAND_IN, encoding="utf-8")


if __name__ == "__main__":
    main()
