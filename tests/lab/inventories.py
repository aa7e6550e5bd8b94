# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the lab's Windows hosts stand in an inventory of Ansible's."""

from __future__ import annotations

from typing import Any


def winrm_variables(host: str, port: int, user: str, password: str, ca_path: str) -> dict[str, Any]:
    """Returns the variables of a host that Ansible's connection winrm reaches over TLS."""
    return {
        "ansible_connection": "winrm",
        "ansible_host": host,
        "ansible_port": port,
        "ansible_user": user,
        "ansible_password": password,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": ca_path,
    }
