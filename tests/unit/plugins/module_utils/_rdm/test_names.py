"""New mapping files are named so that going to and fro makes no longer names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import extent_of, new_mapping_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility

VIRTUAL, PHYSICAL = Compatibility.VIRTUAL, Compatibility.PHYSICAL


@pytest.mark.parametrize(
    ("old", "wanted", "new"),
    [
        ("[ds] vm/disk.vmdk", VIRTUAL, "[ds] vm/disk-virtual.vmdk"),
        ("[ds] vm/disk-virtual.vmdk", PHYSICAL, "[ds] vm/disk-physical.vmdk"),
        ("[ds] vm/disk-physical.vmdk", VIRTUAL, "[ds] vm/disk-virtual.vmdk"),
        ("[ds] バックアップ 2/d'\"$(x).vmdk", VIRTUAL, "[ds] バックアップ 2/d'\"$(x)-virtual.vmdk"),
        ("[ds] top.vmdk", VIRTUAL, "[ds] top-virtual.vmdk"),
    ],
)
def test_the_new_file_is_beside_the_old_one(old: str, wanted: Compatibility, new: str) -> None:
    assert new_mapping_file(old, wanted, None, None) == new


def test_a_place_that_is_given_is_taken() -> None:
    assert new_mapping_file("[ds] vm/d.vmdk", VIRTUAL, "san", "/maps/") == "[san] maps/d-virtual.vmdk"
    assert new_mapping_file("[ds] vm/d.vmdk", VIRTUAL, "san", None) == "[san] vm/d-virtual.vmdk"
    assert new_mapping_file("[ds] vm/d.vmdk", VIRTUAL, None, "") == "[ds] d-virtual.vmdk"


@given(st.text(st.characters(exclude_characters="/"), min_size=1))
def test_going_to_and_fro_ends_at_the_same_two_names(stem: str) -> None:
    virtual = new_mapping_file(f"[ds] vm/{stem}.vmdk", VIRTUAL, None, None)
    physical = new_mapping_file(virtual, PHYSICAL, None, None)
    assert new_mapping_file(physical, VIRTUAL, None, None) == virtual
    assert new_mapping_file(virtual, PHYSICAL, None, None) == physical


@given(st.text(st.characters(exclude_characters="/"), min_size=1), st.sampled_from(Compatibility))
def test_the_new_file_is_never_the_old_one(stem: str, wanted: Compatibility) -> None:
    for old in (f"[ds] vm/{stem}.vmdk", f"[ds] vm/{stem}-virtual.vmdk", f"[ds] vm/{stem}-physical.vmdk"):
        assert new_mapping_file(old, wanted, None, None) != old


def test_the_extent_bears_the_ending_that_the_host_gives_it() -> None:
    assert extent_of("[ds] vm/d.vmdk", VIRTUAL) == "[ds] vm/d-rdm.vmdk"
    assert extent_of("[ds] vm/d.vmdk", PHYSICAL) == "[ds] vm/d-rdmp.vmdk"
