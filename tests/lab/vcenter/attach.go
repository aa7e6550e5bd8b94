package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

func (vm *VM) removeDisk(index int32, disk *types.VirtualDisk, operation types.VirtualDeviceConfigSpecFileOperation) *Refusal {
	var gone *types.VirtualDisk
	for _, known := range vm.disks() {
		if known.Key == disk.Key {
			gone = known
		}
	}
	if gone == nil {
		return invalidSpec(index, invalid)
	}
	if vm.Snapshot != nil {
		return badOperation(index, "The disk has snapshots (as modelled).")
	}
	vm.Config.Hardware.Device = slices.DeleteFunc(vm.Config.Hardware.Device, func(device types.BaseVirtualDevice) bool { return device == types.BaseVirtualDevice(gone) })
	delete(vm.special, gone.Key)
	// The boot order holds the device's key: it is lost with the device.
	vm.Config.BootOptions.BootOrder = slices.DeleteFunc(vm.Config.BootOptions.BootOrder, func(entry types.BaseVirtualMachineBootOptionsBootableDevice) bool {
		boot, ok := entry.(*types.VirtualMachineBootOptionsBootableDiskDevice)
		return ok && boot.DeviceKey == gone.Key
	})
	switch operation {
	case "":
	case types.VirtualDeviceConfigSpecFileOperationDestroy:
		// The mapping's files go; the LUN is never touched.
		if refusal := vm.mayDelete(fileOf(gone)); refusal != nil {
			return refusal
		}
		delete(vm.files(), fileOf(gone))
	default:
		return invalidSpec(index, "A disk is removed with its file destroyed or kept.")
	}
	return nil
}

// mayDelete refuses to delete a file that another running VM, or another host, holds.
func (vm *VM) mayDelete(name string) *Refusal {
	others := slices.DeleteFunc(vm.lab.lockedBy(vm.datacenter(), name), func(user string) bool { return user == decodeName(vm.Name) })
	if len(others) > 0 {
		return inUse(name, others)
	}
	return nil
}

// lastUnit is the highest unit of a bus; the 64 units of pvscsi came with hardware version 14.
func (vm *VM) lastUnit(controllerKey int32) int32 {
	for _, device := range vm.Config.Hardware.Device {
		if _, ok := device.(*types.ParaVirtualSCSIController); ok && device.GetVirtualDevice().Key == controllerKey && vm.hardware() >= 14 {
			return 63
		}
	}
	return map[string]int32{"scsi": 15, "sata": 29, "nvme": 14, "ide": 1}[strings.TrimRight(vm.busName(controllerKey), "0123456789")]
}

func (vm *VM) place(index int32, disk *types.VirtualDisk) *Refusal {
	bus := vm.busName(disk.ControllerKey)
	if bus == "" {
		return refuse(&types.InvalidController{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}, ControllerKey: disk.ControllerKey}, "No such controller.")
	}
	if disk.UnitNumber == nil {
		return invalidSpec(index, "No unit was given.")
	}
	unit := *disk.UnitNumber
	if strings.HasPrefix(bus, "scsi") && unit == 7 || unit < 0 || unit > vm.lastUnit(disk.ControllerKey) {
		return invalidSpec(index, "The unit number is not valid.")
	}
	for _, other := range vm.disks() {
		if other.ControllerKey == disk.ControllerKey && other.UnitNumber != nil && *other.UnitNumber == unit {
			return invalidSpec(index, "The unit is taken.")
		}
	}
	if strings.HasPrefix(bus, "ide") && vm.Runtime.PowerState != off {
		return vm.wrongState(off)
	}
	if disk.CapacityInBytes != 0 {
		return invalidSpec(index, "capacityInBytes is not to be set for a disk that is added.")
	}
	return nil
}

func (vm *VM) attachDisk(index int32, disk *types.VirtualDisk, operation types.VirtualDeviceConfigSpecFileOperation) *Refusal {
	if refusal := vm.place(index, disk); refusal != nil {
		return refusal
	}
	made := &types.VirtualDisk{}
	made.ControllerKey, made.UnitNumber, made.Key = disk.ControllerKey, types.NewInt32(*disk.UnitNumber), vm.keyFor(disk.ControllerKey, *disk.UnitNumber)
	var file *File
	var refusal *Refusal
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		if fault := vm.lab.world.SataMappings; fault != "accept" && strings.HasPrefix(vm.busName(disk.ControllerKey), "sata") {
			return refuseNamed(fault, incompatible)
		}
		if file, refusal = vm.mappingFor(index, backing, operation, vm.sharesBus(disk)); refusal != nil {
			return refusal
		}
		for _, other := range vm.disks() {
			if vm.lunOf(other) == file.Lun {
				return invalidBacking(index)
			}
		}
		made.Backing = vm.mappingBacking(file, orElse(backing.DiskMode, "independent_persistent"), backing.Sharing)
	case *types.VirtualDiskFlatVer2BackingInfo:
		if file, refusal = vm.flatFor(index, disk, backing, operation); refusal != nil {
			return refusal
		}
		made.Backing = vm.flatBacking(file, backing.DiskMode, backing.Sharing)
	default:
		return invalidBacking(index)
	}
	made.CapacityInBytes, made.CapacityInKB = file.Bytes, file.Bytes/1024
	allocate(made, "normal", 1000, -1)
	takeAllocation(made, disk)
	vm.label(made)
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, made)
	return nil
}

func takeAllocation(disk, from *types.VirtualDisk) {
	allocation := *disk.StorageIOAllocation
	if wanted := from.StorageIOAllocation; wanted != nil {
		allocation.Limit = orElse(wanted.Limit, allocation.Limit)
		allocation.Shares = orElse(wanted.Shares, allocation.Shares)
		allocation.Reservation = orElse(wanted.Reservation, allocation.Reservation)
	} else {
		allocation.Shares = orElse(from.Shares, allocation.Shares)
	}
	disk.StorageIOAllocation, disk.Shares = &allocation, allocation.Shares
}

// flatFor finds or makes the file of an added disk that is no mapping; a mapping named so is refused.
func (vm *VM) flatFor(index int32, disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo, operation types.VirtualDeviceConfigSpecFileOperation) (*File, *Refusal) {
	name, refusal := vm.fileFor(index, backing.FileName, operation)
	if refusal != nil {
		return nil, refusal
	}
	if operation != "" {
		vm.files()[name] = vm.lab.newFlat(name, disk.CapacityInKB*1024)
		return vm.files()[name], nil
	}
	file := vm.files()[name]
	if file.Kind != "flat" {
		return nil, invalidBacking(index)
	}
	if users := vm.lab.lockedBy(vm.datacenter(), name); len(users) > 0 && backing.Sharing != "sharingMultiWriter" {
		return nil, inUse(name, users)
	}
	return file, nil
}

func (vm *VM) editDisk(index int32, disk *types.VirtualDisk) *Refusal {
	for _, known := range vm.disks() {
		if known.Key != disk.Key {
			continue
		}
		if disk.Backing != nil && fileOf(known) != vm.lab.plainPath(fileOf(disk)) {
			return invalidBacking(index)
		}
		switch present := known.Backing.(type) {
		case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
			if wanted, ok := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo); ok {
				// The mode belongs to the mapping file; a reconfigure cannot change it.
				if orElse(wanted.CompatibilityMode, present.CompatibilityMode) != present.CompatibilityMode {
					return invalidSpec(index, "The compatibility mode cannot be changed.")
				}
				twin := *present
				twin.DiskMode, twin.Sharing = orElse(wanted.DiskMode, present.DiskMode), orElse(wanted.Sharing, present.Sharing)
				if refusal := vm.mayEdit(twin.DiskMode != present.DiskMode, twin.Sharing != present.Sharing); refusal != nil {
					return refusal
				}
				known.Backing = &twin
			}
		case *types.VirtualDiskFlatVer2BackingInfo:
			if wanted, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
				twin := *present
				twin.DiskMode, twin.Sharing = orElse(wanted.DiskMode, present.DiskMode), orElse(wanted.Sharing, present.Sharing)
				if refusal := vm.mayEdit(twin.DiskMode != present.DiskMode, twin.Sharing != present.Sharing); refusal != nil {
					return refusal
				}
				known.Backing = &twin
			}
		}
		takeAllocation(known, disk)
		if disk.DeviceInfo != nil {
			if label := disk.DeviceInfo.GetDescription().Label; label != "" {
				vm.special[known.Key] = label
				vm.label(known)
			}
		}
		return nil
	}
	return invalidSpec(index, invalid)
}

// mayEdit refuses a new disk mode or sharing while the VM runs, and a new mode below snapshots.
func (vm *VM) mayEdit(mode, sharing bool) *Refusal {
	if (mode || sharing) && vm.Runtime.PowerState != off {
		return vm.wrongState(off)
	}
	if mode && vm.Snapshot != nil {
		return refuse(&types.DisallowedDiskModeChange{}, "The disk has snapshots.")
	}
	return nil
}
