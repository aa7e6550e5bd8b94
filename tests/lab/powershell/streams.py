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
        self.data = bytearray()
        self._methods = methods

    def ps_get(self, name: str) -> Any:
        raise UnknownConstruct(f"the property {name} of a {self.ps_type_names[0]}")

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() not in self._methods:
            raise UnknownConstruct(f"{self.ps_type_names[0]}.{name}")
        result = self._methods[name.lower()](*arguments)
        return NOTHING if result is None else result


def utf8() -> NetObject:
    return NetObject("System.Text.UTF8Encoding", getstring=lambda data: data.decode(), getbytes=str.encode)


def memory_stream() -> NetObject:
    stream = NetObject("System.IO.MemoryStream", toarray=lambda: bytes(stream.data))
    return stream


def gzip_stream(target: NetObject, mode: EnumValue) -> NetObject:
    """A stream whose target has the data when it is closed, not before."""
    if mode.name != "Compress":
        raise UnknownConstruct("a GZipStream that decompresses")
    held = bytearray()
    return NetObject(
        "System.IO.Compression.GZipStream",
        write=lambda data, start, count: held.extend(data[start : start + count]),
        close=lambda: target.data.extend(gzip.compress(held, mtime=0)),
    )


def sha256() -> NetObject:
    return NetObject("System.Security.Cryptography.SHA256", computehash=lambda data: hashlib.sha256(data).digest())
