package main

import (
	"fmt"
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
	vm.lab.working = task
	refusal := vm.mayStart(req.Host)
	vm.lab.working = nil
	if refusal != nil {
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
	vm.question, vm.waiting, vm.spec.Question = nil, nil, ""
	if req.AnswerChoice == "1" {
		vm.setPower(on)
		task.end(vm.lab, nil, nil)
	} else {
		vm.refresh()
		task.end(vm.lab, nil, refuse(&types.GenericVmConfigFault{Reason: "cancelled"}, "The operation was cancelled by the answer."))
	}
	body.Res = &types.AnswerVMResponse{}
	return body
}

// mayStart moves the VM to the host that was named, and refuses a start there for what the VM lacks.
func (vm *VM) mayStart(wanted *types.ManagedObjectReference) *Refusal {
	if refusal := vm.mayChange(); refusal != nil {
		return refusal
	}
	if vm.Config.Template {
		return refuse(&types.NotSupported{}, "The operation is not supported on the object.")
	}
	if vm.Runtime.PowerState == on {
		return vm.wrongState(on)
	}
	if wanted != nil && *wanted != vm.host().Self {
		if refusal := vm.moveTo(*wanted); refusal != nil {
			return refusal
		}
	}
	if vm.host().spec.Maintenance {
		return refuse(&types.InvalidState{}, "The operation is not allowed in the current state of the host: it is in maintenance mode.")
	}
	if vm.spec.PowerOnFault != "" {
		return refuseNamed(vm.spec.PowerOnFault, "The host does not have sufficient resources to satisfy the request.")
	}
	held := vm.lab.holders(vm.datacenter())
	for _, disk := range vm.disks() {
		for _, name := range chain(disk) {
			file := vm.files()[name]
			if file == nil {
				return notFound(name)
			}
			if file.Locked {
				return inUse(name, []string{"another host"})
			}
			if file.Kind == "rdm" {
				lun := file.Lun
				if view, seen := vm.lab.seenBy(lun, vm.host().spec); !seen || view.State == "off" || view.Dead {
					return inaccessible(vm, disk, name)
				}
			}
		}
		if refusal := vm.lockedByOther(disk, held); refusal != nil {
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

// lockedByOther refuses a start while another running VM holds the disk's file or LUN and not both of them share it.
func (vm *VM) lockedByOther(disk *types.VirtualDisk, held map[string][]string) *Refusal {
	lun := vm.lunOf(disk)
	if lun == nil && len(held[fileOf(disk)]) == 0 {
		return nil
	}
	for _, other := range vm.lab.vms {
		if other == vm || other.Runtime.PowerState == off {
			continue
		}
		for _, theirs := range other.disks() {
			sameFile := fileOf(theirs) == fileOf(disk) && other.datacenter() == vm.datacenter()
			sameLun := lun != nil && other.lunOf(theirs) == lun
			if (sameFile || sameLun) && !share(vm, disk, other, theirs) {
				return inUse(fileOf(disk), []string{decodeName(other.Name)})
			}
		}
	}
	return nil
}

// share tells whether two VMs may run on one disk: both as multi-writers, or both on shared buses; a bus that is shared
// in virtual mode is so on one host only.
func share(vm *VM, disk *types.VirtualDisk, other *VM, theirs *types.VirtualDisk) bool {
	if sharingOf(disk) == "sharingMultiWriter" && sharingOf(theirs) == "sharingMultiWriter" {
		return true
	}
	mine, its := vm.sharedBus(disk), other.sharedBus(theirs)
	return mine == its && (mine == types.VirtualSCSISharingPhysicalSharing || mine == types.VirtualSCSISharingVirtualSharing && vm.host() == other.host())
}

func sharingOf(disk *types.VirtualDisk) string {
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		return backing.Sharing
	case *types.VirtualDiskFlatVer2BackingInfo:
		return backing.Sharing
	}
	return ""
}

// sharedBus is how the bus that a disk hangs on is shared.
func (vm *VM) sharedBus(disk *types.VirtualDisk) types.VirtualSCSISharing {
	for _, device := range vm.Config.Hardware.Device {
		if scsi, ok := device.(types.BaseVirtualSCSIController); ok && device.GetVirtualDevice().Key == disk.ControllerKey {
			return scsi.GetVirtualSCSIController().SharedBus
		}
	}
	return types.VirtualSCSISharingNoSharing
}

func (vm *VM) sharesBus(disk *types.VirtualDisk) bool {
	return vm.sharedBus(disk) != types.VirtualSCSISharingNoSharing
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
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
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
