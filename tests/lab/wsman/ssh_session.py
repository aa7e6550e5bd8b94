# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sshd runs for each command: hands it and its input to the lab's process over a socket, and gives back what comes
from there. A program by itself, that starts quickly."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys

# Of a frame to the lab: its length, which is 0 at the end of the input. Of a frame from there: its stream, its length.
INPUT, OUTPUT = struct.Struct(">I"), struct.Struct(">BI")
EXIT = 0


def received(link: socket.socket, length: int) -> bytes:
    """Returns so many bytes; raises ConnectionError where the other side ended before."""
    data = b""
    while len(data) < length:
        part = link.recv(length - len(data))
        if not part:
            raise ConnectionError("the other side is gone")
        data += part
    return data


def send(link: socket.socket, data: bytes) -> None:
    """Sends a frame of input."""
    link.sendall(INPUT.pack(len(data)) + data)


def main() -> int:
    """Returns the exit code of the command; that of an abort where sshd went away meanwhile."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(sys.argv[1])
    # The processes of one connection are a group, which leads sshd itself.
    said = {"command": os.environ.get("SSH_ORIGINAL_COMMAND"), "connection": os.getpgid(os.getppid())}
    send(link, json.dumps(said).encode())
    watched = select.poll()
    watched.register(0, select.POLLIN)
    watched.register(link, select.POLLIN)
    # Nothing is read there; it says when nobody reads what is written.
    watched.register(1, 0)
    while True:
        for number, event in watched.poll():
            if number == 1 and event:
                return 255
            if number == 0:
                data = os.read(0, 65536)
                send(link, data)
                if not data:
                    watched.unregister(0)
            if number == link.fileno():
                stream, length = OUTPUT.unpack(received(link, OUTPUT.size))
                data = received(link, length)
                if stream == EXIT:
                    return int(data)
                while data:
                    data = data[os.write(stream, data) :]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError:
        sys.exit(255)
