#!/usr/bin/env python3
"""rdm_info over SSH beside the one-liner of the knowledge base, on a lab ESXi host of 5 and of 200 VMs.

Both go over a real sshd to a real BusyBox; what the host's own programs take is the lab's, and a real `vim-cmd` takes a
second for each VM with a mapping. What carries over is the number of round trips. The one-liner tells of each mapping
its mode and its vml, and nothing else; it is run once a host.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / ".build" / "tree"), str(ROOT / "tests" / "lab")]

from esxi_shell import EsxiShell  # noqa: E402
from vcenter_lab import VcenterLab  # noqa: E402

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.commands import rdm_info  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO  # noqa: E402

HOST = "esx1.lab"
ONE_LINER = (
    "find /vmfs/volumes/ -type f -name '*.vmdk' -size -1024k -exec grep -l '^createType=.*RawDeviceMap' {} \\; "
    '| while read -r file; do vmkfstools -q "$file"; done'
)


class Way:
    """The host's shell over OpenSSH's client."""

    name = HOST

    def __init__(self, shell: EsxiShell) -> None:
        self.shell = shell

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input and returns its output."""
        done: subprocess.CompletedProcess[bytes] = self.shell.run(command, data, timeout=600)
        return Completed(done.stdout, done.stderr, done.returncode)


def measured(lab: VcenterLab, work: Callable[[], int]) -> tuple[int, int, float, float]:
    """Returns the mappings that were found, the round trips, the seconds, and those of this process's processor time,
    which other work on the machine lengthens less."""
    lab.clear_log()
    begin, used = time.monotonic(), time.process_time()
    found = work()
    used, took = time.process_time() - used, time.monotonic() - begin
    return found, sum(entry["method"] == "ssh" for entry in lab.log()), took, used


def read(shell: EsxiShell) -> int:
    """Reads with the collection; returns how many mappings it found."""
    options: dict[str, Any] = {name: spec.get("default") for name, spec in RDM_INFO.options.items()}
    failure, result = result_of(lambda call: rdm_info(call, Way(shell)), ModuleCall(options))
    if failure is not None:
        sys.exit(failure)
    return len(result["rdms"])


def one_liner(shell: EsxiShell) -> int:
    """Runs the one-liner; returns how many mappings it printed."""
    return shell.run(ONE_LINER, timeout=600).stdout.count(b"Maps to: ")


def main() -> None:
    """The program."""
    print("| VMs | mappings | way | round trips | time | processor time |\n" + "| --- " * 6 + "|")
    for vms in (5, 200):
        world = f"{{api: esxi, hosts: [{{name: {HOST}, version: 8.0.3}}], datastores: [{{name: ds}}], "
        world += f"generated: {{vms: {vms}, rdm_every: 5, disks: 2, hosts: 1}}}}"
        with (
            tempfile.TemporaryDirectory() as folder,
            VcenterLab.start(world) as lab,
            EsxiShell(lab, HOST, Path(folder)) as shell,
        ):
            shell.run("true")
            for name, work in (("rdm_info", read), ("one-liner", one_liner)):
                found, trips, took, used = measured(lab, lambda work=work: work(shell))  # type: ignore[misc]
                print(f"| {vms} | {found} | {name} | {trips} | {took:.2f} s | {used:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
