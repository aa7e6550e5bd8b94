package main

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// File is a file of a datastore. A mapping file knows its mode and its LUN, and neither ever changes.
type File struct {
	Path  string
	Kind  string // rdm, flat, delta, other
	Mode  string
	Lun   string // canonical name
	Bytes int64
	UUID  string
	Size  int64
}

// Lab is one world at work: its objects in a simulator's registry, its files, and what a test has asked of it.
type Lab struct {
	mu       sync.Mutex
	world    *World
	text     string
	service  *simulator.Service
	registry *simulator.Registry
	context  *simulator.Context
	files    map[string]*File
	masked   map[string]bool // "lun" or "lun@host"
	hosts    map[string]*Host
	stores   map[string]*Datastore
	vms      []*VM
	folders  map[string]*simulator.Folder
	offset   time.Duration
	serial   int
	log      []*Entry
	faults   []*Fault
	holds    []*Hold
	number   int
	sessions map[string]string // cookie -> user
	current  string            // user of the request being worked on
	words    string            // what goes with a fault that the simulator itself encodes
}

// Host is an ESXi host.
type Host struct {
	mo.HostSystem
	lab  *Lab
	spec *HostSpec
}

// Datastore is a datastore.
type Datastore struct {
	mo.Datastore
	spec *DatastoreSpec
}

// Datacenter, Compute and Pool are inventory only.
type Datacenter struct{ mo.Datacenter }
type Compute struct{ mo.ComputeResource }
type Pool struct{ mo.ResourcePool }

func newLab(text string) (*Lab, error) {
	world, err := parseWorld([]byte(text))
	if err != nil {
		return nil, err
	}
	lab := &Lab{
		world: world, text: text, files: map[string]*File{}, masked: map[string]bool{}, hosts: map[string]*Host{},
		stores: map[string]*Datastore{}, folders: map[string]*simulator.Folder{}, sessions: map[string]string{},
	}
	return lab, lab.build()
}

func (lab *Lab) now() time.Time { return time.Now().UTC().Add(lab.offset) }

func (lab *Lab) next() int {
	lab.serial++
	return lab.serial
}

func (lab *Lab) build() error {
	content := vpx.ServiceContent
	content.About.Version = lab.world.Version
	content.About.ApiVersion = lab.world.Version + ".0"
	if lab.world.API == "esxi" {
		content.About.ApiType = "HostAgent"
		content.About.ProductLineId = "embeddedEsx"
		content.About.Name = "VMware ESXi"
	}
	content.About.FullName = content.About.Name + " " + lab.world.Version + " (a model made from documentation, not a real one)"
	apiType := content.About.ApiType
	content.About.ApiType = "VirtualCenter"
	ctx, instance := simulator.NewServiceInstance(simulator.NewContext(), content, vpx.RootFolder)
	instance.Content.About.ApiType = apiType
	lab.context, lab.registry = ctx, ctx.Map
	lab.service = simulator.New(ctx, instance)
	lab.service.RegisterSDK(ctx.Map, ctx.Map.Path+"/vimService")
	lab.service.ServeMux.HandleFunc(ctx.Map.Path+"/vimServiceVersions.xml", lab.service.ServiceVersions)
	lab.service.Listen = listenURL
	lab.registry.Handler = lab.veto
	lab.registry.Put(&VirtualDiskManager{VirtualDiskManager: mo.VirtualDiskManager{Self: *content.VirtualDiskManager}, lab: lab})
	lab.registry.Put(&Authorization{AuthorizationManager: mo.AuthorizationManager{Self: *content.AuthorizationManager}, lab: lab})

	root := lab.registry.Get(content.RootFolder).(*simulator.Folder)
	for _, name := range lab.datacenters() {
		lab.addDatacenter(root, name)
	}
	for i := range lab.world.VMs {
		if err := lab.addVM(&lab.world.VMs[i]); err != nil {
			return err
		}
	}
	for _, file := range lab.world.Orphans {
		made := &File{Path: file.File, Kind: orElse(file.Kind, "other"), Size: orElse(file.Size, int64(500))}
		if file.RDM != "" {
			lun := lab.lunSpec(file.RDM)
			if lun == nil {
				return fmt.Errorf("%s maps an unknown LUN %s", file.File, file.RDM)
			}
			made = lab.newMapping(file.File, orElse(file.Mode, "physical")+"Mode", lun)
		}
		lab.files[file.File] = made
	}
	return nil
}

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
		store.Info = &types.VmfsDatastoreInfo{DatastoreInfo: info, Vmfs: lab.volume(spec)}
	} else {
		store.Info = &types.NasDatastoreInfo{DatastoreInfo: info}
	}
	store.Browser = lab.ref("HostDatastoreBrowser", "browser")
	lab.registry.Put(&Browser{HostDatastoreBrowser: mo.HostDatastoreBrowser{Self: store.Browser}, lab: lab, store: spec})
	lab.registry.Put(store)
	folder.ChildEntity = append(folder.ChildEntity, store.Self)
	lab.stores[spec.Datacenter+"/"+spec.Name] = store
}

func (lab *Lab) volume(spec *DatastoreSpec) *types.HostVmfsVolume {
	volume := &types.HostVmfsVolume{
		HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFS", Name: encodeName(spec.Name), Capacity: 1 << 42},
		BlockSizeMb:          1, MajorVersion: 6, Version: spec.Version, Uuid: spec.UUID, MaxBlocks: 1 << 28,
	}
	fmt.Sscanf(spec.Version, "%d", &volume.MajorVersion)
	for _, lun := range lab.world.Luns {
		if lun.VMFS == spec.Name {
			volume.Extent = append(volume.Extent, types.HostScsiDiskPartition{DiskName: lun.Name, Partition: 1})
		}
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
	compute.ResourcePool = &pool.Self
	host := &Host{lab: lab, spec: spec}
	host.Self = lab.ref("HostSystem", "host")
	host.Name = spec.Name
	host.Parent = &compute.Self
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
	lab.registry.Put(&Storage{HostStorageSystem: mo.HostStorageSystem{ExtensibleManagedObject: mo.ExtensibleManagedObject{Self: storage}}})
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

func (lab *Lab) lunSpec(name string) *LunSpec {
	for i := range lab.world.Luns {
		if lab.world.Luns[i].Name == name {
			return &lab.world.Luns[i]
		}
	}
	return nil
}

// seenBy tells whether a host sees a LUN now, and by which id and number.
func (lab *Lab) seenBy(lun *LunSpec, host *HostSpec) (uuid string, number int32, seen bool) {
	uuid, number = lun.UUID, lun.Number
	if special, ok := lun.Paths[host.Name]; ok {
		uuid, number = orElse(special.UUID, uuid), orElse(special.Number, number)
		if special.Masked {
			return "", 0, false
		}
	}
	listed := len(lun.Hosts) == 0
	for _, name := range lun.Hosts {
		listed = listed || name == host.Name
	}
	if !listed || lab.masked[lun.Name] || lab.masked[lun.Name+"@"+host.Name] {
		return "", 0, false
	}
	return uuid, number, true
}

// lunByDevice finds the LUN that a host means by a device name: a path, a canonical name or a vml.
func (lab *Lab) lunByDevice(device string, host *HostSpec) *LunSpec {
	name := strings.TrimPrefix(path.Base(device), "vml.")
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		if uuid, _, seen := lab.seenBy(lun, host); seen && (name == lun.Name || name == uuid) {
			return lun
		}
	}
	return nil
}

func (lab *Lab) newMapping(file, mode string, lun *LunSpec) *File {
	id := lab.next()
	return &File{
		Path: file, Kind: "rdm", Mode: mode, Lun: lun.Name, Bytes: lun.Sectors * int64(lun.BlockSize), Size: 473,
		UUID: fmt.Sprintf("60 00 c2 9f 00 00 00 00-00 00 00 00 %02x %02x %02x %02x", id>>24&255, id>>16&255, id>>8&255, id&255),
	}
}

// mappingExtent is the file that a host makes beside a mapping's descriptor.
func (file *File) mappingExtent() string {
	stem := strings.TrimSuffix(file.Path, ".vmdk")
	switch {
	case file.Kind == "rdm" && file.Mode == "physicalMode":
		return stem + "-rdmp.vmdk"
	case file.Kind == "rdm":
		return stem + "-rdm.vmdk"
	case file.Kind == "flat":
		return stem + "-flat.vmdk"
	case file.Kind == "delta":
		return stem + "-delta.vmdk"
	}
	return ""
}

func splitFile(file string) (store, inner string) {
	store, inner, _ = strings.Cut(strings.TrimPrefix(file, "["), "]")
	return store, strings.TrimPrefix(inner, " ")
}

// folderKnown tells whether a folder of a datastore exists: every VM and every file has one.
func (lab *Lab) folderKnown(file string) bool {
	store, inner := splitFile(file)
	folder := path.Dir(inner)
	if folder == "." {
		return true
	}
	for known := range lab.files {
		other, name := splitFile(known)
		if other == store && strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}

// users tells which running VMs hold a file.
func (lab *Lab) lockedBy(file string) []string {
	var names []string
	for _, vm := range lab.vms {
		if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff && vm.uses(file) {
			names = append(names, decodeName(vm.Name))
		}
	}
	sort.Strings(names)
	return names
}

var nameEncoder = strings.NewReplacer("%", "%25", "/", "%2f", "\\", "%5c")
var nameDecoder = strings.NewReplacer("%25", "%", "%2f", "/", "%2F", "/", "%5c", "\\", "%5C", "\\")

func encodeName(name string) string { return nameEncoder.Replace(name) }
func decodeName(name string) string { return nameDecoder.Replace(name) }
