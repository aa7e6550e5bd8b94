# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A LUN: what it tells of itself, which hosts that see it alike keep together, and what of it is one host's own. Pure.

A site has a hundred thousand sightings of a few thousand LUNs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LunPath:
    """One path from a host to a LUN."""

    name: str
    state: str
    adapter: str | None = None
    transport: str | None = None


@dataclass(frozen=True, slots=True)
class LunFacts:
    """What a LUN tells of itself; hosts that see it alike tell the same."""

    canonical_name: str
    uuid: str
    vml: str
    display_name: str
    device_path: str
    device_name: str
    device_type: str
    # What the host says of its state, "ok,degraded"; None where it says nothing.
    state: str | None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    capacity_bytes: int | None = None
    block_size: int | None = None
    disk_type: str | None = None
    local: bool | None = None
    ssd: bool | None = None
    perennially_reserved: bool | None = None
    rdm_capable: bool | None = None
    used_by_vsan: bool | None = False
    protocol_endpoint: bool | None = False
    # Every id by which a host may name it, and those of them that name the same LUN on every host.
    names: frozenset[str] = frozenset()
    durable_names: frozenset[str] = frozenset()
    # What was told of it and not understood; the fact is then None.
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostLun:
    """A LUN as one host sees it. Only the host's own look-up tells which LUN an id means."""

    host: str
    host_name: str
    facts: LunFacts
    lun_number: int | None = None
    multipath_plugin: str | None = None
    # True where a system volume of the host lies on it; None where nothing tells.
    boot: bool | None = None
    dump_or_scratch: bool | None = None
    vmfs_datastore: str | None = None
    # False where the host's volumes could not be read: `vmfs_datastore` is then None and says nothing.
    volumes_known: bool = True
    nvme_over_fabrics: bool | None = False
    removable: bool | None = False
    # Whether the host offers it for a new mapping; None where the host was not asked, or did not answer.
    offered: bool | None = None
    paths: tuple[LunPath, ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """What tells this LUN from all others: a name good on every host, else the name together with the host."""
        if self.durable_names:
            return ("", min(self.durable_names))
        return (self.host, self.canonical_name)

    @property
    def canonical_name(self) -> str:
        return self.facts.canonical_name

    @property
    def uuid(self) -> str:
        return self.facts.uuid

    @property
    def vml(self) -> str:
        return self.facts.vml

    @property
    def display_name(self) -> str:
        return self.facts.display_name

    @property
    def device_path(self) -> str:
        return self.facts.device_path

    @property
    def device_name(self) -> str:
        return self.facts.device_name

    @property
    def device_type(self) -> str:
        return self.facts.device_type

    @property
    def state(self) -> str | None:
        return self.facts.state

    @property
    def vendor(self) -> str | None:
        return self.facts.vendor

    @property
    def model(self) -> str | None:
        return self.facts.model

    @property
    def serial(self) -> str | None:
        return self.facts.serial

    @property
    def capacity_bytes(self) -> int | None:
        return self.facts.capacity_bytes

    @property
    def block_size(self) -> int | None:
        return self.facts.block_size

    @property
    def disk_type(self) -> str | None:
        return self.facts.disk_type

    @property
    def local(self) -> bool | None:
        return self.facts.local

    @property
    def ssd(self) -> bool | None:
        return self.facts.ssd

    @property
    def perennially_reserved(self) -> bool | None:
        return self.facts.perennially_reserved

    @property
    def rdm_capable(self) -> bool | None:
        return self.facts.rdm_capable

    @property
    def used_by_vsan(self) -> bool | None:
        return self.facts.used_by_vsan

    @property
    def protocol_endpoint(self) -> bool | None:
        return self.facts.protocol_endpoint

    @property
    def names(self) -> frozenset[str]:
        return self.facts.names

    @property
    def durable_names(self) -> frozenset[str]:
        return self.facts.durable_names

    @property
    def unclear(self) -> tuple[str, ...]:
        return self.facts.unclear
