# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source winbackup.storage.dpm_events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
---
short_description: Events of Windows machines and DPM servers whose backups fail for their storage
description:
  - Looks at the event logs of DPM servers and other Windows machines over WinRM, and at the alerts of DPM, and makes
    an
    event of each record that tells of a fault which this collection cures or leads to the cure of. Nothing is
    installed
    on the servers and nothing is changed there.
  - An event is already named. It is C({dpm, meta}) where it is about recovery points of DPM, else C({windows,
    meta}). Both hold
    C(server), C(kind) (C(record) or C(alert)), C(signature), C(confidence), C(summary), C(cause), C(next),
    C(volume), C(disk),
    C(datasource), and the C(record) (C(log), C(provider), C(id), C(record), C(time), C(codes)) or the C(alert)
    (C(id), C(code),
    C(severity), C(type), C(since), C(message)). What is not known is null. C(more) is how many events with a
    signature are still to come of the same look at the server, so that a rule can answer all of them at the last.
  - Signatures and confidences are those of M(winbackup.storage.backup_failure_info). The event is a trigger only.
    What is
    to be done is decided by what the server says when an action runs.
  - No event is lost while the source, the server or the network is away, as long as the server's logs still hold it.
  - After a restart some are told again, since a rule engine that was killed has forgotten what it had gathered. With
    O(state) those that had been told in its last ten minutes, without it those of the last O(since); and the alerts
    that are active. They have the same C(meta.uuid), by which ansible-rulebook with C(--persistence-id) drops them.
    With O(state) and O(feedback) none is told twice.
  - A server that is away is asked again after 5 seconds, then after twice as long each time, up to five minutes. The
    source ends
    with an error for wrong options and for a refused logon, which is not repeated, so that no account is locked.
options:
  servers:
    description:
      - The servers. Each is a host name, or a table of the connection options below for this server, where they are
        others
        than those of the source.
      - Without it, the one that O(hostname) or the environment names.
    type: list
    elements: raw
    default: []
  signatures:
    description: Only events of these faults, as M(winbackup.storage.backup_failure_info) has them. Without it, of
      all.
    type: list
    elements: str
    choices: [rdm_physical_shadow_copy, capacity_mismatch, truncated_at_2_tib, replica_offline,
      recovery_point_volume_short, replica_inconsistent]
    default: []
  alerts:
    description: Whether the active alerts of DPM are events, too. One of another fault has no C(signature).
    type: bool
    default: true
  interval:
    description: Seconds between two looks at the logs of a server.
    type: int
    default: 60
  alerts_interval:
    description: Seconds between two looks at the alerts of DPM, which cost a DPM server more.
    type: int
    default: 300
  since:
    description:
      - How far back the logs are looked at where nothing is known of an earlier run, as C(15m), C(24h), C(7d), or a
        time as
        C(2026-11-24T22:00:00Z).
    type: str
    default: 15m
  state:
    description:
      - A file in which is kept what was handled. It belongs to one source. Where containers come and go, let it lie
        on
        a volume that stays, or leave it out and use C(--persistence-id).
    type: path
  feedback:
    description:
      - Whether an event counts as handled only once the rule engine has said that it took it. ansible-rulebook
        demands
        C(--persistence-id) and a name of the source for that.
    type: bool
    default: false
  feedback_timeout:
    description: Seconds to wait for that. Then the event is sent again.
    type: int
    default: 120
  meta_hosts:
    description:
      - Whether events carry the server as C(meta.hosts), so that actions run with a limit to it. The server must
        then stand in the
        inventory under this very name. Else a playbook finds no host, does nothing and counts as successful.
    type: bool
    default: false
  timeout:
    description: Seconds that one look at a server may take.
    type: int
    default: 300
  hostname:
    description: Host name or address of the server; E(WINBACKUP_WINDOWS_HOST).
    type: str
  username:
    description: User; E(WINBACKUP_WINDOWS_USER).
    type: str
  password:
    description: Password; E(WINBACKUP_WINDOWS_PASSWORD).
    type: str
  port:
    description: Port of WinRM. Without it 5986 for https, 5985 for http; E(WINBACKUP_WINDOWS_PORT).
    type: int
  scheme:
    description: How the server is reached; E(WINBACKUP_WINDOWS_SCHEME).
    type: str
    choices: [http, https]
    default: https
  path:
    description: Path of the WinRM service; E(WINBACKUP_WINDOWS_PATH).
    type: str
    default: /wsman
  transport:
    description:
      - How the user is proved; E(WINBACKUP_WINDOWS_TRANSPORT). With V(kerberos) the servers of a source are read one
        after the other,
        since a ticket stands in the environment of the process.
    type: str
    choices: [ntlm, kerberos, credssp, certificate, basic]
    default: ntlm
  server_cert_validation:
    description: Whether the server's certificate is checked; E(WINBACKUP_WINDOWS_SERVER_CERT_VALIDATION).
    type: str
    choices: [validate, ignore]
    default: validate
  ca_trust_path:
    description: File or folder of the authorities that are trusted; E(WINBACKUP_WINDOWS_CA_TRUST_PATH).
    type: path
  cert_pem:
    description: Certificate of the user, for V(certificate); E(WINBACKUP_WINDOWS_CERT_PEM).
    type: path
  cert_key_pem:
    description: Its key; E(WINBACKUP_WINDOWS_CERT_KEY_PEM).
    type: path
  message_encryption:
    description: Whether messages are encrypted by the transport; E(WINBACKUP_WINDOWS_MESSAGE_ENCRYPTION).
    type: str
    choices: [auto, always, never]
    default: auto
  kerberos_hostname_override:
    description: Host name that the ticket is for; E(WINBACKUP_WINDOWS_KERBEROS_HOSTNAME_OVERRIDE).
    type: str
  kerberos_delegation:
    description: Whether the ticket may be delegated; E(WINBACKUP_WINDOWS_KERBEROS_DELEGATION).
    type: bool
    default: false
  proxy:
    description: HTTP proxy; E(WINBACKUP_WINDOWS_PROXY).
    type: str
  connection_timeout:
    description: Seconds for one request; E(WINBACKUP_WINDOWS_CONNECTION_TIMEOUT).
    type: int
    default: 30
requirements:
  - ansible-core and pywinrm in the Python that runs ansible-rulebook, which must be 3.11 or later
"""

EXAMPLES = r"""
# The server, the user and the password stand in WINBACKUP_WINDOWS_HOST, _USER and _PASSWORD.
- name: dpm
  winbackup.storage.dpm_events:
    state: /var/lib/eda/dpm_events.json

- name: dpm
  winbackup.storage.dpm_events:
    servers:
      - dpm01.example.com
      - hostname: dpm02.example.net
        username: reader@EXAMPLE.NET
        password: "{{ dpm02_password }}"
    username: reader@EXAMPLE.COM
    password: "{{ dpm_password }}"
    signatures: [replica_offline, replica_inconsistent]
    feedback: true
"""


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Puts events into the queue for as long as the rulebook runs; raises for wrong options and a refused logon."""
    # Sources are run as files. The folder that holds ansible_collections is found by where this file lies, and not by
    # what a link to it leads to.
    top = str(Path(__file__).absolute().parents[7])
    if top not in sys.path:
        sys.path.insert(0, top)
    from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import settings_of
    from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.watching import Watcher

    given = dict(args)
    feedback = given.pop("eda_feedback_queue", None)
    await Watcher(settings_of(given), queue, feedback).run()
