#!/usr/bin/env python3
"""Reading a DPM server on the lab: seconds and requests for 1 to 600 data sources, by every common way in.

Run it with the Python of the checkout's .venv. The last lines compare one reading of all with a reading of each, as a
loop over data sources would do it. The times are those of the lab's model; what carries over is the number of requests.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / ".build" / "tree"), str(ROOT / "tests" / "lab")]

from dpm.dpm import Dpm  # noqa: E402
from wsman.powershell import PowerShellCommands  # noqa: E402
from wsman.site import Site, windows_site  # noqa: E402

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import (  # noqa: E402
    INFO,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (  # noqa: E402
    allocation_info,
    on_server,
)

WAYS = (("ntlm", "http"), ("ntlm", "https"), ("kerberos", "http"), ("credssp", "https"), ("basic", "https"))
COUNTS = (1, 60, 300, 600)
RUNS = 3
SAMPLE = 10


def read(site: Site, transport: str, scheme: str, **chosen: Any) -> tuple[float, int, int, int]:
    """Returns seconds, operations other than Receive, Receives, and requests of the handshake, of one reading."""
    defaults = {name: option.get("default") for name, option in INFO.options.items()}
    site.host.troubles.log.clear()
    start = time.perf_counter()
    call = ModuleCall({**defaults, **site.options(transport, scheme), **chosen})
    failure, _result = result_of(on_server(allocation_info), call)
    seconds = time.perf_counter() - start
    if failure is not None:
        sys.exit(failure)
    operations = site.host.troubles.operations()
    receives = operations.count("Receive")
    return seconds, len(operations) - receives, receives, len(site.host.troubles.log) - len(operations)


def main() -> None:
    """Prints the table."""
    dpm = Dpm()
    print(f"{'way in':16} {'data sources':>12} {'seconds':>8} {'operations':>10} {'Receives':>8} {'handshake':>9}")
    with windows_site(PowerShellCommands(dpm.new_session)) as site:
        for transport, scheme in WAYS:
            if transport == "kerberos" and site.kdc is None:
                print(f"{'kerberos http':16} no KDC is installed on this machine")
                continue
            for count in COUNTS:
                dpm.control.generate(count)
                runs = [read(site, transport, scheme) for _run in range(RUNS)]
                seconds = statistics.median(run[0] for run in runs)
                _first, operations, receives, handshake = runs[-1]
                way = f"{transport} {scheme}"
                print(f"{way:16} {count:12} {seconds:8.2f} {operations:10} {receives:8} {handshake:9}", flush=True)
        at_once = read(site, "ntlm", "https")
        ids = [source["id"] for source in dpm.control.state()["datasources"][:SAMPLE]]
        each = [read(site, "ntlm", "https", datasources=[one]) for one in ids]
    total = statistics.mean(run[0] for run in each) * COUNTS[-1]
    print(
        f"\n{COUNTS[-1]} at once: {at_once[0]:.2f} s, {at_once[1]} operations. One by one (from {SAMPLE}): "
        f"{total:.0f} s, {each[0][1] * COUNTS[-1]} operations; {total / at_once[0]:.0f} times as long."
    )


if __name__ == "__main__":
    main()
