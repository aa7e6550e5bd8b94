package main

import (
	"maps"
	"reflect"
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	incompatible = "Incompatible device backing specified for device '0'."
	invalid      = "Invalid configuration for device '0'."
)

// knownChanges are the parts of a spec that the model carries out; any other is refused, never passed over.
var knownChanges = []string{"ChangeVersion", "Name", "Annotation", "ExtraConfig", "DeviceChange", "BootOptions", "ChangeTrackingEnabled"}

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
	if refusal := mayAsk(spec); refusal != nil {
		return refusal
	}
	devices, files, special, order := vm.Config.Hardware.Device, vm.files(), vm.special, vm.Config.BootOptions.BootOrder
	vm.Config.Hardware.Device, vm.special = copyDevices(devices), maps.Clone(special)
	vm.Config.BootOptions.BootOrder = slices.Clone(order)
	vm.lab.files[vm.datacenter()] = maps.Clone(files)
	if refusal := vm.changeDevices(spec); refusal != nil {
		vm.Config.Hardware.Device, vm.special, vm.Config.BootOptions.BootOrder = devices, special, order
		vm.lab.files[vm.datacenter()] = files
		return refusal
	}
	for _, option := range spec.ExtraConfig {
		vm.setExtra(option.GetOptionValue())
	}
	if spec.BootOptions != nil && spec.BootOptions.BootOrder != nil {
		vm.Config.BootOptions.BootOrder = spec.BootOptions.BootOrder
	}
	if spec.ChangeTrackingEnabled != nil {
		vm.Config.ChangeTrackingEnabled = spec.ChangeTrackingEnabled
	}
	vm.Config.Annotation = orElse(spec.Annotation, vm.Config.Annotation)
	vm.Name = orElse(spec.Name, vm.Name)
	vm.Config.Name = vm.Name
	vm.touched()
	vm.refresh()
	return nil
}

// mayAsk refuses a spec that wants what the model does not know.
func mayAsk(spec *types.VirtualMachineConfigSpec) *Refusal {
	value := reflect.ValueOf(*spec)
	for i := range value.NumField() {
		name := value.Type().Field(i).Name
		if !value.Field(i).IsZero() && !slices.Contains(knownChanges, name) {
			return refuse(&types.NotSupported{}, "The model does not change "+name+".")
		}
	}
	if options := spec.BootOptions; options != nil {
		known := types.VirtualMachineBootOptions{BootOrder: options.BootOrder}
		if !reflect.DeepEqual(*options, known) {
			return refuse(&types.NotSupported{}, "Of the boot options the model changes the order only.")
		}
	}
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
	if len(spec.DeviceChange) == 0 {
		return nil
	}
	if vm.Config.Template {
		return refuse(&types.NotSupported{}, "The operation is not supported on the object.")
	}
	if vm.Runtime.PowerState == suspended {
		return vm.wrongState(off)
	}
	if fault := vm.lab.world.OneReconfigure; fault != "accept" && swaps(spec) {
		return refuseNamed(fault, invalid)
	}
	keys := map[int32]int32{} // the client's key of a controller that the spec adds -> the key that it gets
	for i, change := range spec.DeviceChange {
		index, device := int32(i), change.GetVirtualDeviceConfigSpec()
		var refusal *Refusal
		switch target := device.Device.(type) {
		case *types.VirtualDisk:
			refusal = vm.changeDisk(index, target, device, keys)
		case types.BaseVirtualController:
			refusal = vm.changeController(index, target, device, keys)
		default:
			refusal = invalidSpec(index, "The model changes disks and their controllers only.")
		}
		if refusal != nil {
			return refusal
		}
	}
	return nil
}

// swaps tells whether a spec removes one disk and adds another.
func swaps(spec *types.VirtualMachineConfigSpec) bool {
	removes, adds := false, false
	for _, change := range spec.DeviceChange {
		if _, ok := change.GetVirtualDeviceConfigSpec().Device.(*types.VirtualDisk); ok {
			operation := change.GetVirtualDeviceConfigSpec().Operation
			removes = removes || operation == types.VirtualDeviceConfigSpecOperationRemove
			adds = adds || operation == types.VirtualDeviceConfigSpecOperationAdd
		}
	}
	return removes && adds
}

func (vm *VM) changeDisk(index int32, disk *types.VirtualDisk, change *types.VirtualDeviceConfigSpec, keys map[int32]int32) *Refusal {
	if vm.Config.KeyId != nil {
		return invalidSpec(index, "msg.hostd.deviceSpec.enc.notFile")
	}
	if key, ok := keys[disk.ControllerKey]; ok {
		disk.ControllerKey = key
	}
	switch change.Operation {
	case types.VirtualDeviceConfigSpecOperationRemove:
		return vm.removeDisk(index, disk, change.FileOperation)
	case types.VirtualDeviceConfigSpecOperationAdd:
		return vm.attachDisk(index, disk, change.FileOperation)
	case types.VirtualDeviceConfigSpecOperationEdit:
		return vm.editDisk(index, disk)
	}
	return invalidSpec(index, "No operation was named.")
}

func invalidSpec(index int32, message string) *Refusal {
	return refuse(&types.InvalidDeviceSpec{InvalidVmConfig: types.InvalidVmConfig{Property: "virtualDeviceSpec"}, DeviceIndex: index}, message)
}

func invalidBacking(index int32) *Refusal {
	return refuse(&types.InvalidDeviceBacking{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}}, incompatible)
}

func badOperation(index int32, message string) *Refusal {
	return refuse(&types.InvalidDeviceOperation{InvalidDeviceSpec: types.InvalidDeviceSpec{DeviceIndex: index}}, message)
}

// changeController adds, removes or edits a controller of disks.
func (vm *VM) changeController(index int32, target types.BaseVirtualController, change *types.VirtualDeviceConfigSpec, keys map[int32]int32) *Refusal {
	wanted := target.GetVirtualController()
	switch change.Operation {
	case types.VirtualDeviceConfigSpecOperationAdd:
		return vm.addController(index, target, keys)
	case types.VirtualDeviceConfigSpecOperationRemove:
		for _, disk := range vm.disks() {
			if disk.ControllerKey == wanted.Key {
				return badOperation(index, "The controller has disks.")
			}
		}
		kept := slices.DeleteFunc(vm.Config.Hardware.Device, func(device types.BaseVirtualDevice) bool {
			return device.GetVirtualDevice().Key == wanted.Key && vm.busName(wanted.Key) != ""
		})
		if len(kept) == len(vm.Config.Hardware.Device) {
			return invalidSpec(index, invalid)
		}
		vm.Config.Hardware.Device = kept
		return nil
	}
	scsi, isScsi := change.Device.(types.BaseVirtualSCSIController)
	for i, device := range vm.Config.Hardware.Device {
		known, ok := device.(types.BaseVirtualSCSIController)
		if !ok || !isScsi || device.GetVirtualDevice().Key != wanted.Key {
			continue
		}
		if vm.Runtime.PowerState != off {
			return vm.wrongState(off)
		}
		twin := reflect.New(reflect.TypeOf(device).Elem())
		twin.Elem().Set(reflect.ValueOf(device).Elem())
		edited := twin.Interface().(types.BaseVirtualSCSIController)
		edited.GetVirtualSCSIController().SharedBus = orElse(scsi.GetVirtualSCSIController().SharedBus, known.GetVirtualSCSIController().SharedBus)
		vm.Config.Hardware.Device[i] = edited.(types.BaseVirtualDevice)
		return nil
	}
	return invalidSpec(index, invalid)
}

func (vm *VM) addController(index int32, target types.BaseVirtualController, keys map[int32]int32) *Refusal {
	device, bus := target.(types.BaseVirtualDevice), target.GetVirtualController().BusNumber
	base, limit := int32(0), int32(4)
	switch device.(type) {
	case types.BaseVirtualSCSIController:
		base = 1000
	case types.BaseVirtualSATAController:
		base = 15000
	case *types.VirtualNVMEController:
		base = 31000
	default:
		return invalidSpec(index, "The model adds SCSI, SATA and NVMe controllers only.")
	}
	key := base + bus
	if bus < 0 || bus >= limit || vm.busName(key) != "" {
		return invalidSpec(index, "The bus number is not free.")
	}
	keys[device.GetVirtualDevice().Key] = key
	device.GetVirtualDevice().Key, device.GetVirtualDevice().ControllerKey, device.GetVirtualDevice().UnitNumber = key, 100, types.NewInt32(3+bus)
	device.GetVirtualDevice().DeviceInfo = &types.Description{Label: "controller " + vm.stamp(), Summary: "as modelled"}
	if scsi, ok := device.(types.BaseVirtualSCSIController); ok {
		scsi.GetVirtualSCSIController().SharedBus = orElse(scsi.GetVirtualSCSIController().SharedBus, types.VirtualSCSISharingNoSharing)
		scsi.GetVirtualSCSIController().ScsiCtlrUnitNumber = 7
	}
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, device)
	return nil
}
