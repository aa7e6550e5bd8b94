package main

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// VM is a virtual machine. Its rules are those of the documentation, as far as mappings are concerned.
type VM struct {
	mo.VirtualMachine
	lab      *Lab
	spec     *VMSpec
	version  int
	downAt   *time.Time // when a guest that was asked to shut down will be down
	question *types.VirtualMachineQuestionInfo
	waiting  *Task // a power-on that waits for an answer
	bases    []types.BaseVirtualDevice
	special  map[int32]string // device key -> label that somebody gave
}

const (
	on        = types.VirtualMachinePowerStatePoweredOn
	off       = types.VirtualMachinePowerStatePoweredOff
	suspended = types.VirtualMachinePowerStateSuspended
)

func (lab *Lab) addVM(spec *VMSpec) error {
	host := lab.hosts[spec.Host]
	if host == nil {
		return fmt.Errorf("%s is on an unknown host %s", spec.Name, spec.Host)
	}
	vm := &VM{lab: lab, spec: spec, version: 1, special: map[int32]string{}}
	vm.Self = lab.ref("VirtualMachine", "vm")
	vm.Name = encodeName(spec.Name)
	compute := lab.registry.Get(*host.Parent).(*Compute)
	vm.ResourcePool = compute.ResourcePool
	store := lab.stores[host.spec.Datacenter+"/"+spec.Datastore]
	if store == nil {
		return fmt.Errorf("%s is on an unknown datastore %s", spec.Name, spec.Datastore)
	}
	vm.Datastore = []types.ManagedObjectReference{store.Self}
	vmx := fmt.Sprintf("[%s] %s/%s.vmx", spec.Datastore, nameEncoder.Replace(spec.Name), nameEncoder.Replace(spec.Name))
	lab.files[vmx] = &File{Path: vmx, Kind: "other", Size: 3000}
	vm.Config = &types.VirtualMachineConfigInfo{
		Name: vm.Name, Uuid: spec.BiosUUID, InstanceUuid: spec.InstanceUUID, Version: spec.Version, Template: spec.Template,
		GuestId: "windows2019srv_64Guest", GuestFullName: "Microsoft Windows Server 2019 (64-bit)", Annotation: spec.Annotation,
		ChangeTrackingEnabled: types.NewBool(spec.ChangeTracking), Modified: time.Now().UTC(),
		Files:       types.VirtualMachineFileInfo{VmPathName: vmx, SnapshotDirectory: path.Dir(vmx), LogDirectory: path.Dir(vmx)},
		BootOptions: &types.VirtualMachineBootOptions{},
		Hardware:    types.VirtualHardware{NumCPU: 2, MemoryMB: 4096},
		Flags:       types.VirtualMachineFlagInfo{},
	}
	if spec.Encrypted {
		vm.Config.KeyId = &types.CryptoKeyId{KeyId: "key-1"}
	}
	if spec.Replicated {
		vm.Config.RepConfig = &types.ReplicationConfigSpec{Generation: 1, VmReplicationId: "GID-1", Destination: "dr.lab", Port: 44046, Rpo: 15}
	}
	for key, value := range spec.Extra {
		vm.Config.ExtraConfig = append(vm.Config.ExtraConfig, &types.OptionValue{Key: key, Value: value})
	}
	vm.Runtime = types.VirtualMachineRuntimeInfo{
		Host: &host.Self, ConnectionState: types.VirtualMachineConnectionState(spec.Connection), PowerState: power(spec.Power),
		FaultToleranceState: "notConfigured", ConsolidationNeeded: spec.Consolidation, RecordReplayState: "inactive",
		MaxCpuUsage: 2000, MaxMemoryUsage: 4096, ToolsInstallerMounted: false, NumMksConnections: 0,
	}
	if spec.FaultTolerance {
		vm.Runtime.FaultToleranceState = "running"
	}
	vm.Guest = &types.GuestInfo{ToolsStatus: "toolsOk", ToolsRunningStatus: "guestToolsNotRunning", GuestState: "notRunning"}
	vm.DisabledMethod = spec.DisabledMethods
	vm.LayoutEx = &types.VirtualMachineFileLayoutEx{Timestamp: time.Now().UTC()}
	vm.Config.ChangeVersion = vm.stamp()
	vm.buildDevices()
	for _, disk := range spec.Disks {
		if err := vm.addDisk(disk); err != nil {
			return err
		}
	}
	for _, at := range spec.BootOrder {
		if disk := vm.diskAt(at); disk != nil {
			vm.Config.BootOptions.BootOrder = append(vm.Config.BootOptions.BootOrder, &types.VirtualMachineBootOptionsBootableDiskDevice{DeviceKey: disk.Key})
		} else {
			vm.Config.BootOptions.BootOrder = append(vm.Config.BootOptions.BootOrder, &types.VirtualMachineBootOptionsBootableCdromDevice{})
		}
	}
	lab.place(vm, host)
	lab.vms = append(lab.vms, vm)
	for _, name := range spec.Snapshots {
		vm.takeSnapshot(name)
	}
	vm.refresh()
	return nil
}

func power(word string) types.VirtualMachinePowerState {
	return map[string]types.VirtualMachinePowerState{"on": on, "off": off, "suspended": suspended}[word]
}

// place enters the VM into its folder, its host and its pool.
func (lab *Lab) place(vm *VM, host *Host) {
	folder := lab.folders[host.spec.Datacenter]
	for _, name := range strings.Split(vm.spec.Folder, "/") {
		if name == "" {
			continue
		}
		key := folder.Self.Value + "/" + name
		if lab.folders[key] == nil {
			child := lab.addFolder(folder.Self, name, "Folder", "VirtualMachine")
			folder.ChildEntity = append(folder.ChildEntity, child.Self)
			lab.folders[key] = child
		}
		folder = lab.folders[key]
	}
	parent := folder.Self
	vm.Parent = &parent
	folder.ChildEntity = append(folder.ChildEntity, vm.Self)
	lab.registry.Put(vm)
	host.Vm = append(host.Vm, vm.Self)
	pool := lab.registry.Get(*vm.ResourcePool).(*Pool)
	pool.Vm = append(pool.Vm, vm.Self)
	for _, ref := range vm.Datastore {
		store := lab.registry.Get(ref).(*Datastore)
		store.Vm = append(store.Vm, vm.Self)
	}
}

func (vm *VM) stamp() string {
	return fmt.Sprintf("2026-11-01T00:00:00.%06dZ", vm.version)
}

// touched gives the VM a new change version.
func (vm *VM) touched() {
	vm.version++
	vm.Config.ChangeVersion = vm.stamp()
	vm.Config.Modified = time.Now().UTC()
}

func (vm *VM) host() *Host { return vm.lab.registry.Get(*vm.Runtime.Host).(*Host) }

func controllerOf(spec ControllerSpec) types.BaseVirtualDevice {
	bus := types.VirtualController{BusNumber: spec.Bus}
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
		bus.Key = 15000 + spec.Bus
		return &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{VirtualController: bus}}
	case "nvme":
		bus.Key = 31000 + spec.Bus
		return &types.VirtualNVMEController{VirtualController: bus}
	case "ide":
		bus.Key = 200 + spec.Bus
		return &types.VirtualIDEController{VirtualController: bus}
	default:
		return &types.ParaVirtualSCSIController{VirtualSCSIController: scsi}
	}
}

func (vm *VM) buildDevices() {
	devices := []types.BaseVirtualDevice{
		&types.VirtualIDEController{VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{Key: 200}}},
		&types.VirtualPCIController{VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{Key: 100}}},
		&types.VirtualKeyboard{VirtualDevice: types.VirtualDevice{Key: 600, ControllerKey: 300}},
		&types.VirtualMachineVideoCard{VirtualDevice: types.VirtualDevice{Key: 500, ControllerKey: 100}},
	}
	for _, spec := range vm.spec.Controllers {
		if spec.Type == "ide" && spec.Bus == 0 {
			continue
		}
		controller := controllerOf(spec)
		controller.GetVirtualDevice().DeviceInfo = &types.Description{Label: fmt.Sprintf("%s controller %d", orElse(spec.Type, "SCSI"), spec.Bus)}
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
		lun := vm.lab.lunSpec(spec.RDM)
		if lun == nil {
			return fmt.Errorf("%s maps an unknown LUN %s", vm.spec.Name, spec.RDM)
		}
		if vm.lab.files[spec.File] == nil {
			file := vm.lab.newMapping(spec.File, spec.Mode+"Mode", lun)
			if spec.Sectors != 0 {
				file.Bytes = spec.Sectors * 512
			}
			vm.lab.files[spec.File] = file
		}
		disk.Backing = vm.mappingBacking(vm.lab.files[spec.File], orElse(spec.DiskMode, "independent_persistent"), spec.Sharing)
		disk.CapacityInBytes = vm.lab.files[spec.File].Bytes
	} else {
		vm.lab.files[spec.File] = &File{Path: spec.File, Kind: "flat", Bytes: spec.Flat, Size: 600, UUID: "flat-" + spec.File}
		backing := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: orElse(spec.DiskMode, "persistent"), Sharing: spec.Sharing, ThinProvisioned: types.NewBool(true), Uuid: "6000C29f-0000-0000-0000-" + fmt.Sprintf("%012d", vm.lab.next())}
		backing.FileName, backing.Datastore = spec.File, vm.storeOf(spec.File)
		disk.Backing = backing
		disk.CapacityInBytes = spec.Flat
	}
	disk.CapacityInKB = disk.CapacityInBytes / 1024
	disk.Shares = &types.SharesInfo{Level: types.SharesLevel(orElse(spec.Shares, "normal")), Shares: orElse(spec.ShareNum, int32(1000))}
	limit := orElse(spec.Limit, int64(-1))
	disk.StorageIOAllocation = &types.StorageIOAllocationInfo{Limit: &limit, Shares: disk.Shares, Reservation: types.NewInt32(0)}
	if spec.Label != "" {
		vm.special[disk.Key] = spec.Label
	}
	vm.label(disk)
	vm.Config.Hardware.Device = append(vm.Config.Hardware.Device, disk)
	return nil
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
	name, _ := splitFile(file)
	if store := vm.lab.stores[vm.host().spec.Datacenter+"/"+name]; store != nil {
		return &store.Self
	}
	return nil
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
	lun := vm.lab.lunSpec(file.Lun)
	uuid, _, seen := vm.lab.seenBy(lun, vm.host().spec)
	if seen {
		backing.LunUuid, backing.DeviceName = uuid, "vml."+uuid
	} else {
		backing.LunUuid, backing.DeviceName = orElse(backing.LunUuid, lun.UUID), ""
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

func (vm *VM) mapsLun(name string) bool {
	for _, disk := range vm.disks() {
		if vm.lunOf(disk) == name {
			return true
		}
	}
	return false
}

// lunOf is the LUN below a disk, or "".
func (vm *VM) lunOf(disk *types.VirtualDisk) string {
	files := chain(disk)
	if len(files) == 0 {
		return ""
	}
	if file := vm.lab.files[files[len(files)-1]]; file != nil && file.Kind == "rdm" {
		return file.Lun
	}
	return ""
}

// refresh derives what follows from the rest: summary, tools, layout.
func (vm *VM) refresh() {
	tools := types.VirtualMachineToolsRunningStatusGuestToolsNotRunning
	if vm.Runtime.PowerState == on && vm.spec.Tools != "none" {
		tools = types.VirtualMachineToolsRunningStatusGuestToolsRunning
	}
	vm.Guest.ToolsRunningStatus = string(tools)
	vm.Runtime.Question = vm.question
	vm.Summary = types.VirtualMachineSummary{
		Vm: &vm.Self, Runtime: vm.Runtime, OverallStatus: "green", QuickStats: types.VirtualMachineQuickStats{GuestHeartbeatStatus: "gray"},
		Config: types.VirtualMachineConfigSummary{
			Name: vm.Name, Template: vm.Config.Template, VmPathName: vm.Config.Files.VmPathName, MemorySizeMB: 4096, NumCpu: 2,
			Uuid: vm.Config.Uuid, InstanceUuid: vm.Config.InstanceUuid, NumVirtualDisks: int32(len(vm.disks())), Annotation: vm.Config.Annotation,
		},
	}
	vm.LayoutEx.File = nil
	for _, disk := range vm.disks() {
		for _, name := range chain(disk) {
			file := vm.lab.files[name]
			if file == nil {
				continue
			}
			key := int32(len(vm.LayoutEx.File))
			vm.LayoutEx.File = append(vm.LayoutEx.File,
				types.VirtualMachineFileLayoutExFileInfo{Key: key, Name: file.Path, Type: "diskDescriptor", Size: file.Size, Accessible: types.NewBool(true)},
				types.VirtualMachineFileLayoutExFileInfo{Key: key + 1, Name: file.mappingExtent(), Type: "diskExtent", Size: file.Bytes, Accessible: types.NewBool(true)})
		}
	}
}
