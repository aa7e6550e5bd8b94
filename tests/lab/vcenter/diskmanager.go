package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// VirtualDiskManager creates, deletes and looks at disks that no VM has.
type VirtualDiskManager struct {
	mo.VirtualDiskManager
	lab *Lab
}

// storeOf finds the datastore that a file is meant to lie on. A vCenter must be told in which datacenter.
func (manager *VirtualDiskManager) storeOf(name string, datacenter *types.ManagedObjectReference) (*Datastore, *Refusal) {
	lab := manager.lab
	where := lab.world.Hosts[0].Datacenter
	if lab.world.API == "vcenter" {
		if datacenter == nil {
			return nil, refuse(&types.InvalidArgument{InvalidProperty: "datacenter"}, "A specified parameter was not correct: datacenter")
		}
		known, ok := lab.registry.Get(*datacenter).(*Datacenter)
		if !ok {
			return nil, refuse(&types.ManagedObjectNotFound{Obj: *datacenter}, "The datacenter no longer exists.")
		}
		where = decodeName(known.Name)
	}
	store, _ := manager.lab.splitFile(name)
	if found := lab.stores[where+"/"+store]; found != nil {
		return found, nil
	}
	return nil, refuse(&types.InvalidDatastore{Name: store}, "The datastore "+store+" is not known.")
}

// task runs what is done to a disk's file; strict clients want a managed entity as a task's entity, so it is the datastore.
func (manager *VirtualDiskManager) task(name, description, file string, datacenter *types.ManagedObjectReference, run func(store *Datastore, files Files, file string) (types.AnyType, *Refusal)) types.ManagedObjectReference {
	store, refusal := manager.storeOf(file, datacenter)
	entity := manager.lab.registry.Get(manager.lab.root()).Reference()
	if store != nil {
		entity = store.Self
	}
	return manager.lab.task(entity, "", name, description, func() (types.AnyType, *Refusal) {
		if refusal != nil {
			return nil, refusal
		}
		return run(store, manager.lab.files[store.spec.Datacenter], manager.lab.plainPath(file))
	})
}

// DeleteVirtualDiskTask deletes a descriptor and its extent; never what a mapping maps.
func (manager *VirtualDiskManager) DeleteVirtualDiskTask(ctx *simulator.Context, req *types.DeleteVirtualDisk_Task) soap.HasFault {
	task := manager.task("DeleteVirtualDisk_Task", "VirtualDiskManager.deleteVirtualDisk", req.Name, req.Datacenter, func(store *Datastore, files Files, name string) (types.AnyType, *Refusal) {
		if file := files[name]; file == nil || file.Kind == "other" {
			return nil, notFound(name)
		}
		if users := manager.lab.lockedBy(store.spec.Datacenter, name); len(users) > 0 {
			return nil, inUse(name, users)
		}
		delete(files, name)
		return nil, nil
	})
	return &methods.DeleteVirtualDisk_TaskBody{Res: &types.DeleteVirtualDisk_TaskResponse{Returnval: task}}
}

// CreateVirtualDiskTask makes a mapping of a device. Which host it asks cannot be said: the first that sees the device.
func (manager *VirtualDiskManager) CreateVirtualDiskTask(ctx *simulator.Context, req *types.CreateVirtualDisk_Task) soap.HasFault {
	task := manager.task("CreateVirtualDisk_Task", "VirtualDiskManager.createVirtualDisk", req.Name, req.Datacenter, func(store *Datastore, files Files, name string) (types.AnyType, *Refusal) {
		spec, ok := req.Spec.(*types.DeviceBackedVirtualDiskSpec)
		if !ok {
			return nil, refuse(&types.NotSupported{}, "The model makes mappings only.")
		}
		mode := map[string]string{"rdm": "virtualMode", "rdmp": "physicalMode"}[spec.DiskType]
		if mode == "" {
			return nil, refuse(&types.InvalidArgument{InvalidProperty: "spec.diskType"}, "A mapping is rdm or rdmp.")
		}
		if files.taken(name) {
			return nil, alreadyThere(name)
		}
		if !files.folderKnown(name) {
			return nil, notFound(name)
		}
		for i := range manager.lab.world.Hosts {
			host := &manager.lab.world.Hosts[i]
			lun := manager.lab.lunByDevice(spec.Device, host)
			if lun == nil || !store.spec.mountedBy(host) {
				continue
			}
			if refusal := manager.lab.mayMap(0, lun, host, store, mode); refusal != nil {
				return nil, refusal
			}
			made := manager.lab.newMapping(name, mode, lun)
			if files.taken(made.extent()) {
				return nil, alreadyThere(made.extent())
			}
			files[name] = made
			return name, nil
		}
		return nil, refuse(&types.InvalidArgument{InvalidProperty: "device"}, "The device was not found (as modelled).")
	})
	return &methods.CreateVirtualDisk_TaskBody{Res: &types.CreateVirtualDisk_TaskResponse{Returnval: task}}
}

// QueryVirtualDiskUuid reads ddb.uuid of a descriptor.
func (manager *VirtualDiskManager) QueryVirtualDiskUuid(ctx *simulator.Context, req *types.QueryVirtualDiskUuid) soap.HasFault {
	body := &methods.QueryVirtualDiskUuidBody{}
	store, refusal := manager.storeOf(req.Name, req.Datacenter)
	if refusal == nil {
		file := manager.lab.files[store.spec.Datacenter][manager.lab.plainPath(req.Name)]
		if file != nil && file.Kind != "other" {
			body.Res = &types.QueryVirtualDiskUuidResponse{Returnval: file.UUID}
			return body
		}
		refusal = notFound(req.Name)
	}
	manager.lab.words = refusal.Message
	body.Fault_ = simulator.Fault(refusal.Message, refusal.Fault)
	return body
}
