"""The CSV file as RVTools' users know it."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.csv_files import cell
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import rdm_info, site_with

VDISK = [
    "VM", "Disk", "Disk Key", "Disk UUID", "Disk Path", "Capacity MiB", "Raw", "Disk Mode", "Sharing mode", "Thin",
    "Controller", "Label", "SCSI Unit #", "Unit #", "Shared Bus", "Path", "Raw LUN ID", "Raw Comp. Mode",
]  # fmt: skip


@pytest.mark.parametrize("name", [";=1+1", "a;=1+1", "a; @x", 'a;"=1+1', "a|+1", "a;\uff1d1", ';""" -1'])
def test_no_cell_begins_a_formula_where_the_list_separator_is_another(name: str) -> None:
    """A spreadsheet whose list separator is the semicolon takes a file with commas apart there."""
    written = str(cell(name))
    for part in re.split("[;|]", written)[1:]:
        assert part.lstrip(' "').startswith("'")
    assert cell("naa.6006;x=1") == "naa.6006;x=1"


def text_of(result: Any) -> str:
    return report(result, None, None, Heading()).csv


def test_the_columns_are_those_of_rvtools_in_their_order() -> None:
    text = text_of(rdm_info(site_with()))
    header = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [name for name in header if name in VDISK] == VDISK
    assert len(set(header)) == len(header)


def test_a_mapping_is_spelt_as_rvtools_spells_it() -> None:
    text = text_of(rdm_info(site_with(Compatibility.PHYSICAL, Compatibility.VIRTUAL)))
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 3
    first, second = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert {name: value for name, value in first.items() if name in VDISK} == {
        "VM": "server",
        "Disk": "Hard disk 1",
        "Disk Key": "2000",
        "Disk UUID": "",
        "Disk Path": "",
        "Capacity MiB": "1907729",
        "Raw": "True",
        "Disk Mode": "independent_persistent",
        "Sharing mode": "sharingNone",
        "Thin": "False",
        "Controller": "SCSI controller 0",
        "Label": "Hard disk 1",
        "SCSI Unit #": "0",
        "Unit #": "0",
        "Shared Bus": "noSharing",
        "Path": "[san] server/d0.vmdk",
        "Raw LUN ID": "0200000000" + "60060160000000000000000000000000" + "565241494420",
        "Raw Comp. Mode": "physicalMode",
    }
    assert first["Powerstate"] == "poweredOff"
    assert (first["Datacenter"], first["Host"], first["Folder"], first["Cluster"]) == ("DC", "host-1.lab", "", "")
    assert first["LUN Name"] == "naa.60060160000000000000000000000000"
    assert first["Findings"].split() == ["physical_compatibility"]
    assert (second["Raw Comp. Mode"], second["SCSI Unit #"]) == ("virtualMode", "1")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"])
def test_what_would_be_a_formula_is_text(text: str) -> None:
    assert str(cell(text)).startswith("'")


@pytest.mark.parametrize("text", ["backup01", "a=b", "'quoted'", "[san] x.vmdk", "100%", "バックアップ"])
def test_what_is_no_formula_is_left_as_it_is(text: str) -> None:
    assert cell(text) == text
