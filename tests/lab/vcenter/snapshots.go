package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Snapshot is one of a VM's snapshots, which follow one another; the model goes back to none of them.
type Snapshot struct {
	mo.VirtualMachineSnapshot
	vm     *VM
	tree   types.VirtualMachineSnapshotTree
	deltas []string // the files that it made
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
			if physical && req.Memory && vm.Runtime.PowerState == on {
				return nil, unfit(&types.RawDiskNotSupported{}, "A raw device mapping in physical mode has no part in a snapshot with memory.")
			}
			if vm.sharesBus(disk) || sharingOf(disk) == "sharingMultiWriter" {
				return nil, unfit(&types.SharedBusControllerNotSupported{}, "A shared disk has no part in snapshots.")
			}
		}
		vm.takeSnapshot(req.Name)
		vm.touched()
		vm.refresh()
		return vm.Snapshot.CurrentSnapshot, nil
	})
	return &methods.CreateSnapshot_TaskBody{Res: &types.CreateSnapshot_TaskResponse{Returnval: task}}
}

func unfit(fault types.BaseMethodFault, message string) *Refusal {
	return refuse(&types.SnapshotIncompatibleDeviceInVm{Fault: types.LocalizedMethodFault{Fault: fault, LocalizedMessage: message}},
		"The virtual machine has a device that does not support snapshots.")
}

func (vm *VM) takeSnapshot(name string) {
	snapshot := &Snapshot{vm: vm}
	snapshot.Self = vm.lab.ref("VirtualMachineSnapshot", "snapshot")
	snapshot.tree = types.VirtualMachineSnapshotTree{
		Snapshot: snapshot.Self, Vm: vm.Self, Name: name, Id: int32(len(vm.snapshots) + 1), CreateTime: vm.lab.now(),
		State: vm.Runtime.PowerState, ReplaySupported: types.NewBool(false),
	}
	vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
	for _, disk := range vm.disks() {
		if delta := vm.addDelta(disk); delta != "" {
			snapshot.deltas = append(snapshot.deltas, delta)
		}
	}
	vm.lab.registry.Put(snapshot)
	vm.snapshots = append(vm.snapshots, snapshot)
	vm.showSnapshots()
}

// showSnapshots makes the tree that the API shows of them.
func (vm *VM) showSnapshots() {
	vm.Snapshot = nil
	var child []types.VirtualMachineSnapshotTree
	for _, snapshot := range slices.Backward(vm.snapshots) {
		tree := snapshot.tree
		tree.ChildSnapshotList = child
		child = []types.VirtualMachineSnapshotTree{tree}
	}
	if child != nil {
		vm.Snapshot = &types.VirtualMachineSnapshotInfo{CurrentSnapshot: &vm.snapshots[len(vm.snapshots)-1].Self, RootSnapshotList: child}
	}
}

// addDelta puts a delta on a disk and returns its file; an independent disk and a physical mapping get none.
func (vm *VM) addDelta(disk *types.VirtualDisk) string {
	files := chain(disk)
	stem := strings.TrimSuffix(files[len(files)-1], ".vmdk")
	name := ""
	for number := 1; name == "" || vm.files().taken(name); number++ {
		name = fmt.Sprintf("%s-%06d.vmdk", stem, number)
	}
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		if backing.CompatibilityMode != "virtualMode" || strings.HasPrefix(backing.DiskMode, "independent") {
			return ""
		}
		twin := *backing
		twin.FileName, twin.Parent = name, backing
		disk.Backing = &twin
	case *types.VirtualDiskFlatVer2BackingInfo:
		if strings.HasPrefix(backing.DiskMode, "independent") {
			return ""
		}
		twin := *backing
		twin.FileName, twin.Parent = name, backing
		disk.Backing = &twin
	}
	delta := vm.lab.newFlat(name, disk.CapacityInBytes)
	delta.Kind, delta.Size, delta.Parent = "delta", 400, files[0]
	vm.files()[name] = delta
	return name
}

// dropDelta takes one delta out of a disk's chain, as if it had been written into what lies below it.
func dropDelta(backing types.BaseVirtualDeviceBackingInfo, name string) types.BaseVirtualDeviceBackingInfo {
	switch top := backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		if top.FileName == name {
			return top.Parent
		}
		if top.Parent != nil {
			twin := *top
			twin.Parent = dropDelta(top.Parent, name).(*types.VirtualDiskRawDiskMappingVer1BackingInfo)
			return &twin
		}
	case *types.VirtualDiskFlatVer2BackingInfo:
		if top.FileName == name {
			return top.Parent
		}
		if top.Parent != nil {
			twin := *top
			twin.Parent = dropDelta(top.Parent, name).(*types.VirtualDiskFlatVer2BackingInfo)
			return &twin
		}
	}
	return backing
}

func (vm *VM) dropSnapshots(gone []*Snapshot) {
	vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
	for _, snapshot := range gone {
		for _, delta := range snapshot.deltas {
			for _, disk := range vm.disks() {
				disk.Backing = dropDelta(disk.Backing, delta)
			}
			delete(vm.files(), delta)
		}
	}
	vm.snapshots = slices.DeleteFunc(slices.Clone(vm.snapshots), func(snapshot *Snapshot) bool { return slices.Contains(gone, snapshot) })
	vm.showSnapshots()
	vm.touched()
	vm.refresh()
}

// RemoveAllSnapshotsTask removes all snapshots and writes their deltas into the base.
func (vm *VM) RemoveAllSnapshotsTask(ctx *simulator.Context, req *types.RemoveAllSnapshots_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "RemoveAllSnapshots_Task", "VirtualMachine.removeAllSnapshots", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		vm.dropSnapshots(vm.snapshots)
		return nil, nil
	})
	return &methods.RemoveAllSnapshots_TaskBody{Res: &types.RemoveAllSnapshots_TaskResponse{Returnval: task}}
}

// RemoveSnapshotTask removes one snapshot, or it and all that came after it.
func (snapshot *Snapshot) RemoveSnapshotTask(ctx *simulator.Context, req *types.RemoveSnapshot_Task) soap.HasFault {
	vm := snapshot.vm
	task := vm.lab.task(vm.Self, vm.Name, "RemoveSnapshot_Task", "VirtualMachine.removeSnapshot", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		gone := []*Snapshot{snapshot}
		if req.RemoveChildren {
			gone = slices.Clone(vm.snapshots[slices.Index(vm.snapshots, snapshot):])
		}
		vm.dropSnapshots(gone)
		vm.lab.registry.Remove(ctx, snapshot.Self)
		return nil, nil
	})
	return &methods.RemoveSnapshot_TaskBody{Res: &types.RemoveSnapshot_TaskResponse{Returnval: task}}
}

// ConsolidateVMDisksTask ends the need for a consolidation.
func (vm *VM) ConsolidateVMDisksTask(ctx *simulator.Context, req *types.ConsolidateVMDisks_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "ConsolidateVMDisks_Task", "VirtualMachine.consolidateDisks", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		vm.Runtime.ConsolidationNeeded = false
		vm.touched()
		vm.refresh()
		return nil, nil
	})
	return &methods.ConsolidateVMDisks_TaskBody{Res: &types.ConsolidateVMDisks_TaskResponse{Returnval: task}}
}
