"""What real sites look like: what is unset, masked, renamed, refused or gone is never taken for absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import RECORD, options_for, run
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    OPEN_KEY,
    DiskJournal,
    JournalEntry,
    RecordedLun,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import whole_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import (
    LUN_INFO,
    RDM_INFO,
    lun_info,
    rdm_info,
)

A, B, C = (f"naa.60060160a1b12345000000000000000{letter}" for letter in "abc")
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def mappings(vcenter: VcenterLab) -> Read:
    """Reads the mappings; the result has `msg`, None where the module would end well."""

    def read(**given: Any) -> dict[str, Any]:
        failure, result = result_of(rdm_info, ModuleCall(options_for(vcenter, RDM_INFO, **given)))
        return {**result, "msg": failure}

    return read


@pytest.fixture
def luns(vcenter: VcenterLab) -> Read:
    """Reads the LUNs; the result is by canonical name, or by vml id where hosts call a LUN by several names."""

    def read(**given: Any) -> dict[str, Any]:
        failure, result = result_of(lun_info, ModuleCall(options_for(vcenter, LUN_INFO, **given)))
        assert failure is None
        return {lun["canonical_name"]: lun for lun in result["luns"]}

    return read


def world(**changes: Any) -> str:
    """Returns a world in which two hosts see three LUNs: "one" on esx1 maps A, "two" on esx2 maps B, C is free."""
    whole = {
        "hosts": [{"name": "esx1.lab"}, {"name": "esx2.lab"}],
        "datastores": [{"name": "san01"}],
        "luns": [{"name": name, "sectors": 2097152000, "serial": f"S{name[-1]}"} for name in (A, B, C)],
        "vms": [vm("one", A), vm("two", B, host="esx2.lab")],
    }
    return json.dumps({**whole, **changes}, ensure_ascii=False)


def vm(
    name: str, *mapped: str, host: str = "esx1.lab", disk: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Returns a VM that maps these LUNs."""
    return {"name": name, "host": host, "disks": [{"rdm": lun, **(disk or {})} for lun in mapped], **more}


def lun(name: str, **more: Any) -> dict[str, Any]:
    """Returns a LUN."""
    return {"name": name, "sectors": 2097152000, **more}


def codes(listed: list[dict[str, Any]]) -> set[str]:
    """Returns the codes of findings or blockers."""
    return {entry["code"] for entry in listed}


def of(result: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns the one mapping of a VM."""
    (found,) = [rdm for rdm in result["rdms"] if rdm["vm"]["name"] == name]
    return found  # type: ignore[no-any-return]


def finding(result: dict[str, Any], code: str) -> dict[str, Any]:
    """Returns the one finding of the whole reading that has this code."""
    (found,) = [entry for entry in result["findings"] if entry["code"] == code]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("state", ["inaccessible", "orphaned", "invalid"])
def test_a_vm_without_configuration(vcenter: VcenterLab, mappings: Read, luns: Read, state: str) -> None:
    vcenter.world(world(vms=[vm("one", A), vm("two", B, host="esx2.lab", connection=state)]))
    vcenter.hide("two", "config", "layoutEx")
    result = mappings()
    assert finding(result, "vm_inaccessible")["object"] == "two"
    assert result["summary"]["rdms"] == 1
    assert codes(of(result, "one")["blockers"]) == {"other_vms_unread"}
    named = run(vcenter, vm="two")
    assert named["failed"]
    assert codes(named["blockers"]) == {"vm_inaccessible"}
    free = luns()[C]
    assert (free["mappable"], free["mappable_reasons"], free["used_by"]["complete"]) == (None, ["use_unknown"], False)


@pytest.mark.parametrize("state", ["disconnected", "notResponding"])
def test_a_host_without_configuration(vcenter: VcenterLab, mappings: Read, luns: Read, state: str) -> None:
    vcenter.world(world(hosts=[{"name": "esx1.lab"}, {"name": "esx2.lab", "state": state}]))
    vcenter.hide("esx2.lab", "config")
    result = mappings()
    assert finding(result, "host_unavailable")["object"] == "esx2.lab"
    lost = of(result, "two")
    assert lost["lun"] is None
    assert lost["mapping"]["lun_uuid"].startswith("0200000000" + B[4:])
    assert "host_unavailable" in codes(lost["findings"])
    assert codes(lost["blockers"]) == {"host_unavailable", "other_vms_unread"}
    read = luns()
    assert [use["vm"] for use in read[B]["used_by"]["rdms"]] == ["two"]
    assert (read[B]["mappable"], read[C]["mappable"]) == (False, None)


@pytest.mark.parametrize("hidden", ["masked", "host lost"])
def test_a_lun_that_only_the_other_vms_host_shows_is_shared(vcenter: VcenterLab, mappings: Read, hidden: str) -> None:
    shared = [vm("one", A), vm("two", A, host="esx2.lab", disk={"file": "[san01] two/other.vmdk"})]
    vcenter.world(world(vms=shared))
    if hidden == "masked":
        vcenter.change_lun(A, "mask", "esx1.lab")
    else:
        vcenter.hide("esx1.lab", "config")
    result = mappings()
    assert of(result, "one")["lun"] is None
    assert [other["name"] for other in of(result, "one")["shared_with"]] == ["two"]
    assert [other["name"] for other in of(result, "two")["shared_with"]] == ["one"]
    converted = run(vcenter, vm="two", override=["other_vms_unread"])
    assert "lun_used_by_other_vm" in codes(converted["blockers"])
    assert [entry["code"] for entry in converted["blockers"] if not entry["overridable"]] == ["lun_used_by_other_vm"]


@pytest.mark.parametrize(
    "role", ["unseen: [two]", "unreadable: [two]", "unseen: [esx2.lab, two]", "unreadable: [esx2.lab]"]
)
def test_a_user_who_may_not_read_everything(vcenter: VcenterLab, mappings: Read, luns: Read, role: str) -> None:
    vcenter.world(
        world(files=[{"file": "[san01] old/forgotten.vmdk", "rdm": C}])[:-1]
        + f', "users": {{"bob": {{"password": "pw", {_json(role)}}}}}}}'
    )
    bob = {"username": "bob", "password": "pw"}
    result = mappings(orphans=True, **bob)
    assert result["msg"] is None
    (unread,) = of(result, "one")["blockers"]
    assert (unread["code"], unread["overridable"]) == ("other_vms_unread", True)
    assert "could not be read (" in unread["message"]
    assert codes(result["findings"]) & {"unreadable", "host_unavailable"}
    assert {entry["in_use"] for entry in result["orphaned_mappings"]} == {None}
    assert luns(**bob)[C]["mappable"] is None
    assert run(vcenter, vm="one", **bob)["failed"]
    assert not run(vcenter, vm="one", override=["other_vms_unread"], **bob)["failed"]
    everything = mappings(orphans=True)
    assert [(entry["file"], entry["in_use"]) for entry in everything["orphaned_mappings"]] == [
        ("[san01] old/forgotten.vmdk", False)
    ]


def _json(role: str) -> str:
    kind, _colon, names = role.partition(": ")
    return f'"{kind}": {json.dumps(names.strip("[]").split(", "))}'


def test_what_of_a_mapping_is_not_told_is_null_and_said(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world(world())
    vcenter.hide("one", "config.hardware.device.backing.compatibilityMode")
    vcenter.hide("one", "config.hardware.device.unitNumber")
    row = of(mappings(), "one")
    assert (row["compatibility"], row["unit"]) == (None, None)
    assert [entry["message"] for entry in row["findings"]] == [
        f"The compatibility mode of {row['file']} could not be read."
    ]


def test_a_user_who_sees_nothing_is_not_told_that_all_is_well(vcenter: VcenterLab, mappings: Read) -> None:
    everything = ["esx1.lab", "esx2.lab", "one", "two", "san01"]
    vcenter.world(world(users={"bob": {"password": "pw", "unseen": everything}}))
    result = mappings(username="bob", password="pw")
    assert (result["msg"], result["rdms"]) == (None, [])
    assert "sees no host" in finding(result, "unreadable")["message"]


def test_a_lun_that_a_journal_may_name_is_not_called_free(vcenter: VcenterLab, mappings: Read, luns: Read) -> None:
    """A run that was killed left the only mapping of "two" detached; and then its settings are refused."""
    uuid = "50040000-0000-4000-8000-00000000beef"
    lun_b = RecordedLun(B, f"vml.0200000000{B[4:]}565241494420", 2097152000 * 512)
    folder = "/vmfs/volumes/san01/two"
    modes = (Compatibility.VIRTUAL, Compatibility.PHYSICAL)
    entry = JournalEntry(
        "a" * 32, 0, "removed", "scsi0:1", *modes, f"{folder}/x.vmdk", f"{folder}/y.vmdk", lun_b, Power.OFF
    )
    extra = {f"{RECORD}scsi0:1": whole_text(DiskJournal(uuid, entry)), OPEN_KEY: "scsi0:1"}
    vcenter.world(world(vms=[vm("one", A), vm("two", host="esx2.lab", instance_uuid=uuid, extra=extra)]))
    assert (luns()[B]["mappable"], luns()[C]["mappable"]) == (False, True)
    assert codes(of(mappings(), "two")["findings"]) == {"conversion_open"}
    vcenter.hide("two", "config.extraConfig", fault="NoPermission")
    assert (luns()[B]["mappable"], luns()[C]["mappable"]) == (None, None)
    assert codes(of(mappings(), "one")["blockers"]) == {"other_vms_unread"}


def test_where_the_vmx_lies_is_not_told(vcenter: VcenterLab, mappings: Read) -> None:
    """Nobody can look for what a run over the shell left beside it."""
    vcenter.world(world())
    vcenter.hide("one", "config.files")
    assert finding(mappings(), "unreadable")["message"] == (
        "Of one this could not be read: the path of its configuration file."
    )
    (blocker,) = run(vcenter, vm="one")["blockers"]
    assert (blocker["code"], "the records beside its .vmx" in blocker["message"]) == ("vm_inaccessible", True)


def test_the_san_lun_of_a_host_that_stands_alone_may_be_used_by_others(vcenter: VcenterLab, luns: Read) -> None:
    local = "t10.ATA_____DISK____________________________________________________1____"
    disks = [lun(C), lun(local, local=True, transport="sas")]
    vcenter.world(world(api="esxi", hosts=[{"name": "esx1.lab"}], luns=disks, vms=[]))
    read = luns()
    assert (read[C]["mappable"], read[C]["mappable_reasons"]) == (None, ["use_unknown"])
    assert read[local]["mappable"] is True


@pytest.mark.parametrize(
    "name", ["sym.029010111831353837", "uuid.2b65aaaa7c1f4d5e9b0a", "fc.200000110d0", "eui.0025385a71b00d11"]
)
def test_a_lun_of_any_kind_of_name_is_one_lun_on_all_hosts(vcenter: VcenterLab, mappings: Read, name: str) -> None:
    shared = [vm("one", name), vm("two", name, host="esx2.lab", disk={"file": "[san01] two/other.vmdk"})]
    vcenter.world(world(luns=[lun(name)], vms=shared))
    result = mappings()
    assert result["summary"]["luns"] == 1
    assert [other["name"] for other in of(result, "one")["shared_with"]] == ["two"]
    assert run(vcenter, vm="one")["failed"]


def test_another_lun_number_than_at_mapping_time(vcenter: VcenterLab, mappings: Read) -> None:
    old = f"vml.0200630000{A[4:]}565241494420"
    shared = [
        vm("one", A, disk={"lun_uuid": old.removeprefix("vml."), "device_name": old}),
        vm("two", B, host="esx2.lab"),
    ]
    vcenter.world(world(vms=shared))
    disk = of(mappings(vms=["one"]), "one")
    assert disk["lun"]["canonical_name"] == A
    assert "lun_number_differs" in codes(disk["findings"])
    assert (disk["blockers"], disk["convertible"]) == ([], True)
    assert disk["mapping"] == {"lun_uuid": old.removeprefix("vml."), "device_name": old}


@pytest.mark.parametrize("spelt", [lambda uuid: f"vml.{uuid}", str.upper])
def test_the_id_of_a_mapping_in_other_spellings(
    vcenter: VcenterLab, mappings: Read, spelt: Callable[[str], str]
) -> None:
    uuid = f"0200000000{A[4:]}565241494420"
    vcenter.world(world(vms=[vm("one", A, disk={"lun_uuid": spelt(uuid), "device_name": "vml.0"})]))
    assert of(mappings(), "one")["lun"]["canonical_name"] == A


def test_luns_are_chosen_as_storage_teams_write_them(vcenter: VcenterLab, mappings: Read, luns: Read) -> None:
    vcenter.world(world())
    wwn = A[4:]
    colons = ":".join(wwn[place : place + 2] for place in range(0, 32, 2))
    for name in (wwn, wwn.upper(), f"0x{wwn}", colons, colons.upper(), A.upper(), "Sa"):
        assert [rdm["vm"]["name"] for rdm in mappings(luns=[name])["rdms"]] == ["one"]
        assert list(luns(luns=[name])) == [A]
    assert "'naa.1'" in (result_of(lun_info, ModuleCall(options_for(vcenter, LUN_INFO, luns=["naa.1"])))[0] or "")


def test_the_serial_stands_among_the_durable_names(vcenter: VcenterLab, luns: Read) -> None:
    names = [{"namespace": "GENERIC_VPD", "hex": "00800008"}, {"namespace": "SERIALNUM", "text": " ZVTBXN1D  "}]
    vcenter.world(world(luns=[lun(A, alternate_names=names), lun(B, serial="   "), lun(C)], vms=[]))
    assert {name: luns()[name]["serial"] for name in (A, B, C)} == {A: "ZVTBXN1D", B: None, C: None}


def test_one_serial_on_all_luns_is_said_once(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world("generated: {vms: 0, hosts: 2, luns: 300, mappings: 60, serial: SAME}\n")
    result = mappings()
    said = finding(result, "serial_not_unique")
    assert said["message"].startswith("60 LUNs have the serial SAME: ")
    assert len(json.dumps(result)) < 60 * 6000


@pytest.mark.parametrize("store", ["san [old] 1", "[1] (b) 100%", "データ [1]"])
def test_datastores_with_brackets_in_their_names(vcenter: VcenterLab, mappings: Read, store: str) -> None:
    files = [{"file": f"[{store}] old/forgotten.vmdk", "rdm": C}]
    vcenter.world(world(datastores=[{"name": store}], vms=[vm("one", A, datastore=store)], files=files))
    result = mappings(vms=["one"], orphans=True)
    assert (of(result, "one")["blockers"], of(result, "one")["convertible"]) == ([], True)
    assert [entry["datastore"] for entry in result["orphaned_mappings"]] == [store]
    converted = run(vcenter, vm="one")
    assert not converted["failed"], converted["msg"]
    assert converted["disks"][0]["after"]["file"].startswith(f"[{store}] one/")


def test_a_mapped_vm_that_goes_between_two_requests(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world(world())
    for skip in range(2):
        vcenter.world(world())
        vcenter.fault(kind="object_gone", gone="two", method="RetrievePropertiesEx", skip=skip, count=1)
        result = mappings()
        assert result["msg"] is None
        assert [rdm["vm"]["name"] for rdm in result["rdms"]] == (["one"] if skip == 0 else ["one", "two"])
    assert finding(result, "unreadable")["object"] == "two"
    assert "vm_inaccessible" in codes(of(result, "two")["blockers"])


def test_a_search_of_a_datastore_that_does_not_end(vcenter: VcenterLab, mappings: Read) -> None:
    stores = [{"name": "san01"}, {"name": "slow"}]
    files = [{"file": f"[{store['name']}] old/forgotten.vmdk", "rdm": C} for store in stores]
    vcenter.world(world(datastores=stores, files=files))
    vcenter.fault(kind="endless_task", method="SearchDatastoreSubFolders_Task", object="slow", count=1)
    result = mappings(orphans=True, timeout=2)
    assert result["msg"] is None
    assert [entry["datastore"] for entry in result["orphaned_mappings"]] == ["san01"]
    assert finding(result, "unreadable")["object"] == "slow"
    assert result["summary"]["rdms"] == 2


def test_a_character_that_is_no_xml(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world(world(vms=[vm("one", A), vm("two", B, host="esx2.lab")]).replace('"two"', '"tw\\x01o"'))
    result = mappings()
    assert result["msg"] is None
    assert result["summary"]["rdms"] == 2
    named = finding(result, "unreadable")
    assert named["object"] == "tw\ufffdo"
    assert "name (a character in it is no XML)" in named["message"]


def test_a_page_that_comes_again_ends_the_reading(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world("generated: {vms: 600, hosts: 2}\n")
    vcenter.fault(kind="page_repeats", method="ContinueRetrievePropertiesEx", count=1)
    assert "given before" in (mappings()["msg"] or "")


@pytest.mark.parametrize(
    ("changes", "mappable", "reason"),
    [
        ({"paths": {"esx2.lab": {"perennially_reserved": True}}}, False, "perennially_reserved"),
        ({"paths": {"esx2.lab": {"state": "off"}}}, False, "not_ok"),
        ({"state": "degraded"}, True, None),
        ({"protocol_endpoint": True}, False, "protocol_endpoint"),
        ({"transport": "nvme-tcp"}, False, "nvme_over_fabrics"),
        ({"transport": "nvme-rdma"}, False, "nvme_over_fabrics"),
        ({"transport": "nvme-fc"}, False, "nvme_over_fabrics"),
        ({"transport": "usb", "local": True, "hosts": ["esx1.lab"]}, False, "removable"),
        ({"format": "native4k", "block_size": 4096}, False, "native_4k"),
        ({"boot": True}, False, "host_boot_or_system"),
        ({"boot": True, "system_volumes": "OTHER"}, False, "not_offered"),
        ({"vsan": True}, False, "used_by_vsan"),
        ({"vmfs": "san01"}, False, "carries_vmfs"),
        ({}, True, None),
    ],
)
def test_what_a_lun_is_good_for(
    vcenter: VcenterLab, luns: Read, changes: dict[str, Any], mappable: bool, reason: str | None
) -> None:
    vcenter.world(world(luns=[lun(C, **changes)], vms=[]))
    read = luns()[C]
    assert (read["mappable"], read["mappable_reasons"]) == (mappable, [reason] if reason else [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"perennially_reserved": True}, "perennially_reserved"), ({"state": "lostCommunication"}, "lun_not_ok")],
)
def test_what_another_host_says_of_a_lun_counts(vcenter: VcenterLab, changes: dict[str, Any], code: str) -> None:
    vcenter.world(world(luns=[lun(A, paths={"esx2.lab": changes}), lun(B)]))
    refused = run(vcenter, vm="one")
    assert codes(refused["blockers"]) == {code}
    assert "esx2.lab" in refused["blockers"][0]["message"]


def test_a_degraded_lun_is_converted_and_said_to_be_degraded(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world(world(luns=[lun(A, state="degraded"), lun(B)]))
    assert "lun_degraded" in codes(of(mappings(), "one")["findings"])
    assert not run(vcenter, vm="one")["failed"]


def test_paths_of_luns_where_they_are_asked_for(vcenter: VcenterLab, luns: Read) -> None:
    vcenter.world(world())
    assert "paths" not in luns()[A]["hosts"][0]
    assert luns(detail=["lun_paths"])[A]["hosts"][0]["paths"][0]["state"] == "active"


def test_a_running_vm_only_needs_a_shutdown(vcenter: VcenterLab, mappings: Read) -> None:
    vcenter.world(world(vms=[vm("one", A, power="on"), vm("two", B, host="esx2.lab", power="on")]))
    result = mappings(vms=["one", "two"])
    assert [rdm["convertible"] for rdm in result["rdms"]] == ["after_shutdown", "after_shutdown"]
    assert (result["summary"]["convertible"], result["summary"]["after_shutdown"]) == (0, 2)
    assert finding(result, "guest_pass_through_unseen")["severity"] == "info"
    assert result["summary"]["findings"]["guest_pass_through_unseen"] == 1
    assert mappings()["summary"]["unchecked"] == 2


@pytest.mark.parametrize("kind", ["soap", "connection_dropped"])
def test_a_reading_that_fails_gives_its_view_and_session_back(vcenter: VcenterLab, mappings: Read, kind: str) -> None:
    vcenter.world(world())
    vcenter.clear_log()
    fault = {"fault": "NoPermission"} if kind == "soap" else {}
    vcenter.fault(kind=kind, method="RetrievePropertiesEx", count=5, **fault)
    assert mappings()["msg"]
    methods = [entry["method"] for entry in vcenter.log()]
    assert methods[-1] == "Logout"
    assert "DestroyView" in methods


SOURCES = {
    "two": (
        "config",
        "config.hardware",
        "config.hardware.device",
        "config.hardware.device.backing",
        "config.hardware.device.backing.lunUuid",
        "config.hardware.device.backing.fileName",
        "runtime",
        "runtime.host",
    ),
    "esx2.lab": (
        "config",
        "config.storageDevice",
        "config.storageDevice.scsiLun",
        "config.storageDevice.scsiLun.uuid",
        "config.storageDevice.scsiLun.descriptor",
        "config.storageDevice.scsiLun.operationalState",
        "config.storageDevice.scsiLun.perenniallyReserved",
        "config.storageDevice.scsiLun.localDisk",
        "config.fileSystemVolume",
        "runtime",
        "vm",
    ),
    "esx1.lab": ("config.fileSystemVolume", "config.storageDevice.scsiLun.canonicalName", "name"),
    "san01": ("name", "info", "summary", "host", "browser"),
}


def good(mappings: Read, luns: Read) -> dict[str, set[str]]:
    """Returns all that a site is said to be good for."""
    result = mappings(vms=[], orphans=True)
    assert result["msg"] is None
    checked = mappings(vms=[rdm["vm"]["moid"] for rdm in result["rdms"]] or ["one"])
    read = luns().values()
    return {
        "convertible": {rdm["file"] for rdm in checked["rdms"] if rdm["convertible"] is True},
        "mappable": {lun["device_path"] for lun in read if lun["mappable"] is True},
        "unused": {lun["device_path"] for lun in read if lun["used_by"]["complete"] and not lun["used_by"]["rdms"]},
        "orphans": {entry["file"] for entry in result["orphaned_mappings"] if entry["in_use"] is False},
    }


@pytest.mark.parametrize("name", list(SOURCES))
def test_whatever_is_hidden_nothing_becomes_better(vcenter: VcenterLab, mappings: Read, luns: Read, name: str) -> None:
    """A LUN of two VMs, one with VMFS on it, one that esx2 keeps for a cluster, one that is free; a forgotten file."""
    shared = vm("two", A, host="esx2.lab", disk={"file": "[san01] two/other.vmdk"})
    kinds = [
        lun(A),
        lun(B, paths={"esx2.lab": {"perennially_reserved": True}}),
        lun(C),
        lun(C[:-1] + "d", vmfs="san01"),
    ]
    files = [{"file": "[san01] old/forgotten.vmdk", "rdm": C}]
    vcenter.world(world(luns=kinds, vms=[vm("one", A), shared, vm("three", B)], files=files))
    whole = good(mappings, luns)
    assert {kind: len(found) for kind, found in whole.items()} == {
        "convertible": 0,
        "mappable": 1,
        "unused": 3,
        "orphans": 1,
    }
    for path in SOURCES[name]:
        hidden = vcenter.hide(name, path)
        seen = good(mappings, luns)
        better = {kind: seen[kind] - whole[kind] for kind in whole if seen[kind] - whole[kind]}
        assert better == {}, f"{path} of {name} was hidden"
        vcenter.show(hidden)
