# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins of the modules for vCenter and ESXi share. There is one way so far, that of every module."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.plugin_utils._action import StorageAction


class EsxiAction(StorageAction):
    """The action plugin of a module whose work is done over the vSphere API."""

    def no_way(self) -> str:
        name = str(self._task.action).rpartition(".")[2]
        where = "a Windows host" if self.is_windows else "a host that it does not work on"
        return (
            f"{name} talks to a vCenter or an ESXi host over its API, and the task's own connection ({self.kind}) "
            f"leads to {where}. {self.way_to_controller()}, and give hostname, username and password: in the task, in "
            "module_defaults of the group winbackup.storage.vsphere, or as VMWARE_HOST, VMWARE_USER and "
            "VMWARE_PASSWORD in the environment."
        )
