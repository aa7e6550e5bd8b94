package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

func controllerOf(spec ControllerSpec) types.BaseVirtualDevice {
	bus := types.VirtualController{BusNumber: spec.Bus}
	bus.ControllerKey, bus.UnitNumber = 100, types.NewInt32(3+spec.Bus)
	shared := map[string]types.VirtualSCSISharing{"": "noSharing", "none": "noSharing", "virtual": "virtualSharing", "physical": "physicalSharing"}[spec.Shared]
	scsi := types.VirtualSCSIController{VirtualController: bus, SharedBus: shared, ScsiCtlrUnitNumber: 7, HotAddRemove: types.NewBool(true)}
	scsi.Key = 1000 + spec.Bus
	switch spec.Type {
	case "lsilogic":
		return &types.VirtualLsiLogicController{VirtualSCSIController: scsi}
	case "lsisas":
		return &types.VirtualLsiLogicSASController{VirtualSCSIController: scsi}
	case "buslogic":
		return &types.VirtualBusLogicController{VirtualSCSIController: scsi}
	case "sata":
		bus.Key, bus.UnitNumber = 15000+spec.Bus, types.NewInt32(24+spec.Bus)
		return &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{VirtualController: bus}}
	case "nvme":
		bus.Key, bus.UnitNumber = 31000+spec.Bus, types.NewInt32(30+spec.Bus)
		return &types.VirtualNVMEController{VirtualController: bus}
	default:
		return &types.ParaVirtualSCSIController{VirtualSCSIController: scsi}
	}
}

func (vm *VM) buildDevices() {
	device := func(key, controller, unit int32, label string) types.VirtualDevice {
		made := types.VirtualDevice{Key: key, ControllerKey: controller, DeviceInfo: &types.Description{Label: label, Summary: label}}
		if controller != 0 {
			made.UnitNumber = &unit
		}
		return made
	}
	bus := func(key, number int32, label string) types.VirtualController {
		return types.VirtualController{VirtualDevice: device(key, 0, 0, label), BusNumber: number}
	}
	cdrom := &types.VirtualCdrom{VirtualDevice: device(3002, 201, 0, "CD/DVD drive 1")}
	cdrom.Backing = &types.VirtualCdromRemotePassthroughBackingInfo{VirtualDeviceRemoteDeviceBackingInfo: types.VirtualDeviceRemoteDeviceBackingInfo{UseAutoDetect: types.NewBool(false)}}
	nic := &types.VirtualVmxnet3{}
	nic.VirtualDevice = device(4000, 100, 7, "Network adapter 1")
	nic.MacAddress, nic.AddressType = fmt.Sprintf("00:50:56:%02x:%02x:%02x", vm.lab.next()>>16&63, vm.lab.serial>>8&255, vm.lab.serial&255), "assigned"
	nic.Backing = &types.VirtualEthernetCardNetworkBackingInfo{VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network", UseAutoDetect: types.NewBool(false)}}
	devices := []types.BaseVirtualDevice{
		&types.VirtualIDEController{VirtualController: bus(200, 0, "IDE 0")},
		&types.VirtualIDEController{VirtualController: bus(201, 1, "IDE 1")},
		&types.VirtualPS2Controller{VirtualController: bus(300, 0, "PS2 controller 0")},
		&types.VirtualPCIController{VirtualController: bus(100, 0, "PCI controller 0")},
		&types.VirtualSIOController{VirtualController: bus(400, 0, "SIO controller 0")},
		&types.VirtualKeyboard{VirtualDevice: device(600, 300, 0, "Keyboard")},
		&types.VirtualPointingDevice{VirtualDevice: device(700, 300, 1, "Pointing device")},
		&types.VirtualMachineVideoCard{VirtualDevice: device(500, 100, 0, "Video card"), VideoRamSizeInKB: 8192, NumDisplays: 1},
		&types.VirtualMachineVMCIDevice{VirtualDevice: device(12000, 100, 17, "VMCI device")},
		cdrom, nic,
	}
	for _, spec := range vm.spec.Controllers {
		if spec.Type == "ide" {
			continue
		}
		controller := controllerOf(spec)
		label := fmt.Sprintf("%s controller %d", spec.Type, spec.Bus)
		controller.GetVirtualDevice().DeviceInfo = &types.Description{Label: label, Summary: label}
		devices = append(devices, controller)
	}
	vm.Config.Hardware.Device = devices
}

// address of a device, as people write it: "scsi0:1".
func (vm *VM) address(device *types.VirtualDevice) string {
	unit := int32(0)
	if device.UnitNumber != nil {
		unit = *device.UnitNumber
	}
	return fmt.Sprintf("%s:%d", vm.busName(device.ControllerKey), unit)
}

func (vm *VM) busName(key int32) string {
	for _, device := range vm.Config.Hardware.Device {
		if device.GetVirtualDevice().Key != key {
			continue
		}
		switch controller := device.(type) {
		case types.BaseVirtualSCSIController:
			return fmt.Sprintf("scsi%d", controller.GetVirtualSCSIController().BusNumber)
		case types.BaseVirtualSATAController:
			return fmt.Sprintf("sata%d", controller.GetVirtualSATAController().BusNumber)
		case *types.VirtualNVMEController:
			return fmt.Sprintf("nvme%d", controller.BusNumber)
		case *types.VirtualIDEController:
			return fmt.Sprintf("ide%d", controller.BusNumber)
		}
	}
	return ""
}

func (vm *VM) controllerKey(bus string) (int32, bool) {
	for _, device := range vm.Config.Hardware.Device {
		if key := device.GetVirtualDevice().Key; bus != "" && vm.busName(key) == bus {
			return key, true
		}
	}
	return 0, false
}

func (vm *VM) disks() []*types.VirtualDisk {
	var disks []*types.VirtualDisk
	for _, device := range vm.Config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			disks = append(disks, disk)
		}
	}
	return disks
}

func (vm *VM) diskAt(at string) *types.VirtualDisk {
	for _, disk := range vm.disks() {
		if vm.address(&disk.VirtualDevice) == at {
			return disk
		}
	}
	return nil
}

// keyFor is the key that a disk at a place gets: the same one whenever something hangs there.
func (vm *VM) keyFor(controllerKey, unit int32) int32 {
	switch bus := vm.busName(controllerKey); {
	case strings.HasPrefix(bus, "sata"):
		return 16000 + (controllerKey-15000)*30 + unit
	case strings.HasPrefix(bus, "nvme"):
		return 32000 + (controllerKey-31000)*15 + unit
	case strings.HasPrefix(bus, "ide"):
		return 3000 + (controllerKey-200)*2 + unit
	}
	return 2000 + (controllerKey-1000)*64 + unit
}

func (vm *VM) addDisk(spec DiskSpec) error {
	bus, number, _ := strings.Cut(spec.At, ":")
	unit64, err := strconv.Atoi(number)
	controller, known := vm.controllerKey(bus)
	if err != nil || !known {
		return fmt.Errorf("%s has no place %s", vm.spec.Name, spec.At)
	}
	unit := int32(unit64)
	disk := &types.VirtualDisk{}
	disk.Key, disk.ControllerKey, disk.UnitNumber = vm.keyFor(controller, unit), controller, &unit
	if spec.RDM != "" {
		lun := vm.lab.lunNamed(spec.RDM, vm.host().spec)
		if lun == nil {
			return fmt.Errorf("%s maps an unknown LUN %s", vm.spec.Name, spec.RDM)
		}
		file := vm.files()[spec.File]
		if file == nil {
			file = vm.lab.newMapping(spec.File, spec.Mode+"Mode", lun)
			if spec.Sectors != 0 {
				file.Bytes = spec.Sectors * 512
			}
			vm.files()[spec.File] = file
		}
		vm.shown[spec.File] = spec
		backing := vm.mappingBacking(file, orElse(spec.DiskMode, "independent_persistent"), spec.Sharing)
		if spec.APIMode != "" {
			backing.CompatibilityMode = spec.APIMode + "Mode"
		}
		disk.Backing, disk.CapacityInBytes = backing, file.Bytes
	} else {
		file := vm.files()[spec.File]
		if file == nil {
			file = vm.lab.newFlat(spec.File, spec.Flat)
			vm.files()[spec.File] = file
		}
		disk.Backing, disk.CapacityInBytes = vm.flatBacking(file, spec.DiskMode, spec.Sharing), file.Bytes
	}
	disk.CapacityInKB = disk.CapacityInBytes / 1024
	allocate(disk, types.SharesLevel(orElse(spec.Shares, "normal")), orElse(spec.ShareNum, int32(1000)), orElse(spec.Limit, int64(-1)))
	if spec.Label != "" {
		vm.special[disk.Key] = spec.Label
	}
	vm.label(disk)
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, disk)
	return nil
}

func allocate(disk *types.VirtualDisk, level types.SharesLevel, shares int32, limit int64) {
	disk.Shares = &types.SharesInfo{Level: level, Shares: shares}
	disk.StorageIOAllocation = &types.StorageIOAllocationInfo{Limit: &limit, Shares: disk.Shares, Reservation: types.NewInt32(0)}
}

// label names a disk as a host does: "Hard disk" and the first number that is free.
func (vm *VM) label(disk *types.VirtualDisk) {
	label := vm.special[disk.Key]
	for number := 1; label == ""; number++ {
		label = fmt.Sprintf("Hard disk %d", number)
		for _, other := range vm.disks() {
			if other != disk && other.DeviceInfo != nil && other.DeviceInfo.GetDescription().Label == label {
				label = ""
				break
			}
		}
	}
	disk.DeviceInfo = &types.Description{Label: label, Summary: fmt.Sprintf("%d KB", disk.CapacityInKB)}
}

func (vm *VM) storeOf(file string) *types.ManagedObjectReference {
	name, _ := vm.lab.splitFile(file)
	if store := vm.lab.stores[vm.host().spec.Datacenter+"/"+name]; store != nil {
		return &store.Self
	}
	return nil
}

func (vm *VM) flatBacking(file *File, diskMode, sharing string) *types.VirtualDiskFlatVer2BackingInfo {
	backing := &types.VirtualDiskFlatVer2BackingInfo{
		DiskMode: orElse(diskMode, "persistent"), Sharing: orElse(sharing, "sharingNone"), ThinProvisioned: types.NewBool(true), Uuid: apiUUID(file.UUID),
	}
	backing.FileName, backing.Datastore = file.Path, vm.storeOf(file.Path)
	return backing
}

// mappingBacking is what the API shows of an attached mapping: all but the mode comes from the file and the host.
func (vm *VM) mappingBacking(file *File, diskMode, sharing string) *types.VirtualDiskRawDiskMappingVer1BackingInfo {
	backing := &types.VirtualDiskRawDiskMappingVer1BackingInfo{
		CompatibilityMode: file.Mode, DiskMode: diskMode, Sharing: orElse(sharing, "sharingNone"), ContentId: "fffffffe",
	}
	backing.FileName, backing.Datastore = file.Path, vm.storeOf(file.Path)
	if file.Mode == "virtualMode" {
		backing.Uuid = apiUUID(file.UUID)
	}
	vm.showLun(backing, file)
	return backing
}

// showLun fills what a mapping shows of its LUN on the VM's present host; the device is empty where the LUN is masked.
func (vm *VM) showLun(backing *types.VirtualDiskRawDiskMappingVer1BackingInfo, file *File) {
	lun := file.Lun
	if view, seen := vm.lab.seenBy(lun, vm.host().spec); seen {
		backing.LunUuid, backing.DeviceName = view.UUID, "vml."+view.UUID
	} else {
		backing.LunUuid, backing.DeviceName = orElse(backing.LunUuid, lun.UUID), ""
	}
	if special, ok := vm.shown[file.Path]; ok {
		if special.LunUUID != nil {
			backing.LunUuid = *special.LunUUID
		}
		if special.DeviceName != nil {
			backing.DeviceName = *special.DeviceName
		}
	}
}

func apiUUID(ddb string) string {
	plain := strings.NewReplacer(" ", "", "-", "").Replace(ddb)
	if len(plain) != 32 {
		return ddb
	}
	return plain[:8] + "-" + plain[8:12] + "-" + plain[12:16] + "-" + plain[16:20] + "-" + plain[20:]
}

func fileOf(disk *types.VirtualDisk) string {
	if backing, ok := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
		return backing.GetVirtualDeviceFileBackingInfo().FileName
	}
	return ""
}

// chain is a disk's file and all below it.
func chain(disk *types.VirtualDisk) []string {
	var files []string
	switch backing := disk.Backing.(type) {
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		for ; backing != nil; backing = backing.Parent {
			files = append(files, backing.FileName)
		}
	case *types.VirtualDiskFlatVer2BackingInfo:
		for ; backing != nil; backing = backing.Parent {
			files = append(files, backing.FileName)
		}
	}
	return files
}

func (vm *VM) uses(file string) bool {
	for _, disk := range vm.disks() {
		for _, name := range chain(disk) {
			if name == file {
				return true
			}
		}
	}
	return false
}

func (vm *VM) mapsLun(lun *LunSpec) bool {
	for _, disk := range vm.disks() {
		if vm.lunOf(disk) == lun {
			return true
		}
	}
	return false
}

// lunOf is the LUN below a disk, or nil.
func (vm *VM) lunOf(disk *types.VirtualDisk) *LunSpec {
	files := chain(disk)
	if len(files) == 0 {
		return nil
	}
	if file := vm.files()[files[len(files)-1]]; file != nil {
		return file.Lun
	}
	return nil
}
