"""One model, two faces: what is done over one is seen over the other, and on the file system."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.request

import pytest
from esxi_shell import EsxiShell
from pyVmomi import vim
from pyvmomi_client import SAN, Site, change, kind_of, new_mapping, refusal

HOME = "/vmfs/volumes/san01/one"


def vmid(site: Site, name: str = "one") -> str:
    """Returns the number of a VM on its host."""
    return str(site.lab.vm(name)["moid"]).removeprefix("vm-")


def files(site: Site) -> dict[str, dict[str, object]]:
    """Returns the files of the model by their paths."""
    return {file["path"]: file for file in site.lab.state()["files"]}


def test_a_conversion_over_the_shell(site: Site, shell: EsxiShell) -> None:
    before = site.disk().backing
    said = shell.text(f"""
set -e
cd {HOME}
vmkfstools -r /vmfs/devices/disks/{SAN}a one_1-virtual.vmdk
ls one_1-virtual-rdm.vmdk
vim-cmd vmsvc/device.diskremove {vmid(site)} 0 1 n pvscsi
test -f one_1.vmdk && test -f one_1-rdmp.vmdk
vim-cmd vmsvc/device.diskaddexisting {vmid(site)} {HOME}/one_1-virtual.vmdk 0 1 pvscsi
vmkfstools -q one_1-virtual.vmdk
""")
    assert "Non-passthrough Raw Device Mapping" in said
    after = site.disk().backing
    assert (after.fileName, after.compatibilityMode) == ("[san01] one/one_1-virtual.vmdk", "virtualMode")
    assert after.lunUuid == before.lunUuid
    assert files(site)["[san01] one/one_1.vmdk"]["mode"] == "physicalMode"
    assert shell.text(f"grep fileName {HOME}/one.vmx").splitlines()[1] == 'scsi0:1.fileName = "one_1-virtual.vmdk"'


def test_a_conversion_over_the_api_is_seen_in_the_shell(site: Site, shell: EsxiShell) -> None:
    site.reconfigure(
        change("remove", site.disk()),
        new_mapping("[san01] one/new.vmdk", SAN + "a", unit=1),
        extraConfig=[vim.option.OptionValue(key="winbackup.storage.rdm.scsi0:1", value='{"a": 1}')],
    )
    said = shell.text(f"cd {HOME}; vmkfstools -q new.vmdk; ls; cat one.vmx; ls -l new-rdm.vmdk")
    assert "Non-passthrough" in said
    assert "one_1-rdmp.vmdk" in said
    assert 'winbackup.storage.rdm.scsi0:1 = "{|22a|22: 1}"' in said
    assert str(4194304000 * 512) in said
    site.run(
        site.content.virtualDiskManager.DeleteVirtualDisk_Task(
            "[san01] one/one_1.vmdk", site.find(vim.Datacenter, "DC")
        )
    )
    assert "one_1" not in shell.text(f"ls {HOME}")


def test_files_that_the_shell_writes(site: Site, shell: EsxiShell, second: EsxiShell) -> None:
    record = json.dumps({"name": "日本 'quoted'"})
    script = f"""
cd {HOME} && mkdir 'one.claim' && cat > .new <<'END' && mv .new 'one.record.json'
{record}
END
"""
    assert shell.run(script).returncode == 0
    assert second.text(f"cat '{HOME}/one.record.json'") == record + "\n", "another host sees it, as on a SAN"
    browser = site.find(vim.Datastore, "san01").browser
    found = {file.path for file in site.run(browser.SearchDatastore_Task("[san01] one")).file}
    assert {"one.claim", "one.record.json"} < found
    assert ".new" not in found
    assert files(site)["[san01] one/one.record.json"]["content"] == record + "\n"
    assert shell.run(f"cd {HOME} && rmdir one.claim && rm one.record.json one_1.vmdk").returncode == 0
    left = files(site)
    assert "[san01] one/one_1.vmdk" not in left
    assert left["[san01] one/one_1-rdmp.vmdk"]["kind"] == "other", "the extent is left behind"
    assert not {"[san01] one/one.claim", "[san01] one/one.record.json"} & set(left)
    refused = shell.run(f"vmkfstools -z /vmfs/devices/disks/{SAN}a {HOME}/one_1.vmdk")
    assert b"The file already exists (39)" in refused.stderr


def test_reading_changes_no_file(site: Site, shell: EsxiShell) -> None:
    listing = "cd /vmfs/volumes; find . -type f | sort | xargs ls -l --full-time"
    before = shell.run(listing).stdout
    assert before
    shell.text("vim-cmd vmsvc/getallvms; esxcfg-scsidevs -c; vmkfstools -q /vmfs/volumes/san01/one/one_1.vmdk")
    assert site.vm().config.hardware.device
    assert shell.run(listing).stdout == before


def test_power_is_one_too(site: Site, shell: EsxiShell) -> None:
    one = vmid(site)
    assert "Powering on VM:" in shell.text(f"vim-cmd vmsvc/power.on {one}")
    assert site.vm().runtime.powerState == "poweredOn"
    locked = shell.run(f"vmkfstools -U {HOME}/one_1.vmdk")
    assert b"Failed to lock the file (16392)" in locked.stderr
    assert "fault.InvalidPowerState" in shell.run(f"vim-cmd vmsvc/power.on {one}").stdout.decode()
    shell.text(f"vim-cmd vmsvc/power.shutdown {one}")
    assert site.lab.vm("one")["power"] == "poweredOff"
    site.run(site.vm().PowerOn())
    assert "Powered on" in shell.text(f"vim-cmd vmsvc/power.getstate {one}")


def test_a_settings_file_that_is_edited(site: Site, shell: EsxiShell) -> None:
    edit = f"""
set -e
cd {HOME}
sed -e '/^bios.hddOrder/d' -e '/^scsi0:1.mode/d' one.vmx > new
echo 'sched.scsi0:1.shares = "high"' >> new
echo 'scsi0:1.mode = "independent-persistent"' >> new
echo 'my.key = "a |22b|22"' >> new
mv new one.vmx
"""
    assert shell.run(edit).returncode == 0
    assert "my.key" not in site.lab.vm("one")["extra_config"], "the host keeps its own copy"
    shell.text(f"vim-cmd vmsvc/reload {vmid(site)}")
    vm = site.lab.vm("one")
    assert vm["extra_config"]["my.key"] == 'a "b"'
    assert vm["boot_order"] == []
    assert (vm["devices"][1]["shares"]["level"], vm["devices"][1]["disk_mode"]) == ("high", "independent_persistent")
    assert shell.run(f"echo 'lost = \"1\"' >> {HOME}/one.vmx").returncode == 0
    site.reconfigure(annotation="its next change")
    said = shell.text(f"cat {HOME}/one.vmx")
    assert "lost" not in said
    assert 'annotation = "its next change"' in said


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (f"vmkfstools -r /vmfs/devices/disks/{SAN}b {HOME}/one_1.vmdk", "The file already exists (39)"),
        (f"vmkfstools -r /vmfs/devices/disks/{SAN}b {HOME}/none/x.vmdk", "cannot find the file specified (25)"),
        (f"vmkfstools -r /vmfs/devices/disks/{SAN}d {HOME}/x.vmdk", "not a valid physical disk device"),
        (f"vmkfstools -r /vmfs/devices/disks/naa.none {HOME}/x.vmdk", "not a valid physical disk device"),
        (f"vmkfstools -r /vmfs/devices/disks/{SAN}b /vmfs/volumes/nfs01/x.vmdk", "Function not implemented"),
        (f"vmkfstools -U {HOME}/one.vmx", "cannot find the file specified (25)"),
        (f"vmkfstools -i {HOME}/one_1.vmdk {HOME}/x.vmdk", "the lab does not do -i"),
        (f"vmkfstools -d rdm:/vmfs/devices/disks/{SAN}b {HOME}/x.vmdk", "the lab does not do -d"),
    ],
)
def test_what_is_refused_makes_no_file(site: Site, shell: EsxiShell, act: str, text: str) -> None:
    before = site.lab.state()
    done = shell.run(act)
    assert done.returncode != 0
    assert text in done.stderr.decode()
    assert site.lab.state() == before


def test_a_local_disk_is_mapped_by_a_shell_where_the_api_may_not(site: Site, shell: EsxiShell) -> None:
    local = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
    site.lab.world(str(site.lab.control("GET", "/world")) + "local_mappings: InvalidDeviceBacking\n")
    again = Site(site.lab)
    fault = refusal(lambda: again.reconfigure(new_mapping("[san01] one/x.vmdk", local)))
    assert kind_of(fault) == "InvalidDeviceBacking"
    shell.text(f"vmkfstools -r /vmfs/devices/disks/{local} {HOME}/x.vmdk")
    assert files(site)["[san01] one/x.vmdk"]["lun"] == local


def test_a_second_mapping_may_be_refused(site: Site, shell: EsxiShell) -> None:
    site.lab.world(str(site.lab.control("GET", "/world")) + "second_mapping: InvalidDeviceBacking\n")
    done = shell.run(f"vmkfstools -r /vmfs/devices/disks/{SAN}a {HOME}/x.vmdk")
    assert b"Device or resource busy" in done.stderr
    shell.text(f"vmkfstools -U {HOME}/one_1.vmdk; vmkfstools -r /vmfs/devices/disks/{SAN}a {HOME}/x.vmdk")


@pytest.mark.parametrize(
    ("version", "words", "works"),
    [
        ("5.5.0", "", True),
        ("5.5.0", " pvscsi", False),
        ("7.0.3", "", True),
        ("7.0.3", " scsi", True),
        ("8.0.3", "", False),
    ],
)
def test_the_word_for_the_controller(site: Site, shell: EsxiShell, version: str, words: str, works: bool) -> None:
    site.lab.world(str(site.lab.control("GET", "/world")).replace("version: 8.0.3", f"version: {version}"))
    done = shell.run(f"vim-cmd vmsvc/device.diskremove {vmid(site)} 0 1 no{words}")
    assert (done.returncode == 0) == works
    assert (b"Usage:" in done.stderr) == (not works)
    assert len(site.lab.vm("one")["devices"]) == (1 if works else 2)
    assert "[san01] one/one_1.vmdk" in files(site)


def test_a_disk_that_is_not_there_and_a_file_that_goes_with_its_disk(site: Site, shell: EsxiShell) -> None:
    assert shell.run(f"vim-cmd vmsvc/device.diskremove {vmid(site)} 0 9 n pvscsi").returncode == 255
    shell.text(f"vim-cmd vmsvc/device.diskremove {vmid(site)} 0 1 y pvscsi")
    assert "[san01] one/one_1.vmdk" not in files(site)


def test_a_free_licence_does_not_bind_a_shell(site: Site, shell: EsxiShell) -> None:
    site.lab.change_host("esx1.lab", "free_licence")
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x"))) == "RestrictedVersion"
    shell.text(f"vim-cmd vmsvc/power.on {vmid(site)}")
    assert site.lab.vm("one")["power"] == "poweredOn"


def test_a_question_at_power_on(site: Site, shell: EsxiShell) -> None:
    one = vmid(site)
    site.lab.change_vm("one", "ask_question:msg.uuid.altered: moved or copied?")
    said = shell.text(f"""
vim-cmd vmsvc/power.on {one} > /tmp/started & waiting=$!
until vim-cmd vmsvc/message {one} | grep 'moved or copied'; do sleep 1; done
echo started: $(cat /tmp/started)
vim-cmd vmsvc/message {one} $(vim-cmd vmsvc/message {one} | awk '/message/ {{print $4; exit}}' | tr -d :) 1
wait $waiting
cat /tmp/started
""")
    assert said.splitlines() == ["msg.uuid.altered: moved or copied?", "started:", "Powering on VM:"]
    assert site.lab.vm("one")["power"] == "poweredOn"


def test_a_start_whose_question_nobody_answers_can_be_ended(site: Site, shell: EsxiShell) -> None:
    site.lab.change_vm("one", "ask_question")
    said = shell.text(
        f"vim-cmd vmsvc/power.on {vmid(site)} & sleep 1; kill $!; vim-cmd vmsvc/power.getstate {vmid(site)}"
    )
    assert "Powered off" in said


def test_a_remove_that_deletes_whatever_it_is_told(site: Site, shell: EsxiShell) -> None:
    site.lab.world(str(site.lab.control("GET", "/world")) + "shell: {remove_deletes: true}\n")
    shell.text(f"vim-cmd vmsvc/device.diskremove {vmid(site)} 0 1 n pvscsi")
    assert "[san01] one/one_1.vmdk" not in files(site)


def test_what_a_shell_wrote_is_read_over_http(site: Site, shell: EsxiShell) -> None:
    shell.text(f"echo '{{\"run\": 1}}' > '{HOME}/one.record.json'")
    url = f"https://{site.lab.host}:{site.lab.port}/folder/one/one.record.json?dcPath=DC&dsName=san01"
    password = base64.b64encode(f"{site.lab.username}:{site.lab.password}".encode()).decode()
    asked = urllib.request.Request(url, headers={"Authorization": f"Basic {password}"})
    with urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=site.lab.ca_path)) as answer:
        assert json.load(answer) == {"run": 1}


def test_a_host_that_stands_alone(site: Site, shell: EsxiShell) -> None:
    world = str(site.lab.control("GET", "/world")).replace(", {name: esx2.lab, version: 6.7.0}", "")
    lines = [line for line in world.splitlines() if "host: esx2.lab" not in line]
    site.lab.world("api: esxi\n" + "\n".join(lines))
    alone = Site(site.lab)
    moid = alone.vm()._GetMoId()
    assert moid.isdigit()
    assert "Powered off" in shell.text(f"vim-cmd vmsvc/power.getstate {moid}")
    site.lab.change_host("esx1.lab", "hostd_down")
    with pytest.raises(http.client.HTTPException, match="503"):
        alone.vm()
    site.lab.change_host("esx1.lab", "hostd_up")
    assert kind_of(refusal(alone.vm)) == "NotAuthenticated"
    assert Site(site.lab).vm().name == "one"
