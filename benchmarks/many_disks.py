#!/usr/bin/env python3
"""What many mappings of one VM, and many LUNs on many hosts, cost on the lab; prints two tables.

- 60 mappings of one VM: gathered, converted, and the kept old mappings deleted.
- 2,000 LUNs that 32 hosts see: rdm_info and lun_info, each in a process of its own, beside what the replies weigh.

The times are those of the lab on this machine; the requests are what a real server sees too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from rdm_info import ROOT, connection, measured

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import changing_commands, commands

sys.path.insert(0, str(ROOT / "tests" / "lab"))

from vcenter_lab import VcenterLab

VM = "many-mappings"
DISKS = "generated: {{vms: 0, hosts: 1, luns: 0, mappings: {}, mode: physical}}\n"
LUNS = "generated: {vms: 200, hosts: 32, luns: 2000, mappings: 60, mode: physical}\n"
WORK = {
    "rdm_info": (commands.RDM_INFO, commands.rdm_info),
    "lun_info": (commands.LUN_INFO, commands.lun_info),
    "rdm_compatibility": (changing_commands.RDM_COMPATIBILITY, changing_commands.rdm_compatibility),
}


def measure(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Calls a module's code; returns seconds, memory growth and the size of the result."""
    spec, work = WORK[name]
    defaults = {key: option.get("default") for key, option in spec.options.items()}

    def call() -> dict[str, Any]:
        failure, result = result_of(work, ModuleCall({**defaults, **options}))
        assert failure is None, failure
        return {"result_bytes": len(json.dumps(result))}

    return measured(call)


def in_a_process(name: str, lab: VcenterLab, **options: Any) -> dict[str, Any]:
    """Measures a call in a process of its own; adds the requests that the lab saw."""
    lab.clear_log()
    given = json.dumps({**connection(lab), **options})
    done = subprocess.run([sys.executable, __file__, "--measure", name], input=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return {**json.loads(done.stdout), "requests": sum(lab.counts().values())}


def row(title: str, figures: dict[str, Any]) -> str:
    """Returns a line of the table."""
    memory, result = figures["growth_bytes"] / 1e6, figures["result_bytes"] / 1e6
    return f"| {title} | {figures['seconds']:.2f} s | {figures['requests']} | {memory:.1f} MB | {result:.2f} MB |"


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", choices=sorted(WORK), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, json.load(sys.stdin))))
        return
    head = "| {} | time | requests | memory growth | result |\n| --- | --- | --- | --- | --- |"
    with VcenterLab.start() as lab:
        print(head.format("mappings of one VM"))
        for disks in (1, 20, 60):
            lab.world(DISKS.format(disks))
            convert = {"vm": VM, "power": "power_off", "shutdown_timeout": 0}
            print(row(f"{disks}: gathered and looked into", in_a_process("rdm_info", lab, vms=[VM])))
            print(row(f"{disks}: converted", in_a_process("rdm_compatibility", lab, **convert)))
            print(
                row(f"{disks}: kept ones deleted", in_a_process("rdm_compatibility", lab, vm=VM, old_mapping="delete"))
            )
        print("\n" + head.format("2,000 LUNs and 60 mapped ones on 32 hosts, 200 VMs"))
        lab.world(LUNS)
        for name in ("rdm_info", "lun_info"):
            print(row(name, in_a_process(name, lab)))


if __name__ == "__main__":
    main()
