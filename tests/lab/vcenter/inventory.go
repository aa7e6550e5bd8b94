package main

import (
	"fmt"
	"strconv"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

func (lab *Lab) datacenters() []string {
	seen := map[string]bool{}
	var names []string
	for _, host := range lab.world.Hosts {
		if !seen[host.Datacenter] {
			seen[host.Datacenter] = true
			names = append(names, host.Datacenter)
		}
	}
	return names
}

func (lab *Lab) ref(kind, prefix string) types.ManagedObjectReference {
	// On a host a VM's id is a number, the one that its shell calls it by.
	if lab.world.API == "esxi" && kind == "VirtualMachine" {
		return types.ManagedObjectReference{Type: kind, Value: strconv.Itoa(lab.next())}
	}
	return types.ManagedObjectReference{Type: kind, Value: fmt.Sprintf("%s-%d", prefix, lab.next())}
}

func (lab *Lab) addFolder(parent types.ManagedObjectReference, name string, children ...string) *simulator.Folder {
	folder := &simulator.Folder{}
	folder.Self = lab.ref("Folder", "group")
	folder.Name = encodeName(name)
	folder.Parent = &parent
	folder.ChildType = children
	lab.registry.Put(folder)
	return folder
}

func (lab *Lab) addDatacenter(root *simulator.Folder, name string) {
	dc := &Datacenter{}
	dc.Self = lab.ref("Datacenter", "datacenter")
	dc.Name = encodeName(name)
	parent := root.Self
	dc.Parent = &parent
	lab.registry.Put(dc)
	root.ChildEntity = append(root.ChildEntity, dc.Self)
	vms := lab.addFolder(dc.Self, "vm", "Folder", "VirtualMachine")
	hosts := lab.addFolder(dc.Self, "host", "Folder", "ComputeResource")
	stores := lab.addFolder(dc.Self, "datastore", "Folder", "Datastore")
	networks := lab.addFolder(dc.Self, "network", "Folder", "Network")
	dc.VmFolder, dc.HostFolder, dc.DatastoreFolder, dc.NetworkFolder = vms.Self, hosts.Self, stores.Self, networks.Self
	lab.folders[name] = vms
	for i := range lab.world.Datastores {
		if spec := &lab.world.Datastores[i]; spec.Datacenter == name {
			lab.addDatastore(stores, spec)
			dc.Datastore = append(dc.Datastore, lab.stores[name+"/"+spec.Name].Self)
		}
	}
	for i := range lab.world.Hosts {
		if spec := &lab.world.Hosts[i]; spec.Datacenter == name {
			lab.addHost(hosts, spec)
		}
	}
}

func (lab *Lab) addDatastore(folder *simulator.Folder, spec *DatastoreSpec) {
	store := &Datastore{spec: spec}
	store.Self = lab.ref("Datastore", "datastore")
	store.Name = encodeName(spec.Name)
	parent := folder.Self
	store.Parent = &parent
	url := "ds:///vmfs/volumes/" + spec.UUID + "/"
	store.Summary = types.DatastoreSummary{
		Datastore: &store.Self, Name: store.Name, Url: url, Capacity: 1 << 42, FreeSpace: spec.Free,
		Accessible: !spec.Inaccessible, Type: spec.Type, MaintenanceMode: "normal", MultipleHostAccess: types.NewBool(true),
	}
	info := types.DatastoreInfo{Name: store.Name, Url: url, FreeSpace: spec.Free, MaxFileSize: 64 << 40}
	if spec.Type == "VMFS" {
		store.Info = &types.VmfsDatastoreInfo{DatastoreInfo: info, Vmfs: lab.volume(spec, nil)}
	} else {
		store.Info = &types.NasDatastoreInfo{DatastoreInfo: info}
	}
	store.Browser = lab.addBrowser(store.Self, spec.Datacenter, func(other *DatastoreSpec) bool { return other == spec })
	lab.registry.Put(store)
	folder.ChildEntity = append(folder.ChildEntity, store.Self)
	lab.stores[spec.Datacenter+"/"+spec.Name] = store
}

// volume is a datastore as a host shows it, or, without one, as the datastore itself does.
func (lab *Lab) volume(spec *DatastoreSpec, host *HostSpec) *types.HostVmfsVolume {
	volume := &types.HostVmfsVolume{
		HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFS", Name: encodeName(spec.Name), Capacity: 1 << 42},
		BlockSizeMb:          1, MajorVersion: 6, Version: spec.Version, Uuid: spec.UUID, MaxBlocks: 1 << 28,
	}
	fmt.Sscanf(spec.Version, "%d", &volume.MajorVersion)
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		if lun.VMFS != spec.Name {
			continue
		}
		name := lun.Name
		if host != nil {
			if view, seen := lab.seenBy(lun, host); seen {
				name = view.Name
			}
		}
		volume.Extent = append(volume.Extent, types.HostScsiDiskPartition{DiskName: name, Partition: 1})
	}
	return volume
}

func (store *DatastoreSpec) mountedBy(host *HostSpec) bool {
	if store.Datacenter != host.Datacenter {
		return false
	}
	for _, name := range store.Hosts {
		if name == host.Name {
			return true
		}
	}
	return len(store.Hosts) == 0
}

func (lab *Lab) addHost(folder *simulator.Folder, spec *HostSpec) {
	compute := &Compute{}
	compute.Self = lab.ref("ComputeResource", "domain-s")
	compute.Name = spec.Name
	parent := folder.Self
	compute.Parent = &parent
	pool := &Pool{}
	pool.Self = lab.ref("ResourcePool", "resgroup")
	pool.Name = "Resources"
	pool.Parent = &compute.Self
	pool.Owner = compute.Self
	pool.Runtime.OverallStatus = "green"
	compute.ResourcePool = &pool.Self
	host := &Host{lab: lab, spec: spec}
	host.Self = lab.ref("HostSystem", "host")
	host.Name = spec.Name
	host.Parent = &compute.Self
	host.DatastoreBrowser = lab.addBrowser(host.Self, spec.Datacenter, func(store *DatastoreSpec) bool { return store.mountedBy(spec) })
	browser := lab.ref("EnvironmentBrowser", "envbrowser")
	lab.registry.Put(&Environment{EnvironmentBrowser: mo.EnvironmentBrowser{Self: browser}, lab: lab, host: host})
	compute.EnvironmentBrowser = &browser
	product := types.AboutInfo{
		Name: "VMware ESXi", FullName: "VMware ESXi " + spec.Version + " (a model)", Vendor: "lab", Version: spec.Version,
		Build: "0", OsType: "vmnix-x86", ProductLineId: "embeddedEsx", ApiType: "HostAgent", ApiVersion: spec.Version,
	}
	host.Summary = types.HostListSummary{
		Host: &host.Self, ManagementServerIp: spec.ManagedBy, OverallStatus: "green",
		Config: types.HostConfigSummary{Name: spec.Name, Port: 443, Product: &product},
	}
	storage := lab.ref("HostStorageSystem", "storageSystem")
	host.ConfigManager.StorageSystem = &storage
	lab.registry.Put(&Storage{host: host, HostStorageSystem: mo.HostStorageSystem{ExtensibleManagedObject: mo.ExtensibleManagedObject{Self: storage}}})
	host.Config = &types.HostConfigInfo{Host: host.Self, Product: product}
	for i := range lab.world.Datastores {
		if store := &lab.world.Datastores[i]; store.mountedBy(spec) {
			object := lab.stores[store.Datacenter+"/"+store.Name]
			host.Datastore = append(host.Datastore, object.Self)
			object.Host = append(object.Host, types.DatastoreHostMount{Key: host.Self, MountInfo: types.HostMountInfo{
				Path: "/vmfs/volumes/" + store.UUID, AccessMode: "readWrite", Mounted: types.NewBool(true),
				Accessible: types.NewBool(!store.Inaccessible),
			}})
		}
	}
	compute.Host = []types.ManagedObjectReference{host.Self}
	compute.Datastore = host.Datastore
	folder.ChildEntity = append(folder.ChildEntity, compute.Self)
	lab.registry.Put(compute)
	lab.registry.Put(pool)
	lab.registry.Put(host)
	lab.hosts[spec.Name] = host
	host.refresh()
}
