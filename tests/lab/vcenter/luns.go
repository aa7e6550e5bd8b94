package main

import (
	"path"
	"strings"
)

// lunNamed finds a LUN by its name; a local name may be that of another LUN on another host.
func (lab *Lab) lunNamed(name string, host *HostSpec) *LunSpec {
	var found *LunSpec
	for _, lun := range lab.luns[name] {
		if _, _, seen := lab.seenBy(lun, host); seen || found == nil {
			found = lun
		}
	}
	return found
}

// seenBy tells whether a host sees a LUN now, and by which id and number.
func (lab *Lab) seenBy(lun *LunSpec, host *HostSpec) (uuid string, number int32, seen bool) {
	uuid, number = lun.UUID, lun.Number
	if special, ok := lun.Paths[host.Name]; ok {
		uuid, number = orElse(special.UUID, uuid), orElse(special.Number, number)
		if special.Masked {
			return "", 0, false
		}
	}
	listed := len(lun.Hosts) == 0
	for _, name := range lun.Hosts {
		listed = listed || name == host.Name
	}
	if !listed || lab.masked[lun.Name] || lab.masked[lun.Name+"@"+host.Name] {
		return "", 0, false
	}
	return uuid, number, true
}

// lunByDevice finds the LUN that a host means by a device name: a path, a canonical name or a vml.
func (lab *Lab) lunByDevice(device string, host *HostSpec) *LunSpec {
	name := strings.TrimPrefix(path.Base(device), "vml.")
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		if uuid, _, seen := lab.seenBy(lun, host); seen && (name == lun.Name || name == uuid) {
			return lun
		}
	}
	return nil
}

func (lun *LunSpec) bytes() int64 { return lun.Sectors * int64(lun.BlockSize) }

// suitable tells whether a host makes a mapping of a LUN: it is in order, nothing of the host's own lies on it, and it
// has sectors of 512 bytes.
func (lun *LunSpec) suitable() bool {
	return lun.State == "ok" && lun.VMFS == "" && !lun.Boot && !lun.Dump && !lun.VSAN && lun.Format != "native4k" && lun.Format != "SoftwareEmulated4k" && lun.BlockSize == 512
}

// mappedBy lists the VMs that map a LUN.
func (lab *Lab) mappedBy(lun *LunSpec) []*VM {
	var users []*VM
	for _, vm := range lab.vms {
		if vm.mapsLun(lun) {
			users = append(users, vm)
		}
	}
	return users
}
