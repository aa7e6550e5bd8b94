# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What of a virtual machine, a host or a datastore could not be read, in words that are no edge's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# Why a part could not be read of an object that was removed meanwhile.
REMOVED = "gone when it was asked for"


class Part(StrEnum):
    """A part of an object that an edge may be unable to read, in the words that a sentence has for it."""

    NAME = "its name"
    PLACE = "its place in the inventory"
    CONNECTION_STATE = "its connection state"
    # Of a virtual machine.
    CONFIGURATION = "its configuration"
    DISKS = "its disks and controllers"
    SETTINGS = "its configuration parameters"
    FILES = "the list of its files"
    RECORD_FILES = "the records beside its .vmx"
    CONFIGURATION_FILE = "the path of its configuration file"
    INSTANCE_UUID = "its instance UUID"
    BIOS_UUID = "its BIOS UUID"
    HARDWARE_VERSION = "its hardware version"
    CHANGE_VERSION = "the version of its configuration"
    CHANGE_TRACKING = "its changed block tracking"
    ENCRYPTION = "whether it is encrypted"
    REPLICATION = "whether it is replicated"
    TEMPLATE = "whether it is a template"
    BOOT_ORDER = "its boot order"
    POWER_STATE = "its power state"
    HOST = "its host"
    CONSOLIDATION = "whether its disks need consolidation"
    FAULT_TOLERANCE = "whether it uses Fault Tolerance"
    QUESTION = "whether it asks a question"
    GUEST_DISKS = "what VMware Tools tell of its disks"
    GUEST_TOOLS = "whether VMware Tools run in it"
    SNAPSHOTS = "its snapshots"
    LOCKS = "which operations are disabled for it"
    TASKS = "its running tasks"
    # Of a disk of it.
    CONTROLLER = "the controller"
    UNIT = "the unit"
    COMPATIBILITY = "the compatibility mode"
    SHARING = "the sharing"
    CAPACITY = "the capacity"
    SHARES = "the I/O shares and limits"
    DATASTORE_IN_FILE = "where the name of the datastore ends in the file name"
    # Of a host.
    MAINTENANCE = "whether it is in maintenance mode"
    MANAGEMENT_SERVER = "the vCenter that manages it"
    VERSION = "its version"
    LUNS = "its LUNs"
    LUN = "the facts"
    LUN_NUMBERS = "the numbers of its LUNs"
    ADAPTERS = "its storage adapters"
    NAMESPACES = "its NVMe namespaces"
    MULTIPATHING = "the multipath plug-ins of its LUNs"
    PATHS = "the paths of its LUNs"
    VOLUMES = "its volumes"
    DUMP_PARTITION = "its dump partition"
    MACHINES = "its list of VMs"
    OFFERED_LUNS = "which LUNs it offers for mappings"
    # Of a datastore.
    MOUNTS = "the hosts that mount it"
    DATASTORE_TYPE = "its type"
    DATASTORE_FACTS = "its version and whether it is local"
    DATASTORE_ID = "its id below /vmfs/volumes"
    ACCESS = "whether it is accessible"
    FREE_SPACE = "its free space"
    # What an edge names and no list of ours has.
    OTHER = "something that is not known here"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part that could not be read: of the object itself or of a disk or LUN of it, and why where that is known."""

    part: Part
    of: str = ""
    why: str = ""

    def __str__(self) -> str:
        """Returns it as a sentence names it: "the compatibility mode of Hard disk 2"."""
        return f"{self.part}{f' of {self.of}' if self.of else ''}{f' ({self.why})' if self.why else ''}"


def see_that_it_can_be_read(what: str, state: str) -> str:
    """Returns what to do about what could not be read: true over the API, and over SSH, where there are no roles."""
    return f"See that the user may read {what} (over the API by the role Read-only), and that {state}."


def listed(unreadable: Iterable[Unreadable]) -> str:
    """Returns all of them as a sentence names them, each once."""
    return ", ".join(dict.fromkeys(str(one) for one in unreadable))
