# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The oldest Python that the collection runs with, looked at before anything is imported that an older one cannot read.

This file, the modules, and what _core/module.py imports before it asks here, keep to what Python 3.8 reads: that is the
oldest on which Ansible itself still runs a module.
"""

from __future__ import annotations

import json
import sys

OLDEST = (3, 11)


def require_python() -> None:
    """Ends a module as failed, with the reason, where its Python is too old. Does nothing else.

    Raises ImportError on a controller, which Ansible shows as it is."""
    if tuple(sys.version_info[:2]) >= OLDEST:
        return
    needed, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
    this = f"and this is Python {found} ({sys.executable})"
    # Nothing that runs on a host has Ansible's plugins.
    if "ansible.plugins" in sys.modules:
        raise ImportError(
            f"The collection winbackup.storage needs Python {needed} or later where Ansible runs, {this}. "
            "Install ansible-core with a newer one."
        )
    message = (
        f"The collection winbackup.storage needs Python {needed} or later where its modules run, {this}. "
        "Set ansible_python_interpreter of the host that runs the task to a newer one; "
        "for localhost that may be {{ ansible_playbook_python }}."
    )
    # As AnsibleModule.fail_json would: no module could be made yet.
    sys.stdout.write(json.dumps({"failed": True, "changed": False, "msg": message}) + "\n")
    raise SystemExit(1)
