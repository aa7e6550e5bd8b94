# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control port: the control of the server and the troubles of its WinRM front, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wsman import WinRmHost

from . import BANNER
from .control import Control
from .texts import DpmError


def _front(host: WinRmHost) -> dict[str, Callable[..., Any]]:
    """What the control port can do to the WinRM front, by name."""
    troubles = host.troubles
    return {
        "trouble": lambda **details: troubles.add(**details) and None,
        "clear": troubles.clear,
        "log": troubles.log_as_dicts,
        "drop_connections": host.drop_connections,
        "reboot": host.reboot,
        "let_time_pass": host.let_time_pass,
        "shells": lambda: len(host.shells.open),
    }


class ControlPort:
    """Serves POST /dpm/NAME and POST /winrm/NAME, the arguments as a JSON object, until it is closed."""

    def __init__(self, control: Control, host: WinRmHost) -> None:
        front = _front(host)

        def carry_out(path: str, arguments: dict[str, Any]) -> Any:
            _, area, name = (*path.split("/"), "", "")[:3]
            if area == "dpm":
                return control.do(name, **arguments)
            if area == "winrm" and name in front:
                return front[name](**arguments)
            raise LookupError(f"nothing is at {path}")

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    status, answer = 200, {"note": BANNER, "result": carry_out(self.path, json.loads(body or b"{}"))}
                except (LookupError, TypeError, ValueError, DpmError) as error:
                    status, answer = 400, {"note": BANNER, "error": f"{type(error).__name__}: {error}"}
                data = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: requests may hold names of people."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="dpm control", daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
