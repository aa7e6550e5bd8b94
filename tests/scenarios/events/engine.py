# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook with its engine, as people start it. It needs a Java of version 17 or later (bindep.txt, events)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".venv-events" / "bin"


class Rulebook:
    """A rulebook in a folder of its own; started and killed as often as is wished, with one log."""

    def __init__(
        self, rulebook: str, folder: Path, variables: Mapping[str, Any], environment: Mapping[str, str], *arguments: str
    ) -> None:
        assert (TOOLS / "ansible-rulebook").exists(), "make test-all makes .venv-events, in which ansible-rulebook is"
        assert shutil.which("java") or os.environ.get("JAVA_HOME"), "apt-get install default-jre-headless"
        self._folder, self._log = folder, folder / "rulebook.log"
        self._arguments = ["-r", rulebook, *arguments]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")}
        self._environment = {
            **kept,
            **environment,
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
            "ANSIBLE_HOME": str(folder / "home"),
        }
        (folder / "variables.yml").write_text(json.dumps(dict(variables)), encoding="utf-8")
        (folder / "inventory").write_text("localhost ansible_connection=local\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Rulebook:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        command = [str(TOOLS / "ansible-rulebook"), *self._arguments, "-i", "inventory", "-v"]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*command, "--vars", "variables.yml"],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it and all it started, as a machine that is switched off does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, until: Callable[[], bool], seconds: float = 240) -> None:
        """Waits for something; fails with the log where it does not come, or the rulebook ends before."""
        end = time.monotonic() + seconds
        while not until():
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(1)
