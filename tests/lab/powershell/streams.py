"""The few objects of .NET that the frame around scripts is made of: an encoding, streams, gzip, a hash."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Any

from .unknown import UnknownConstruct
from .values import NOTHING, EnumValue


class NetObject:
    """An object with methods, by their names in lower case; `type_name` is what .NET calls it."""

    def __init__(self, type_name: str, **methods: Callable[..., Any]) -> None:
        self.ps_type_names = (type_name, "System.Object")
        self._methods = methods

    def ps_get(self, name: str) -> Any:
        raise UnknownConstruct(f"the property {name} of a {self.ps_type_names[0]}")

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() not in self._methods:
            raise UnknownConstruct(f"{self.ps_type_names[0]}.{name}")
        result = self._methods[name.lower()](*arguments)
        return NOTHING if result is None else result


def utf8(with_mark: bool) -> NetObject:
    def get_string(data: bytes) -> str:
        return data.decode("utf-8", "replace")

    return NetObject("System.Text.UTF8Encoding", getstring=get_string, getbytes=str.encode)


class MemoryStream(NetObject):
    """System.IO.MemoryStream, empty at first."""

    def __init__(self) -> None:
        self.data = b""
        super().__init__("System.IO.MemoryStream", toarray=lambda: self.data)


class GzipStream(NetObject):
    """System.IO.Compression.GZipStream: its stream has the data when it is closed, not before."""

    def __init__(self, stream: MemoryStream, mode: EnumValue) -> None:
        if mode.name != "Compress":
            raise UnknownConstruct("a GZipStream that decompresses")
        self._stream, self._held = stream, b""
        super().__init__("System.IO.Compression.GZipStream", write=self._write, close=self._close)

    def _write(self, data: bytes, start: int, count: int) -> None:
        self._held += data[start : start + count]

    def _close(self) -> None:
        self._stream.data = gzip.compress(self._held, mtime=0)


def sha256() -> NetObject:
    return NetObject("System.Security.Cryptography.SHA256", computehash=lambda data: hashlib.sha256(data).digest())
