"""What the commands of ESXi print, from 5.0 to 8.0, in the shapes that were seen; names and serials are nobody's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.descriptor import descriptor
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.devices_folder import disks_folder
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.dump import TYPE, dumped_object
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.esxcli import (
    Device,
    capacities_from_text,
    devices_from_json,
    devices_from_text,
    paths_from_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.mapping_query import (
    MappingQuery,
    mapping_query,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vim_cmd import (
    Fault,
    fault,
    has_snapshots,
    host_is_down,
    power_state,
    registered_vms,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import (
    escaped,
    unescaped,
    vmx_settings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power

SAMPLES = Path(__file__).resolve().parent / "samples"
SATA = "t10.ATA_____LAB2DDRIVE2000________________________LABSERIAL0000000001"


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def test_the_device_list_of_5_5_lacks_fields_and_pads_values() -> None:
    (device,) = devices_from_text(sample("device_list_5.5.txt"))
    assert (device.device_type, device.vendor, device.model) == ("Direct-Access", "LAB", "Logical Volume")
    assert (device.boot, device.usb, device.protocol_endpoint) == (None, None, None)
    assert device.other_uids == ("vml.0200000000600508e000000000fb00000000000d0c4c6f67696361",)


def test_text_and_json_of_8_0_are_the_same_devices() -> None:
    by_text = devices_from_text(sample("device_list_8.0.txt"))
    assert by_text == devices_from_json(sample("device_list_8.0.json"))
    assert by_text[0].other_uids == (
        "vml.01000000002020202020202020202020204c4142565442584e314c4142323030",
        "vml.05000000004c4142",
    )
    assert (by_text[0].boot, by_text[0].protocol_endpoint, by_text[0].rdm_capable) == (False, False, False)


def test_a_host_that_lacks_the_formatter_says_so() -> None:
    said = "Unable to find requested formatter: json\n"
    with pytest.raises(UnreadableOutput, match="Unable to find requested formatter"):
        devices_from_json(said)


def test_exact_sizes_with_the_kind_of_sectors() -> None:
    sata, san, nvme = capacities_from_text(sample("capacity_list_8.0.txt"))
    assert (sata.size_bytes, sata.format) == (39063650304 * 512, "512e")
    assert (san.size_bytes, san.format) == (142577664 * 512, "512n")
    assert (nvme.size_bytes, nvme.format) == (488378646 * 4096, "4Kn SWE")


def test_paths() -> None:
    (path,) = paths_from_text(sample("path_list_8.0.txt"))
    assert (path.runtime_name, path.adapter, path.lun) == ("vmhba2:C0:T2:L0", "vmhba2", 0)
    assert (path.state, path.transport) == ("active", "sata")
    assert path.device == "t10.ATA_____LAB20000NM0072D2D3DJ103____LABVTBXN1"


def test_the_folder_of_disks_tells_bytes_and_partitions() -> None:
    folder = disks_folder(sample("disks_folder_7.0.txt"))
    assert folder.sizes == {
        SATA: 2000398934016,
        "naa.50014ee6a0000001": 3000592982016,
        "mpx.vmhba1:C0:T0:L0": 73014444032,
    }
    assert folder.partitions == {"mpx.vmhba1:C0:T0:L0": (1, 5)}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "Disk /vmfs/volumes/ds/x y/p.vmdk is a Passthrough Raw Device Mapping\nMaps to: vml.0200\n",
            MappingQuery(Compatibility.PHYSICAL, "vml.0200"),
        ),
        (
            "Disk /vmfs/volumes/ds/v.vmdk is a Non-passthrough Raw Device Mapping\nMaps to: vml.0200\n",
            MappingQuery(Compatibility.VIRTUAL, "vml.0200"),
        ),
        (
            "Disk v.vmdk is a non Pass through Raw Device Mapping\r\nmaps to: vml.01\r\n",
            MappingQuery(Compatibility.VIRTUAL, "vml.01"),
        ),
        ("Disk flat.vmdk is not an rdm\n", MappingQuery(not_a_mapping=True)),
        (
            "Failed to lock the file (16392)\n",
            MappingQuery(said="Failed to lock the file (16392)"),
        ),
        ("", MappingQuery(said="nothing was printed")),
    ],
)
def test_what_vmkfstools_says_of_a_file(said: str, expected: MappingQuery) -> None:
    assert mapping_query(said) == expected


def test_the_name_of_a_file_does_not_decide_its_mode() -> None:
    said = "Disk /vmfs/volumes/ds/is a Non-passthrough raw device mapping/p.vmdk is a Passthrough Raw Device Mapping\n"
    assert mapping_query(f"{said}Maps to: vml.02\n").compatibility is Compatibility.PHYSICAL


def test_descriptors_of_mappings() -> None:
    physical = descriptor(sample("physical_mapping.vmdk"))
    assert physical is not None
    assert physical.compatibility is Compatibility.PHYSICAL
    assert physical.size_bytes == 480103981056
    assert physical.extents == ("data [1]-rdmp.vmdk",)
    assert physical.uuid == "60 00 C2 9f 00 00 00 00-00 00 00 00 00 00 00 01"
    virtual = descriptor(sample("virtual_mapping_with_tracking.vmdk"))
    assert virtual is not None
    assert (virtual.compatibility, virtual.change_tracking_file) == (Compatibility.VIRTUAL, "RDM-ctk.vmdk")


def test_other_descriptors_are_no_mappings() -> None:
    delta = descriptor('# Disk DescriptorFile\ncreateType="vmfsSparse"\nparentFileNameHint="x.vmdk"\n')
    assert delta is not None
    assert (delta.compatibility, delta.parent, delta.sectors) == (None, "x.vmdk", None)
    assert descriptor("RW 1 VMFSRDM") is None


def test_settings_of_a_machine() -> None:
    settings = vmx_settings(sample("settings.vmx"))
    assert settings["displayname"] == 'backup "old" | 100# バックアップ'
    assert settings["scsi0:1.filename"].endswith("/data.vmdk")
    assert settings["annotation"] == ""


def test_the_list_of_machines_with_what_makes_it_hard_to_read() -> None:
    listed = registered_vms(sample("getallvms_6.7.txt"))
    assert [(vm.id, vm.file) for vm in listed.vms] == [
        ("16", "[datastore1] backup01/backup01.vmx"),
        ("7", "[ds (1)] two  blanks/two  blanks [old].vmx"),
        ("102", "[データ] バックアップ/バックアップ.vmx"),
    ]
    assert listed.skipped == ("48",)
    with pytest.raises(UnreadableOutput, match="Connect to localhost failed"):
        registered_vms("Connect to localhost failed: Connection failure\n")


def test_a_fault_is_one_whatever_the_exit_code() -> None:
    said = (
        "(vim.fault.NotFound) {\n   dynamicType = <unset>, \n   faultCause = (vmodl.MethodFault) null, \n"
        '   msg = "Unable to find a VM corresponding to "16""\n}\n'
    )
    assert fault(said) == Fault("NotFound", 'Unable to find a VM corresponding to "16"')
    assert fault("Powering on VM:\n") is None
    assert host_is_down("Connect to localhost failed: Connection failure")
    assert host_is_down("Powering on VM:\nConnect to localhost failed: Connection failure.\n")


# What stands in an annotation, and could be taken for what a command says.
ANNOTATIONS = [
    'He said "hello"\n}\nand left',
    '{\n  "owner": "Ops",\n  "tags": {\n    "x": "y"\n  }\n}\nend',
    'a "b"\n},\n   template = true, ',
    '"quoted",\n\n   "more"',
    '{\r\n"a": "b"\r\n}\r\n',
    "x\n(vim.fault.NotFound) {\nConnect to localhost failed: Connection failure.\nx",
]
CONFIGURATION = """Configuration:

(vim.vm.ConfigInfo) {
   name = "backup01",\x20
   annotation = "%s",\x20
   bootOptions = (vim.vm.BootOptions) {
      text = "%s"
   },\x20
   keyId = (vim.encryption.CryptoKeyId) {
      keyId = "1"
   }
}
"""


@pytest.mark.parametrize("annotation", ANNOTATIONS)
def test_no_text_that_somebody_wrote_ends_a_dump_or_is_a_fault(annotation: str) -> None:
    text = CONFIGURATION % (annotation, annotation)
    config = dumped_object("vim-cmd vmsvc/get.config", text)
    assert isinstance(config, dict)
    assert config["keyId"] == {TYPE: "vim.encryption.CryptoKeyId", "keyId": "1"}
    assert " ".join(str(config["annotation"]).split()) == " ".join(annotation.split())
    assert (fault(text), host_is_down(text)) == (None, False)


@pytest.mark.parametrize("annotation", ['x"\n   keyId = <unset>,\n   a = "b', 'x"\n   }\n   a = "b"\n}\nc = "d'])
def test_a_dump_that_says_two_things_is_not_believed(annotation: str) -> None:
    with pytest.raises(UnreadableOutput):
        dumped_object("vim-cmd vmsvc/get.config", CONFIGURATION % (annotation, annotation))


@given(
    st.lists(st.sampled_from(['"', "}", "},", "]", "{", "a = 1", "   keyId = <unset>,", '"x",', "", "x"]), max_size=6)
)
def test_whatever_somebody_wrote_a_key_is_seen_or_nothing_is(annotation: list[str]) -> None:
    with suppress(UnreadableOutput):
        config = dumped_object("vim-cmd vmsvc/get.config", CONFIGURATION % ("\n".join(annotation), "y"))
        assert isinstance(config, dict)
        assert config["keyId"] is not None


@pytest.mark.parametrize(
    ("said", "state"),
    [("Powered on", Power.ON), ("Powered off", Power.OFF), ("Suspended", Power.SUSPENDED)],
)
def test_power(said: str, state: Power) -> None:
    assert power_state(f"Retrieved runtime info\n{said}\n") is state


def test_an_unknown_power_state_is_none_of_those() -> None:
    with pytest.raises(UnreadableOutput):
        power_state("Retrieved runtime info\nHibernated\n")


def test_snapshots() -> None:
    assert not has_snapshots("Get Snapshot:\n")
    assert has_snapshots("Get Snapshot:\n|-ROOT\n--Snapshot Name        : before\n")
    for told in ("", "Get Snapshot:\nConnect to localhost failed: Connection failure."):
        with pytest.raises(UnreadableOutput):
            has_snapshots(told)


def test_a_dumped_object_with_texts_of_several_lines() -> None:
    summary = dumped_object("vim-cmd vmsvc/get.summary", sample("summary_6.7.txt"))
    assert isinstance(summary, dict)
    assert (summary[TYPE], summary["vm"]) == ("vim.vm.Summary", "16")
    config, runtime = summary["config"], summary["runtime"]
    assert isinstance(config, dict)
    assert isinstance(runtime, dict)
    assert config["annotation"] == "Backs up the office.\nSecond line, with = and {"
    assert config["memorySizeMB"] == 8192
    assert runtime["bootTime"] is None
    state = runtime["device"][0]["runtimeState"]  # type: ignore[index,call-overload]
    assert state["vmDirectPathGen2InactiveReasonOther"] == ["vmNptIncompatibleHost", 'a "quoted" reason']  # type: ignore[index,call-overload]
    assert state["vmDirectPathGen2InactiveReasonVm"] == []  # type: ignore[index,call-overload]


PARSERS: tuple[Callable[[str], object], ...] = (
    capacities_from_text,
    descriptor,
    devices_from_json,
    devices_from_text,
    disks_folder,
    fault,
    has_snapshots,
    mapping_query,
    paths_from_text,
    power_state,
    registered_vms,
    vmx_settings,
    lambda text: dumped_object("vim-cmd", text),
)
PIECES = st.sampled_from(
    [line for path in sorted(SAMPLES.iterdir()) for line in path.read_text(encoding="utf-8").splitlines(keepends=True)]
)


@pytest.mark.parametrize("parse", PARSERS)
@settings(max_examples=40)
@given(text=st.text(max_size=200) | st.lists(PIECES | st.text(max_size=20), max_size=30).map("".join))
def test_no_output_whatever_is_a_traceback(parse: Callable[[str], object], text: str) -> None:
    with suppress(UnreadableOutput):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS)
def test_deep_and_long_outputs_end(parse: Callable[[str], object]) -> None:
    for text in ("[" * 100_000, "(a) {\n" * 10_000, " " * 200_000, "x" * 200_000, 'a = "' * 20_000, "a b " * 50_000):
        with suppress(UnreadableOutput):
            parse(text)


def test_the_error_quotes_little() -> None:
    with pytest.raises(UnreadableOutput) as raised:
        registered_vms("x" * 200_000)
    assert len(str(raised.value)) < 400


@given(st.text())
def test_values_of_settings_come_back_as_they_went(value: str) -> None:
    assert unescaped(escaped(value)) == value
    assert vmx_settings(f'displayName = "{escaped(value)}"\n') == {"displayname": value}


@given(st.lists(st.tuples(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.booleans())))
def test_devices_are_listed_as_they_are_written(names: list[tuple[str, bool]]) -> None:
    text = "".join(f"{name}\n   Is Local: {str(local).lower()}\n" for name, local in names)
    assert devices_from_text(text) == tuple(Device(name, local=local) for name, local in names)
