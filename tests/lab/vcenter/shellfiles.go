package main

import (
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// Texts of vmkfstools. Where no source has the number or the code of a failure, it is as modelled.
const (
	fileThere   = "Failed to create virtual disk: The file already exists (39).\n"
	fileGone    = "The system cannot find the file specified (25)"
	fileLocked  = "Failed to lock the file (16392)"
	noDisk      = "Failed to create virtual disk: The specified device is not a valid physical disk device (18).\n"
	noMappings  = "Failed to create virtual disk: Function not implemented (2490377).\n"
	busyMapping = "Failed to create virtual disk: Device or resource busy (1048585).\n"
	tooLarge    = "Failed to create virtual disk: File too large (27).\n"
)

// vmkfstools makes mappings, tells what one is, and deletes disks. What would write to a LUN it does not do.
func vmkfstools(lab *Lab, command *Command) Answer {
	var words []string
	for i := 0; i < len(command.Arguments); i++ {
		if command.Arguments[i] == "-a" || command.Arguments[i] == "--adaptertype" {
			i++
			continue
		}
		words = append(words, command.Arguments[i])
	}
	if len(words) < 2 {
		return failed(1, "vmkfstools: the lab does not know this use of it\n")
	}
	file := words[len(words)-1]
	switch option := words[0]; {
	case option == "-q" || option == "--queryrdm":
		return lab.queryMapping(command, file)
	case (option == "-r" || option == "--createrdm") && len(words) == 3:
		return lab.makeMapping(command, words[1], file, "virtualMode")
	case (option == "-z" || option == "--createrdmpassthru") && len(words) == 3:
		return lab.makeMapping(command, words[1], file, "physicalMode")
	case option == "-U" || option == "--deletevirtualdisk":
		return lab.deleteDisk(command, file)
	}
	return failed(1, "vmkfstools: the lab does not do %s\n", words[0])
}

// fileNamed finds the file that a command names, on a datastore of its host.
func (lab *Lab) fileNamed(command *Command, name string) (*File, string) {
	path := lab.storePath(command, name)
	return lab.files[command.host.Datacenter][path], path
}

func (lab *Lab) queryMapping(command *Command, name string) Answer {
	file, path := lab.fileNamed(command, name)
	if file == nil {
		return failed(1, "Failed to open '%s': %s.\n", name, fileGone)
	}
	users := lab.lockedBy(command.host.Datacenter, path)
	if file.Locked || len(users) > 0 && lab.world.Shell.QueryOfRunning == "locked" {
		return failed(1, "Failed to open '%s': %s.\n", name, fileLocked)
	}
	base := file
	for base != nil && base.Parent != "" {
		base = lab.files[command.host.Datacenter][base.Parent]
	}
	if base == nil || base.Kind != "rdm" {
		return Answer{Then: "answer", Stdout: name + " is not an rdm\n", Code: 1}
	}
	kind := map[string]string{"physicalMode": "Passthrough", "virtualMode": "Non-passthrough"}[base.Mode]
	vml := base.Lun.UUID
	if view, seen := lab.seenBy(base.Lun, command.host); seen {
		vml = view.UUID
	}
	for _, vm := range lab.vms {
		if special, ok := vm.shown[base.Path]; ok && special.LunUUID != nil && vm.datacenter() == command.host.Datacenter {
			vml = strings.TrimPrefix(*special.LunUUID, "vml.")
		}
	}
	return printed("Disk %s is a %s Raw Device Mapping\nMaps to: vml.%s\n", name, kind, vml)
}

func (lab *Lab) makeMapping(command *Command, device, name, mode string) Answer {
	path, files := lab.storePath(command, name), lab.files[command.host.Datacenter]
	if path == "" || !strings.HasSuffix(path, ".vmdk") || !files.folderKnown(path) {
		return failed(1, "Failed to create virtual disk: %s.\n", fileGone)
	}
	if files.taken(path) {
		return failed(1, fileThere)
	}
	lun := lab.lunByDevice(device, command.host)
	if lun == nil || !strings.HasPrefix(device, "/vmfs/devices/disks/") {
		return failed(1, noDisk)
	}
	if lab.mappedAlready(lun) && lab.world.SecondMapping != "accept" {
		return failed(1, busyMapping)
	}
	store, _ := lab.splitFile(path)
	// What keeps vCenter from local disks does not keep a shell from them.
	local := *lun
	local.Local = false
	if refusal := lab.mayMap(0, &local, command.host, lab.stores[command.host.Datacenter+"/"+store], mode); refusal != nil {
		switch refusal.Fault.(type) {
		case *types.RDMNotSupportedOnDatastore:
			return failed(1, noMappings)
		case *types.LargeRDMNotSupportedOnDatastore:
			return failed(1, tooLarge)
		}
		return failed(1, noDisk)
	}
	made := lab.newMapping(path, mode, lun)
	if files.taken(made.extent()) {
		return failed(1, fileThere)
	}
	files[path] = made
	return printed("")
}

func (lab *Lab) mappedAlready(lun *LunSpec) bool {
	for _, files := range lab.files {
		for _, file := range files {
			if file.Kind == "rdm" && file.Lun == lun {
				return true
			}
		}
	}
	return false
}

func (lab *Lab) deleteDisk(command *Command, name string) Answer {
	file, path := lab.fileNamed(command, name)
	if file == nil || file.descriptor() == "" {
		return failed(1, "Failed to delete virtual disk: %s.\n", fileGone)
	}
	if users := lab.lockedBy(command.host.Datacenter, path); len(users) > 0 {
		return failed(1, "Failed to delete virtual disk: %s.\n", fileLocked)
	}
	delete(lab.files[command.host.Datacenter], path)
	return printed("Destroy: 100%% done.\n")
}
