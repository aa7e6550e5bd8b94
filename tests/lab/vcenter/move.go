package main

import (
	"path"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

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
	if target.spec.Datacenter != vm.datacenter() {
		return refuse(&types.NotSupported{}, "The model moves a VM within its datacenter only.")
	}
	for _, ref := range vm.Datastore {
		if store := vm.lab.registry.Get(ref).(*Datastore); !store.spec.mountedBy(target.spec) {
			return refuse(&types.InvalidDatastore{Datastore: &ref, Name: store.Name}, "The host does not mount "+store.Name+".")
		}
	}
	for _, disk := range vm.disks() {
		if lun := vm.lunOf(disk); lun != nil {
			if _, seen := vm.lab.seenBy(lun, target.spec); !seen || lun.Quality != "highQuality" {
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
	vm.ResourcePool, vm.EnvironmentBrowser = compute.ResourcePool, *compute.EnvironmentBrowser
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
		if ok && vm.lunOf(disk) != nil {
			twin := *backing
			vm.showLun(&twin, vm.files()[chain(disk)[len(chain(disk))-1]])
			disk.Backing = &twin
		}
	}
}

// DestroyTask deletes the VM with all that lies in its folder, or with what is its own alone; never what a mapping maps.
func (vm *VM) DestroyTask(ctx *simulator.Context, req *types.Destroy_Task) soap.HasFault {
	task := vm.lab.task(vm.Self, vm.Name, "Destroy_Task", "VirtualMachine.destroy", func() (types.AnyType, *Refusal) {
		if refusal := vm.mayChange(); refusal != nil {
			return nil, refusal
		}
		if vm.Runtime.PowerState != off {
			return nil, vm.wrongState(off)
		}
		for _, disk := range vm.disks() {
			for _, name := range chain(disk) {
				if refusal := vm.mayDelete(name); refusal != nil {
					return nil, refusal
				}
				delete(vm.files(), name)
			}
		}
		folder := path.Dir(vm.Config.Files.VmPathName) + "/"
		for name := range vm.files() {
			own := !vm.lab.world.DestroyKeeps || name == vm.Config.Files.VmPathName
			if strings.HasPrefix(name, folder) && own && !vm.lab.usedByOther(vm, name) {
				delete(vm.files(), name)
			}
		}
		vm.leave(ctx)
		return nil, nil
	})
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: task}}
}

func (lab *Lab) usedByOther(vm *VM, file string) bool {
	return slices.ContainsFunc(lab.vms, func(other *VM) bool {
		return other != vm && other.datacenter() == vm.datacenter() && (other.uses(file) || other.Config.Files.VmPathName == file)
	})
}

// UnregisterVM takes the VM out of the inventory; its files stay.
func (vm *VM) UnregisterVM(ctx *simulator.Context, req *types.UnregisterVM) soap.HasFault {
	body := &methods.UnregisterVMBody{}
	refusal := vm.mayChange()
	if refusal == nil && vm.Runtime.PowerState != off {
		refusal = vm.wrongState(off)
	}
	if refusal != nil {
		vm.lab.words = refusal.Message
		body.Fault_ = simulator.Fault(refusal.Message, refusal.Fault)
		return body
	}
	vm.leave(ctx)
	body.Res = &types.UnregisterVMResponse{}
	return body
}

// leave takes the VM out of everything that lists it.
func (vm *VM) leave(ctx *simulator.Context) {
	host := vm.host()
	host.Vm = without(host.Vm, vm.Self)
	pool := vm.lab.registry.Get(*vm.ResourcePool).(*Pool)
	pool.Vm = without(pool.Vm, vm.Self)
	for _, store := range vm.lab.stores {
		store.Vm = without(store.Vm, vm.Self)
	}
	folder := vm.lab.registry.Get(*vm.Parent).(*simulator.Folder)
	folder.ChildEntity = without(folder.ChildEntity, vm.Self)
	vm.lab.vms = slices.DeleteFunc(slices.Clone(vm.lab.vms), func(other *VM) bool { return other == vm })
	vm.lab.registry.Remove(ctx, vm.Self)
}

func without(refs []types.ManagedObjectReference, gone types.ManagedObjectReference) []types.ManagedObjectReference {
	return slices.DeleteFunc(slices.Clone(refs), func(ref types.ManagedObjectReference) bool { return ref == gone })
}
