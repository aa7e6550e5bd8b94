# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody between a client and a host, who ends TLS with a certificate of its own and makes it anew."""

from __future__ import annotations

import select
import socket
import ssl
import threading

from wsman import Certificates


class Middleman:
    """Listens on `port` and hands everything on to the port of the host."""

    def __init__(self, host_port: int, certificates: Certificates) -> None:
        self._host_port = host_port
        self._context = certificates.server_context()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Middleman:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        client = self._context.wrap_socket(connection, server_side=True)
        host = trusting.wrap_socket(socket.create_connection(("127.0.0.1", self._host_port)))
        others = {client: host, host: client}
        with client, host:
            while True:
                ready = [one for one in others if one.pending()] or select.select(list(others), [], [])[0]
                for one in ready:
                    # What has come may be a ticket of TLS and nothing to hand on.
                    one.settimeout(0.05)
                    try:
                        data = one.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    others[one].settimeout(10)
                    others[one].sendall(data)
