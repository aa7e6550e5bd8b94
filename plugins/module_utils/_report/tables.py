# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The tables of mappings, LUNs and unused mapping files, and the parts that all tables share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import (
    SEVERITIES,
    ListedLun,
    LunHost,
    Mapping,
    Note,
    Orphan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._report.markup import (
    Child,
    Html,
    Value,
    element,
    joined,
)
from ansible_collections.winbackup.storage.plugins.module_utils._report.notes import badge
from ansible_collections.winbackup.storage.plugins.module_utils._report.text import exactly, listed, size, spelt_out

_BAR_WIDTH, _BAR_HEIGHT = 160, 8


def table(caption: str, heads: Sequence[str], rows: Iterable[Html], label: str) -> Html:
    """Returns a table whose columns can be sorted, in a frame that scrolls sideways and can be reached by keyboard."""
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
            element("tbody", *rows),
            class_="sortable",
        ),
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex=0,
    )


def row(*cells: Html, anchor: str | None = None) -> Html:
    """Returns a row of finished cells."""
    return element("tr", *cells, id=anchor)


def head_cell(*children: Child) -> Html:
    """Returns the cell that names its row."""
    return element("th", *children, scope="row", class_="name")


def cell(*children: Child, wide: bool = False) -> Html:
    """Returns a cell of text."""
    return element("td", *children, class_="name" if wide else None)


def number_cell(number: float | None, *children: Child) -> Html:
    """Returns a cell that is sorted by its number; what is not known comes first."""
    return element("td", *children, class_="number", data_sort=-1 if number is None else number)


def size_cell(count: int | None) -> Html:
    """Returns a size as people read it, and exactly."""
    return number_cell(count, size(count), soft(exactly(count)))


def soft(text: str | None) -> Html | None:
    """Returns text of less weight on a line of its own, or None for none."""
    return element("span", text, class_="soft") if text else None


def share_bar(parts: Iterable[tuple[float, str]], label: str) -> Html:
    """Returns a bar: its parts (share of the whole from 0 to 1, kind) one after the other."""
    left = 0.0
    boxes = []
    for share, kind in parts:
        width = max(0.0, min(share, 1.0)) * _BAR_WIDTH
        boxes.append(element("rect", class_=kind, x=f"{left:.1f}", y=0, width=f"{width:.1f}", height=_BAR_HEIGHT))
        left += width
    shape: dict[str, Value] = {"viewBox": f"0 0 {_BAR_WIDTH} {_BAR_HEIGHT}", "width": _BAR_WIDTH, "height": _BAR_HEIGHT}
    track = element("rect", class_="track", x=0, y=0, width=_BAR_WIDTH, height=_BAR_HEIGHT)
    return element("svg", track, *boxes, class_="bar", role="img", aria_label=label, **shape)


def notes_cell(notes: Sequence[Note]) -> Html:
    """Returns the findings of a row by their codes, sorted by how bad and how many they are."""
    codes: dict[str, dict[str, None]] = {}
    for note in sorted(notes, key=lambda note: (note.rank, note.code)):
        codes.setdefault(note.severity, {})[note.code] = None
    weight = sum(len(codes.get(severity, ())) * 100**power for power, severity in enumerate(reversed(SEVERITIES)))
    children = (
        element("div", badge(severity), " ", ", ".join(map(spelt_out, of_severity)))
        for severity, of_severity in codes.items()
    )
    return element("td", *children, class_="name", data_sort=weight)


def mappings_table(mappings: Sequence[Mapping]) -> Html:
    """Returns the table of all mappings."""
    heads = (
        "Virtual machine", "Disk", "Mapping file", "Mode", "Capacity", "LUN", "Convertible", "Findings",
    )  # fmt: skip
    return table(
        "Every raw device mapping that was read.", heads, map(_mapping_row, mappings), "Table of raw device mappings"
    )


def _mapping_row(mapping: Mapping) -> Html:
    machine, lun = mapping.machine, mapping.lun
    power = spelt_out(machine.power_state).lower() if machine.power_state else "power not known"
    state = ", ".join(
        part
        for part in (
            power,
            f"on {machine.host}" if machine.host else None,
            "has snapshots" if machine.has_snapshots else None,
            "template" if machine.template else None,
        )
        if part
    )
    bus = f"{mapping.shared_bus} bus sharing" if mapping.shared_bus not in ("none", None) else None
    sharing = "multi-writer" if mapping.sharing == "multi_writer" else None
    return row(
        head_cell(machine.name, soft(state)),
        cell(mapping.address, soft(mapping.label)),
        cell(element("span", mapping.file, class_="mono"), wide=True),
        cell(
            spelt_out(mapping.compatibility) if mapping.compatibility else "Not known",
            soft(spelt_out(mapping.disk_mode).lower() if mapping.disk_mode else None),
            soft(bus),
            soft(sharing),
        ),
        size_cell(mapping.capacity_bytes),
        cell(
            element("span", lun.name, class_="mono") if lun is not None else "Not known",
            soft(lun.given_name if lun is not None else None),
            soft(f"serial {lun.serial}" if lun is not None and lun.serial else None),
            soft(f"shared with {listed(mapping.shared_with, 5)}" if mapping.shared_with else None),
            wide=True,
        ),
        _convertible_cell(mapping),
        notes_cell(mapping.findings),
        anchor=mapping.anchor,
    )


def _convertible_cell(mapping: Mapping) -> Html:
    if mapping.convertible is None:
        return cell("Not fully checked")
    if mapping.convertible:
        return cell("Yes")
    codes = dict.fromkeys(note.code for note in mapping.blockers)
    return cell("No", *(soft(spelt_out(code)) for code in codes))


def luns_table(luns: Sequence[ListedLun]) -> Html:
    """Returns the table of all LUNs."""
    heads = ("LUN", "Device", "Capacity", "State", "Hosts", "Used by", "Can be mapped", "Findings")
    return table("Every LUN that the hosts show.", heads, map(_lun_row, luns), "Table of LUNs")


def _lun_row(listed_lun: ListedLun) -> Html:
    lun = listed_lun.lun
    kind = ", ".join(
        part
        for part in (
            {True: "local", False: "shared", None: None}[lun.local],
            "solid state" if lun.ssd else None,
            listed_lun.device_type if listed_lun.device_type not in ("disk", None) else None,
            listed_lun.multipath_plugin,
        )
        if part
    )
    device = " ".join(part.strip() for part in (lun.vendor, lun.model) if part)
    return row(
        head_cell(element("span", lun.name, class_="mono"), soft(lun.given_name)),
        cell(
            device,
            soft(kind),
            soft(f"serial {lun.serial}" if lun.serial else None),
            soft(f"{lun.block_size}-byte blocks" if lun.block_size else None),
        ),
        size_cell(lun.capacity_bytes),
        cell(
            spelt_out(lun.state) if lun.state else "Not known or not the same everywhere",
            soft("perennially reserved" if lun.perennially_reserved else None),
        ),
        _hosts_cell(lun.hosts),
        _use_cell(listed_lun),
        cell({True: "Yes", False: "No", None: "Not known"}[listed_lun.mappable]),
        notes_cell(listed_lun.findings),
        anchor=listed_lun.anchor,
    )


def _hosts_cell(hosts: Sequence[LunHost]) -> Html:
    """Returns the hosts by the LUN number that they have for it."""
    by_number: dict[int | None, list[str]] = {}
    for host in hosts:
        by_number.setdefault(host.lun_number, []).append(host.host)
    lines = (
        element("div", "" if number is None else f"LUN {number}: ", ", ".join(names))
        for number, names in by_number.items()
    )
    return element("td", *lines, class_="name", data_sort=len(hosts))


def _use_cell(listed_lun: ListedLun) -> Html:
    uses = [
        *listed_lun.users,
        *([f"datastore {listed_lun.datastore}"] if listed_lun.datastore else ()),
        *(["the host starts from it"] if listed_lun.boot else ()),
        *(["vSAN"] if listed_lun.vsan else ()),
    ]
    return cell(*(element("div", use) for use in uses or ("nothing that was seen",)), wide=True)


def orphans_table(orphans: Sequence[Orphan]) -> Html:
    """Returns the table of mapping files that nobody uses."""
    rows = (
        row(
            head_cell(element("span", orphan.file, class_="mono")),
            cell(spelt_out(orphan.compatibility) if orphan.compatibility else "Not known"),
            size_cell(orphan.size_bytes),
        )
        for orphan in orphans
    )
    return table(
        "Mapping files that no virtual machine uses. Whether another vCenter does cannot be seen here.",
        ("Mapping file", "Mode", "Size of the LUN"),
        rows,
        "Table of unused mapping files",
    )


def by_host(mappings: Sequence[Mapping], most: int = 30) -> Html:
    """Returns how many mappings the machines of each host have, the hosts with the most first."""
    counts: dict[str, list[int]] = {}
    for mapping in mappings:
        modes = counts.setdefault(mapping.machine.host or "host not known", [0, 0, 0])
        modes[{"physical": 0, "virtual": 1}.get(mapping.compatibility or "", 2)] += 1
    hosts = sorted(counts.items(), key=lambda host: (-sum(host[1]), host[0]))
    highest = max(sum(modes) for modes in counts.values())
    rows = (
        row(
            head_cell(name),
            number_cell(physical, f"{physical:,}"),
            number_cell(virtual, f"{virtual:,}"),
            cell(
                share_bar(
                    ((physical / highest, "physical"), (virtual / highest, "virtual")),
                    f"{physical} physical and {virtual} virtual mappings",
                )
            ),
        )
        for name, (physical, virtual, _unknown) in hosts[:most]
    )
    rest = len(hosts) - most
    return joined(
        table(
            "All mappings by the host of their virtual machine"
            + (
                f", the {most} hosts with the most; {rest} more hosts are in the table of mappings."
                if rest > 0
                else "."
            ),
            ("Host", "Physical", "Virtual", "Share"),
            rows,
            "Table of mappings by host",
        )
    )
