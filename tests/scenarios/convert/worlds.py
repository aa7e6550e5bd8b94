"""The worlds in which conversions are tried: small, so that each is made anew in a moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

SAN_A, SAN_B, SAN_C = (f"naa.60060160a1b12345000000000000000{letter}" for letter in "abc")
DISK_2TB = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
DISK_3TB = "t10.ATA_____WDC_WD30EFRX2D68EUZN0_________________________WD2DWCC4N0000002"

# Two hosts see three LUNs; one of them by another number, and so by another vml id, on the second host (KB 1016210).
SAN_LUNS = f"""
  - {{name: {SAN_A}, sectors: 3907029168, serial: APM0A, number: 5,
      paths: {{esx2.lab: {{uuid: 020006000060060160a1b12345000000000000000a565241494420, number: 6}}}}}}
  - {{name: {SAN_B}, sectors: 5860533168, serial: APM0B}}
  - {{name: {SAN_C}, sectors: 2097152000, serial: APM0C}}
"""
# The disks of the first report: local SATA disks of 2 and 3 TB, which only their own host has.
LOCAL_LUNS = f"""
  - {{name: {DISK_2TB}, sectors: 3907029168, format: emulated512, vendor: "ATA     ", model: "WDC WD20EFRX-68E",
      serial: "     WD-WCC4M0000001", local: true, hosts: [esx1.lab]}}
  - {{name: {DISK_3TB}, sectors: 5860533168, format: emulated512, vendor: "ATA     ", model: "WDC WD30EFRX-68E",
      serial: "     WD-WCC4N0000002", local: true, hosts: [esx1.lab]}}
  - {{name: {SAN_C}, sectors: 2097152000, serial: APM0C}}
"""


def pair(luns: str, first: str, second: str, mode: str = "physical", power: str = "on") -> str:
    """Returns a world: the VM backup01 with a disk of its own and two mappings, and a VM that must never change."""
    disk_mode = "persistent" if mode == "virtual" else "independent_persistent"
    return f"""
hosts: [{{name: esx1.lab}}, {{name: esx2.lab}}]
datastores: [{{name: san01}}]
luns:
{luns}
vms:
  - name: backup01
    host: esx1.lab
    power: "{power}"
    boot_order: ["scsi0:0", "scsi0:1"]
    disks:
      - {{flat: 85899345920}}
      - {{at: "scsi0:1", rdm: {first}, mode: {mode}, disk_mode: {disk_mode}, file: "[san01] backup01/data one.vmdk",
          shares: custom, share_number: 1500, limit: 4000}}
      - {{at: "scsi0:2", rdm: {second}, mode: {mode}, disk_mode: {disk_mode}, file: "[san01] backup01/data_2.vmdk"}}
  - name: bystander
    host: esx2.lab
    power: "on"
    disks: [{{flat: 42949672960}}, {{rdm: {SAN_C}}}]
"""


SAN_PAIR = pair(SAN_LUNS, SAN_A, SAN_B)
LOCAL_PAIR = pair(LOCAL_LUNS, DISK_2TB, DISK_3TB)
VIRTUAL_PAIR = pair(SAN_LUNS, SAN_A, SAN_B, mode="virtual")


def in_two_steps(world: str, fault: str = "InvalidDeviceSpec") -> str:
    """Returns the world on a server that refuses to remove a device and add another in its place in one reconfigure."""
    return json.dumps({**yaml.safe_load(world), "one_reconfigure": fault})


def one_disk(
    *,
    vm: Mapping[str, Any] | None = None,
    disk: Mapping[str, Any] | None = None,
    lun: Mapping[str, Any] | None = None,
    **world: Any,
) -> str:
    """Returns a world with the VM backup01, off, and one physical mapping at scsi0:1, changed as the case wants it.

    `vm`, `disk` and `lun` are laid over what they would be; anything else replaces a part of the world.
    """
    mapped = {"name": SAN_A, "sectors": 3907029168, "serial": "APM0A", **(lun or {})}
    mapping = {"at": "scsi0:1", "rdm": mapped["name"], "file": "[san01] backup01/data.vmdk", **(disk or {})}
    machine = {"name": "backup01", "host": "esx1.lab", "disks": [{"flat": 42949672960}, mapping], **(vm or {})}
    bystander = {
        "name": "bystander",
        "host": "esx2.lab",
        "power": "on",
        "disks": [{"flat": 42949672960}, {"rdm": SAN_C}],
    }
    whole = {
        "hosts": [{"name": "esx1.lab"}, {"name": "esx2.lab"}],
        "datastores": [{"name": "san01"}],
        "luns": [mapped, {"name": SAN_B, "sectors": 5860533168}, {"name": SAN_C, "sectors": 2097152000}],
        "vms": [machine, bystander],
    }
    # JSON is YAML.
    return json.dumps({**whole, **world}, ensure_ascii=False)
