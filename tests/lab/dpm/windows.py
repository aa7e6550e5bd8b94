# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get-WinEvent, Get-CimInstance and Get-ItemProperty on the server itself, with the refusals that scripts meet."""

from __future__ import annotations

import uuid
from typing import Any

from guest import disks, query, registry
from guest.machine import identity
from powershell import Int64, Invocation, PsObject, TerminatingError, UnknownConstruct

from .faces import Face
from .server import DpmServer

LOGS = ("System", "Application", "Microsoft-Windows-Backup", "DPM Alerts")
MODULE = "DataProtectionManager"
_BUILD = 17763
SETUP = "HKLM:\\SOFTWARE\\Microsoft\\Microsoft Data Protection Manager\\Setup"


def get_win_event(server: DpmServer, invocation: Invocation) -> list[query.EventFace]:
    """Records of the server's logs."""
    providers = server.options.providers
    return query.get_win_event(invocation, server.events.records, LOGS, providers, server.now(), server.name)


def get_cim_instance(server: DpmServer, invocation: Invocation) -> list[Any]:
    """Instances of the classes that the lab has: the machine, its disks, the volumes of DPM, and their shadow storage.
    The disks of the pool are dynamic, so the Storage classes have only the one that Windows runs from."""
    unknown = invocation.parameters.keys() - {"ClassName", "Namespace"}
    if unknown:
        raise UnknownConstruct(f"-{min(unknown)} of Get-CimInstance: the lab does not model it")
    name = str(invocation.parameters["ClassName"])
    readers = {
        "win32_computersystemproduct": _machine,
        "win32_volume": _volumes,
        "win32_shadowstorage": _shadow_storage,
    }
    if name.lower() in readers:
        return [CimFace(name, values) for values in readers[name.lower()](server)]
    about = identity(name, server.name, _uuid(server), _BUILD)
    found = [about] if about is not None else None
    if found is None:
        found = disks.instances(_disks(server), name, str(invocation.get("Namespace") or "root/cimv2"))
    if found is None:
        raise UnknownConstruct(f"the class {name}: the lab does not model it")
    return [PsObject(values.items(), "Microsoft.Management.Infrastructure.CimInstance") for values in found]


def get_storage_setting(server: DpmServer, invocation: Invocation) -> list[Any]:
    """The policy for new disks: those that are not shared come online."""
    return [PsObject([("NewDiskPolicy", 2)], "Microsoft.Management.Infrastructure.CimInstance")]


def update_host_storage_cache(server: DpmServer, invocation: Invocation) -> None:
    """Nothing of the lab's disks changes behind Windows' back."""


def get_item_property(server: DpmServer, invocation: Invocation) -> list[Any]:
    """The values of a key of the registry: the one that DPM's setup writes. Other keys of DPM do not exist."""
    path, *others = invocation.get("Path") or invocation.parameters["LiteralPath"]
    if path.lower().startswith("hklm:\\system\\currentcontrolset\\enum\\"):
        registry.refuse(invocation, path)
        return []
    if others or not path.lower().startswith("hklm:\\software\\microsoft\\microsoft data protection manager"):
        raise UnknownConstruct(f"the path {path}: the lab does not model it")
    if path.rstrip("\\").lower() != SETUP.lower() or server.options.module == "none":
        message = f"Cannot find path '{path}' because it does not exist."
        kind = "System.Management.Automation.ItemNotFoundException"
        invocation.write_error(TerminatingError(message, "PathNotFound", "ObjectNotFound", kind, target=path))
        return []
    folder = server.options.install_path
    return [PsObject([("InstallPath", folder), ("UIInstallPath", folder)])]


def module_paths(install_path: str) -> list[str]:
    """The ways to name the module by its place, which is the folder bin of DPM's own."""
    folder = install_path.rstrip("\\") + f"\\bin\\{MODULE}"
    return [folder, f"{folder}\\{MODULE}.psd1"]


def _uuid(server: DpmServer) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, server.name))


def _disks(server: DpmServer) -> list[disks.Disk]:
    """The disk of Windows itself, and those of DPM."""
    others = [disks.Disk(one.number, one.capacity, one.number, dynamic=True) for one in server.pool.disks]
    own = min({*range(len(others) + 1)} - {one.number for one in others})
    return [disks.Disk(own, 120 << 30, boot=True, port=0), *others]


def _machine(server: DpmServer) -> list[dict[str, Any]]:
    machine = _uuid(server).upper()
    return [{"UUID": machine, "IdentifyingNumber": f"VMware-{machine}", "Name": "A machine of the lab"}]


def _volumes(server: DpmServer) -> list[dict[str, Any]]:
    return [{"DeviceID": one.path, "Name": one.path, "Label": ""} for one in server.pool.volumes]


def _shadow_storage(server: DpmServer) -> list[dict[str, Any]]:
    """What the copies of a replica take on its recovery-point volume; the file on it is not the volume."""
    pairs = dict.fromkeys((one.replica, one.recovery) for one in server.sources if one.replica and one.recovery)
    return [
        {
            "Volume": CimFace("Win32_Volume", {"DeviceID": replica.path}),
            "DiffVolume": CimFace("Win32_Volume", {"DeviceID": recovery.path}),
            "UsedSpace": Int64(recovery.used),
            "AllocatedSpace": Int64(recovery.used),
            "MaxSpace": Int64(recovery.allocated),
        }
        for replica, recovery in pairs
        if replica and recovery
    ]


class CimFace(Face):
    """An instance of a class, or a reference to one."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.name = name

    @property
    def ps_type_names(self) -> tuple[str, ...]:
        return ("Microsoft.Management.Infrastructure.CimInstance", "System.Object")
