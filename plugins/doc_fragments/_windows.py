# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should use it.

"""The options by which every module reaches a Windows host, documented once."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options; their spec is C(_powershell/argument_spec.py)."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.11 on the machine where the module runs
  - pywinrm >= 0.5.0 in the same Python, if O(hostname) is given; pywinrm[kerberos] and pywinrm[credssp] for these
    transports
  - Windows PowerShell 4.0 (Windows Server 2012 R2) or 5.1 (later ones) on the Windows host, 64 bit and in the language
    mode FullLanguage; not PowerShell 7
options:
  hostname:
    description:
      - Host name or address of the Windows host. The module then runs where the task runs, so the task is to run on
        the controller or be delegated to C(localhost).
      - If it is not given, the task's own connection to the Windows host is used (C(winrm), C(psrp), or C(ssh) with a
        Windows shell), and no other connection option is allowed. Neither C(async) nor C(become) is possible then;
        the work is done as the user of that connection. A host that was never reached is unreachable, as for any task.
      - On a task with a local connection the value of the environment variable E(WINBACKUP_WINDOWS_HOST) is used if
        it is not given.
    type: str
  username:
    description:
      - User of the Windows host.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_USER) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_PASSWORD) is used.
    type: str
  port:
    description:
      - TCP port of the WinRM service; by default 5986, or 5985 with O(scheme=http).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_PORT) is used.
    type: int
  scheme:
    description:
      - Protocol of the WinRM service. The transports V(ntlm), V(kerberos) and V(credssp) seal their messages also
        over V(http).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_SCHEME) is used.
    type: str
    choices:
      - http
      - https
    default: https
  path:
    description:
      - Path of the WinRM service.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_PATH) is used.
    type: str
    default: /wsman
  transport:
    description:
      - How to log on. V(kerberos) takes the ticket of the user that runs the module if no O(password) is given.
      - A host with TLS 1.3 (Windows Server 2022 and later) may break off a logon by V(certificate); turn TLS 1.3 off at
        its listener.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_TRANSPORT) is used.
    type: str
    choices:
      - ntlm
      - kerberos
      - credssp
      - certificate
      - basic
    default: ntlm
  server_cert_validation:
    description:
      - Whether the host's certificate is checked.
      - For a certificate of a private authority give O(ca_trust_path) rather than switching the check off.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_SERVER_CERT_VALIDATION) is used.
    type: str
    choices:
      - validate
      - ignore
    default: validate
  ca_trust_path:
    description:
      - File with the certificates, in PEM form, of the authorities to trust.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_CA_TRUST_PATH) is used, and
        without that the authorities that the system trusts.
    type: path
  cert_pem:
    description:
      - File with the user's certificate in PEM form, for O(transport=certificate); goes with O(cert_key_pem).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_CERT_PEM) is used.
    type: path
  cert_key_pem:
    description:
      - File with the key of O(cert_pem) in PEM form.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_CERT_KEY_PEM) is used.
    type: path
  message_encryption:
    description:
      - Whether messages are sealed by the means of the transport; V(auto) seals over V(http).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_MESSAGE_ENCRYPTION) is used.
    type: str
    choices:
      - auto
      - always
      - never
    default: auto
  kerberos_hostname_override:
    description:
      - Name of the host in its Kerberos principal, where it is another than O(hostname).
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_KERBEROS_HOSTNAME_OVERRIDE) is
        used.
    type: str
  kerberos_delegation:
    description:
      - Whether the ticket is forwarded to the host.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_KERBEROS_DELEGATION) is used.
    type: bool
    default: false
  proxy:
    description:
      - URL of an HTTP proxy to go through. The proxy variables of the environment are not used.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_PROXY) is used.
    type: str
  connection_timeout:
    description:
      - Seconds that one request to the host may take.
      - If it is not given, the value of the environment variable E(WINBACKUP_WINDOWS_CONNECTION_TIMEOUT) is used.
    type: int
    default: 30
"""

    SELECTION = r"""
options:
  datasources:
    description:
      - Data sources by name, as the DPM console shows it, or by id. All that have the name are meant.
      - Of O(datasources), O(computers) and O(protection_groups) all that are given must match. None given means all.
      - An entry by which nothing is selected is an error.
    type: list
    elements: str
    default: []
  computers:
    description:
      - Protected computers by NetBIOS name or fully qualified name.
    type: list
    elements: str
    default: []
  protection_groups:
    description:
      - Protection groups by name.
    type: list
    elements: str
    default: []
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  action_group:
    description: Takes its connection options from C(module_defaults) of the group V(winbackup.storage.windows).
    support: full
    membership:
      - winbackup.storage.windows
"""
