"""A mapping file is nobody's only where everybody who could use it was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import orphans_of

STORE = Datastore("datastore-1", "san01", "VMFS", "5f000000-00000000-0000-000000000001", local=False)
FILE = FileFacts("[san01] one/one.vmdk", kind=DiskKind.MAPPING, compatibility=Compatibility.VIRTUAL)


def site(has_snapshots: bool, files: tuple[str, ...] | None) -> Inventory:
    """Returns a site with one VM that has no disk now, and these files of its snapshots."""
    one = VirtualMachine(
        "vm-1", "one", "/DC/vm/one", Power.OFF, datacenter="DC", has_snapshots=has_snapshots, snapshot_files=files
    )
    return Inventory("vc", False, {}, {STORE.id: STORE}, {one.id: one})


@pytest.mark.parametrize(
    ("has_snapshots", "files", "orphans"),
    [
        (False, None, [(FILE.file, True)]),
        (True, ("[san01] one/other.vmdk",), [(FILE.file, True)]),
        (True, ("[san01] one/one-000001.vmdk", FILE.file), []),
        (True, None, [(FILE.file, False)]),
    ],
)
def test_a_file_that_only_a_snapshot_names_is_in_use(
    has_snapshots: bool, files: tuple[str, ...] | None, orphans: list[tuple[str, bool]]
) -> None:
    found = orphans_of(site(has_snapshots, files), [(STORE, FILE)])
    assert [(one.facts.file, one.users_are_known) for one in found] == orphans


def test_a_file_below_the_delta_of_a_disk_is_in_use() -> None:
    controller = Controller(1000, "scsi", "pvscsi", 0)
    disk = Disk(
        2000,
        "Hard disk 1",
        "scsi0:0",
        0,
        controller,
        "[san01] one/one-000001.vmdk",
        DiskKind.MAPPING,
        datastore=STORE.id,
        parents=(FILE.file,),
    )
    site_of_a_delta = site(True, ())
    one = replace(site_of_a_delta.machines["vm-1"], disks=(disk,))
    assert orphans_of(replace(site_of_a_delta, machines={one.id: one}), [(STORE, FILE)]) == ()
