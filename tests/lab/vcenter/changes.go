package main

import (
	"fmt"
	"maps"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// lunChange is what a change of a LUN may name.
type lunChange struct {
	Host    string `json:"host"`
	Sectors int64  `json:"sectors"`
	Number  int32  `json:"number"`
}

// changeLun changes a LUN as storage and its administrators do.
func (lab *Lab) changeLun(name, what string, ask lunChange) error {
	if lab.luns[name] == nil || ask.Host != "" && lab.hosts[ask.Host] == nil {
		return fmt.Errorf("there is no LUN %q, or no host %q", name, ask.Host)
	}
	lun := lab.luns[name][0]
	if ask.Host != "" {
		lun = lab.lunNamed(name, lab.hosts[ask.Host].spec)
	}
	switch what {
	case "mask", "gone":
		lab.masked[orAt(name, ask.Host)] = true
	case "unmask", "back":
		lab.masked[orAt(name, ask.Host)] = false
	case "off", "ok", "lostCommunication", "degraded", "reserve", "unreserve", "renumber":
		lun.changeFor(ask.Host, what, ask.Number)
	case "resize":
		lun.Sectors = ask.Sectors
	default:
		return fmt.Errorf("the model does not change a LUN so: %q", what)
	}
	lab.refreshHosts()
	return nil
}

// changeFor changes what a LUN is to one host, or, where none is named, to all.
func (lun *LunSpec) changeFor(host, what string, number int32) {
	special := lun.Paths[host]
	switch what {
	case "reserve", "unreserve":
		reserved := what == "reserve"
		special.PerenniallyReserved = &reserved
		if host == "" {
			lun.PerenniallyReserved = reserved
		}
	case "renumber":
		special.Number = number
		if host == "" {
			lun.Number = number
		}
	default:
		special.State = what
		if host == "" {
			lun.State = what
		}
	}
	if host != "" {
		lun.Paths = maps.Clone(lun.Paths)
		if lun.Paths == nil {
			lun.Paths = map[string]PathSpec{}
		}
		lun.Paths[host] = special
	}
}

func orAt(lun, host string) string {
	if host == "" {
		return lun
	}
	return lun + "@" + host
}

func (lab *Lab) setHostState(name, state string) {
	host := lab.hosts[name]
	host.spec.State = state
	for _, vm := range lab.vms {
		if *vm.Runtime.Host == host.Self {
			vm.Runtime.ConnectionState = types.VirtualMachineConnectionState(vm.spec.Connection)
			if state != "connected" {
				vm.Runtime.ConnectionState = "disconnected"
			}
			vm.refresh()
		}
	}
	lab.refreshHosts()
}

func (lab *Lab) refreshHosts() {
	for _, host := range lab.hosts {
		host.refresh()
	}
	for _, vm := range lab.vms {
		vm.showLuns()
		vm.refresh()
	}
}

func (lab *Lab) changeHost(name, what string) error {
	host := lab.hosts[name]
	if host == nil {
		return fmt.Errorf("there is no host %q", name)
	}
	switch what {
	case "lost":
		lab.setHostState(name, "notResponding")
	case "back":
		lab.setHostState(name, "connected")
	case "maintenance", "maintenance_over":
		host.spec.Maintenance = what == "maintenance"
	case "free_licence":
		host.spec.Licence = "free"
	case "hostd_down", "hostd_up":
		host.spec.HostdDown = what == "hostd_down"
		if lab.world.API == "esxi" {
			clear(lab.sessions)
		}
	case "full_licence":
		host.spec.Licence = "full"
	default:
		return fmt.Errorf("the model does not change a host so: %q", what)
	}
	host.refresh()
	return nil
}

func (lab *Lab) findVM(name string) *VM {
	for _, vm := range lab.vms {
		if decodeName(vm.Name) == name || vm.Self.Value == name {
			return vm
		}
	}
	return nil
}

// changeVM changes of a VM what no client can.
func (lab *Lab) changeVM(name, what string) error {
	vm := lab.findVM(name)
	if vm == nil {
		return fmt.Errorf("there is no VM %q", name)
	}
	verb, argument, _ := strings.Cut(what, ":")
	switch verb {
	case "tools_off":
		vm.spec.Tools = "none"
	case "tools_on":
		vm.spec.Tools = "running"
	case "tools_deaf":
		vm.spec.Tools = "deaf"
	case "ask_question":
		vm.spec.Question = orElse(argument, "msg.uuid.altered: did you move or copy this virtual machine?")
	case "power_on_fault":
		if argument != "" {
			if err := checkFault(argument); err != nil {
				return err
			}
		}
		vm.spec.PowerOnFault = argument
	case "encrypt":
		vm.Config.KeyId = &types.CryptoKeyId{KeyId: "key-1"}
	case "ft":
		vm.Runtime.FaultToleranceState = "running"
	case "disable_method":
		vm.spec.DisabledMethods = append(vm.spec.DisabledMethods, argument)
	case "consolidation_needed":
		vm.Runtime.ConsolidationNeeded = true
	case "connection":
		vm.spec.Connection, vm.Runtime.ConnectionState = argument, types.VirtualMachineConnectionState(argument)
		return known("connection", argument, connections...)
	case "task_running":
		vm.beBusy()
	case "task_done":
		for task := vm.unfinished(); task != nil; task = vm.unfinished() {
			task.end(lab, nil, nil)
		}
	default:
		return fmt.Errorf("the model does not change a VM so: %q", what)
	}
	vm.refresh()
	return nil
}

// changeDatastore makes a datastore "inaccessible", or brings it "back".
func (lab *Lab) changeDatastore(name, what string) error {
	store, ok := lab.entityNamed(name).(*Datastore)
	if !ok || what != "inaccessible" && what != "back" {
		return fmt.Errorf("there is no datastore %q, or the model does not change it so: %q", name, what)
	}
	store.spec.Inaccessible = what == "inaccessible"
	store.Summary.Accessible = !store.spec.Inaccessible
	return nil
}

// changeFile does to a file what somebody with a shell on a host, or another host, does.
func (lab *Lab) changeFile(what string, spec FileSpec) error {
	if what == "put" {
		return lab.addFile(spec)
	}
	for _, files := range lab.files {
		file := files[spec.File]
		if file == nil {
			continue
		}
		switch what {
		case "delete":
			delete(files, spec.File)
		case "lock", "unlock":
			file.Locked = what == "lock"
		default:
			return fmt.Errorf("the model does not change a file so: %q", what)
		}
		return nil
	}
	return fmt.Errorf("there is no file %q", spec.File)
}
