package main

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const incompatible = "Incompatible device backing specified for device '0'."

// ReconfigVMTask applies a spec: all of it or nothing.
func (vm *VM) ReconfigVMTask(ctx *simulator.Context, req *types.ReconfigVM_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "ReconfigVM_Task", "VirtualMachine.reconfigure", func() (types.AnyType, *Refusal) {
		return nil, vm.reconfigure(&req.Spec)
	})
	return &methods.ReconfigVM_TaskBody{Res: &types.ReconfigVM_TaskResponse{Returnval: task}}
}

func (vm *VM) reconfigure(spec *types.VirtualMachineConfigSpec) *Refusal {
	if refusal := vm.mayChange(); refusal != nil {
		return refusal
	}
	if spec.ChangeVersion != "" && spec.ChangeVersion != vm.Config.ChangeVersion {
		return refuse(&types.ConcurrentAccess{}, "The virtual machine was changed by another.")
	}
	devices, files, special := vm.Config.Hardware.Device, vm.lab.files, vm.special
	vm.Config.Hardware.Device = copyDevices(devices)
	vm.lab.files = map[string]*File{}
	for name, file := range files {
		vm.lab.files[name] = file
	}
	vm.special = map[int32]string{}
	for key, label := range special {
		vm.special[key] = label
	}
	order := append([]types.BaseVirtualMachineBootOptionsBootableDevice(nil), vm.Config.BootOptions.BootOrder...)
	if refusal := vm.changeDevices(spec); refusal != nil {
		vm.Config.Hardware.Device, vm.lab.files, vm.special = devices, files, special
		vm.Config.BootOptions.BootOrder = order
		return refusal
	}
	for _, option := range spec.ExtraConfig {
		vm.setExtra(option.GetOptionValue())
	}
	if spec.BootOptions != nil && spec.BootOptions.BootOrder != nil {
		vm.Config.BootOptions.BootOrder = spec.BootOptions.BootOrder
	}
	if spec.Annotation != "" {
		vm.Config.Annotation = spec.Annotation
	}
	if spec.Name != "" {
		vm.Name, vm.Config.Name = spec.Name, spec.Name
	}
	vm.touched()
	vm.refresh()
	return nil
}

func copyDevices(devices []types.BaseVirtualDevice) []types.BaseVirtualDevice {
	var copied []types.BaseVirtualDevice
	for _, device := range devices {
		if disk, ok := device.(*types.VirtualDisk); ok {
			twin := *disk
			copied = append(copied, &twin)
		} else {
			copied = append(copied, device)
		}
	}
	return copied
}

func (vm *VM) setExtra(option *types.OptionValue) {
	var kept []types.BaseOptionValue
	for _, known := range vm.Config.ExtraConfig {
		if known.GetOptionValue().Key != option.Key {
			kept = append(kept, known)
		}
	}
	if text, ok := option.Value.(string); !ok || text != "" {
		kept = append(kept, option)
	}
	vm.Config.ExtraConfig = kept
}

func (vm *VM) changeDevices(spec *types.VirtualMachineConfigSpec) *Refusal {
	removes, adds := false, false
	for _, change := range spec.DeviceChange {
		if _, ok := change.GetVirtualDeviceConfigSpec().Device.(*types.VirtualDisk); ok {
			operation := change.GetVirtualDeviceConfigSpec().Operation
			removes = removes || operation == types.VirtualDeviceConfigSpecOperationRemove
			adds = adds || operation == types.VirtualDeviceConfigSpecOperationAdd
		}
	}
	if fault := vm.lab.world.OneReconfigure; removes && adds && fault != "accept" {
		return refuseNamed(fault, "Invalid configuration for device '0'.")
	}
	for index, change := range spec.DeviceChange {
		device := change.GetVirtualDeviceConfigSpec()
		disk, ok := device.Device.(*types.VirtualDisk)
		if !ok {
			return refuse(&types.InvalidDeviceSpec{DeviceIndex: int32(index)}, "The model changes disks only.")
		}
		if vm.spec.Encrypted {
			return refuse(&types.InvalidDeviceSpec{DeviceIndex: int32(index)}, "msg.hostd.deviceSpec.enc.notFile")
		}
		var refusal *Refusal
		switch device.Operation {
		case types.VirtualDeviceConfigSpecOperationRemove:
			refusal = vm.removeDisk(int32(index), disk, device.FileOperation)
		case types.VirtualDeviceConfigSpecOperationAdd:
			refusal = vm.attachDisk(int32(index), disk, device.FileOperation)
		case types.VirtualDeviceConfigSpecOperationEdit:
			refusal = vm.editDisk(int32(index), disk)
		}
		if refusal != nil {
			return refusal
		}
	}
	return nil
}

func invalidSpec(index int32, message string) *Refusal {
	return refuse(&types.InvalidDeviceSpec{InvalidVmConfig: types.InvalidVmConfig{Property: "virtualDeviceSpec"}, DeviceIndex: index}, message)
}

func invalidBacking(index int32) *Refusal {
	return refuse(&types.InvalidDeviceBacking{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}}, incompatible)
}

func (vm *VM) removeDisk(index int32, disk *types.VirtualDisk, operation types.VirtualDeviceConfigSpecFileOperation) *Refusal {
	var kept []types.BaseVirtualDevice
	var gone *types.VirtualDisk
	for _, device := range vm.Config.Hardware.Device {
		if known, ok := device.(*types.VirtualDisk); ok && known.Key == disk.Key {
			gone = known
		} else {
			kept = append(kept, device)
		}
	}
	if gone == nil {
		return invalidSpec(index, "Invalid configuration for device '0'.")
	}
	if vm.Snapshot != nil {
		return refuse(&types.InvalidDeviceOperation{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}, BadOp: "remove"}, "The disk has snapshots (as modelled).")
	}
	vm.Config.Hardware.Device = kept
	delete(vm.special, gone.Key)
	// The boot order holds the device's key: it is lost with the device.
	var order []types.BaseVirtualMachineBootOptionsBootableDevice
	for _, entry := range vm.Config.BootOptions.BootOrder {
		if boot, ok := entry.(*types.VirtualMachineBootOptionsBootableDiskDevice); !ok || boot.DeviceKey != gone.Key {
			order = append(order, entry)
		}
	}
	vm.Config.BootOptions.BootOrder = order
	if operation == types.VirtualDeviceConfigSpecFileOperationDestroy {
		delete(vm.lab.files, fileOf(gone))
	}
	return nil
}

func (vm *VM) attachDisk(index int32, disk *types.VirtualDisk, operation types.VirtualDeviceConfigSpecFileOperation) *Refusal {
	bus := vm.busName(disk.ControllerKey)
	if bus == "" {
		return refuse(&types.InvalidController{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}, ControllerKey: disk.ControllerKey}, "No such controller.")
	}
	if disk.UnitNumber == nil {
		return invalidSpec(index, "No unit was given.")
	}
	unit := *disk.UnitNumber
	limit := map[string]int32{"scsi": 15, "sata": 29, "nvme": 14, "ide0": 1, "ide1": 1}[strings.TrimRight(bus, "0123456789")]
	if strings.HasPrefix(bus, "scsi") && unit == 7 || unit < 0 || unit > orElse(limit, int32(1)) {
		return invalidSpec(index, "The unit number is not valid.")
	}
	for _, other := range vm.disks() {
		if other.ControllerKey == disk.ControllerKey && other.UnitNumber != nil && *other.UnitNumber == unit {
			return invalidSpec(index, "The unit is taken.")
		}
	}
	if disk.CapacityInBytes != 0 {
		return invalidSpec(index, "capacityInBytes is not to be set for a disk that is added.")
	}
	backing, ok := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo)
	if !ok {
		return vm.attachOther(index, disk)
	}
	file, refusal := vm.mappingFor(index, backing, operation)
	if refusal != nil {
		return refusal
	}
	for _, other := range vm.disks() {
		if vm.lunOf(other) == file.Lun {
			return invalidBacking(index)
		}
	}
	made := &types.VirtualDisk{}
	made.ControllerKey, made.UnitNumber, made.Key = disk.ControllerKey, &unit, vm.keyFor(disk.ControllerKey, unit)
	made.CapacityInBytes, made.CapacityInKB = file.Bytes, file.Bytes/1024
	made.Backing = vm.mappingBacking(file, orElse(backing.DiskMode, "independent_persistent"), backing.Sharing)
	made.Shares = &types.SharesInfo{Level: "normal", Shares: 1000}
	made.StorageIOAllocation = &types.StorageIOAllocationInfo{Limit: types.NewInt64(-1), Shares: made.Shares, Reservation: types.NewInt32(0)}
	vm.takeAllocation(made, disk)
	vm.label(made)
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, made)
	return nil
}

func (vm *VM) takeAllocation(disk, from *types.VirtualDisk) {
	if from.StorageIOAllocation != nil {
		allocation := *disk.StorageIOAllocation
		if from.StorageIOAllocation.Limit != nil {
			allocation.Limit = from.StorageIOAllocation.Limit
		}
		if from.StorageIOAllocation.Shares != nil {
			allocation.Shares = from.StorageIOAllocation.Shares
		}
		if from.StorageIOAllocation.Reservation != nil {
			allocation.Reservation = from.StorageIOAllocation.Reservation
		}
		disk.StorageIOAllocation, disk.Shares = &allocation, allocation.Shares
	} else if from.Shares != nil {
		allocation := *disk.StorageIOAllocation
		allocation.Shares = from.Shares
		disk.StorageIOAllocation, disk.Shares = &allocation, from.Shares
	}
}

// mappingFor finds or makes the mapping file of an added disk.
func (vm *VM) mappingFor(index int32, backing *types.VirtualDiskRawDiskMappingVer1BackingInfo, operation types.VirtualDeviceConfigSpecFileOperation) (*File, *Refusal) {
	name := backing.FileName
	store, inner := splitFile(name)
	spec := vm.lab.stores[vm.host().spec.Datacenter+"/"+store]
	if spec == nil {
		return nil, refuse(&types.InvalidDatastore{Name: store}, "No such datastore.")
	}
	file := vm.lab.files[name]
	if operation == "" {
		// "When adding an existing mapping, the mode must be left unset": it is the file's own.
		if backing.CompatibilityMode != "" {
			return nil, invalidBacking(index)
		}
		if file == nil {
			return nil, refuse(&types.FileNotFound{FileFault: types.FileFault{File: name}}, "File "+name+" was not found")
		}
		if file.Kind != "rdm" {
			return nil, invalidBacking(index)
		}
		if locked := vm.lab.lockedBy(name); len(locked) > 0 && backing.Sharing != "sharingMultiWriter" {
			return nil, refuse(&types.FileLocked{FileFault: types.FileFault{File: name}}, "Failed to lock the file")
		}
		return file, nil
	}
	if operation != types.VirtualDeviceConfigSpecFileOperationCreate || inner == "" {
		return nil, invalidSpec(index, "Invalid configuration for device '0'.")
	}
	if backing.DiskMode == "" {
		return nil, invalidBacking(index)
	}
	if backing.CompatibilityMode != "virtualMode" && backing.CompatibilityMode != "physicalMode" {
		return nil, invalidSpec(index, "No compatibility mode.")
	}
	if file != nil {
		return nil, refuse(&types.FileAlreadyExists{FileFault: types.FileFault{File: name}}, "The file already exists")
	}
	if !vm.lab.folderKnown(name) {
		return nil, refuse(&types.FileNotFound{FileFault: types.FileFault{File: name}}, "The folder was not found")
	}
	if spec.spec.Type != "VMFS" {
		return nil, refuse(&types.RDMNotSupportedOnDatastore{Datastore: spec.Self, DatastoreName: store}, "Raw device mappings are not supported on "+store)
	}
	lun := vm.lab.lunByDevice(backing.DeviceName, vm.host().spec)
	if lun == nil || lun.State != "ok" || lun.VMFS != "" || lun.Boot || lun.VSAN || lun.Format == "native4k" {
		return nil, invalidBacking(index)
	}
	if vm.lab.world.SecondMapping != "accept" {
		for _, other := range vm.lab.files {
			if other.Kind == "rdm" && other.Lun == lun.Name {
				return nil, refuseNamed(vm.lab.world.SecondMapping, incompatible)
			}
		}
	}
	made := vm.lab.newMapping(name, backing.CompatibilityMode, lun)
	if _, taken := vm.lab.files[made.mappingExtent()]; taken {
		return nil, refuse(&types.FileAlreadyExists{FileFault: types.FileFault{File: made.mappingExtent()}}, "The file already exists")
	}
	vm.lab.files[name] = made
	return made, nil
}

// attachOther attaches a flat disk that exists; a mapping named so is refused.
func (vm *VM) attachOther(index int32, disk *types.VirtualDisk) *Refusal {
	file := vm.lab.files[fileOf(disk)]
	if file == nil {
		return refuse(&types.FileNotFound{FileFault: types.FileFault{File: fileOf(disk)}}, "File "+fileOf(disk)+" was not found")
	}
	if file.Kind != "flat" {
		return invalidBacking(index)
	}
	made := *disk
	made.Key = vm.keyFor(disk.ControllerKey, *disk.UnitNumber)
	made.CapacityInBytes, made.CapacityInKB = file.Bytes, file.Bytes/1024
	vm.label(&made)
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, &made)
	return nil
}

func (vm *VM) editDisk(index int32, disk *types.VirtualDisk) *Refusal {
	for _, known := range vm.disks() {
		if known.Key != disk.Key {
			continue
		}
		if fileOf(known) != fileOf(disk) {
			return invalidBacking(index)
		}
		wanted, isMapping := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo)
		if present, ok := known.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo); ok && isMapping {
			// The mode belongs to the mapping file; a reconfigure cannot change it.
			if wanted.CompatibilityMode != "" && wanted.CompatibilityMode != present.CompatibilityMode {
				return invalidSpec(index, "The compatibility mode cannot be changed.")
			}
			if wanted.DiskMode != "" && wanted.DiskMode != present.DiskMode {
				if vm.Runtime.PowerState != off {
					return refuse(&types.InvalidPowerState{RequestedState: off, ExistingState: vm.Runtime.PowerState}, "The VM is on.")
				}
				if vm.Snapshot != nil {
					return refuse(&types.DisallowedDiskModeChange{}, "The disk has snapshots.")
				}
				twin := *present
				twin.DiskMode = wanted.DiskMode
				known.Backing = &twin
			}
		}
		vm.takeAllocation(known, disk)
		if disk.DeviceInfo != nil {
			if label := disk.DeviceInfo.GetDescription().Label; label != "" {
				vm.special[known.Key] = label
				vm.label(known)
			}
		}
		return nil
	}
	return invalidSpec(index, "Invalid configuration for device '0'.")
}
