# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The map from virtual machine over mapping file to LUN to the hosts that see it: where each box and line is. Pure.

Mappings that have a LUN, a file or a machine in common form a cluster and are drawn together. So many are drawn as
can be read; which ones, and how many were left to the table, is said above the map.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Mapping as Record
from dataclasses import dataclass
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import SEVERITIES, ListedLun, Mapping
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import (
    printable,
    shortened,
    size,
    spelt_out,
)

DRAWN = 40

_WIDTH, _HEIGHT, _PITCH, _GAP, _TOP = 1160, 42, 52, 16, 30
# Left edge and width of each column, and its heading.
_COLUMNS = ((0, 230, "Virtual machine"), (280, 290, "Mapping file"), (620, 310, "LUN"), (980, 180, "Hosts that see it"))
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Box:
    """A box with its two lines of text, cut to what fits; `title` has all of it."""

    column: int
    left: int
    top: float
    width: int
    first: str
    second: str
    title: str
    kind: str
    anchor: str | None
    monospaced: bool


@dataclass(frozen=True)
class Curve:
    """A line from the right side of a box to the left side of another, as the path of an SVG."""

    kind: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """The whole map: its size, the headings of its columns with their left edges, and the widths of the columns."""

    width: int
    height: int
    box_height: int
    headings: tuple[tuple[str, int], ...]
    widths: tuple[int, ...]
    lines: tuple[Curve, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Node:
    """A box: two lines of text, the full text for hovering, and the row that it leads to."""

    column: int
    first: str
    second: str
    title: str
    kind: str = ""
    anchor: str | None = None
    monospaced: bool = False


@dataclass(frozen=True)
class _Edge:
    """A line between the boxes of two keys."""

    start: Hashable
    end: Hashable
    kind: str


def drawn_of(mappings: Sequence[Mapping], most: int = DRAWN) -> tuple[Mapping, ...]:
    """Returns the mappings to draw: at most `most`, in whole clusters, those with the worst findings first."""
    chosen: list[Mapping] = []
    clusters = sorted(_clusters(mappings), key=lambda cluster: min(map(_rank, cluster)))
    for cluster in clusters:
        if len(chosen) + len(cluster) <= most:
            chosen.extend(cluster)
        elif not chosen:
            return tuple(cluster[:most])
    return tuple(chosen)


def drawing(mappings: Sequence[Mapping], luns: Sequence[ListedLun]) -> Drawing:
    """Returns the map of these mappings; the boxes lead to the rows of the mappings and of these LUNs."""
    rows_of_luns = _rows(luns)
    boxes: list[Box] = []
    lines: list[Curve] = []
    top = float(_TOP)
    for cluster in _clusters(mappings):
        of_cluster, joining, height = _cluster(cluster, rows_of_luns, top)
        boxes += of_cluster
        lines += joining
        top += height + _GAP
    headings = tuple((title, left + 2) for left, _width, title in _COLUMNS)
    return Drawing(
        _WIDTH, int(top - _GAP + 4), _HEIGHT, headings, tuple(width for _left, width, _title in _COLUMNS),
        tuple(lines), tuple(boxes),
    )  # fmt: skip


def _rank(mapping: Mapping) -> int:
    return min((note.rank for note in (*mapping.findings, *mapping.blockers)), default=len(SEVERITIES))


def _machine_key(mapping: Mapping) -> Hashable:
    return ("vm", mapping.machine.key)


def _lun_key(mapping: Mapping) -> Hashable:
    """Returns what is equal for all mappings of one LUN; a LUN that is not known is its mapping's own."""
    if mapping.lun is None or not mapping.lun.sightings:
        return ("lun", mapping.anchor)
    return ("lun", mapping.source.key, mapping.lun.sightings)


def _file_key(mapping: Mapping) -> Hashable:
    # Two datacenters may call two datastores by one name: the LUN tells their files apart.
    return ("file", mapping.source.key, mapping.file, _lun_key(mapping))


def _clusters(mappings: Sequence[Mapping]) -> list[list[Mapping]]:
    """Returns the mappings in groups that share a machine or a LUN, in the order of their first member."""
    parent: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for mapping in mappings:
        parent[root(_lun_key(mapping))] = root(_machine_key(mapping))
    clusters: dict[Hashable, list[Mapping]] = {}
    for mapping in mappings:
        clusters.setdefault(root(_machine_key(mapping)), []).append(mapping)
    return list(clusters.values())


def _rows(luns: Iterable[ListedLun]) -> Record[tuple[tuple[str, str], ...], str]:
    """Returns the row of each LUN by its sightings; two LUNs of one name on hosts of one name lead nowhere."""
    rows: dict[tuple[tuple[str, str], ...], str] = {}
    twice = set()
    for listed_lun in luns:
        sightings = listed_lun.lun.sightings
        if sightings in rows:
            twice.add(sightings)
        rows[sightings] = listed_lun.anchor
    return {sightings: anchor for sightings, anchor in rows.items() if sightings not in twice}


def _cluster(
    mappings: Sequence[Mapping], rows_of_luns: Record[tuple[tuple[str, str], ...], str], top: float
) -> tuple[list[Box], list[Curve], float]:
    """Returns the boxes and lines of one cluster below `top`, and its height."""
    nodes: dict[Hashable, _Node] = {}
    edges: dict[_Edge, None] = {}
    for mapping in mappings:
        keys: list[Hashable] = [_machine_key(mapping), _file_key(mapping), _lun_key(mapping)]
        nodes.setdefault(keys[0], _machine_node(mapping))
        nodes.setdefault(keys[1], _file_node(mapping))
        nodes.setdefault(keys[2], _lun_node(mapping, rows_of_luns))
        kind = mapping.compatibility if mapping.compatibility in ("physical", "virtual") else ""
        edges[_Edge(keys[0], keys[1], kind)] = None
        edges[_Edge(keys[1], keys[2], kind)] = None
        names = tuple(host.host for host in mapping.lun.hosts) if mapping.lun is not None else ()
        if names:
            nodes.setdefault(("hosts", names), _hosts_node(names))
            edges[_Edge(keys[2], ("hosts", names), "")] = None
    places, height = _places(nodes, list(edges))
    lines = [_line(edge, nodes, places, top) for edge in edges]
    return [_box(node, top + places[key]) for key, node in nodes.items()], lines, height


def _places(nodes: Record[Hashable, _Node], edges: Sequence[_Edge]) -> tuple[dict[Hashable, float], float]:
    """Returns the top of each box and the height of all. The files stand in order, the others beside what they join."""
    of_column = [[key for key, node in nodes.items() if node.column == column] for column in range(len(_COLUMNS))]
    height = (max(map(len, of_column)) - 1) * _PITCH + _HEIGHT
    files = len(of_column[1])
    first = (height - ((files - 1) * _PITCH + _HEIGHT)) / 2
    places: dict[Hashable, float] = {key: first + number * _PITCH for number, key in enumerate(of_column[1])}
    for column, left_to_right in ((0, False), (2, True), (3, True)):
        wanted = {
            key: _mean(
                places[edge.start if left_to_right else edge.end]
                for edge in edges
                if key == (edge.end if left_to_right else edge.start)
            )
            for key in of_column[column]
        }
        places.update(_apart(wanted, height - _HEIGHT))
    return places, height


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _apart(wanted: Record[_Key, float], last: float) -> dict[_Key, float]:
    """Returns the places moved as little as needed to stand a pitch apart, between 0 and `last`."""
    order = sorted(wanted, key=lambda key: wanted[key])
    places: list[float] = []
    for key in order:
        places.append(max(wanted[key], places[-1] + _PITCH if places else 0.0))
    limit = last
    for number in range(len(places) - 1, -1, -1):
        places[number] = min(places[number], limit)
        limit = places[number] - _PITCH
    return dict(zip(order, places, strict=True))


def _machine_node(mapping: Mapping) -> _Node:
    machine = mapping.machine
    state = spelt_out(machine.power_state).lower() if machine.power_state else "power not known"
    where = f"on {machine.host}" if machine.host else "host not known"
    return _Node(0, machine.name, f"{state}, {where}", f"{machine.path or machine.name}: {state}, {where}")


def _file_node(mapping: Mapping) -> _Node:
    _datastore, _bracket, path = mapping.file.rpartition("] ")
    mode = mapping.compatibility or "mode not known"
    second = ", ".join(part for part in (mapping.address, mode, mapping.disk_mode) if part)
    kind = mode if mode in ("physical", "virtual") else ""
    return _Node(
        1, path.rpartition("/")[2] or mapping.file, second, f"{mapping.file}: {second}", kind, mapping.anchor, True
    )


def _lun_node(mapping: Mapping, rows_of_luns: Record[tuple[tuple[str, str], ...], str]) -> _Node:
    lun = mapping.lun
    if lun is None:
        named = mapping.named_lun
        return _Node(
            2, named or "LUN not known", "not seen; see the findings of the mapping" if named else "see its findings",
            "LUN not known" + (f"; the mapping names {named}" if named else ""), "missing", mapping.anchor, bool(named),
        )  # fmt: skip
    state = None if lun.state in ("ok", None) else spelt_out(lun.state)
    facts = (state, size(lun.capacity_bytes), "local" if lun.local else None, lun.model)
    second = ", ".join(part.strip() for part in facts if part)
    kind = "missing" if state and lun.state != "degraded" else ""
    return _Node(
        2, lun.name, second, f"{lun.name}: {second}", kind, rows_of_luns.get(lun.sightings, mapping.anchor), True
    )


def _hosts_node(names: Sequence[str]) -> _Node:
    rest = {1: "only this host", 2: f"and {names[-1]}"}.get(len(names), f"and {len(names) - 1} others")
    return _Node(3, names[0], rest, ", ".join(names))


def _box(node: _Node, top: float) -> Box:
    left, width, _title = _COLUMNS[node.column]
    # Columns of text that fit beside the margins, in the widest of the usual fonts. What cannot be seen is counted as
    # the page shows it, by its number.
    room, room_of_second = (width - 24) * 2 // 15, (width - 24) // 6
    return Box(
        node.column, left, top, width, shortened(printable(node.first), room),
        shortened(printable(node.second), room_of_second), node.title, node.kind, node.anchor, node.monospaced,
    )  # fmt: skip


def _line(edge: _Edge, nodes: Record[Hashable, _Node], places: Record[Hashable, float], top: float) -> Curve:
    left, width, _title = _COLUMNS[nodes[edge.start].column]
    start, end = left + width, _COLUMNS[nodes[edge.end].column][0]
    from_y, to_y = (top + places[key] + _HEIGHT / 2 for key in (edge.start, edge.end))
    middle = (start + end) / 2
    return Curve(edge.kind, f"M{start} {from_y:g}C{middle:g} {from_y:g} {middle:g} {to_y:g} {end} {to_y:g}")
