#!/usr/bin/env python3
"""Installs by apt the system packages that the tests need (bindep.txt, profile test), where they are missing.

It does so as root, or where sudo asks for no password. Else, and on systems without apt, it says what will be missing
and ends well: only the tests that need it will fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

BINDEP = Path(__file__).resolve().parent.parent / "bindep.txt"
# What tests need a package for, by how its name starts; all the others are for Kerberos.
PURPOSES = {"openssh-": "ssh to a Windows host", "busybox": "the shell of an ESXi host"}
# Another run of apt on this machine is waited for.
APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]


def wanted(text: str) -> list[str]:
    """Returns the packages of a bindep.txt for Debian, with those of the profile test."""
    packages = []
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z0-9][a-z0-9.+-]*)(?:\s+\[([^\]]*)\])?", line.split("#")[0].strip())
        selectors = set((found[2] or "").split()) if found else set()
        platforms = {selector for selector in selectors if selector.startswith("platform:")}
        if found and (not platforms or "platform:dpkg" in platforms) and selectors - platforms <= {"test"}:
            packages.append(found[1])
    return packages


def is_installed(package: str) -> bool:
    """Whether dpkg has a package installed."""
    query = ["dpkg-query", "--show", "--showformat=${Status}", package]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "install ok installed"


def tests_without(packages: list[str]) -> str:
    """Returns which tests fail without these packages: "the tests of Kerberos (krb5-kdc) and of ..."."""
    needed: dict[str, list[str]] = {}
    for package in packages:
        purpose = next((purpose for start, purpose in PURPOSES.items() if package.startswith(start)), "Kerberos")
        needed.setdefault(purpose, []).append(package)
    return "the tests " + " and ".join(f"of {purpose} ({', '.join(names)})" for purpose, names in needed.items())


def as_root() -> list[str] | None:
    """Returns what comes before a command that root is to run, None where this user may run none."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def main() -> int:
    """Returns the exit code: 0 where everything is there or cannot be had, 1 where apt failed."""
    packages = wanted(BINDEP.read_text(encoding="utf-8"))
    if not (shutil.which("apt-get") and shutil.which("dpkg-query")):
        print(f"== system packages: no apt here; where they are missing, {tests_without(packages)} will fail")
        return 0
    missing = [package for package in packages if not is_installed(package)]
    if not missing:
        return 0
    root = as_root()
    if root is None:
        print("== system packages: some are missing, and neither root nor sudo without a password: without them")
        print(f"   {tests_without(missing)} will fail.")
        print(f"   Install them with: sudo apt-get install {' '.join(missing)}")
        return 0
    print(f"== system packages: installing {', '.join(missing)}", flush=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        done = subprocess.run([*root, *environment, *APT, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"apt-get {command[0]} failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
