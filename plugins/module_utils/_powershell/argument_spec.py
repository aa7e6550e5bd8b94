# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options by which every module reaches a Windows host over WinRM."""

from __future__ import annotations

from ansible.module_utils.basic import env_fallback

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec

_PREFIX = "WINBACKUP_WINDOWS"

CONNECTION = ArgumentSpec(
    {
        "hostname": {"type": "str", "fallback": (env_fallback, [f"{_PREFIX}_HOST"])},
        "username": {"type": "str", "fallback": (env_fallback, [f"{_PREFIX}_USER"])},
        "password": {"type": "str", "no_log": True, "fallback": (env_fallback, [f"{_PREFIX}_PASSWORD"])},
        "port": {"type": "int", "fallback": (env_fallback, [f"{_PREFIX}_PORT"])},
        "scheme": {
            "type": "str",
            "choices": ["http", "https"],
            "default": "https",
            "fallback": (env_fallback, [f"{_PREFIX}_SCHEME"]),
        },
        "path": {"type": "str", "default": "/wsman", "fallback": (env_fallback, [f"{_PREFIX}_PATH"])},
        "transport": {
            "type": "str",
            "choices": ["ntlm", "kerberos", "credssp", "certificate", "basic"],
            "default": "ntlm",
            "fallback": (env_fallback, [f"{_PREFIX}_TRANSPORT"]),
        },
        "server_cert_validation": {
            "type": "str",
            "choices": ["validate", "ignore"],
            "default": "validate",
            "fallback": (env_fallback, [f"{_PREFIX}_SERVER_CERT_VALIDATION"]),
        },
        "ca_trust_path": {"type": "path", "fallback": (env_fallback, [f"{_PREFIX}_CA_TRUST_PATH"])},
        "cert_pem": {"type": "path", "fallback": (env_fallback, [f"{_PREFIX}_CERT_PEM"])},
        # The path of a file, which is no secret; its content is.
        "cert_key_pem": {"type": "path", "no_log": False, "fallback": (env_fallback, [f"{_PREFIX}_CERT_KEY_PEM"])},
        "message_encryption": {
            "type": "str",
            "choices": ["auto", "always", "never"],
            "default": "auto",
            "fallback": (env_fallback, [f"{_PREFIX}_MESSAGE_ENCRYPTION"]),
        },
        "kerberos_hostname_override": {
            "type": "str",
            "fallback": (env_fallback, [f"{_PREFIX}_KERBEROS_HOSTNAME_OVERRIDE"]),
        },
        "kerberos_delegation": {
            "type": "bool",
            "default": False,
            "fallback": (env_fallback, [f"{_PREFIX}_KERBEROS_DELEGATION"]),
        },
        "proxy": {"type": "str", "fallback": (env_fallback, [f"{_PREFIX}_PROXY"])},
        "connection_timeout": {
            "type": "int",
            "default": 30,
            "fallback": (env_fallback, [f"{_PREFIX}_CONNECTION_TIMEOUT"]),
        },
    },
    {"required_together": [["cert_pem", "cert_key_pem"]]},
)
