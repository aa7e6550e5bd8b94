package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func (vm *VM) wrongState(wanted types.VirtualMachinePowerState) *Refusal {
	return refuse(&types.InvalidPowerState{RequestedState: wanted, ExistingState: vm.Runtime.PowerState}, "The attempted operation cannot be performed in the current state.")
}

func (vm *VM) setPower(state types.VirtualMachinePowerState) {
	vm.Runtime.PowerState = state
	vm.downAt = nil
	vm.touched()
	vm.refresh()
}

// PowerOnVMTask starts the VM, unless a disk of it cannot be reached or is locked.
func (vm *VM) PowerOnVMTask(ctx *simulator.Context, req *types.PowerOnVM_Task) soap.HasFault {
	task := vm.lab.newTask(vm.Self, vm.Name, "PowerOnVM_Task", "VirtualMachine.powerOn")
	body := &methods.PowerOnVM_TaskBody{Res: &types.PowerOnVM_TaskResponse{Returnval: task.Self}}
	if refusal := vm.mayStart(); refusal != nil {
		task.end(vm.lab, nil, refusal)
		return body
	}
	if vm.spec.Question != "" && vm.question == nil {
		vm.question = &types.VirtualMachineQuestionInfo{
			Id: fmt.Sprintf("question-%d", vm.lab.next()), Text: vm.spec.Question,
			Choice: types.ChoiceOption{ChoiceInfo: []types.BaseElementDescription{
				&types.ElementDescription{Key: "0", Description: types.Description{Label: "Cancel", Summary: "Cancel"}},
				&types.ElementDescription{Key: "1", Description: types.Description{Label: "I moved it", Summary: "I moved it"}},
			}},
		}
		vm.waiting = task
		vm.RecentTask = []types.ManagedObjectReference{task.Self}
		vm.refresh()
		return body
	}
	vm.setPower(on)
	task.end(vm.lab, nil, nil)
	return body
}

// AnswerVM ends the wait: choice 1 starts the VM, any other leaves it off.
func (vm *VM) AnswerVM(req *types.AnswerVM) soap.HasFault {
	body := &methods.AnswerVMBody{}
	if vm.question == nil || vm.question.Id != req.QuestionId {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "questionId"})
		return body
	}
	task := vm.waiting
	vm.question, vm.waiting, vm.RecentTask, vm.spec.Question = nil, nil, nil, ""
	if req.AnswerChoice == "1" {
		vm.setPower(on)
		task.end(vm.lab, nil, nil)
	} else {
		vm.refresh()
		task.end(vm.lab, nil, refuse(&types.TaskInProgress{Task: task.Self}, "The question was cancelled."))
	}
	body.Res = &types.AnswerVMResponse{}
	return body
}

func (vm *VM) mayStart() *Refusal {
	if refusal := vm.mayChange(); refusal != nil {
		return refusal
	}
	if vm.Runtime.PowerState == on || vm.Config.Template {
		return vm.wrongState(on)
	}
	if vm.spec.PowerOnFault != "" {
		return refuseNamed(vm.spec.PowerOnFault, "The host does not have sufficient resources to satisfy the request.")
	}
	for _, disk := range vm.disks() {
		for _, name := range chain(disk) {
			file := vm.lab.files[name]
			if file == nil {
				return refuse(&types.FileNotFound{FileFault: types.FileFault{File: name}}, "File "+name+" was not found")
			}
			if file.Kind == "rdm" {
				if _, _, seen := vm.lab.seenBy(vm.lab.lunSpec(file.Lun), vm.host().spec); !seen {
					return inaccessible(vm, disk, name)
				}
			}
		}
		if refusal := vm.lockedByOther(disk); refusal != nil {
			return refusal
		}
	}
	return nil
}

func inaccessible(vm *VM, disk *types.VirtualDisk, file string) *Refusal {
	label := disk.DeviceInfo.GetDescription().Label
	fault := &types.RDMPointsToInaccessibleDisk{}
	fault.Device, fault.Backing = label, file
	fault.Fault = types.LocalizedMethodFault{Fault: &types.SystemError{Reason: "not accessible"}, LocalizedMessage: "The LUN is not accessible."}
	return refuse(fault, fmt.Sprintf("Virtual Disk '%s' is a mapped direct access LUN that is not accessible.", label))
}

// lockedByOther refuses a start while another running VM holds the disk's file or LUN and neither shares it.
func (vm *VM) lockedByOther(disk *types.VirtualDisk) *Refusal {
	for _, other := range vm.lab.vms {
		if other == vm || other.Runtime.PowerState == off {
			continue
		}
		for _, theirs := range other.disks() {
			sameFile := fileOf(theirs) == fileOf(disk)
			sameLun := vm.lunOf(disk) != "" && other.lunOf(theirs) == vm.lunOf(disk)
			if (sameFile || sameLun) && !(vm.shares(disk) && other.shares(theirs)) {
				return inUse(fileOf(disk), []string{decodeName(other.Name)})
			}
		}
	}
	return nil
}

func (vm *VM) shares(disk *types.VirtualDisk) bool {
	if backing, ok := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo); ok && backing.Sharing == "sharingMultiWriter" {
		return true
	}
	for _, device := range vm.Config.Hardware.Device {
		if scsi, ok := device.(types.BaseVirtualSCSIController); ok && device.GetVirtualDevice().Key == disk.ControllerKey {
			return scsi.GetVirtualSCSIController().SharedBus != "noSharing"
		}
	}
	return false
}

// PowerOffVMTask switches the VM off.
func (vm *VM) PowerOffVMTask(ctx *simulator.Context, req *types.PowerOffVM_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "PowerOffVM_Task", "VirtualMachine.powerOff", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		if vm.Runtime.PowerState == off {
			return nil, vm.wrongState(off)
		}
		vm.setPower(off)
		return nil, nil
	})
	return &methods.PowerOffVM_TaskBody{Res: &types.PowerOffVM_TaskResponse{Returnval: task}}
}

// SuspendVMTask suspends the VM.
func (vm *VM) SuspendVMTask(ctx *simulator.Context, req *types.SuspendVM_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "SuspendVM_Task", "VirtualMachine.suspend", func() (types.AnyType, *Refusal) {
		if vm.Runtime.PowerState != on {
			return nil, vm.wrongState(suspended)
		}
		vm.setPower(suspended)
		return nil, nil
	})
	return &methods.SuspendVM_TaskBody{Res: &types.SuspendVM_TaskResponse{Returnval: task}}
}

// ShutdownGuest asks the guest, which may take its time, or never listen.
func (vm *VM) ShutdownGuest(ctx *simulator.Context, req *types.ShutdownGuest) soap.HasFault {
	body := &methods.ShutdownGuestBody{}
	refusal := vm.mayChange()
	switch {
	case refusal != nil:
	case vm.Runtime.PowerState != on:
		refusal = vm.wrongState(off)
	case vm.spec.Tools == "none":
		refusal = refuse(&types.ToolsUnavailable{}, "VMware Tools is not running in this virtual machine.")
	}
	if refusal != nil {
		vm.lab.words = refusal.Message
		body.Fault_ = simulator.Fault(refusal.Message, refusal.Fault)
		return body
	}
	body.Res = &types.ShutdownGuestResponse{}
	if vm.spec.Tools == "deaf" {
		return body
	}
	at := vm.lab.now().Add(time.Duration(vm.spec.ShutdownSeconds) * time.Second)
	vm.downAt = &at
	vm.lab.letTimePass()
	return body
}

// letTimePass brings down the guests whose time has come.
func (lab *Lab) letTimePass() {
	now := lab.now()
	for _, vm := range lab.vms {
		if vm.downAt != nil && !now.Before(*vm.downAt) {
			vm.setPower(off)
		}
	}
}

// CreateSnapshotTask takes a snapshot; a mapping in physical mode has no part in it.
func (vm *VM) CreateSnapshotTask(ctx *simulator.Context, req *types.CreateSnapshot_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "CreateSnapshot_Task", "VirtualMachine.createSnapshot", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		for _, disk := range vm.disks() {
			backing, mapping := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo)
			physical := mapping && backing.CompatibilityMode == "physicalMode"
			if physical && req.Memory && vm.Runtime.PowerState == on || vm.shares(disk) {
				return nil, refuse(&types.SnapshotIncompatibleDeviceInVm{
					Fault: types.LocalizedMethodFault{Fault: &types.RawDiskNotSupported{}, LocalizedMessage: "A raw device mapping in physical mode."},
				}, "The virtual machine has a device that does not support snapshots.")
			}
		}
		vm.takeSnapshot(req.Name)
		vm.touched()
		vm.refresh()
		return vm.Snapshot.CurrentSnapshot, nil
	})
	return &methods.CreateSnapshot_TaskBody{Res: &types.CreateSnapshot_TaskResponse{Returnval: task}}
}

func (vm *VM) takeSnapshot(name string) {
	ref := vm.lab.ref("VirtualMachineSnapshot", "snapshot")
	tree := types.VirtualMachineSnapshotTree{Snapshot: ref, Vm: vm.Self, Name: name, Id: int32(vm.lab.next()), CreateTime: vm.lab.now(), State: vm.Runtime.PowerState}
	if vm.Snapshot == nil {
		vm.Snapshot = &types.VirtualMachineSnapshotInfo{RootSnapshotList: []types.VirtualMachineSnapshotTree{tree}}
	} else {
		vm.Snapshot.RootSnapshotList = append(vm.Snapshot.RootSnapshotList, tree)
	}
	vm.Snapshot.CurrentSnapshot = &ref
	vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
	for _, disk := range vm.disks() {
		vm.addDelta(disk)
	}
}

func (vm *VM) addDelta(disk *types.VirtualDisk) {
	base := fileOf(disk)
	stem := strings.TrimSuffix(chain(disk)[len(chain(disk))-1], ".vmdk")
	name := fmt.Sprintf("%s-%06d.vmdk", stem, len(chain(disk)))
	delta := &File{Path: name, Kind: "delta", Bytes: disk.CapacityInBytes, Size: 400, UUID: "delta-" + name}
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		if backing.CompatibilityMode != "virtualMode" || strings.HasPrefix(backing.DiskMode, "independent") {
			return
		}
		twin := *backing
		twin.FileName, twin.Parent = name, backing
		disk.Backing = &twin
	case *types.VirtualDiskFlatVer2BackingInfo:
		if strings.HasPrefix(backing.DiskMode, "independent") {
			return
		}
		twin := *backing
		twin.FileName, twin.Parent = name, backing
		disk.Backing = &twin
	}
	if fileOf(disk) != base {
		vm.lab.files[name] = delta
	}
}

// RemoveAllSnapshotsTask removes all snapshots and writes their deltas into the base.
func (vm *VM) RemoveAllSnapshotsTask(ctx *simulator.Context, req *types.RemoveAllSnapshots_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "RemoveAllSnapshots_Task", "VirtualMachine.removeAllSnapshots", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
		for _, disk := range vm.disks() {
			for len(chain(disk)) > 1 {
				delete(vm.lab.files, fileOf(disk))
				switch backing := disk.Backing.(type) {
				case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
					disk.Backing = backing.Parent
				case *types.VirtualDiskFlatVer2BackingInfo:
					disk.Backing = backing.Parent
				}
			}
		}
		vm.Snapshot = nil
		vm.touched()
		vm.refresh()
		return nil, nil
	})
	return &methods.RemoveAllSnapshots_TaskBody{Res: &types.RemoveAllSnapshots_TaskResponse{Returnval: task}}
}

// RelocateVMTask moves the VM to another host that sees its LUNs.
func (vm *VM) RelocateVMTask(ctx *simulator.Context, req *types.RelocateVM_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "RelocateVM_Task", "VirtualMachine.relocate", func() (types.AnyType, *Refusal) {
		if req.Spec.Host == nil {
			return nil, refuse(&types.InvalidArgument{InvalidProperty: "spec"}, "The model moves a VM to another host only.")
		}
		return nil, vm.moveTo(*req.Spec.Host)
	})
	return &methods.RelocateVM_TaskBody{Res: &types.RelocateVM_TaskResponse{Returnval: task}}
}

// MigrateVMTask moves the VM to another host that sees its LUNs.
func (vm *VM) MigrateVMTask(ctx *simulator.Context, req *types.MigrateVM_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "MigrateVM_Task", "VirtualMachine.migrate", func() (types.AnyType, *Refusal) {
		if req.Host == nil {
			return nil, refuse(&types.InvalidArgument{InvalidProperty: "host"}, "No host was named.")
		}
		return nil, vm.moveTo(*req.Host)
	})
	return &methods.MigrateVM_TaskBody{Res: &types.MigrateVM_TaskResponse{Returnval: task}}
}

func (vm *VM) moveTo(ref types.ManagedObjectReference) *Refusal {
	if refusal := vm.mayChange(); refusal != nil {
		return refusal
	}
	target, ok := vm.lab.registry.Get(ref).(*Host)
	if !ok || target.spec.State != "connected" {
		return refuse(&types.HostNotConnected{}, "The host is not connected.")
	}
	for _, disk := range vm.disks() {
		if name := vm.lunOf(disk); name != "" {
			lun := vm.lab.lunSpec(name)
			if _, _, seen := vm.lab.seenBy(lun, target.spec); !seen || lun.Quality != "highQuality" {
				return inaccessible(vm, disk, fileOf(disk))
			}
		}
	}
	source := vm.host()
	source.Vm = without(source.Vm, vm.Self)
	oldPool := vm.lab.registry.Get(*vm.ResourcePool).(*Pool)
	oldPool.Vm = without(oldPool.Vm, vm.Self)
	target.Vm = append(target.Vm, vm.Self)
	host := target.Self
	vm.Runtime.Host = &host
	compute := vm.lab.registry.Get(*target.Parent).(*Compute)
	vm.ResourcePool = compute.ResourcePool
	pool := vm.lab.registry.Get(*vm.ResourcePool).(*Pool)
	pool.Vm = append(pool.Vm, vm.Self)
	vm.showLuns()
	vm.touched()
	vm.refresh()
	return nil
}

// showLuns shows each mapping's LUN as the VM's present host names it.
func (vm *VM) showLuns() {
	vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
	for _, disk := range vm.disks() {
		backing, ok := disk.Backing.(*types.VirtualDiskRawDiskMappingVer1BackingInfo)
		if name := vm.lunOf(disk); ok && name != "" {
			twin := *backing
			vm.showLun(&twin, vm.lab.files[chain(disk)[len(chain(disk))-1]])
			disk.Backing = &twin
		}
	}
}

func without(refs []types.ManagedObjectReference, gone types.ManagedObjectReference) []types.ManagedObjectReference {
	var kept []types.ManagedObjectReference
	for _, ref := range refs {
		if ref != gone {
			kept = append(kept, ref)
		}
	}
	return kept
}
