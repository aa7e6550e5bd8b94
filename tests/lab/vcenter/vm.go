package main

import (
	"fmt"
	"path"
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
	special  map[int32]string    // device key -> label that somebody gave
	shown    map[string]DiskSpec // mapping file -> what the API shows of it

	snapshots []*Snapshot // the oldest first
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
	vm := &VM{lab: lab, spec: spec, version: 1, special: map[int32]string{}, shown: map[string]DiskSpec{}}
	vm.Self = lab.ref("VirtualMachine", "vm")
	vm.Name = encodeName(spec.Name)
	compute := lab.registry.Get(*host.Parent).(*Compute)
	vm.ResourcePool, vm.EnvironmentBrowser = compute.ResourcePool, *compute.EnvironmentBrowser
	store := lab.stores[host.spec.Datacenter+"/"+spec.Datastore]
	if store == nil {
		return fmt.Errorf("%s is on an unknown datastore %s", spec.Name, spec.Datastore)
	}
	vm.Datastore = []types.ManagedObjectReference{store.Self}
	vmx := fmt.Sprintf("[%s] %s/%s.vmx", spec.Datastore, spec.folder(), fileName(spec.Name))
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
	vm.Config.ChangeVersion = vm.stamp()
	vm.files()[vmx] = &File{Path: vmx, Kind: "other", Size: 3000}
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
	if spec.Busy {
		vm.beBusy()
	}
	vm.refresh()
	return nil
}

// files are those of the VM's datacenter.
func (vm *VM) files() Files { return vm.lab.files[vm.datacenter()] }

func (vm *VM) datacenter() string { return vm.host().spec.Datacenter }

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

// refresh derives what follows from the rest: summary, tools, layout.
func (vm *VM) refresh() {
	tools := types.VirtualMachineToolsRunningStatusGuestToolsNotRunning
	if vm.Runtime.PowerState == on && vm.spec.Tools != "none" {
		tools = types.VirtualMachineToolsRunningStatusGuestToolsRunning
	}
	vm.Guest.ToolsRunningStatus = string(tools)
	vm.Guest.Disk = nil
	if tools == types.VirtualMachineToolsRunningStatusGuestToolsRunning {
		for _, disk := range vm.spec.GuestDisks {
			mounted := types.GuestDiskInfo{DiskPath: disk.Path}
			for _, key := range disk.Keys {
				mounted.Mappings = append(mounted.Mappings, types.GuestInfoVirtualDiskMapping{Key: key})
			}
			vm.Guest.Disk = append(vm.Guest.Disk, mounted)
		}
	}
	vm.Runtime.Question = vm.question
	vm.Summary = types.VirtualMachineSummary{
		Vm: &vm.Self, Runtime: vm.Runtime, OverallStatus: "green", QuickStats: types.VirtualMachineQuickStats{GuestHeartbeatStatus: "gray"},
		Config: types.VirtualMachineConfigSummary{
			Name: vm.Name, Template: vm.Config.Template, VmPathName: vm.Config.Files.VmPathName, MemorySizeMB: 4096, NumCpu: 2,
			Uuid: vm.Config.Uuid, InstanceUuid: vm.Config.InstanceUuid, NumVirtualDisks: int32(len(vm.disks())), Annotation: vm.Config.Annotation,
		},
	}
	vm.DisabledMethod = vm.disabledMethods()
	vm.layOut()
}

// disabledMethods are those that a client shows in grey: of the state, and those that somebody disabled.
func (vm *VM) disabledMethods() []string {
	methods := []string{"PowerOffVM_Task", "SuspendVM_Task"}
	if vm.Runtime.PowerState == on {
		methods = []string{"PowerOnVM_Task", "Destroy_Task"}
	}
	return append(methods, vm.spec.DisabledMethods...)
}

// layOut lists the VM's files, and the datastores that they lie on.
func (vm *VM) layOut() {
	layout := &types.VirtualMachineFileLayoutEx{Timestamp: time.Now().UTC()}
	add := func(name, kind string, size int64) int32 {
		key := int32(len(layout.File))
		layout.File = append(layout.File, types.VirtualMachineFileLayoutExFileInfo{Key: key, Name: name, Type: kind, Size: size, Accessible: types.NewBool(true)})
		return key
	}
	add(vm.Config.Files.VmPathName, "config", 3000)
	stores := map[types.ManagedObjectReference]bool{}
	refs := []types.ManagedObjectReference{}
	onStore := func(file string) {
		if ref := vm.storeOf(file); ref != nil && !stores[*ref] {
			stores[*ref] = true
			refs = append(refs, *ref)
		}
	}
	onStore(vm.Config.Files.VmPathName)
	for _, disk := range vm.disks() {
		shown := types.VirtualMachineFileLayoutExDiskLayout{Key: disk.Key}
		files := chain(disk)
		for i := len(files) - 1; i >= 0; i-- {
			onStore(files[i])
			if file := vm.files()[files[i]]; file != nil {
				keys := []int32{add(file.Path, "diskDescriptor", file.Size), add(file.extent(), "diskExtent", file.Bytes)}
				shown.Chain = append(shown.Chain, types.VirtualMachineFileLayoutExDiskUnit{FileKey: keys})
			}
		}
		layout.Disk = append(layout.Disk, shown)
	}
	vm.LayoutEx, vm.Datastore = layout, refs
}
