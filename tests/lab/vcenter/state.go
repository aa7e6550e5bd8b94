package main

import (
	"maps"
	"slices"
	"sort"

	"github.com/vmware/govmomi/vim25/types"
)

// state is all that a test may want to assert.
func (lab *Lab) state() map[string]any {
	vms := []map[string]any{}
	for _, vm := range lab.vms {
		vms = append(vms, vm.state())
	}
	files := []map[string]any{}
	for _, datacenter := range lab.datacenters() {
		files = append(files, lab.stateOfFiles(datacenter)...)
	}
	users := map[*LunSpec][]string{}
	for _, vm := range lab.vms {
		for _, disk := range vm.disks() {
			if lun := vm.lunOf(disk); lun != nil {
				users[lun] = append(users[lun], decodeName(vm.Name))
			}
		}
	}
	luns := []map[string]any{}
	for i := range lab.world.Luns {
		lun := &lab.world.Luns[i]
		luns = append(luns, map[string]any{"name": lun.Name, "bytes": lun.bytes(), "mapped_by": append([]string{}, slices.Compact(users[lun])...)})
	}
	return map[string]any{"vms": vms, "files": files, "luns": luns, "sessions": len(lab.sessions), "model": true}
}

func (lab *Lab) stateOfFiles(datacenter string) []map[string]any {
	held, files := lab.holders(datacenter), []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(lab.files[datacenter])) {
		file := lab.files[datacenter][name]
		store, _ := lab.splitFile(name)
		files = append(files, map[string]any{
			"datacenter": datacenter, "datastore": store, "path": name, "extent": file.extent(), "kind": file.Kind, "mode": file.Mode,
			"lun": nameOfLun(file.Lun), "bytes": file.Bytes, "uuid": file.UUID, "locked_by": append([]string{}, held[name]...), "locked": file.Locked, "content": file.Content,
		})
	}
	return files
}

func (vm *VM) state() map[string]any {
	devices := []map[string]any{}
	for _, disk := range vm.disks() {
		device := map[string]any{
			"key": disk.Key, "address": vm.address(&disk.VirtualDevice), "file": chain(disk)[len(chain(disk))-1], "top_file": fileOf(disk),
			"kind": "flat", "mode": nil, "lun_canonical": nil, "lun_uuid": nil, "capacity_bytes": disk.CapacityInBytes,
			"shares": map[string]any{"level": disk.Shares.Level, "shares": disk.Shares.Shares}, "limit": disk.StorageIOAllocation.Limit,
			"label": disk.DeviceInfo.GetDescription().Label, "shared_bus": vm.sharedBus(disk),
		}
		switch backing := disk.Backing.(type) {
		case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
			device["kind"], device["mode"], device["lun_canonical"] = "rdm", backing.CompatibilityMode, nameOfLun(vm.lunOf(disk))
			device["lun_uuid"], device["disk_mode"], device["sharing"] = backing.LunUuid, backing.DiskMode, backing.Sharing
		case *types.VirtualDiskFlatVer2BackingInfo:
			device["disk_mode"], device["sharing"] = backing.DiskMode, backing.Sharing
		}
		devices = append(devices, device)
	}
	sort.Slice(devices, func(i, j int) bool { return devices[i]["address"].(string) < devices[j]["address"].(string) })
	extra := map[string]any{}
	for _, option := range vm.Config.ExtraConfig {
		extra[option.GetOptionValue().Key] = option.GetOptionValue().Value
	}
	order := []string{}
	for _, entry := range vm.Config.BootOptions.BootOrder {
		if boot, ok := entry.(*types.VirtualMachineBootOptionsBootableDiskDevice); ok {
			for _, disk := range vm.disks() {
				if disk.Key == boot.DeviceKey {
					order = append(order, vm.address(&disk.VirtualDevice))
				}
			}
		} else {
			order = append(order, "other")
		}
	}
	return map[string]any{
		"name": decodeName(vm.Name), "moid": vm.Self.Value, "host": vm.host().spec.Name, "power": vm.Runtime.PowerState,
		"change_version": vm.Config.ChangeVersion, "devices": devices, "extra_config": extra, "boot_order": order,
		"snapshots": vm.snapshotNames(), "annotation": vm.Config.Annotation, "question": vm.question != nil, "registered": true,
	}
}

func nameOfLun(lun *LunSpec) string {
	if lun == nil {
		return ""
	}
	return lun.Name
}

func (vm *VM) snapshotNames() []string {
	names := []string{}
	for _, snapshot := range vm.snapshots {
		names = append(names, snapshot.tree.Name)
	}
	return names
}
