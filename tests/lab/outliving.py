"""Programs of the lab that outlive the one that starts them. How one is reached stands in a file until it is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def start(command: Sequence[str], state: Path, what: str, *, folder: Path | None = None) -> dict[str, Any]:
    """Starts a program whose first line says how it is reached; returns and keeps that, which only the owner may read,
    since passwords stand in it. Ends this program with a sentence where that one, which is `what`, does not start."""
    state.parent.mkdir(parents=True, exist_ok=True)
    log = state.with_suffix(".log")
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=file,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit(f"{what} did not start: see {log}")
    said = {**json.loads(line), "pid": process.pid}
    with open(os.open(state, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(said, file)
    return said


def end(state: Path) -> bool:
    """Ends the program whose file this is; returns False where there is none, or it had ended."""
    if not state.exists():
        return False
    pid = int(json.loads(state.read_text(encoding="utf-8"))["pid"])
    state.unlink()
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True
