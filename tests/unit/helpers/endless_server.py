"""A server whose answer to a reading never ends, and the process that reads it and says how much memory it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pyVmomi import vim

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import read_inventory
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import returned, session_with

_HEAD = (
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<Body><RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>'
)
_OBJECT = '<objects><obj type="{}">{}</obj><propSet><name>{}</name><val>'
_END_OF_OBJECT = "</val></propSet></objects>"


def objects_without_end() -> Iterator[str]:
    """Yields VMs whose disk has a long name, one after the other."""
    number = 0
    while True:
        backing = (
            f'<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[a] {number:060000}</fileName></backing>'
        )
        disk = f'<VirtualDevice xsi:type="VirtualDisk"><key>2000</key>{backing}</VirtualDevice>'
        yield _OBJECT.format("VirtualMachine", f"vm-{number}", "config.hardware.device") + disk + _END_OF_OBJECT
        number += 1


def elements_without_end() -> Iterator[str]:
    """Yields one VM whose devices have no end."""
    yield _OBJECT.format("VirtualMachine", "vm-1", "config.hardware.device")
    while True:
        yield "<a/>" * 16_000


def luns_without_end() -> Iterator[str]:
    """Yields the storage of one host, whose LUNs have no end."""
    yield _OBJECT.format("HostSystem", "host-1", "config.storageDevice.scsiLun")
    number = 0
    while True:
        named = f"<key>{number}</key><canonicalName>naa.{number:060000}</canonicalName>"
        yield f"<HostScsiDisk>{named}{'<data>12</data>' * 500}</HostScsiDisk>"
        number += 1


_HOST = _HEAD + _OBJECT.format("HostSystem", "host-1", "name") + "esx1" + _END_OF_OBJECT
_WHOLE = _HOST + "</returnval></RetrievePropertiesExResponse></Body></Envelope>"
ANSWERS = {
    "objects": (objects_without_end,),
    "elements": (elements_without_end,),
    "LUNs": (lambda: iter((_WHOLE.removeprefix(_HEAD),)), luns_without_end),
}


@contextmanager
def endless(kind: str) -> Iterator[int]:
    """Gives the port of a server whose readings are answered so."""
    waiting = list(ANSWERS[kind])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if "<RetrievePropertiesEx " not in request:
                method = "CreateContainerView" if "<CreateContainerView" in request else "DestroyView"
                made = vim.view.ContainerView("view-1") if method == "CreateContainerView" else None
                body = returned(method, made).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                self.wfile.write(_HEAD.encode())
                for text in waiting.pop(0)():
                    self.wfile.write(text.encode())
            except OSError:
                pass

        def log_message(self, *_arguments: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def read_in_a_process(kind: str) -> dict[str, Any]:
    """Returns what a process of its own read of such a server, and the most memory that it took, in bytes."""
    with endless(kind) as port:
        words = [sys.executable, "-m", __name__, str(port)]
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env=found)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def main() -> None:
    """Reads the inventory of the server on the port that is given; prints what came of it."""
    said: dict[str, Any] = {}
    try:
        inventory = read_inventory(session_with(int(sys.argv[1])))
        said["complete"] = inventory.complete
        said["findings"] = [finding.message for finding in inventory.findings]
        said["hosts"] = [str(part) for host in inventory.hosts.values() for part in host.unreadable]
    except StorageError as error:
        said["error"] = str(error)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    said["peak_bytes"] = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    print(json.dumps(said))


if __name__ == "__main__":
    main()
