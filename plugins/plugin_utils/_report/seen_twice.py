# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What two readings show, shown once: the reading that was given first counts. Pure.

A site may be read through its vCenter and, host by host, past it. Only what certainly is the same object is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import (
    DpmServer,
    Facts,
    ListedLun,
    Machine,
    Mapping,
    Note,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import number_of

# Names that tell a LUN from every other in the world; one such as mpx.vmhba0:C0:T0:L0 repeats on every host.
_WORLDWIDE = ("naa.", "eui.", "t10.")
# It cannot be seen from outside of the guest, for no mapping.
_OF_ALL_MAPPINGS = "guest_pass_through_unseen"


def each_once(facts: Facts) -> Facts:
    """Returns the facts without mappings, LUNs and DPM servers that an earlier reading of them has too.

    What is true of all mappings alike becomes one general finding.
    """
    mappings, of_all = _without(_OF_ALL_MAPPINGS, tuple(_mappings(facts.mappings)))
    said_already = any(note.code == _OF_ALL_MAPPINGS for _source, note in facts.general)
    return replace(
        facts,
        mappings=mappings,
        general=facts.general if of_all is None or said_already else (*facts.general, ("", of_all)),
        luns=tuple(_luns(facts.luns)),
        dpm=tuple(_dpm_servers(facts.dpm)),
    )


def _without(code: str, mappings: Sequence[Mapping]) -> tuple[tuple[Mapping, ...], Note | None]:
    """Returns the mappings without the findings of this code, and one that stands for them all."""
    having = [note for mapping in mappings for note in mapping.findings if note.code == code]
    if not having:
        return tuple(mappings), None
    others = tuple(
        replace(mapping, findings=tuple(note for note in mapping.findings if note.code != code)) for mapping in mappings
    )
    message = having[0].message if len(having) == 1 else f"For example: {having[0].message}"
    return others, replace(having[0], message=message, object=number_of(len(having), "mapping"))


def _mappings(mappings: Iterable[Mapping]) -> Iterator[Mapping]:
    """Yields the mappings; a machine is known again by a UUID and its .vmx, of other readings than its own only."""
    first_of: dict[tuple[str, str], Machine] = {}
    source_of: dict[str, str] = {}
    shown: set[tuple[str, str]] = set()
    for mapping in mappings:
        machine = mapping.machine
        known = next((first_of[one] for one in machine.identities if one in first_of), None)
        if known is None or source_of[known.key] == mapping.source.key:
            source_of.setdefault(machine.key, mapping.source.key)
            for identity in machine.identities:
                first_of.setdefault(identity, machine)
            known = machine
        elif (known.key, mapping.address) in shown:
            continue
        shown.add((known.key, mapping.address))
        yield mapping if known is machine else replace(mapping, machine=known)


def _luns(luns: Iterable[ListedLun]) -> Iterator[ListedLun]:
    """Yields the LUNs; one is left out where an earlier reading has it with all its hosts and says nothing better."""
    earlier: dict[str, list[ListedLun]] = {}
    for listed in luns:
        name = listed.lun.canonical_name or ""
        known = earlier.setdefault(name, []) if name.startswith(_WORLDWIDE) else []
        hosts = {host.host for host in listed.lun.hosts}
        if hosts and any(
            one.source.key != listed.source.key
            and hosts <= {host.host for host in one.lun.hosts}
            and (one.mappable is not True or listed.mappable is True)
            for one in known
        ):
            continue
        known.append(listed)
        yield listed


def _dpm_servers(servers: Iterable[DpmServer]) -> Iterator[DpmServer]:
    """Yields the servers, each name once."""
    shown: set[str] = set()
    for server in servers:
        name = server.name.casefold()
        if name not in shown or name == "dpm server without a name":
            yield server
        shown.add(name)
