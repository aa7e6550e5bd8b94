package main

import (
	"fmt"
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// entityNamed finds the VM, host or datastore of a name.
func (lab *Lab) entityNamed(name string) mo.Entity {
	if vm := lab.findVM(name); vm != nil {
		return vm
	}
	if host := lab.hosts[name]; host != nil {
		return host
	}
	for _, store := range lab.stores {
		if store.spec.Name == name {
			return store
		}
	}
	return nil
}

// takeAway removes a VM, a host with its VMs, or a datastore, as somebody else does: nobody is asked.
func (lab *Lab) takeAway(name string) error {
	switch gone := lab.entityNamed(name).(type) {
	case *VM:
		gone.leave(lab.context)
	case *Host:
		lab.takeHostAway(gone)
	case *Datastore:
		lab.takeStoreAway(gone)
	default:
		return fmt.Errorf("there is no VM, host or datastore %q", name)
	}
	return nil
}

func (lab *Lab) takeHostAway(host *Host) {
	for _, vm := range slices.Clone(lab.vms) {
		if *vm.Runtime.Host == host.Self {
			vm.leave(lab.context)
		}
	}
	compute := lab.registry.Get(*host.Parent).(*Compute)
	folder := lab.registry.Get(*compute.Parent).(*simulator.Folder)
	folder.ChildEntity = without(folder.ChildEntity, compute.Self)
	for _, store := range lab.stores {
		store.Host = slices.DeleteFunc(slices.Clone(store.Host), func(mount types.DatastoreHostMount) bool { return mount.Key == host.Self })
	}
	delete(lab.hosts, host.spec.Name)
	for _, ref := range []types.ManagedObjectReference{host.Self, compute.Self, *compute.ResourcePool, *host.ConfigManager.StorageSystem} {
		lab.registry.Remove(lab.context, ref)
	}
}

func (lab *Lab) takeStoreAway(store *Datastore) {
	for _, host := range lab.hosts {
		host.Datastore = without(host.Datastore, store.Self)
		lab.registry.Get(*host.Parent).(*Compute).Datastore = host.Datastore
	}
	for _, vm := range lab.vms {
		vm.Datastore = without(vm.Datastore, store.Self)
	}
	folder := lab.registry.Get(*store.Parent).(*simulator.Folder)
	folder.ChildEntity = without(folder.ChildEntity, store.Self)
	datacenter := lab.registry.Get(*folder.Parent).(*Datacenter)
	datacenter.Datastore = without(datacenter.Datastore, store.Self)
	store.spec.Inaccessible = true
	lab.registry.Remove(lab.context, store.Self)
}
