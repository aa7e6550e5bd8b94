"""What is no host name and no port is said before anything is sent to it."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.address import check_host, check_port
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError


@pytest.mark.parametrize(
    "host",
    ["vcenter", "vcenter.example.com.", "192.0.2.1", "::1", "[2001:db8::1]", "fe80::1%eth0", "fe80::1%5", "サーバ"],
)
def test_a_host(host: str) -> None:
    check_host("hostname", host)


@pytest.mark.parametrize("host", ["https://vcenter", "vcenter:443", "vcenter/sdk", "root@vcenter", "a b", " ", "1:2"])
def test_more_than_a_host(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^hostname must be a host name or an address and nothing else"):
        check_host("hostname", host)


@pytest.mark.parametrize("port", [None, 1, 443, 65535])
def test_a_port(port: int | None) -> None:
    check_port("port", port)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_no_port(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"port must be between 1 and 65535, not {port}"):
        check_port("port", port)
