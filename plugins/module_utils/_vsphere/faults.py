# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Faults of the vSphere API, whether they came as an exception of pyVmomi or as XML, and the errors they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    child_text,
    local_name,
    type_of,
)

_HINTS = {
    "RestrictedVersion": "The host's licence lets the API read only: assign a licence, or run rdm_compatibility in a "
    "play on the host itself, over SSH, which is not restricted.",
    "TaskInProgress": "Wait until the other task on it has ended, then run again.",
    "InvalidPowerState": "Its power state was changed by somebody else: run again.",
    "FileLocked": "Another machine or host uses the file; see which, then run again.",
    "HostNotConnected": "Connect the host to the vCenter again, then run again.",
    "HostNotReachable": "See why the vCenter cannot reach the host, then run again.",
    "ToolsUnavailable": "Start VMware Tools in the guest, or allow power: power_off.",
    **dict.fromkeys(
        (
            "InvalidDeviceBacking",
            "InvalidDeviceOperation",
            "InvalidDeviceSpec",
            "InvalidDiskFormat",
            "LargeRDMConversionNotSupported",
            "LargeRDMNotSupportedOnDatastore",
            "PhysCompatRDMNotSupported",
            "RDMConversionNotSupported",
            "RDMNotSupported",
            "RDMNotSupportedOnDatastore",
        ),
        "If it stays so, run rdm_compatibility in a play on the VM's host itself, over SSH.",
    ),
}
# Which faults are about the device or its place, as such; those below them are about its backing or the LUN.
_KINDS = {
    "InvalidDeviceSpec": RefusalKind.DEVICE_OR_PLACE,
    "InvalidDeviceOperation": RefusalKind.DEVICE_OR_PLACE,
    "FileAlreadyExists": RefusalKind.FILE_EXISTS,
    "NoPermission": RefusalKind.NO_PRIVILEGE,
    "RestrictedVersion": RefusalKind.LICENCE,
    "ConcurrentAccess": RefusalKind.STALE,
}
# What a fault says about the thing it is about.
_DETAILS = ("device", "backing", "file", "property", "invalidProperty", "deviceIndex")


@dataclass(frozen=True)
class ServerFault:
    """A fault as the server gave it. `names` are its type and those of the faults inside it, outermost first;
    `path` is the property path that an InvalidProperty names."""

    names: tuple[str, ...]
    message: str
    privileges: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    path: str | None = None

    @property
    def name(self) -> str:
        """The server's own name of the fault ("InvalidDeviceSpec")."""
        return self.names[0]


def fault_of_exception(error: Any) -> ServerFault:
    """Returns the fault that pyVmomi raised."""
    names: list[str] = []
    messages: list[str] = []
    privileges: list[str] = []
    details: list[str] = []
    fault = error
    while fault is not None and len(names) < 8:
        names.append(str(getattr(type(fault), "_wsdlName", type(fault).__name__)))
        _add_new(messages, getattr(fault, "msg", None))
        _add_new(privileges, getattr(fault, "privilegeId", None))
        for name in _DETAILS:
            value = getattr(fault, name, None)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                _add_new(details, f"{name} {value}")
        fault = getattr(fault, "fault", None) or getattr(fault, "faultCause", None)
    return ServerFault(
        tuple(names), _sentence(messages, names[0]), tuple(privileges), tuple(details), getattr(error, "name", None)
    )


def fault_of_element(element: Element, message: str | None = None) -> ServerFault:
    """Returns the fault that an XML element holds; its type may be one that no library knows."""
    names: list[str] = []
    messages: list[str] = []
    privileges: list[str] = []
    details: list[str] = []
    _add_new(messages, message)
    _collect(element, names, messages, privileges, details)
    name = names[0] if names else local_name(element.tag).removesuffix("Fault")
    return ServerFault(
        tuple(names) or (name,),
        _sentence(messages, name),
        tuple(privileges),
        tuple(details),
        child_text(element, "name"),
    )


def _collect(
    element: Element, names: list[str], messages: list[str], privileges: list[str], details: list[str]
) -> None:
    """Adds what one fault says, then what the faults inside it say. A LocalizedMethodFault is the shell of another."""
    kind = type_of(element)
    if kind and kind != "LocalizedMethodFault":
        names.append(kind)
    for child in element:
        name = local_name(child.tag)
        if name == "localizedMessage":
            _add_new(messages, child.text)
        elif name == "privilegeId":
            _add_new(privileges, child.text)
        elif name in _DETAILS and child.text and child.text.strip():
            _add_new(details, f"{name} {child.text.strip()}")
    for child in element:
        if local_name(child.tag) in ("fault", "faultCause"):
            _collect(child, names, messages, privileges, details)


def _add_new(texts: list[str], text: str | None) -> None:
    if text and text not in texts:
        texts.append(text)


def _sentence(messages: list[str], name: str) -> str:
    return " ".join(message.strip() for message in messages if message.strip()) or name


def error_of(fault: ServerFault, doing: str) -> StorageError:
    """Returns the collection's error for a fault that answered a request; `doing` is what the request was for."""
    if fault.name in ("NotAuthenticated", "SessionNotFound"):
        return ConnectionFailed(
            f"{doing} was not begun: the session has ended on the server.",
            hint="Run again; if it happens often, look at the server's session time-out.",
        )
    about = f" ({'; '.join(fault.details)})" if fault.details else ""
    message = f"{doing} was refused: {fault.name}: {fault.message.rstrip('.')}{about}."
    hint = _HINTS.get(fault.name)
    if fault.name == "NoPermission":
        named = " ".join(fault.privileges) or "that it needs"
        hint = f"Give the user the privilege {named} on this object."
    kind = _KINDS.get(fault.name, RefusalKind.OTHER)
    return StepRefused(message, kind=kind, fault=fault.name, hint=hint, facts={"faults": list(fault.names)})
