package main

import (
	"fmt"
	"strings"
)

// scsidevs is esxcfg-scsidevs: the devices in columns whose widths follow what stands in them, or in blocks.
func scsidevs(lab *Lab, command *Command) Answer {
	host, words := lab.hosts[command.host.Name], command.Arguments
	wanted := ""
	for i, word := range words {
		if (word == "-d" || word == "--device") && i+1 < len(words) {
			wanted = words[i+1]
		}
	}
	devices := host.devicesOf(wanted)
	if len(words) == 0 {
		return failed(1, "esxcfg-scsidevs: the lab knows -c and -l\n")
	}
	if wanted != "" && len(devices) == 0 {
		return failed(1, "Error: device %s not found\n", wanted)
	}
	switch words[0] {
	case "-c", "--compact-list":
		return compactList(devices)
	case "-l", "--list":
		return longList(host, devices)
	}
	return failed(1, "esxcfg-scsidevs: the lab does not know %s\n", words[0])
}

func compactList(devices []Device) Answer {
	uid, path := 12, 16
	for _, device := range devices {
		uid, path = max(uid, len(device.Name)+2), max(path, len(device.path())+2)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-*s%-17s%-*s%-10s%-16s%s\n", uid, "Device UID", "Device Type", path, "Console Device", "Size", "Multipath Plugin", "Display Name")
	for _, device := range devices {
		fmt.Fprintf(&out, "%-*s%-17s%-*s%-10s%-8s%s\n", uid, device.Name, device.kind(), path, device.path(), fmt.Sprintf("%dMB", device.mebibytes()), device.plugin(), device.display())
	}
	return printed("%s", out.String())
}

func longList(host *Host, devices []Device) Answer {
	var out strings.Builder
	for _, device := range devices {
		lun := orElse(device.lun, &LunSpec{Vendor: "NECVMWar", Model: "VMware IDE CDR10", Local: true})
		fmt.Fprintf(&out, "%s\n   Device Type: %s\n   Size: %d MB\n   Display Name: %s\n   Multipath Plugin: %s\n   Console Device: %s\n   Devfs Path: %s\n",
			device.Name, device.kind(), device.mebibytes(), device.display(), device.plugin(), device.path(), device.path())
		fmt.Fprintf(&out, "   Vendor: %-8s  Model: %-16s  Revis: 0001\n   SCSI Level: 5  Is Pseudo: false Status: %s\n", lun.Vendor, lun.Model, device.status())
		fmt.Fprintf(&out, "   Is RDM Capable: %t Is Removable: %t\n   Is Local: %t  Is SSD: %t\n", !lun.Local, device.lun == nil, lun.Local, lun.SSD)
		fmt.Fprintf(&out, "   Other Names:\n      vml.%s\n   VAAI Status: unknown\n", device.UUID)
	}
	return printed("%s", out.String())
}

func vmwareVersion(lab *Lab, command *Command) Answer {
	text := "VMware ESXi " + command.host.Version + " build-0\n"
	if len(command.Arguments) > 0 && command.Arguments[0] == "-vl" {
		text += "VMware ESXi " + command.host.Version + " (a model made from documentation)\n"
	}
	return printed("%s", text)
}

func hostName(lab *Lab, command *Command) Answer { return printed("%s\n", command.host.Name) }

func uname(lab *Lab, command *Command) Answer {
	if len(command.Arguments) == 1 && command.Arguments[0] == "-r" {
		return printed("%s\n", command.host.Version)
	}
	if len(command.Arguments) > 0 && command.Arguments[0] == "-a" {
		return printed("VMkernel %s %s #1 SMP Release build-0 x86_64 ESXi\n", command.host.Name, command.host.Version)
	}
	return printed("VMkernel\n")
}

// hostClock is date: the host has one clock, whoever asks for it; forms other than seconds are BusyBox's own.
func hostClock(lab *Lab, command *Command) Answer {
	if len(command.Arguments) == 1 && command.Arguments[0] == "+%s" {
		return printed("%d\n", lab.now().Unix())
	}
	return Answer{Then: "exec"}
}

// diskFree is df, which on a host knows datastores only (as modelled).
func diskFree(lab *Lab, command *Command) Answer {
	var out strings.Builder
	fmt.Fprintf(&out, "%-10s %15s %15s %15s %4s %s\n", "Filesystem", "Bytes", "Used", "Available", "Use%", "Mounted on")
	for _, store := range lab.world.Datastores {
		if !store.mountedBy(command.host) || store.Inaccessible {
			continue
		}
		kind, size := store.Type, int64(1)<<42
		if kind == "VMFS" {
			kind += "-" + store.Version[:1]
		}
		fmt.Fprintf(&out, "%-10s %15d %15d %15d %3d%% /vmfs/volumes/%s\n", kind, size, size-store.Free, store.Free, 100*(size-store.Free)/size, volumeName(store.Name))
	}
	return printed("%s", out.String())
}
