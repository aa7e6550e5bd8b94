package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// vmx is the text of a VM's own file. Characters that would end a value are escaped: a stroke and two digits.
func (vm *VM) vmx() string {
	var out strings.Builder
	set := func(key, value string) { fmt.Fprintf(&out, "%s = \"%s\"\n", key, vmxEscape(value)) }
	set(".encoding", "UTF-8")
	set("config.version", "8")
	set("virtualHW.version", strings.TrimPrefix(vm.Config.Version, "vmx-"))
	set("displayName", vm.Name)
	set("guestOS", "windows2019srv-64")
	set("uuid.bios", vmxUUID(vm.Config.Uuid))
	set("vc.uuid", vmxUUID(vm.Config.InstanceUuid))
	if vm.Config.Annotation != "" {
		set("annotation", vm.Config.Annotation)
	}
	for _, device := range vm.Config.Hardware.Device {
		if controller, ok := device.(types.BaseVirtualController); ok {
			vm.writeController(set, controller)
		}
	}
	for _, disk := range vm.disks() {
		vm.writeDisk(set, disk)
	}
	if order := vm.bootOrder(); order != "" {
		set("bios.bootOrder", "hdd")
		set("bios.hddOrder", order)
	}
	for _, option := range vm.Config.ExtraConfig {
		set(option.GetOptionValue().Key, fmt.Sprint(option.GetOptionValue().Value))
	}
	return out.String()
}

func (vm *VM) writeController(set func(key, value string), controller types.BaseVirtualController) {
	bus := vm.busName(controller.GetVirtualController().Key)
	if bus == "" || strings.HasPrefix(bus, "ide") {
		return
	}
	set(bus+".present", "TRUE")
	kind := map[string]string{"pvscsi": "pvscsi", "lsilogic": "lsilogic", "lsisas": "lsisas1068", "buslogic": "buslogic"}
	if scsi, ok := controller.(types.BaseVirtualSCSIController); ok {
		for _, spec := range vm.spec.Controllers {
			if fmt.Sprintf("scsi%d", spec.Bus) == bus && kind[spec.Type] != "" {
				set(bus+".virtualDev", kind[spec.Type])
			}
		}
		shared := map[types.VirtualSCSISharing]string{"virtualSharing": "virtual", "physicalSharing": "physical"}
		set(bus+".sharedBus", orElse(shared[scsi.GetVirtualSCSIController().SharedBus], "none"))
	}
}

func (vm *VM) writeDisk(set func(key, value string), disk *types.VirtualDisk) {
	at := vm.address(&disk.VirtualDevice)
	set(at+".present", "TRUE")
	set(at+".deviceType", map[bool]string{true: "scsi-hardDisk", false: "disk"}[strings.HasPrefix(at, "scsi")])
	set(at+".fileName", vm.pathFromHome(fileOf(disk)))
	if mode := diskModeOf(disk); mode != "persistent" {
		set(at+".mode", strings.ReplaceAll(mode, "_", "-"))
	}
	if sharingOf(disk) == "sharingMultiWriter" {
		set(at+".sharing", "multi-writer")
	}
	if disk.Shares != nil && disk.Shares.Level != "normal" {
		shares := string(disk.Shares.Level)
		if shares == "custom" {
			shares = strconv.Itoa(int(disk.Shares.Shares))
		}
		set("sched."+at+".shares", shares)
	}
	if limit := disk.StorageIOAllocation; limit != nil && limit.Limit != nil && *limit.Limit >= 0 {
		set("sched."+at+".throughputCap", strconv.FormatInt(*limit.Limit, 10))
	}
}

func diskModeOf(disk *types.VirtualDisk) string {
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		return backing.DiskMode
	case *types.VirtualDiskFlatVer2BackingInfo:
		return backing.DiskMode
	}
	return ""
}

func (vm *VM) bootOrder() string {
	var places []string
	for _, entry := range vm.Config.BootOptions.BootOrder {
		if boot, ok := entry.(*types.VirtualMachineBootOptionsBootableDiskDevice); ok {
			for _, disk := range vm.disks() {
				if disk.Key == boot.DeviceKey {
					places = append(places, vm.address(&disk.VirtualDevice))
				}
			}
		}
	}
	return strings.Join(places, ",")
}

// pathFromHome is how a .vmx names a file: as seen from its folder, or from the root.
func (vm *VM) pathFromHome(file string) string {
	home, name := path.Dir(vm.Config.Files.VmPathName), path.Base(file)
	if path.Dir(file) == home {
		return name
	}
	return vm.lab.shellPath(vm.datacenter(), file)
}

// shellPath is a file of a datastore as a shell names it.
func (lab *Lab) shellPath(datacenter, file string) string {
	store, inner := lab.splitFile(file)
	if object := lab.stores[datacenter+"/"+store]; object != nil {
		return "/vmfs/volumes/" + object.spec.UUID + "/" + inner
	}
	return file
}

// storePath is a path of the shell as the API names it, or "" where it is on no datastore.
func (lab *Lab) storePath(command *Command, name string) string {
	if !path.IsAbs(name) {
		name = path.Join(command.Folder, name)
	}
	rest, below := strings.CutPrefix(path.Clean(name), "/vmfs/volumes/")
	volume, inner, inside := strings.Cut(rest, "/")
	if !below || !inside {
		return ""
	}
	for _, store := range lab.world.Datastores {
		if store.mountedBy(command.host) && (volume == store.UUID || volume == volumeName(store.Name)) {
			return "[" + store.Name + "] " + inner
		}
	}
	return ""
}

func vmxUUID(uuid string) string {
	plain := strings.ReplaceAll(uuid, "-", "")
	var pairs []string
	for i := 0; i+1 < len(plain); i += 2 {
		pairs = append(pairs, plain[i:i+2])
	}
	if len(pairs) != 16 {
		return uuid
	}
	return strings.Join(pairs[:8], " ") + "-" + strings.Join(pairs[8:], " ")
}

func vmxEscape(value string) string {
	var out strings.Builder
	for _, char := range value {
		if char >= privateArea && char < privateArea+0x20 {
			char -= privateArea
		}
		if char < ' ' || strings.ContainsRune("\"#|", char) {
			fmt.Fprintf(&out, "|%02X", char)
		} else {
			out.WriteRune(char)
		}
	}
	return out.String()
}

var vmxEscaped = regexp.MustCompile(`\|[0-9A-Fa-f]{2}`)

func vmxUnescape(value string) string {
	return vmxEscaped.ReplaceAllStringFunc(value, func(found string) string {
		number, _ := strconv.ParseUint(found[1:], 16, 8)
		return string(rune(number))
	})
}

var vmxLine = regexp.MustCompile(`^\s*([^=\s]+)\s*=\s*"(.*)"\s*$`)

func readVmx(text string) map[string]string {
	values := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if match := vmxLine.FindStringSubmatch(line); match != nil {
			values[match[1]] = vmxUnescape(match[2])
		}
	}
	return values
}

// ownKeys are those of a .vmx that are no extra configuration.
var ownKeys = regexp.MustCompile(`^(\.encoding|config\.version|virtualHW\.version|displayName|guestOS|uuid\.bios|vc\.uuid|annotation|bios\..*|sched\..*|(scsi|sata|nvme|ide)\d+[.:].*)$`)

// reload takes a VM's settings out of its file, as vmsvc/reload does. Of the devices the model takes disk modes, shares,
// limits and the boot order; it does not add or remove any.
func (vm *VM) reload(text string) {
	values := readVmx(text)
	vm.Config.ExtraConfig = nil
	var keys []string
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !ownKeys.MatchString(key) {
			vm.Config.ExtraConfig = append(vm.Config.ExtraConfig, &types.OptionValue{Key: key, Value: values[key]})
		}
	}
	vm.Config.Annotation = values["annotation"]
	vm.Config.Hardware.Device = copyDevices(vm.Config.Hardware.Device)
	for _, disk := range vm.disks() {
		at := vm.address(&disk.VirtualDevice)
		mode := strings.ReplaceAll(orElse(values[at+".mode"], "persistent"), "-", "_")
		switch backing := disk.Backing.(type) {
		case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
			twin := *backing
			twin.DiskMode, disk.Backing = mode, &twin
		case *types.VirtualDiskFlatVer2BackingInfo:
			twin := *backing
			twin.DiskMode, disk.Backing = mode, &twin
		}
		level, shares := types.SharesLevel(orElse(values["sched."+at+".shares"], "normal")), int32(1000)
		if number, err := strconv.Atoi(string(level)); err == nil {
			level, shares = "custom", int32(number)
		}
		limit, err := strconv.ParseInt(values["sched."+at+".throughputCap"], 10, 64)
		if err != nil {
			limit = -1
		}
		allocate(disk, level, shares, limit)
	}
	vm.Config.BootOptions.BootOrder = nil
	for _, at := range strings.Split(values["bios.hddOrder"], ",") {
		if disk := vm.diskAt(at); disk != nil {
			vm.Config.BootOptions.BootOrder = append(vm.Config.BootOptions.BootOrder, &types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: disk.Key})
		}
	}
	vm.touched()
	vm.refresh()
}
