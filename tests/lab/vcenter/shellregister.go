package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// newestHardware is the newest version of a VM's hardware that a host of each version runs (KB 1003746).
var newestHardware = map[int]int{5: 10, 6: 14, 7: 19, 8: 21}

// vimRegister enters a VM by its own file, as solo/registervm does: it prints the number that the VM got (as scripts that
// people wrote for it read it). The file is left as it is: what hostd writes into it at once is not known. A VM with
// disks the model does not register.
func (lab *Lab) vimRegister(command *Command, host *Host, words []string) Answer {
	if len(words) < 1 || len(words) > 3 {
		return failed(255, "Insufficient arguments.\nUsage: registervm vm [name] [resourcepool]\n")
	}
	vmx := lab.storePath(command, words[0])
	file := lab.files[command.host.Datacenter][vmx]
	if file == nil || !strings.HasSuffix(vmx, ".vmx") {
		return lab.vimFault(notFound(words[0]))
	}
	for _, vm := range lab.vms {
		if vm.Config.Files.VmPathName == vmx {
			return lab.vimFault(refuse(&types.AlreadyExists{Name: vm.vmid()}, "The specified key, name, or identifier '"+vm.vmid()+"' already exists."))
		}
	}
	values := readVmx(file.Content)
	hardware, _ := strconv.Atoi(values["virtualHW.version"])
	if values["config.version"] == "" || hardware < 3 || hardware > newestHardware[command.host.major()] {
		return lab.vimFault(refuse(&types.InvalidVmConfig{Property: "virtualHW.version"}, "The virtual machine configuration is invalid (as modelled)."))
	}
	spec, unknown := lab.specOf(values, hardware)
	if unknown != "" {
		return failed(1, "vim-cmd: the lab does not register a VM with %s\n", unknown)
	}
	store, inner := lab.splitFile(vmx)
	spec.Name, spec.Host, spec.Datastore, spec.home = orElse(values["displayName"], strings.TrimSuffix(path.Base(inner), ".vmx")), host.spec.Name, store, path.Dir(inner)
	text := file.Content
	if err := lab.addVM(spec); err != nil {
		return failed(1, "vim-cmd: %s\n", err)
	}
	vm := lab.vms[len(lab.vms)-1]
	delete(vm.files(), vm.Config.Files.VmPathName)
	vm.Config.Files.VmPathName, vm.files()[vmx] = vmx, file
	vm.reload(text)
	// What it read is what it would write.
	lab.trees.vmx[vm], lab.trees.version[vm] = text, vm.Config.ChangeVersion
	return printed("%s\n", vm.vmid())
}

// specOf is what a VM's own file says of it, and what of it the model does not know.
func (lab *Lab) specOf(values map[string]string, hardware int) (*VMSpec, string) {
	id := lab.next()
	spec := &VMSpec{
		Power: "off", Tools: "none", Connection: "connected", Version: "vmx-" + fmt.Sprintf("%02d", hardware),
		InstanceUUID: fmt.Sprintf("5005%04x-0000-4000-8000-%012x", id, id), BiosUUID: fmt.Sprintf("4205%04x-0000-4000-8000-%012x", id, id),
	}
	for key := range values {
		if strings.Contains(key, ":") && strings.HasSuffix(key, ".fileName") {
			return nil, key
		}
		bus, isBus := strings.CutSuffix(key, ".present")
		kind := strings.TrimRight(bus, "0123456789")
		if !isBus || strings.Contains(bus, ":") || !strings.EqualFold(values[key], "TRUE") || !slices.Contains([]string{"scsi", "sata", "nvme"}, kind) {
			continue
		}
		number, _ := strconv.Atoi(strings.TrimPrefix(bus, kind))
		if kind == "scsi" {
			kind = map[string]string{"pvscsi": "pvscsi", "lsisas1068": "lsisas", "lsilogic": "lsilogic"}[values[bus+".virtualDev"]]
		}
		spec.Controllers = append(spec.Controllers, ControllerSpec{Type: orElse(kind, "lsilogic"), Bus: int32(number)})
	}
	slices.SortFunc(spec.Controllers, func(one, other ControllerSpec) int { return strings.Compare(one.Type, other.Type) })
	return spec, ""
}

// partedUtil tells of the partition table of a disk, and changes none here. Its shapes are those of published outputs; the
// word for a disk without a table is from memory, as are its errors.
func partedUtil(lab *Lab, command *Command) Answer {
	if len(command.Arguments) != 2 || command.Arguments[0] != "getptbl" {
		return failed(1, "partedUtil: the lab knows getptbl\n")
	}
	device := command.Arguments[1]
	lun := lab.lunByDevice(device, command.host)
	if lun == nil {
		return failed(255, "Error: Could not stat device %s - No such file or directory.\nUnable to get device %s\n", device, device)
	}
	if view, seen := lab.seenBy(lun, command.host); !seen || view.State != "ok" {
		return failed(255, "Error: Read-only open failed\n")
	}
	info := lun.partitions(device)
	out := info.Spec.PartitionFormat + "\n" + fmt.Sprintf("%d 255 63 %d\n", lun.Sectors/(255*63), lun.Sectors)
	for _, partition := range info.Spec.Partition {
		out += fmt.Sprintf("%d %d %d EBD0A0A2B9E5443387C068B6B72699C7 linuxNative 0\n", partition.Partition, partition.StartSector, partition.EndSector)
	}
	return printed("%s", out)
}
