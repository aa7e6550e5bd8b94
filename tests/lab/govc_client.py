"""govc as a foreign client of the lab: built from its own module, asked for JSON."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from go_programs import build_program
from vcenter_lab import VcenterLab

SOURCE = Path(__file__).resolve().parent / "govc"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """Returns the JSON that was printed; fails where the command did."""
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


def build() -> Path:
    """Builds the program if it is not there; returns where it is."""
    return build_program(SOURCE, "govc", "-ldflags=-s -w")


def govc_environment(lab: VcenterLab) -> dict[str, str]:
    """Returns the environment in which govc talks to a lab."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GOVC_")}
    return {
        **own,
        "GOVC_URL": f"https://{lab.host}:{lab.port}/sdk",
        "GOVC_USERNAME": lab.username,
        "GOVC_PASSWORD": lab.password,
        "GOVC_TLS_CA_CERTS": lab.ca_path,
        "GOVC_PERSIST_SESSION": "false",
    }


def govc(lab: VcenterLab, *words: str, **variables: str) -> Answer:
    """Runs one command against a lab, with further variables of its environment; returns its answer."""
    environment = {**govc_environment(lab), **variables}
    done = subprocess.run(
        [str(build()), *words], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
