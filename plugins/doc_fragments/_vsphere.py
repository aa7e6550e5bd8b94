# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should use it.

"""The options by which every vSphere module reaches its server, documented once."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options; their spec is C(_vsphere/argument_spec.py)."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.11 on the machine where the module runs
  - pyVmomi >= 8.0.3.0.1 in the same Python
options:
  hostname:
    description:
      - Host name or address of the vCenter, or of a stand-alone ESXi host.
      - If it is not given, the value of the environment variable E(VMWARE_HOST) is used.
    type: str
  username:
    description:
      - User of the vCenter or ESXi host.
      - If it is not given, the value of the environment variable E(VMWARE_USER) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If it is not given, the value of the environment variable E(VMWARE_PASSWORD) is used.
    type: str
  port:
    description:
      - TCP port of the API.
      - If it is not given, the value of the environment variable E(VMWARE_PORT) is used.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the server's certificate is checked.
      - For a certificate of a private authority give O(ca_path) rather than switching the check off.
      - If it is not given, the value of the environment variable E(VMWARE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates, in PEM form, of the authorities to trust.
      - A vCenter offers its own at C(https://<vcenter>/certs/download.zip).
      - If it is not given, the value of the environment variable E(VMWARE_CA_PATH) is used, and without that the
        authorities that the system trusts.
    type: path
  proxy_host:
    description:
      - Host name or address of an HTTP proxy to go through; this needs pyVmomi 9.0 or later.
      - If it is not given, the value of the environment variable E(VMWARE_PROXY_HOST) is used.
    type: str
  proxy_port:
    description:
      - TCP port of O(proxy_host); the two go together.
      - If it is not given, the value of the environment variable E(VMWARE_PROXY_PORT) is used.
    type: int
  connection_timeout:
    description:
      - Seconds that one request to the server may take.
    type: int
    default: 60
"""
