#!/usr/bin/env python3
"""rdm_info and lun_info on a lab vCenter with many hosts that all see many LUNs; prints a table.

Each LUN tells INQUIRY data of the size that LUNs of arrays commonly have (see generated.go of the lab), which is most
of what a host sends. Measured in turn, each in a process of its own:
- rdm_info and lun_info: the modules' code, from login to the result as JSON, with the most memory that it ever took;
- raw: the requests of rdm_info for the hosts' storage, their replies read and thrown away;
- govc: `collect` of the LUNs of all hosts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

from many_disks import WORK
from rdm_info import (
    ROOT,
    Server,
    Session,
    build_govc,
    connection,
    govc_environment,
    library,
    memory,
    read,
    thrown_away,
)

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import HOSTS_A_PAGE
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import STORAGE_PATHS

sys.path.insert(0, str(ROOT / "tests" / "lab"))

from vcenter_lab import VcenterLab

WORLD = "generated: {{vms: 200, hosts: {}, luns: {}, mappings: 60, mode: physical, inquiry: true}}\n"
# A server that shares its processors with the rest of the world may take long.
SECONDS = 7200


def measure(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Returns the seconds that a module, or "raw", takes, those of the processor, and its memory."""
    library.require()
    began, busy = time.perf_counter(), time.process_time()
    size = raw(options) if name == "raw" else module(name, options)
    return {
        "seconds": time.perf_counter() - began,
        "busy": time.process_time() - busy,
        "peak_bytes": memory("VmHWM"),
        "bytes": size,
    }


def module(name: str, options: dict[str, Any]) -> int:
    """Calls a module's code; returns the size of its result."""
    spec, work = WORK[name]
    defaults = {key: option.get("default") for key, option in spec.options.items()}
    failure, result = result_of(work, ModuleCall({**defaults, **options, "timeout": SECONDS}))
    assert failure is None, failure
    assert not [one for one in result["findings"] if one["code"] == "unreadable"], result["findings"]
    return len(json.dumps(result))


def raw(options: dict[str, Any]) -> int:
    """Reads the storage of all hosts and throws it away; returns the bytes of the replies."""
    session = Session.open(Server.of(options))
    views, vim = session.content.viewManager, library.vim
    view = views.CreateContainerView(session.content.rootFolder, [vim.HostSystem], True)
    hosts = [read.object_spec(host) for host in view.view]
    size = thrown_away(session, hosts, {"HostSystem": STORAGE_PATHS}, page_size=HOSTS_A_PAGE)
    session.close()
    return size


def in_a_process(name: str, lab: VcenterLab) -> dict[str, Any]:
    """Measures in a process of its own; adds the requests that the lab saw."""
    lab.clear_log()
    given = json.dumps({**connection(lab), "connection_timeout": SECONDS})
    done = subprocess.run([sys.executable, __file__, "--measure", name], input=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return {**json.loads(done.stdout), "requests": sum(lab.counts().values())}


def of_govc(lab: VcenterLab) -> dict[str, Any]:
    """Returns what govc takes for the LUNs of all hosts."""
    words = [str(build_govc()), "collect", "-json", "-type", "h", "/", "config.storageDevice.scsiLun"]
    lab.clear_log()
    began = time.perf_counter()
    govc = subprocess.Popen(words, env=govc_environment(lab), stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(govc.pid, 0)
    if status:
        sys.exit("govc failed")
    return {
        "seconds": time.perf_counter() - began,
        "busy": used.ru_utime + used.ru_stime,
        "requests": sum(lab.counts().values()),
        "peak_bytes": used.ru_maxrss * 1024,
    }


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=64)
    parser.add_argument("--luns", type=int, default=2000)
    parser.add_argument("--only", nargs="+", default=["raw", "rdm_info", "lun_info", "govc"])
    parser.add_argument("--measure", choices=["raw", *sorted(WORK)], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, json.load(sys.stdin))))
        return
    print(f"| {given.hosts} hosts, {given.luns:,} LUNs | time | processor | requests | memory | bytes |")
    print("| --- | --- | --- | --- | --- | --- |")
    with VcenterLab.start() as lab:
        # 40 LUNs are mapped by the VMs, and 60 by the one with many mappings.
        lab.world(WORLD.format(given.hosts, given.luns - 100))
        for name in given.only:
            took = of_govc(lab) if name == "govc" else in_a_process(name, lab)
            size = f"{took['bytes'] / 1e6:.1f} MB" if "bytes" in took else ""
            print(
                f"| {name} | {took['seconds']:.1f} s | {took['busy']:.1f} s | {took['requests']} "
                f"| {took['peak_bytes'] / 1e6:.0f} MB | {size} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
