# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""How new mapping files are named. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, join_file, split_file

_ENDING = {Compatibility.VIRTUAL: "-virtual", Compatibility.PHYSICAL: "-physical"}
_EXTENT_ENDING = {Compatibility.VIRTUAL: "-rdm", Compatibility.PHYSICAL: "-rdmp"}


def new_mapping_file(old_file: str, wanted: Compatibility, datastore: str | None, folder: str | None) -> str:
    """Returns the name of the mapping file to make, beside the old one unless a place is given.

    An ending that this function gave before is taken off first, so that going to and fro makes no longer names.
    """
    old_datastore, old_folder, name = split_file(old_file)
    stem = name.removesuffix(".vmdk")
    for ending in _ENDING.values():
        stem = stem.removesuffix(ending)
    new_folder = old_folder if folder is None else folder.strip("/")
    file = join_file(datastore or old_datastore, new_folder, f"{stem}{_ENDING[wanted]}.vmdk")
    if file != old_file:
        return file
    # Somebody else gave the old mapping the name that the new one would have.
    whole_stem = name.removesuffix(".vmdk")
    return join_file(datastore or old_datastore, new_folder, f"{whole_stem}{_ENDING[wanted]}.vmdk")


def is_name_of_new(new_file: str, old_file: str, wanted: Compatibility) -> bool:
    """Tells whether a file is called as a new mapping beside the old one is, wherever either of them lies."""
    name = old_file.rpartition("/")[2]
    return split_file(new_mapping_file(join_file("", "", name), wanted, None, None))[2] == new_file.rpartition("/")[2]


def spare_file_of(old_file: str) -> str:
    """Returns the name of the mapping by which a host is asked whether it takes a second one of a LUN."""
    return f"{old_file.removesuffix('.vmdk')}-winbackup-spare.vmdk"


def extent_of(file: str, compatibility: Compatibility) -> str:
    """Returns the file that a host makes beside a mapping's descriptor: x-rdm.vmdk or x-rdmp.vmdk (KB 1026256)."""
    return f"{file.removesuffix('.vmdk')}{_EXTENT_ENDING[compatibility]}.vmdk"


def extent_patterns() -> tuple[str, ...]:
    """Returns the patterns ("*-rdm.vmdk") that the names of all extents of mappings match."""
    return tuple(f"*{ending}.vmdk" for ending in _EXTENT_ENDING.values())


def is_extent(file: str) -> bool:
    """Tells whether a file is called as the extent of a mapping is."""
    return file.endswith(tuple(pattern.removeprefix("*") for pattern in extent_patterns()))
