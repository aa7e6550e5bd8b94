package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Lab is one world at work: its objects in a simulator's registry, its files, and what a test has asked of it.
type Lab struct {
	mu        sync.Mutex
	world     *World
	text      string
	service   *simulator.Service
	registry  *simulator.Registry
	context   *simulator.Context
	files     map[string]Files      // by datacenter
	luns      map[string][]*LunSpec // by canonical name
	masked    map[string]bool       // "lun" or "lun@host"
	hosts     map[string]*Host
	stores    map[string]*Datastore
	vms       []*VM
	folders   map[string]*simulator.Folder
	offset    time.Duration
	serial    int
	log       []*Entry
	faults    []*Fault
	answered  map[string][]earlier // by method
	holds     []*Hold
	number    int
	sessions  map[string]string // cookie -> user
	current   string            // user of the request being worked on
	words     string            // what goes with a fault that the simulator itself encodes
	slow      time.Duration     // how long the next task takes
	working   *Task             // the task that is being worked on
	pageAgain bool              // the page that is sent now is sent again when the next is asked for
	trees     *Trees            // the datastores as a shell sees them, where there is one
	retired   atomic.Bool       // another world has taken this one's place
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
		world: world, text: text, files: map[string]Files{}, luns: map[string][]*LunSpec{}, masked: map[string]bool{}, hosts: map[string]*Host{},
		stores: map[string]*Datastore{}, folders: map[string]*simulator.Folder{}, sessions: map[string]string{},
	}
	building.Lock()
	defer building.Unlock()
	return lab, lab.build()
}

// building keeps two worlds from being made at one time: the simulator has globals that it writes to.
var building sync.Mutex

func (lab *Lab) now() time.Time { return time.Now().UTC().Add(lab.offset) }

func (lab *Lab) next() int {
	lab.serial++
	return lab.serial
}

func (lab *Lab) build() error {
	content, root := vpx.ServiceContent, vpx.RootFolder
	if lab.world.API == "esxi" {
		content, root = esx.ServiceContent, esx.RootFolder
		content.About.Name = "VMware ESXi"
	}
	content.About.Version = lab.world.Version
	content.About.ApiVersion = lab.world.Version + ".0"
	content.About.Build = "0"
	content.About.FullName = content.About.Name + " " + lab.world.Version + " (a model made from documentation, not a real one)"
	root.ChildEntity = nil
	about := content.About
	// As a host the simulator would make an inventory of its own.
	content.About.ApiType = "VirtualCenter"
	licence := simulator.EvalLicense
	ctx, instance := simulator.NewServiceInstance(simulator.NewContext(), content, root)
	simulator.EvalLicense = licence
	if lab.world.API == "vcenter" {
		about.InstanceUuid = instance.Content.About.InstanceUuid
	}
	instance.Content.About = about
	lab.context, lab.registry = ctx, ctx.Map
	lab.service = simulator.New(ctx, instance)
	lab.service.RegisterSDK(ctx.Map, ctx.Map.Path+"/vimService")
	lab.service.ServeMux.HandleFunc(ctx.Map.Path+"/vimServiceVersions.xml", lab.service.ServiceVersions)
	lab.service.Listen = listenURL
	lab.registry.Put(&VirtualDiskManager{VirtualDiskManager: mo.VirtualDiskManager{Self: *content.VirtualDiskManager}, lab: lab})
	lab.registry.Put(&Authorization{AuthorizationManager: mo.AuthorizationManager{Self: *content.AuthorizationManager}, lab: lab})
	collector := &PropertyCollector{}
	collector.Self = content.PropertyCollector
	lab.registry.Put(collector)
	lab.addLicences(*content.LicenseManager)
	return lab.fill(lab.registry.Get(content.RootFolder).(*simulator.Folder))
}

// addLicences tells whether the API may write: a host with a free licence lets it read only.
func (lab *Lab) addLicences(ref types.ManagedObjectReference) {
	licences := &Licences{LicenseManager: mo.LicenseManager{Self: ref}}
	for _, host := range lab.world.Hosts {
		info := types.LicenseManagerLicenseInfo{LicenseKey: "00000-00000-00000-00000-00000", EditionKey: "esx.enterprisePlus.cpuPackageCoreLimited", Name: "a licence (as modelled)"}
		if host.Licence == "free" {
			info.EditionKey, info.Name = "esxBasic", "a free licence (as modelled)"
		}
		licences.Licenses = append(licences.Licenses, info)
	}
	lab.registry.Put(licences)
}

// Licences are what the hosts have.
type Licences struct{ mo.LicenseManager }

// fill makes the inventory, the VMs and the files that no VM uses.
func (lab *Lab) fill(root *simulator.Folder) error {
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		for _, name := range lun.names() {
			lab.luns[name] = append(lab.luns[name], lun)
		}
	}
	for _, name := range lab.datacenters() {
		lab.files[name] = Files{}
		lab.addDatacenter(root, name)
	}
	for i := range lab.world.VMs {
		if err := lab.addVM(&lab.world.VMs[i]); err != nil {
			return err
		}
	}
	for _, spec := range lab.world.Orphans {
		if err := lab.addFile(spec); err != nil {
			return err
		}
	}
	for _, hidden := range lab.world.Hidden {
		if err := lab.checkHidden(hidden); err != nil {
			return err
		}
	}
	return nil
}

// addFile puts a file on a datastore, in place of any that has its name.
func (lab *Lab) addFile(spec FileSpec) error {
	store, _ := lab.splitFile(spec.File)
	var datacenter string
	for _, known := range lab.world.Datastores {
		if known.Name == store {
			datacenter = orElse(datacenter, known.Datacenter)
		}
	}
	if datacenter == "" {
		return fmt.Errorf("%s is on an unknown datastore", spec.File)
	}
	made := &File{Path: spec.File, Kind: orElse(spec.Kind, "other"), Size: orElse(spec.Size, int64(500)), UUID: spec.UUID}
	switch {
	case spec.RDM != "":
		lun := lab.lunNamed(spec.RDM, &lab.world.Hosts[0])
		if lun == nil {
			return fmt.Errorf("%s maps an unknown LUN %s", spec.File, spec.RDM)
		}
		made = lab.newMapping(spec.File, orElse(spec.Mode, "physical")+"Mode", lun)
	case spec.Kind == "flat":
		made = lab.newFlat(spec.File, spec.Size)
	case made.Kind != "other":
		return fmt.Errorf("%s: the model makes no file of kind %q", spec.File, spec.Kind)
	}
	made.UUID = orElse(spec.UUID, made.UUID)
	lab.files[datacenter][spec.File] = made
	return nil
}
