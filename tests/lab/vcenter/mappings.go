package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

const (
	oldLargest  = 2<<40 - 512 // of a mapping before ESXi 5.5, and always on VMFS 3
	virtualMost = 62 << 40
	smallest    = 1 << 20 // what a descriptor and its extent take of a datastore
)

// fileFor tells which file an added disk has: it must be there, or, where it is to be made, must not be there.
func (vm *VM) fileFor(index int32, name string, operation types.VirtualDeviceConfigSpecFileOperation) (string, *Refusal) {
	if name == "" && operation == types.VirtualDeviceConfigSpecFileOperationCreate {
		home, _ := vm.lab.splitFile(vm.Config.Files.VmPathName)
		name = "[" + home + "]"
	}
	name = vm.lab.plainPath(name)
	storeName, inner := vm.lab.splitFile(name)
	if store := vm.lab.stores[vm.datacenter()+"/"+storeName]; store == nil || !store.spec.mountedBy(vm.host().spec) {
		return "", refuse(&types.InvalidDatastore{Name: storeName}, "The datastore "+storeName+" is not known to the host.")
	} else if store.spec.Inaccessible {
		return "", refuse(&types.InaccessibleDatastore{InvalidDatastore: types.InvalidDatastore{Datastore: &store.Self, Name: storeName}}, "The datastore "+storeName+" is not accessible.")
	} else if operation != "" && store.spec.Free < smallest {
		return "", refuse(&types.NoDiskSpace{FileFault: types.FileFault{File: name}, Datastore: storeName}, "There is no space left on "+storeName+".")
	}
	switch operation {
	case "":
		if vm.files()[name] == nil {
			return "", notFound(name)
		}
		return name, nil
	case types.VirtualDeviceConfigSpecFileOperationCreate:
		if inner == "" {
			return vm.freeName(storeName), nil
		}
		if vm.files().taken(name) {
			return "", alreadyThere(name)
		}
	case types.VirtualDeviceConfigSpecFileOperationReplace:
		if refusal := vm.mayDelete(name); refusal != nil {
			return "", refusal
		}
		delete(vm.files(), name)
	default:
		return "", invalidSpec(index, invalid)
	}
	if inner == "" || !strings.HasSuffix(name, ".vmdk") {
		return "", invalidSpec(index, "A disk's file is named .vmdk.")
	}
	if !vm.files().folderKnown(name) {
		return "", notFound(name)
	}
	return name, nil
}

// freeName is a name in the VM's own folder, as a server picks one where only the datastore was named.
func (vm *VM) freeName(store string) string {
	name := fileName(vm.spec.Name)
	for number := 0; ; number++ {
		ending := ".vmdk"
		if number > 0 {
			ending = fmt.Sprintf("_%d.vmdk", number)
		}
		if file := fmt.Sprintf("[%s] %s/%s%s", store, vm.spec.folder(), name, ending); !vm.files().taken(file) {
			return file
		}
	}
}

// mappingFor finds or makes the mapping file of an added disk.
func (vm *VM) mappingFor(index int32, backing *types.VirtualDiskRawDiskMappingVer1BackingInfo, operation types.VirtualDeviceConfigSpecFileOperation, sharedBus bool) (*File, *Refusal) {
	if operation == "" {
		return vm.existingMapping(index, backing, sharedBus)
	}
	// Required when a mapping is made; a device without a disk mode is "incompatible".
	if backing.DiskMode == "" {
		return nil, invalidBacking(index)
	}
	if backing.CompatibilityMode != "virtualMode" && backing.CompatibilityMode != "physicalMode" {
		return nil, invalidSpec(index, "No compatibility mode.")
	}
	name, refusal := vm.fileFor(index, backing.FileName, operation)
	if refusal != nil {
		return nil, refusal
	}
	lun := vm.lab.lunByDevice(backing.DeviceName, vm.host().spec)
	if lun == nil || backing.LunUuid != "" && vm.lab.lunByDevice(backing.LunUuid, vm.host().spec) != lun {
		return nil, invalidBacking(index)
	}
	store, _ := vm.lab.splitFile(name)
	if refusal := vm.lab.mayMap(index, lun, vm.host().spec, vm.lab.stores[vm.datacenter()+"/"+store], backing.CompatibilityMode); refusal != nil {
		return nil, refusal
	}
	made := vm.lab.newMapping(name, backing.CompatibilityMode, lun)
	if vm.files().taken(made.extent()) {
		return nil, alreadyThere(made.extent())
	}
	vm.files()[name] = made
	return made, nil
}

// existingMapping attaches a mapping file. "The mode must be left unset": it is the file's own.
func (vm *VM) existingMapping(index int32, backing *types.VirtualDiskRawDiskMappingVer1BackingInfo, sharedBus bool) (*File, *Refusal) {
	if backing.CompatibilityMode != "" {
		return nil, invalidBacking(index)
	}
	name, refusal := vm.fileFor(index, backing.FileName, "")
	if refusal != nil {
		return nil, refusal
	}
	file := vm.files()[name]
	if file.Kind != "rdm" {
		return nil, invalidBacking(index)
	}
	if users := vm.lab.lockedBy(vm.datacenter(), name); len(users) > 0 && backing.Sharing != "sharingMultiWriter" && !sharedBus {
		return nil, inUse(name, users)
	}
	return file, nil
}

// mayMap refuses a new mapping for what its LUN, its datastore, its size or the version of its host is.
func (lab *Lab) mayMap(index int32, lun *LunSpec, host *HostSpec, store *Datastore, mode string) *Refusal {
	if store.spec.Type != "VMFS" {
		return refuse(&types.RDMNotSupportedOnDatastore{Datastore: store.Self, DatastoreName: store.Name}, "Raw device mappings are not supported on "+store.Name)
	}
	if view, seen := lab.seenBy(lun, host); !seen || !lun.suitable(view.State) {
		return invalidBacking(index)
	}
	if lun.Local && lab.world.LocalMappings != "accept" {
		return refuseNamed(lab.world.LocalMappings, incompatible)
	}
	if lun.bytes() > oldLargest && (strings.HasPrefix(store.spec.Version, "3.") || before55(host.Version)) || mode == "virtualMode" && lun.bytes() > virtualMost {
		return refuse(&types.LargeRDMNotSupportedOnDatastore{Datastore: store.Self, DatastoreName: store.Name}, "The LUN is too big for a mapping on "+store.Name)
	}
	if lab.world.SecondMapping != "accept" && lab.mappedAlready(lun) {
		return refuseNamed(lab.world.SecondMapping, incompatible)
	}
	return nil
}

func before55(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	first, _ := strconv.Atoi(major)
	second, _ := strconv.Atoi(minor)
	return first < 5 || first == 5 && second < 5
}

func (vm *VM) hardware() int {
	number, _ := strconv.Atoi(strings.TrimPrefix(vm.Config.Version, "vmx-"))
	return number
}
