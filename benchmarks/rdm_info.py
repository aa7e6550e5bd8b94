#!/usr/bin/env python3
"""rdm_info beside what people use today, on a lab vCenter of many VMs; prints a table and what its goals came to.

Measured in turn, each in a process of its own, without the start of Python:
- rdm_info: the module's code, from login to the result;
- one task of rdm_info: a playbook of it, with what Ansible does to the result, less one of an empty task;
- raw: the same requests by the same connection, their replies read and thrown away;
- govc: `collect` of the same properties of the VMs (the only one here with its start-up, some 30 ms);
- vmware_guest_disk_info of community.vmware, in a loop over a sample; what it takes for all VMs is computed.

The lab answers more slowly than a real vCenter may, or faster: the ratios are what counts, and the peers are served by
the same lab. The peer is installed below .build from the package ansible.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / ".build" / "tree"), str(ROOT / "tests" / "lab")]

from go_programs import OUTPUT  # noqa: E402
from govc_client import build as build_govc  # noqa: E402
from govc_client import govc_environment  # noqa: E402
from vcenter_lab import VcenterLab  # noqa: E402

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library, read  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import HOSTS_A_PAGE  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (  # noqa: E402
    DATASTORE_PATHS,
    FOLDER_PATHS,
    HOST_PATHS,
    STORAGE_PATHS,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import (  # noqa: E402
    EXTRA_PATHS,
    MACHINE_PATHS,
    OPEN_PATH,
)

PEER = OUTPUT.parent / "peer"
PEER_PACKAGES = ("ansible==12.0.0", "pyvmomi==9.1.1.0", "requests")
HOST = re.compile(rb'<obj[^>]* type="HostSystem"[^>]*>([^<]+)</obj>')
TOKEN = re.compile(rb"<token>([^<]+)</token>")
# What rdm_info reads of everything; that it is so is compared with the lab's log before anything is said.
PATHS: dict[str, Sequence[str]] = {
    "VirtualMachine": (*MACHINE_PATHS, OPEN_PATH),
    "HostSystem": HOST_PATHS,
    "Datastore": DATASTORE_PATHS,
    "Task": ("info.state", "info.descriptionId"),
    **FOLDER_PATHS,
}
GOALS = {"raw": 1.3, "task": 2.0, "loop": 500.0, "megabytes": 30.0}


def connection(lab: VcenterLab) -> dict[str, Any]:
    """Returns the connection options of a module."""
    return {
        "hostname": lab.host,
        "port": lab.port,
        "username": lab.username,
        "password": lab.password,
        "ca_path": lab.ca_path,
        "connection_timeout": 600,
    }


# --- what a process of its own measures -------------------------------------------------------------------------


def memory(name: str) -> int:
    """Returns a figure of this process's memory in bytes: "VmRSS" or its peak, "VmHWM"."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith(name)).split()[1]) * 1024


def measured(work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the seconds and the growth of memory that a piece of work takes, beside what it returns."""
    library.require()
    before, began = memory("VmRSS"), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "growth_bytes": memory("VmHWM") - before, **result}


def measure_rdm_info(options: dict[str, Any]) -> dict[str, Any]:
    """Calls the module's code."""
    defaults = {name: option.get("default") for name, option in RDM_INFO.options.items()}

    def work() -> Mapping[str, Any]:
        failure, result = result_of(rdm_info, ModuleCall({**defaults, **options}))
        assert failure is None, failure
        return {"summary": result["summary"]}

    return measured(work)


def measure_raw(options: dict[str, Any], mapped: Sequence[str]) -> dict[str, Any]:
    """Sends what rdm_info sends, and throws the replies away; `mapped` are the VMs with mappings."""
    kinds = [kind for kind in PATHS if kind != "Task"]

    def work() -> Mapping[str, Any]:
        session = Session.open(Server.of(options))
        vim, views = library.vim, session.content.viewManager
        view = views.CreateContainerView(session.content.rootFolder, [getattr(vim, kind) for kind in kinds], True)
        along = read.traversal(vim.view.ContainerView, "view", read.traversal(vim.VirtualMachine, "recentTask"))
        hosts: dict[str, None] = {}
        size = thrown_away(session, [read.object_spec(view, along, skip=True)], PATHS, hosts=hosts)
        view.DestroyView()
        machines = [read.object_spec(read.reference("VirtualMachine", machine)) for machine in mapped]
        size += thrown_away(session, machines, {"VirtualMachine": EXTRA_PATHS}) if mapped else 0
        starts = [read.object_spec(read.reference("HostSystem", host)) for host in hosts]
        size += thrown_away(session, starts, {"HostSystem": STORAGE_PATHS}, page_size=HOSTS_A_PAGE)
        session.close()
        return {"bytes": size}

    return measured(work)


def thrown_away(
    session: Session,
    start: Sequence[Any],
    paths: Mapping[str, Sequence[str]],
    *,
    page_size: int = read.PAGE_SIZE,
    hosts: dict[str, None] | None = None,
) -> int:
    """Asks for properties as rdm_info does, the next page while one is read; returns the bytes of the replies, and the
    ids of the hosts in them where somebody wants these."""
    collector, query, size = session.content.propertyCollector, library.vmodl.query.PropertyCollector, 0
    wanted = [
        query.PropertySpec(type=getattr(library.vim, kind), all=False, pathSet=list(names))
        for kind, names in paths.items()
    ]
    specs = [query.FilterSpec(objectSet=list(start), propSet=wanted, reportMissingObjectsInResults=True)]
    options = query.RetrieveOptions(maxObjects=page_size)
    asked = session.ask(collector, "RetrievePropertiesEx", specs, options)
    while asked is not None:
        exchange, asked = asked, None
        with exchange.reply() as reply:
            while chunk := reply.read(65536):
                size += len(chunk)
                if hosts is not None:
                    hosts.update(dict.fromkeys(found.decode() for found in HOST.findall(chunk)))
                token = TOKEN.search(chunk) if asked is None else None
                if token is not None:
                    asked = session.ask(collector, "ContinueRetrievePropertiesEx", token.group(1).decode())
    return size


# --- what is measured from outside ------------------------------------------------------------------------------


def in_a_process(what: str, lab: VcenterLab, mapped: Sequence[str]) -> dict[str, Any]:
    """Measures something in a process of its own; adds the requests that the lab saw."""
    lab.clear_log()
    given = json.dumps({"options": connection(lab), "mapped": list(mapped)})
    done = subprocess.run([sys.executable, __file__, "--measure", what], input=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    log = lab.log()
    result["requests"] = len(log)
    result["asked"] = [(entry["method"], entry["summary"]) for entry in log]
    return result


def of_govc(lab: VcenterLab) -> float:
    """Returns the seconds that govc takes for the same properties of the VMs."""
    began = time.perf_counter()
    words = [str(build_govc()), "collect", "-json", "-type", "m", "/", *MACHINE_PATHS]
    done = subprocess.run(words, env=govc_environment(lab), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.stderr.decode())
    return time.perf_counter() - began


ONE_TASK = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Only this
      register: mappings
      %s:
"""


def of_task(lab: VcenterLab, module: str) -> float:
    """Returns the seconds that a playbook takes whose only task is this module without options."""
    playbook = OUTPUT.parent / "one_task.yml"
    playbook.write_text(ONE_TASK % module, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VMWARE_"))}
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
        "ANSIBLE_HOME": str(OUTPUT.parent / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    words = [sys.executable, "-m", "ansible", "playbook", str(playbook)]
    began = time.perf_counter()
    done = subprocess.run(words, env={**kept, **settings, **lab.variables()}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - began


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - community.vmware.vmware_guest_disk_info:
        hostname: "{{ lab.hostname }}"
        port: "{{ lab.port }}"
        username: "{{ lab.username }}"
        password: "{{ lab.password }}"
        validate_certs: false
        datacenter: DC
        name: "{{ item }}"
      loop: "{{ names }}"
      loop_control: {label: ""}
"""


def ensure_peer() -> Path:
    """Installs the peer if it is not there; returns its ansible-playbook."""
    program = PEER / "bin" / "ansible-playbook"
    if not program.exists():
        print("installing the peer (the package ansible is big)", file=sys.stderr, flush=True)
        venv.create(PEER, with_pip=True)
        subprocess.run([str(PEER / "bin" / "python"), "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)
    return program


def of_loop(lab: VcenterLab, names: Sequence[str]) -> float:
    """Returns the seconds that a playbook takes to ask the peer's module for each of the VMs named."""
    playbook = PEER / "loop.yml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    variables = json.dumps({"lab": connection(lab), "names": list(names)})
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VMWARE_"))},
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_HOME": str(PEER / "home"),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [str(ensure_peer()), "-i", "localhost,", "-c", "local", str(playbook), "-e", variables],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - began


def compare(lab: VcenterLab, vms: int, runs: int, sample: int) -> tuple[list[tuple[str, ...]], dict[str, float]]:
    """Returns the rows of the table, and the figures that have goals."""
    lab.world(f"generated: {{vms: {vms}}}\n")
    mapped = [vm["moid"] for vm in lab.state()["vms"] if any(disk["kind"] == "rdm" for disk in vm["devices"])]
    ours, raw, govc, tasks = [], [], [], []
    for _run in range(runs):
        raw.append(in_a_process("raw", lab, mapped))
        ours.append(in_a_process("rdm_info", lab, mapped))
        govc.append(of_govc(lab))
        tasks.append(of_task(lab, "winbackup.storage.rdm_info") - of_task(lab, "ansible.builtin.ping"))
    if ours[0]["asked"] != raw[0]["asked"]:
        sys.exit("raw and rdm_info did not ask the same: this comparison is worth nothing")
    mine = statistics.median(run["seconds"] for run in ours)
    bare = statistics.median(run["seconds"] for run in raw)
    theirs = statistics.median(govc)
    growth = statistics.median(run["growth_bytes"] for run in ours) / 1e6
    ratio = statistics.median(a["seconds"] / b["seconds"] for a, b in zip(ours, raw, strict=True))
    task = statistics.median(tasks)
    whole = statistics.median(a / b["seconds"] for a, b in zip(tasks, raw, strict=True))
    figures = {"raw": ratio, "task": whole, "govc": theirs / mine, "megabytes": growth}
    rows = [
        ("rdm_info", f"{mine:.2f} s", str(ours[0]["requests"]), f"{growth:.1f} MB", "1"),
        ("one task of rdm_info, less an empty one", f"{task:.2f} s", "", "", f"{task / mine:.2f}"),
        ("raw, thrown away", f"{bare:.2f} s", str(raw[0]["requests"]), "", f"{1 / ratio:.2f}"),
        ("govc collect, VMs only", f"{theirs:.2f} s", "", "", f"{theirs / mine:.2f}"),
    ]
    if sample:
        of_loop(lab, ["vm-00000"])
        one, more = of_loop(lab, ["vm-00000"]), of_loop(lab, [f"vm-{index:05d}" for index in range(sample + 1)])
        each = (more - one) / sample
        figures["loop"] = each * vms / mine
        rows.append(
            (
                f"vmware_guest_disk_info, {each:.2f} s a VM",
                f"{each * vms:.0f} s (computed)",
                "",
                "",
                f"{figures['loop']:.0f}",
            )
        )
    return rows, figures


def table(vms: int, rows: Sequence[Sequence[str]], size: float) -> str:
    """Returns the table as Markdown."""
    head = (f"{vms:,} VMs, {size / 1e6:.0f} MB of replies", "time", "requests", "memory growth", "times rdm_info")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vms", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sample", type=int, default=5, help="VMs that the loop is measured over; 0 leaves it out")
    parser.add_argument("--measure", choices=["rdm_info", "raw"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        asked = json.load(sys.stdin)
        work = {"rdm_info": measure_rdm_info, "raw": lambda options: measure_raw(options, asked["mapped"])}
        print(json.dumps(work[given.measure](asked["options"])))
        return
    build_govc()
    if given.sample:
        ensure_peer()
    missed = []
    with VcenterLab.start() as lab:
        for vms in given.vms:
            rows, figures = compare(lab, vms, given.runs, given.sample)
            size = in_a_process("raw", lab, [])["bytes"]
            print(table(vms, rows, size), end="\n\n", flush=True)
            print(f"One task, less an empty one: {figures['task']:.2f} times the raw time.", end="\n\n", flush=True)
            missed += [f"{vms} VMs: {line}" for line in missed_goals(figures)]
    print("\n".join(missed) if missed else "All goals are met.")
    sys.exit(bool(missed))


def missed_goals(figures: Mapping[str, float]) -> list[str]:
    """Returns a line for each goal that was missed."""
    lines = []
    if figures["raw"] > GOALS["raw"]:
        lines.append(f"{figures['raw']:.2f} times the raw time; the goal is {GOALS['raw']}")
    if figures["task"] > GOALS["task"]:
        lines.append(f"a task takes {figures['task']:.2f} times the raw time; the goal is {GOALS['task']}")
    if figures["govc"] <= 1:
        lines.append("slower than govc")
    if figures["megabytes"] >= GOALS["megabytes"]:
        lines.append(f"memory grows by {figures['megabytes']:.1f} MB; the goal is {GOALS['megabytes']:.0f}")
    if figures.get("loop", GOALS["loop"] + 1) <= GOALS["loop"]:
        lines.append(f"{figures['loop']:.0f} times faster than the loop; the goal is {GOALS['loop']:.0f}")
    return lines


if __name__ == "__main__":
    main()
