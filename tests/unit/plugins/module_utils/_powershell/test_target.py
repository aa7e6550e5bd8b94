# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a connection that are none are refused before anything is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target

GIVEN = {"hostname": "dpm01", "username": "u", "password": "p"}


@pytest.mark.parametrize("option", ["ca_trust_path", "cert_pem", "cert_key_pem"])
def test_an_empty_path_is_no_path_and_not_the_working_folder(option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{option} is empty"):
        Target.of({**GIVEN, option: ""})


@pytest.mark.parametrize(
    "proxy",
    ["http://u:ge/heim@proxy:1", "http://u:ge#heim@proxy", "u:ge?heim@proxy", "http://u:geheim@", "http://p:geheim"],
)
def test_a_proxy_that_is_no_address_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy is no address") as refused:
        Target.of({**GIVEN, "proxy": proxy})
    assert "heim" not in str(refused.value)


@pytest.mark.parametrize("proxy", ["http://p:3128", "https://u:g%2Fh@p:3128/", "u:g@p:1", "socks5://[::1]:1080", "p"])
def test_a_proxy_is_taken_in_every_way_in_which_it_is_written(proxy: str) -> None:
    assert Target.of({**GIVEN, "proxy": proxy}).protocol_arguments()["proxy"] == proxy


def test_a_folder_without_hashed_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("", encoding="ascii")
    with pytest.raises(ConfigurationError, match=r"holds no certificate under its hash.*openssl rehash"):
        Target.of({**GIVEN, "ca_trust_path": str(tmp_path)})
    (tmp_path / "0a1b2c3d.0").write_text("", encoding="ascii")
    assert Target.of({**GIVEN, "ca_trust_path": str(tmp_path)}).ca_trust_path == str(tmp_path)
