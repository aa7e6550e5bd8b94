package main

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// LunView is what a LUN is to one host.
type LunView struct {
	Name                string
	UUID                string
	Number              int32
	State               string
	PerenniallyReserved bool
	Dead                bool
}

// names are all names that hosts give a LUN.
func (lun *LunSpec) names() []string {
	names := []string{lun.Name}
	for _, special := range lun.Paths {
		if special.Name != "" && !slices.Contains(names, special.Name) {
			names = append(names, special.Name)
		}
	}
	return names
}

// lunNamed finds a LUN by its name; a local name may be that of another LUN on another host.
func (lab *Lab) lunNamed(name string, host *HostSpec) *LunSpec {
	var found *LunSpec
	for _, lun := range lab.luns[name] {
		if _, seen := lab.seenBy(lun, host); seen || found == nil {
			found = lun
		}
	}
	return found
}

// seenBy tells whether a host sees a LUN now, and as what.
func (lab *Lab) seenBy(lun *LunSpec, host *HostSpec) (LunView, bool) {
	view := LunView{Name: lun.Name, UUID: lun.UUID, Number: lun.Number, State: lun.State, PerenniallyReserved: lun.PerenniallyReserved}
	if special, ok := lun.Paths[host.Name]; ok {
		if special.Name != "" {
			view.Name, view.UUID = special.Name, vmlOf(special.Name, lun.Model)
		}
		view.UUID, view.Number, view.State = orElse(special.UUID, view.UUID), orElse(special.Number, view.Number), orElse(special.State, view.State)
		if special.PerenniallyReserved != nil {
			view.PerenniallyReserved = *special.PerenniallyReserved
		}
		if view.Dead = special.Dead; special.Masked {
			return LunView{}, false
		}
	}
	if len(lun.Hosts) > 0 && !slices.Contains(lun.Hosts, host.Name) || lab.masked[lun.Name] || lab.masked[lun.Name+"@"+host.Name] {
		return LunView{}, false
	}
	return view, true
}

// lunByDevice finds the LUN that a host means by a device name: a path, a canonical name or a vml.
func (lab *Lab) lunByDevice(device string, host *HostSpec) *LunSpec {
	name := strings.TrimPrefix(path.Base(device), "vml.")
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		if view, seen := lab.seenBy(lun, host); seen && (name == view.Name || name == view.UUID) {
			return lun
		}
	}
	return nil
}

func (lun *LunSpec) bytes() int64 { return lun.Sectors * int64(lun.BlockSize) }

// offered tells whether a host offers a LUN for a mapping at all: a disk that nothing of the host's own lies on, with
// sectors of 512 bytes, and neither a protocol endpoint, nor a stick, nor reached by NVMe over a fabric.
func (lun *LunSpec) offered() bool {
	own := lun.VMFS != "" || lun.Boot || lun.VSAN || lun.ProtocolEndpoint
	sectors := lun.Format != "native4k" && lun.Format != "SoftwareEmulated4k" && lun.BlockSize == 512
	return !own && sectors && lun.Transport != "usb" && !strings.HasPrefix(lun.Transport, "nvme-")
}

// suitable tells whether a host makes a mapping of a LUN: it is offered, in order, and no place of dumps.
func (lun *LunSpec) suitable(state string) bool {
	return lun.offered() && (state == "ok" || state == "degraded") && !lun.Dump
}

// usersOfLuns lists for each LUN the VMs that map it.
func (lab *Lab) usersOfLuns() map[*LunSpec][]*VM {
	users := map[*LunSpec][]*VM{}
	for _, vm := range lab.vms {
		for _, disk := range vm.disks() {
			if lun := vm.lunOf(disk); lun != nil && !slices.Contains(users[lun], vm) {
				users[lun] = append(users[lun], vm)
			}
		}
	}
	return users
}

func (lun *LunSpec) durableNames() []DurableNameSpec {
	if lun.DurableName == nil {
		return lun.AlternateNames
	}
	return append(slices.Clone(lun.AlternateNames), *lun.DurableName)
}

func (name DurableNameSpec) check() error {
	if _, err := hex.DecodeString(name.Hex); err != nil || name.Namespace == "" {
		return fmt.Errorf("the world cannot be read: a durable name has a namespace, and text or hexadecimal digits, not %q", name.Hex)
	}
	return nil
}

// shown is a durable name as the API has it. The numbers of the namespaces are as modelled.
func (name DurableNameSpec) shown() types.ScsiLunDurableName {
	data := []byte(name.Text)
	if name.Hex != "" {
		data, _ = hex.DecodeString(name.Hex)
	}
	return types.ScsiLunDurableName{Namespace: name.Namespace, NamespaceId: map[string]byte{"GENERIC_VPD": 5, "SERIALNUM": 4}[name.Namespace], Data: data}
}

// vmlOf makes a vml id, without the prefix, in the documented form of its kind of name.
func vmlOf(name, model string) string {
	tail := fmt.Sprintf("%x", (model + "      ")[:6])
	kind, id, _ := strings.Cut(name, ".")
	switch {
	case kind == "naa":
		return "0200000000" + id + tail
	case strings.HasPrefix(name, "t10.NVMe"), kind == "eui", kind == "uuid":
		return "0500000000" + fmt.Sprintf("%064x", name[max(0, len(name)-16):])[:64] + tail
	case kind == "sym":
		return "0300000000" + id + tail
	case kind == "t10":
		serial := strings.ReplaceAll(name[len(name)-20:], "_", " ")
		return "0100000000" + fmt.Sprintf("%x", serial) + tail
	default:
		return "0000000000" + fmt.Sprintf("%x", strings.TrimPrefix(name, "mpx."))
	}
}
