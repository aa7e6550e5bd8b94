"""Names of LUNs: as hosts spell them, as people write them, and what of a vml id holds on every host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import (
    names_for_all,
    plain_name,
    spellings,
)

WWN = "60060160a1b12345000000000000000a"
NAA = f"naa.{WWN}"
MODEL = "565241494420"


@pytest.mark.parametrize(
    ("device", "plain"),
    [
        (f"/vmfs/devices/disks/{NAA}", NAA),
        (f"vml.020005{WWN.upper()}", f"020005{WWN}"),
        (f"VML.020005{WWN}", f"020005{WWN}"),
        ("/vmfs/devices/disks/vml.0100AB", "0100ab"),
        ("t10.ATA_____X", "t10.ata_____x"),
        ("", None),
        (None, None),
    ],
)
def test_a_device_has_one_plain_name(device: str | None, plain: str | None) -> None:
    assert plain_name(device) == plain


@given(number=st.integers(0, 255), upper=st.booleans(), prefix=st.sampled_from(["", "vml."]))
def test_a_vml_id_of_type_02_names_the_lun_whatever_its_number(number: int, upper: bool, prefix: str) -> None:
    vml = f"0200{number:02x}0000{WWN}{MODEL}"
    assert NAA in set(names_for_all(prefix + (vml.upper() if upper else vml)))


def test_a_vml_id_of_another_type_is_told_by_all_but_the_number() -> None:
    serial = "2020202020202020202020205a565442584e3144535432303030"
    assert len(set(names_for_all(f"0100000000{serial}")) & set(names_for_all(f"0100070000{serial}"))) == 1
    assert not set(names_for_all(f"0100000000{serial}")) & set(names_for_all("0100000000" + "5" + serial[1:]))


@pytest.mark.parametrize("name", ["0000000000766d68626133323a303a30", "mpx.vmhba32:C0:T0:L0", "", None])
def test_what_names_a_place_names_nothing_on_other_hosts(name: str | None) -> None:
    assert list(names_for_all(name)) == []


@pytest.mark.parametrize(
    "written",
    [
        WWN,
        WWN.upper(),
        f"0x{WWN}",
        f"0X{WWN.upper()}",
        ":".join(WWN[place : place + 2] for place in range(0, 32, 2)),
        ":".join(WWN[place : place + 2] for place in range(0, 32, 2)).upper(),
        "-".join(WWN[place : place + 2] for place in range(0, 32, 2)),
        NAA,
        NAA.upper(),
        f" {NAA} ",
    ],
)
def test_a_world_wide_name_is_known_in_every_spelling(written: str) -> None:
    assert NAA in spellings(written)


def test_a_short_world_wide_name_may_be_of_any_kind() -> None:
    assert {"naa.5000c500a1b2c3d4", "eui.5000c500a1b2c3d4"} <= spellings("50:00:c5:00:a1:b2:c3:d4")
    assert spellings("5000") == {"5000"}
