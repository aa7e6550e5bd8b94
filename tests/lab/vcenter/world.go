package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// World is what a YAML file describes: hosts, datastores, LUNs, VMs and users. What no source settles is a switch:
// "accept", or the name of the fault that the server answers with.
type World struct {
	API            string               `yaml:"api"`
	Version        string               `yaml:"version"`
	OneReconfigure string               `yaml:"one_reconfigure"` // a remove and an add of disks in one spec
	SecondMapping  string               `yaml:"second_mapping"`  // a second mapping file of one LUN
	LocalMappings  string               `yaml:"local_mappings"`  // a mapping of a local disk made over the API
	SataMappings   string               `yaml:"sata_mappings"`   // a mapping on a SATA controller
	DestroyKeeps   bool                 `yaml:"destroy_keeps"`   // what a VM that is destroyed does not have stays in its folder
	RdmFilter      bool                 `yaml:"rdm_filter"`      // LUNs with a mapping are no candidates for another
	UnknownPaths   []string             `yaml:"unknown_paths"`   // properties that this version does not know
	Hosts          []HostSpec           `yaml:"hosts"`
	Datastores     []DatastoreSpec      `yaml:"datastores"`
	Luns           []LunSpec            `yaml:"luns"`
	VMs            []VMSpec             `yaml:"vms"`
	Users          map[string]*UserSpec `yaml:"users"`
	Generated      *GeneratedSpec       `yaml:"generated"`
	Orphans        []FileSpec           `yaml:"files"`
	Hidden         []*HiddenSpec        `yaml:"hidden"`
	Shell          ShellSpec            `yaml:"shell"`
	generated      int                  // LUNs made up by rule
	UnseenObjects  string               `yaml:"unseen_objects"` // the answer to who names an object that may not be seen
}

// HostSpec is an ESXi host.
type HostSpec struct {
	Name        string `yaml:"name"`
	Datacenter  string `yaml:"datacenter"`
	Version     string `yaml:"version"`
	State       string `yaml:"state"`
	Maintenance bool   `yaml:"maintenance"`
	Licence     string `yaml:"licence"`
	ManagedBy   string `yaml:"managed_by"`
	HostdDown   bool   `yaml:"hostd_down"`
}

// DatastoreSpec is a datastore; without hosts every host of its datacenter mounts it.
type DatastoreSpec struct {
	Name         string   `yaml:"name"`
	Datacenter   string   `yaml:"datacenter"`
	UUID         string   `yaml:"uuid"`
	Type         string   `yaml:"type"`
	Version      string   `yaml:"version"`
	Free         int64    `yaml:"free"`
	Inaccessible bool     `yaml:"inaccessible"`
	Hosts        []string `yaml:"hosts"`
}

// LunSpec is a LUN. Paths tells what it is to single hosts; without it every host sees it alike.
type LunSpec struct {
	Name                string              `yaml:"name"`
	Sectors             int64               `yaml:"sectors"`
	BlockSize           int32               `yaml:"block_size"`
	Format              string              `yaml:"format"`
	Vendor              string              `yaml:"vendor"`
	Model               string              `yaml:"model"`
	Serial              string              `yaml:"serial"`
	Display             string              `yaml:"display"`
	Local               bool                `yaml:"local"`
	SSD                 bool                `yaml:"ssd"`
	State               string              `yaml:"state"`
	PerenniallyReserved bool                `yaml:"perennially_reserved"`
	Boot                bool                `yaml:"boot"`
	Dump                bool                `yaml:"dump"`
	SystemVolumes       string              `yaml:"system_volumes"` // type of the volumes of a boot disk
	VMFS                string              `yaml:"vmfs"`
	VSAN                bool                `yaml:"vsan"`
	Partitioned         bool                `yaml:"partitioned"` // by the guest that has it
	ProtocolEndpoint    bool                `yaml:"protocol_endpoint"`
	Transport           string              `yaml:"transport"`
	UUID                string              `yaml:"uuid"`
	Quality             string              `yaml:"quality"`
	Descriptors         []DescriptorSpec    `yaml:"descriptors"`
	AlternateNames      []DurableNameSpec   `yaml:"alternate_names"`
	DurableName         *DurableNameSpec    `yaml:"durable_name"`
	Inquiry             int                 `yaml:"inquiry"` // bytes of standard INQUIRY data
	Number              int32               `yaml:"number"`
	Hosts               []string            `yaml:"hosts"`
	Paths               map[string]PathSpec `yaml:"paths"`
}

// PathSpec is what differs of a LUN on one host.
type PathSpec struct {
	Name                string `yaml:"name"`
	UUID                string `yaml:"uuid"`
	Number              int32  `yaml:"number"`
	State               string `yaml:"state"`
	PerenniallyReserved *bool  `yaml:"perennially_reserved"`
	Masked              bool   `yaml:"masked"`
	Dead                bool   `yaml:"dead"`
}

// DescriptorSpec is one of the names of a LUN, with its quality.
type DescriptorSpec struct {
	Quality string `yaml:"quality"`
	ID      string `yaml:"id"`
}

// DurableNameSpec is a name out of a LUN's vital product data, as text or as bytes in hexadecimal.
type DurableNameSpec struct {
	Namespace string `yaml:"namespace"`
	Text      string `yaml:"text"`
	Hex       string `yaml:"hex"`
}

// VMSpec is a virtual machine.
type VMSpec struct {
	Name            string            `yaml:"name"`
	Folder          string            `yaml:"folder"`
	Host            string            `yaml:"host"`
	Datastore       string            `yaml:"datastore"`
	InstanceUUID    string            `yaml:"instance_uuid"`
	BiosUUID        string            `yaml:"bios_uuid"`
	Power           string            `yaml:"power"`
	Busy            bool              `yaml:"task_running"`
	Tools           string            `yaml:"tools"`
	ShutdownSeconds int               `yaml:"shutdown_seconds"`
	Version         string            `yaml:"version"`
	Template        bool              `yaml:"template"`
	Encrypted       bool              `yaml:"encrypted"`
	FaultTolerance  bool              `yaml:"fault_tolerance"`
	ChangeTracking  bool              `yaml:"change_tracking"`
	Replicated      bool              `yaml:"replicated"`
	Consolidation   bool              `yaml:"consolidation_needed"`
	Connection      string            `yaml:"connection"`
	DisabledMethods []string          `yaml:"disabled_methods"`
	Controllers     []ControllerSpec  `yaml:"controllers"`
	Disks           []DiskSpec        `yaml:"disks"`
	Snapshots       []string          `yaml:"snapshots"`
	BootOrder       []string          `yaml:"boot_order"`
	Extra           map[string]string `yaml:"extra"`
	Question        string            `yaml:"question"`
	PowerOnFault    string            `yaml:"power_on_fault"`
	Annotation      string            `yaml:"annotation"`
	GuestDisks      []GuestDiskSpec   `yaml:"guest_disks"`
	home            string            // its folder, where a client made it
}

// folder is what a VM's folder is called.
func (vm *VMSpec) folder() string { return orElse(vm.home, fileName(vm.Name)) }

// GuestDiskSpec is a volume that VMware Tools tell of while the guest runs, and the disks (by key) that it lies on.
type GuestDiskSpec struct {
	Path string  `yaml:"path"`
	Keys []int32 `yaml:"keys"`
}

// ControllerSpec is a storage controller; without any a VM has one pvscsi controller.
type ControllerSpec struct {
	Type   string `yaml:"type"`
	Bus    int32  `yaml:"bus"`
	Shared string `yaml:"shared"`
}

// DiskSpec is a disk: a mapping of a LUN, or a flat disk of some bytes.
type DiskSpec struct {
	At       string `yaml:"at"`
	RDM      string `yaml:"rdm"`
	Mode     string `yaml:"mode"`
	Flat     int64  `yaml:"flat"`
	File     string `yaml:"file"`
	DiskMode string `yaml:"disk_mode"`
	Sharing  string `yaml:"sharing"`
	Shares   string `yaml:"shares"`
	ShareNum int32  `yaml:"share_number"`
	Limit    int64  `yaml:"limit"`
	Label    string `yaml:"label"`
	Sectors  int64  `yaml:"sectors"`  // of the mapping file; default: those of the LUN
	APIMode  string `yaml:"api_mode"` // what the API shows, where it is not the file's own
	// What the API shows of the LUN, where it is not what the host calls it now.
	LunUUID    *string `yaml:"lun_uuid"`
	DeviceName *string `yaml:"device_name"`
}

// FileSpec is a mapping file, or any other file, that no VM uses.
type FileSpec struct {
	File string `yaml:"file" json:"file"`
	RDM  string `yaml:"rdm" json:"rdm"`
	Mode string `yaml:"mode" json:"mode"`
	Size int64  `yaml:"size" json:"size"`
	Kind string `yaml:"kind" json:"kind"`
	UUID string `yaml:"uuid" json:"uuid"`
}

// UserSpec is a user whose role lacks some privileges, everywhere or on single objects; of some objects, and of all
// below them, the user sees the name only (no System.Read), of others nothing at all (no System.View).
type UserSpec struct {
	Password   string              `yaml:"password"`
	Missing    []string            `yaml:"missing"`
	MissingOn  map[string][]string `yaml:"missing_on"`
	Unreadable []string            `yaml:"unreadable"`
	Unseen     []string            `yaml:"unseen"`
}

// ShellSpec is what no source settles about the shell of a host, and what differs from host to host.
type ShellSpec struct {
	QueryOfRunning string `yaml:"query_of_running"` // vmkfstools -q of a running VM's mapping
	FaultCode      *int   `yaml:"fault_code"`       // with which vim-cmd ends after a fault
	RemoveDeletes  bool   `yaml:"remove_deletes"`   // device.diskremove deletes the file whatever it is told
}

// GeneratedSpec asks for a number of VMs made up by rule.
type GeneratedSpec struct {
	VMs      int    `yaml:"vms"`
	RDMEvery int    `yaml:"rdm_every"`
	Disks    int    `yaml:"disks"`
	Hosts    int    `yaml:"hosts"`
	Luns     int    `yaml:"luns"`     // beside those that are mapped
	Mappings int    `yaml:"mappings"` // of one more VM, "many-mappings"
	Mode     string `yaml:"mode"`     // of those mappings
	Serial   string `yaml:"serial"`   // of all LUNs; nothing for one each
	Inquiry  bool   `yaml:"inquiry"`  // whether LUNs tell the INQUIRY data that those of real arrays tell
}

func parseWorld(text []byte) (*World, error) {
	world := &World{}
	decoder := yaml.NewDecoder(strings.NewReader(withPrivateText(string(text))))
	decoder.KnownFields(true)
	if err := decoder.Decode(world); err != nil {
		return nil, fmt.Errorf("the world cannot be read: %w", err)
	}
	world.fillDefaults()
	return world, world.check()
}

// connections are the states of a VM's connection.
var connections = []string{"connected", "disconnected", "inaccessible", "invalid", "orphaned"}

func known(what, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return fmt.Errorf("the world cannot be read: %s %q is none of %s", what, value, strings.Join(words, ", "))
}

// check refuses words that the model does not know: a typing error must not become another world.
func (w *World) check() error {
	problems := []error{
		known("api", w.API, "vcenter", "esxi"), known("unseen_objects", w.UnseenObjects, "NoPermission", "ManagedObjectNotFound", "absent"),
		known("query_of_running", w.Shell.QueryOfRunning, "", "accept", "locked"),
	}
	for _, fault := range []string{w.OneReconfigure, w.SecondMapping, w.LocalMappings, w.SataMappings} {
		if fault != "accept" {
			problems = append(problems, checkFault(fault))
		}
	}
	for _, host := range w.Hosts {
		problems = append(problems, known("state", host.State, "connected", "disconnected", "notResponding"), known("licence", host.Licence, "full", "free"))
	}
	for _, store := range w.Datastores {
		problems = append(problems, known("type", store.Type, "VMFS", "NFS", "NFS41", "vsan", "VVOL"))
	}
	for _, lun := range w.Luns {
		problems = append(problems, known("format", lun.Format, "native512", "emulated512", "native4k", "SoftwareEmulated4k", "unknown"),
			known("quality", lun.Quality, "highQuality", "mediumQuality", "lowQuality", "unknownQuality"),
			known("transport", lun.Transport, append([]string{""}, transports...)...), known("system_volumes", lun.SystemVolumes, "VMFSOS", "OTHER"))
		for _, name := range lun.durableNames() {
			problems = append(problems, name.check())
		}
	}
	for _, vm := range w.VMs {
		problems = append(problems, known("power", vm.Power, "on", "off", "suspended"), known("tools", vm.Tools, "running", "none", "deaf"),
			known("connection", vm.Connection, connections...))
		if vm.PowerOnFault != "" {
			problems = append(problems, checkFault(vm.PowerOnFault))
		}
		for _, controller := range vm.Controllers {
			problems = append(problems, known("controller", controller.Type, "pvscsi", "lsilogic", "lsisas", "buslogic", "sata", "nvme", "ide"),
				known("shared", controller.Shared, "", "none", "virtual", "physical"))
		}
		for _, disk := range vm.Disks {
			problems = append(problems, known("mode", disk.Mode, "physical", "virtual"), known("sharing", disk.Sharing, "sharingNone", "sharingMultiWriter"))
		}
	}
	return errors.Join(problems...)
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func (w *World) fillDefaults() {
	w.API = orElse(w.API, "vcenter")
	w.Version = orElse(w.Version, "8.0.3")
	w.OneReconfigure = orElse(w.OneReconfigure, "accept")
	w.SecondMapping = orElse(w.SecondMapping, "accept")
	w.LocalMappings = orElse(w.LocalMappings, "accept")
	w.SataMappings = orElse(w.SataMappings, "accept")
	w.UnseenObjects = orElse(w.UnseenObjects, "NoPermission")
	if w.Generated != nil {
		w.generate()
	}
	datacenter := "DC"
	if w.API == "esxi" {
		datacenter = "ha-datacenter"
	}
	for i := range w.Hosts {
		host := &w.Hosts[i]
		host.Datacenter = orElse(host.Datacenter, datacenter)
		host.Version = orElse(host.Version, w.Version)
		host.State = orElse(host.State, "connected")
		host.Licence = orElse(host.Licence, "full")
	}
	for i := range w.Datastores {
		store := &w.Datastores[i]
		store.Datacenter = orElse(store.Datacenter, datacenter)
		store.Type = orElse(store.Type, "VMFS")
		store.Version = orElse(store.Version, "6.82")
		store.UUID = orElse(store.UUID, fmt.Sprintf("5f9%05d-%08x-1111-005056%06d", i, i+1, i))
		store.Free = orElse(store.Free, int64(500)<<30)
	}
	for i := range w.Luns {
		lun := &w.Luns[i]
		lun.BlockSize = orElse(lun.BlockSize, int32(512))
		lun.Format = orElse(lun.Format, "native512")
		lun.Vendor = orElse(lun.Vendor, "DGC     ")
		lun.Model = orElse(lun.Model, "VRAID           ")
		lun.State = orElse(lun.State, "ok")
		lun.Quality = orElse(lun.Quality, "highQuality")
		lun.SystemVolumes = orElse(lun.SystemVolumes, "VMFSOS")
		lun.Display = orElse(lun.Display, fmt.Sprintf("%s (%s)", strings.TrimSpace(lun.Model), lun.Name))
		lun.UUID = orElse(lun.UUID, vmlOf(lun.Name, lun.Model))
	}
	for i := range w.VMs {
		vm := &w.VMs[i]
		vm.Power = orElse(vm.Power, "off")
		vm.Tools = orElse(vm.Tools, "running")
		vm.Version = orElse(vm.Version, "vmx-19")
		vm.Connection = orElse(vm.Connection, "connected")
		if vm.Host == "" && len(w.Hosts) > 0 {
			vm.Host = w.Hosts[0].Name
		}
		if vm.Datastore == "" && len(w.Datastores) > 0 {
			vm.Datastore = w.Datastores[0].Name
		}
		vm.InstanceUUID = orElse(vm.InstanceUUID, fmt.Sprintf("5004%04x-0000-4000-8000-%012x", i, i+1))
		vm.BiosUUID = orElse(vm.BiosUUID, fmt.Sprintf("4204%04x-0000-4000-8000-%012x", i, i+1))
		if len(vm.Controllers) == 0 {
			vm.Controllers = []ControllerSpec{{}}
		}
		for j := range vm.Controllers {
			vm.Controllers[j].Type = orElse(vm.Controllers[j].Type, "pvscsi")
		}
		for j := range vm.Disks {
			disk := &vm.Disks[j]
			disk.At = orElse(disk.At, fmt.Sprintf("scsi0:%d", unitFor(j)))
			disk.Mode = orElse(disk.Mode, "physical")
			disk.Sharing = orElse(disk.Sharing, "sharingNone")
			disk.File = orElse(disk.File, fmt.Sprintf("[%s] %s/%s_%d.vmdk", vm.Datastore, fileName(vm.Name), fileName(vm.Name), j))
		}
	}
}

// fileName is what a VM's folder and files are called: its name, as the API writes names.
func fileName(name string) string { return nameEncoder.Replace(name) }

// unitFor skips unit 7, which is the controller's own.
func unitFor(index int) int {
	if index >= 7 {
		return index + 1
	}
	return index
}
