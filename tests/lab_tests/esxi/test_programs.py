"""What the programs of a host print, in the shapes of the sources, by version."""

from __future__ import annotations

import json
import re

import pytest
from esxi_shell import EsxiShell
from pyvmomi_client import SAN, Site

LOCAL = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
COMPACT = re.compile(
    r"^(?P<uid>\S+)\s+(?P<type>\S.*?)\s*(?P<path>/vmfs/devices/\S+)\s+(?P<mb>\d+)MB\s+(?P<plugin>\S+)\s+(?P<name>.+?)\s*$"
)
ROW = re.compile(r"^(\d+)\s+(.+?)\s+(\[[^\]]*\]\s*.*?\.vmx)(?:\s+(\S+))?(?:\s+(vmx-\d+))?")
HOME = "/vmfs/volumes/san01/one"


def vmid(site: Site, name: str) -> str:
    """Returns the number of a VM on its host."""
    return str(site.lab.vm(name)["moid"]).removeprefix("vm-")


def test_it_is_busybox_less_what_esxi_has_not(shell: EsxiShell) -> None:
    done = shell.run("command -v ls; stat /; timeout 1 ls; echo $PATH; pwd; which vmkfstools; exit 7", fresh=True)
    assert done.returncode == 7
    assert done.stdout.decode().split() == ["/bin:/sbin", "/", "/bin/vmkfstools"]
    said = done.stderr.decode()
    assert "sh: command: not found" in said
    assert "sh: stat: not found" in said
    assert "sh: timeout: not found" in said
    assert said.startswith("The lab's ESXi"), "a banner arrives on stderr"
    done = shell.run("sh -s one", stdin=b"echo got:$1\nfalse || exit 3\n")
    assert (done.returncode, done.stdout) == (3, b"got:one\n")


def test_the_compact_list_of_devices(shell: EsxiShell) -> None:
    header, *lines = shell.text("esxcfg-scsidevs -c").splitlines()
    assert header.startswith("Device UID ")
    assert header.endswith("Multipath PluginDisplay Name")
    rows = {match["uid"]: match for match in map(COMPACT.match, lines) if match}
    assert len(rows) == len(lines)
    local = rows[LOCAL]
    assert local.group("type", "path", "mb", "plugin") == (
        "Direct-Access",
        f"/vmfs/devices/disks/{LOCAL}",
        str(3907029168 * 512 // 2**20),
        "NMP",
    )
    assert any(match["path"].startswith("/vmfs/devices/cdrom/") for match in rows.values())


def test_the_long_list_of_devices(shell: EsxiShell) -> None:
    said = shell.text(f"esxcfg-scsidevs -l -d {LOCAL}")
    assert said.startswith(LOCAL + "\n   Device Type: Direct-Access\n")
    assert re.search(r"\n   Vendor: ATA       Model: WDC WD20EFRX-68E\s+Revis: ", said)
    assert "Is RDM Capable: false Is Removable: false\n   Is Local: true  Is SSD: false" in said
    assert re.search(r"\n   Other Names:\n      vml\.01[0-9a-f]+\n", said)


def test_devices_as_text_and_as_json(shell: EsxiShell, second: EsxiShell) -> None:
    text = shell.text("esxcli storage core device list")
    blocks = {block.partition("\n")[0]: block for block in text.split("\n\n")}
    found = {row["Device"]: row for row in json.loads(shell.text("esxcli --formatter=json storage core device list"))}
    assert set(blocks) == set(found)
    assert found[SAN + "a"]["OtherUIDs"][0].removeprefix("vml.").startswith("02000000006006016")
    assert found[LOCAL]["Size"] == 3907029168 * 512 // 2**20
    assert found[LOCAL]["Vendor"] == "ATA     "
    assert "   Is Boot Device: false\n" in blocks[LOCAL]
    assert "   Other UIDs: " + found[LOCAL]["OtherUIDs"][0] in blocks[LOCAL]
    older = second.run("esxcli --debug --formatter=json storage core device list")
    assert (older.returncode, older.stdout) == (1, b"Unable to find requested formatter: json\n")
    other = second.text(f"esxcli storage core device list -d {SAN}a")
    assert "Other UIDs: vml.0200060000600601aa" in other, "the second host calls it otherwise"
    assert second.run(f"esxcli storage core device list -d {LOCAL}").returncode == 1


def test_what_version_5_prints_otherwise(site: Site, shell: EsxiShell) -> None:
    site.lab.world(str(site.lab.control("GET", "/world")).replace("version: 8.0.3", "version: 5.5.0"))
    said = shell.text(f"esxcli storage core device list -d {LOCAL}")
    assert "   Device Type: Direct-Access \n" in said, "with a blank at the end"
    assert "Is Local SAS Device: false" in said
    assert "Is Boot USB Device: false" in said
    assert "Is Boot Device" not in said
    assert shell.run("esxcli storage core device capacity list").returncode == 1


def test_exact_sizes(shell: EsxiShell) -> None:
    row = next(line for line in shell.text("esxcli storage core device capacity list").splitlines() if LOCAL in line)
    assert row.split() == [LOCAL, "4096", "512", "3907029168", "1907729", "MiB", "512e"]
    assert shell.text(f"ls -l /vmfs/devices/disks/{LOCAL}").split()[4] == str(3907029168 * 512)
    assert shell.text(f"du -k /vmfs/devices/disks/{LOCAL}").split()[0] == "0"
    links = shell.text("cd /vmfs/devices/disks; for link in vml.*; do readlink $link; done").split()
    assert {LOCAL, SAN + "a", SAN + "b", SAN + "d"} == set(links)
    assert f"{SAN}d:1" in shell.text("ls /vmfs/devices/disks")


def test_datastores(shell: EsxiShell, second: EsxiShell) -> None:
    assert {"san01", "odd (1)", "nfs01"} < set(shell.text("ls -1 /vmfs/volumes").splitlines())
    assert "odd (1)" not in second.text("ls -1 /vmfs/volumes")
    rows = json.loads(shell.text("esxcli --formatter=json storage filesystem list"))
    assert {row["VolumeName"]: row["Type"] for row in rows} == {"san01": "VMFS-6", "odd (1)": "VMFS-6", "nfs01": "NFS"}
    assert SAN + "d" in shell.text("esxcli storage vmfs extent list")
    assert shell.text("df | awk 'NR==2 {print $6}'").strip() == "/vmfs/volumes/san01"


def test_what_a_file_maps(shell: EsxiShell) -> None:
    said = shell.text(f"cd {HOME}; vmkfstools -q one_1.vmdk; vmkfstools -q {HOME}/one_0.vmdk || true")
    assert re.match(r"Disk one_1\.vmdk is a Passthrough Raw Device Mapping\nMaps to: vml\.0200000000600601\w+\n", said)
    assert said.endswith(f"{HOME}/one_0.vmdk is not an rdm\n")
    gone = shell.run(f"vmkfstools -q {HOME}/none.vmdk")
    assert gone.returncode != 0
    assert b"The system cannot find the file specified (25)" in gone.stderr


def test_a_snapshot_above_a_mapping_answers_as_the_mapping(site: Site, shell: EsxiShell) -> None:
    world = str(site.lab.control("GET", "/world"))
    site.lab.world(world.replace("disk_mode: persistent}", 'disk_mode: persistent, mode: virtual, lun_uuid: "0200AB"}'))
    again = Site(site.lab)
    again.run(again.vm().CreateSnapshot_Task("before patch day", "", False, False))
    said = shell.text(f"cd {HOME}; vmkfstools -q one_1-000001.vmdk; grep -h parentFileNameHint one_1-000001.vmdk")
    assert said.splitlines() == [
        "Disk one_1-000001.vmdk is a Non-passthrough Raw Device Mapping",
        "Maps to: vml.0200AB",
        'parentFileNameHint="one_1.vmdk"',
    ]


def test_all_vms(site: Site, shell: EsxiShell) -> None:
    skipped, header, *lines = shell.text("vim-cmd vmsvc/getallvms").splitlines()
    assert skipped == f"Skipping invalid VM '{vmid(site, 'broken')}'"
    assert header.split() == ["Vmid", "Name", "File", "Guest", "OS", "Version", "Annotation"]
    rows = [match.groups() for match in map(ROW.match, lines) if match]
    assert [row[1:3] for row in rows] == [
        ("one", "[san01] one/one.vmx"),
        ('odd  name\'s "vm"', '[san01] odd  name\'s "vm"/odd  name\'s "vm".vmx'),
    ]
    assert lines[-1] == "second", "an annotation goes on over lines"


def test_a_vm_as_vim_cmd_tells_it(site: Site, shell: EsxiShell) -> None:
    one = vmid(site, "one")
    verbs = "power.getstate snapshot.get get.guest device.getdevices get.summary"
    said = shell.text(f"for verb in {verbs}; do vim-cmd vmsvc/$verb {one}; done")
    assert "Retrieved runtime info\nPowered off\n" in said
    assert "Get Snapshot:\nGuest information:" in said
    mapping = said[said.index("RawDiskMappingVer1BackingInfo") :]
    assert 'compatibilityMode = "physicalMode", \n' in mapping
    assert 'label = "Hard disk 1", \n' in said
    assert 'vmPathName = "[san01] one/one.vmx"' in said


def test_snapshots(site: Site, second: EsxiShell) -> None:
    site.run(site.vm("two").CreateSnapshot_Task("before patch day", "", False, False))
    said = second.text(f"vim-cmd vmsvc/snapshot.get {vmid(site, 'two')}; cat /vmfs/volumes/san01/two/two.vmx")
    assert "Get Snapshot:\n|-ROOT\n--Snapshot Name        : before patch day\n" in said
    assert "--Snapshot Desciption" in said
    assert 'scsi0:0.fileName = "two_0-000001.vmdk"' in said


@pytest.mark.parametrize("code", [0, 1])
def test_a_fault_is_text(site: Site, shell: EsxiShell, code: int) -> None:
    site.lab.world(str(site.lab.control("GET", "/world")) + f"shell: {{fault_code: {code}}}\n")
    done = shell.run("vim-cmd vmsvc/power.getstate 99999")
    assert done.returncode == code
    assert re.match(r"^\((?:vim|vmodl)\.fault\.(\w+)\)\s*\{", done.stdout.decode())
    assert b'msg = "Unable to find a VM corresponding to "99999""' in done.stdout


def test_a_vmx(shell: EsxiShell) -> None:
    said = dict(line.split(" = ", 1) for line in shell.text(f"cat {HOME}/one.vmx").splitlines())
    assert said["scsi0:1.fileName"] == '"one_1.vmdk"'
    assert said["scsi0.sharedBus"] == '"none"'
    assert said["a.key"] == '"x |22quoted|22 |23 |7C y"'
    assert said["bios.hddOrder"] == '"scsi0:1"'
    descriptor = shell.text(f"cat {HOME}/one_1.vmdk")
    assert 'createType="vmfsPassthroughRawDeviceMap"' in descriptor
    assert 'RW 4194304000 VMFSRDM "one_1-rdmp.vmdk"' in descriptor
