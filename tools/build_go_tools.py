#!/usr/bin/env python3
"""Builds the Go programs that look at a release into .build/go-tools, at the versions of tools/go/go.sum."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import go_programs  # noqa: E402

if __name__ == "__main__":
    folder = ROOT / ".build" / "go-tools"
    folder.mkdir(parents=True, exist_ok=True)
    command = [go_programs.go(), "build", "-mod=readonly", "-trimpath", "-o", f"{folder}/", "tool"]
    subprocess.run(command, cwd=ROOT / "tools" / "go", env=go_programs.environment(), check=True)
