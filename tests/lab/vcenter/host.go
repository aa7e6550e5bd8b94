package main

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// refresh makes the host's properties what its world says now.
func (host *Host) refresh() {
	host.Runtime = types.HostRuntimeInfo{
		ConnectionState:   types.HostSystemConnectionState(host.spec.State),
		PowerState:        "poweredOn",
		InMaintenanceMode: host.spec.Maintenance,
	}
	host.Summary.Runtime = &host.Runtime
	host.Config.StorageDevice = host.storage()
	host.Config.FileSystemVolume = host.volumes()
	host.Config.ActiveDiagnosticPartition = nil
	for _, lun := range host.lab.world.Luns {
		if _, _, seen := host.lab.seenBy(&lun, host.spec); seen && lun.Dump {
			host.Config.ActiveDiagnosticPartition = &types.HostDiagnosticPartition{
				StorageType: "directAttached", DiagnosticType: "singleHost",
				Id: types.HostScsiDiskPartition{DiskName: lun.Name, Partition: 7},
			}
		}
	}
	if storage, ok := host.lab.registry.Get(*host.ConfigManager.StorageSystem).(*Storage); ok {
		storage.StorageDeviceInfo = host.Config.StorageDevice
		storage.FileSystemVolumeInfo = *host.Config.FileSystemVolume
	}
}

func (host *Host) volumes() *types.HostFileSystemVolumeInfo {
	info := &types.HostFileSystemVolumeInfo{VolumeTypeList: []string{"VMFS", "NFS"}}
	for i := range host.lab.world.Datastores {
		store := &host.lab.world.Datastores[i]
		if store.Type != "VMFS" || !store.mountedBy(host.spec) {
			continue
		}
		info.MountInfo = append(info.MountInfo, types.HostFileSystemMountInfo{
			MountInfo: types.HostMountInfo{Path: "/vmfs/volumes/" + store.UUID, AccessMode: "readWrite"},
			Volume:    host.lab.volume(store), VStorageSupport: "vStorageSupported",
		})
	}
	for _, lun := range host.lab.world.Luns {
		if _, _, seen := host.lab.seenBy(&lun, host.spec); seen && lun.Boot {
			info.MountInfo = append(info.MountInfo, types.HostFileSystemMountInfo{
				MountInfo: types.HostMountInfo{Path: "/vmfs/volumes/osdata-" + host.spec.Name, AccessMode: "readWrite"},
				Volume: &types.HostVmfsVolume{
					HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFSOS", Name: "OSDATA-" + host.spec.Name},
					BlockSizeMb:          1, MajorVersion: 6, Version: "6.82", Uuid: "osdata-" + host.spec.Name,
					Extent: []types.HostScsiDiskPartition{{DiskName: lun.Name, Partition: 7}},
				},
			})
		}
	}
	return info
}

func (host *Host) scsiDisk(lun *LunSpec, uuid string) *types.HostScsiDisk {
	key := "key-vim.host.ScsiDisk-" + uuid
	path := "/vmfs/devices/disks/" + lun.Name
	state := []string{lun.State}
	disk := &types.HostScsiDisk{
		ScsiLun: types.ScsiLun{
			HostDevice: types.HostDevice{DeviceName: path, DeviceType: "disk"},
			Key:        key, Uuid: uuid, CanonicalName: lun.Name, DisplayName: lun.Display, LunType: "disk",
			Vendor: lun.Vendor, Model: lun.Model, Revision: "0001", ScsiLevel: 5, SerialNumber: orElse(lun.Serial, "unavailable"),
			OperationalState: state, VStorageSupport: "vStorageUnknown", PerenniallyReserved: types.NewBool(lun.PerenniallyReserved),
			Descriptor: []types.ScsiLunDescriptor{
				{Quality: lun.Quality, Id: lun.Name},
				{Quality: "lowQuality", Id: "vml." + uuid},
			},
		},
		Capacity:     types.HostDiskDimensionsLba{BlockSize: lun.BlockSize, Block: lun.Sectors},
		DevicePath:   path,
		LocalDisk:    types.NewBool(lun.Local),
		Ssd:          types.NewBool(lun.SSD),
		ScsiDiskType: lun.Format,
	}
	if lun.VSAN {
		disk.VsanDiskInfo = &types.VsanHostVsanDiskInfo{VsanUuid: "5210-vsan", FormatVersion: 15}
	}
	return disk
}

func (host *Host) storage() *types.HostStorageDeviceInfo {
	info := &types.HostStorageDeviceInfo{
		ScsiTopology:      &types.HostScsiTopology{Adapter: []types.HostScsiTopologyInterface{{Key: "if-0", Adapter: "key-vim.host.BlockHba-vmhba0"}}},
		MultipathInfo:     &types.HostMultipathInfo{},
		PlugStoreTopology: &types.HostPlugStoreTopology{Plugin: []types.HostPlugStoreTopologyPlugin{{Key: "key-plugin-NMP", Name: "NMP"}}},
		HostBusAdapter:    []types.BaseHostHostBusAdapter{&types.HostBlockHba{HostHostBusAdapter: types.HostHostBusAdapter{Key: "key-vim.host.BlockHba-vmhba0", Device: "vmhba0", Bus: 0, Status: "online", Model: "a model", Driver: "lab"}}},
	}
	info.ScsiLun = append(info.ScsiLun, &types.ScsiLun{
		HostDevice: types.HostDevice{DeviceName: "/vmfs/devices/cdrom/mpx.vmhba9:C0:T0:L0", DeviceType: "cdrom"},
		Key:        "key-vim.host.ScsiLun-0005000000766d686261393a303a30", Uuid: "0005000000766d686261393a303a30",
		CanonicalName: "mpx.vmhba9:C0:T0:L0", DisplayName: "Local CD-ROM", LunType: "cdrom", Vendor: "NECVMWar", Model: "VMware IDE CDR10",
		Revision: "1.00", ScsiLevel: 5, SerialNumber: "unavailable", OperationalState: []string{"ok"},
	})
	adapter := &info.ScsiTopology.Adapter[0]
	plugin := &info.PlugStoreTopology.Plugin[0]
	for i := range host.lab.world.Luns {
		lun := &host.lab.world.Luns[i]
		uuid, number, seen := host.lab.seenBy(lun, host.spec)
		if !seen {
			continue
		}
		disk := host.scsiDisk(lun, uuid)
		info.ScsiLun = append(info.ScsiLun, disk)
		adapter.Target = append(adapter.Target, types.HostScsiTopologyTarget{
			Key: fmt.Sprintf("target-%d", i), Target: int32(i),
			Lun: []types.HostScsiTopologyLun{{Key: fmt.Sprintf("lun-%d", i), Lun: number, ScsiLun: disk.Key}},
		})
		plugin.Device = append(plugin.Device, fmt.Sprintf("key-vim.host.PlugStoreTopology.Device-%s", uuid))
		info.PlugStoreTopology.Device = append(info.PlugStoreTopology.Device, types.HostPlugStoreTopologyDevice{
			Key: fmt.Sprintf("key-vim.host.PlugStoreTopology.Device-%s", uuid), Lun: disk.Key,
		})
		name := fmt.Sprintf("vmhba0:C0:T%d:L%d", i, number)
		state := "active"
		if lun.Paths[host.spec.Name].Dead {
			state = "dead"
		}
		info.MultipathInfo.Lun = append(info.MultipathInfo.Lun, types.HostMultipathInfoLogicalUnit{
			Key: "mp-" + disk.Key, Id: uuid, Lun: disk.Key, Policy: &types.HostMultipathInfoLogicalUnitPolicy{Policy: "VMW_PSP_FIXED"},
			Path: []types.HostMultipathInfoPath{{
				Key: "path-" + name, Name: name, PathState: state, State: state, Adapter: adapter.Adapter, Lun: "mp-" + disk.Key,
				Transport: &types.HostBlockAdapterTargetTransport{},
			}},
		})
	}
	return info
}

// Storage is a host's storage system.
type Storage struct{ mo.HostStorageSystem }

// Environment answers which LUNs a host could map.
type Environment struct {
	mo.EnvironmentBrowser
	lab  *Lab
	host *Host
}

// QueryConfigTarget lists the disks that may be mapped, with the VMs that use each.
func (env *Environment) QueryConfigTarget(req *types.QueryConfigTarget) soap.HasFault {
	target := &types.ConfigTarget{NumCpus: 8, NumCpuCores: 8, NumNumaNodes: 1}
	host := env.host
	if req.Host != nil {
		for _, other := range env.lab.hosts {
			if other.Self == *req.Host {
				host = other
			}
		}
	}
	for i := range env.lab.world.Luns {
		lun := &env.lab.world.Luns[i]
		uuid, number, seen := env.lab.seenBy(lun, host.spec)
		users := env.lab.mappedBy(lun)
		if !seen || lun.VMFS != "" || lun.Boot || lun.VSAN || env.lab.world.RdmFilter && len(users) > 0 {
			continue
		}
		info := types.VirtualMachineScsiDiskDeviceInfo{Disk: host.scsiDisk(lun, uuid), LunNumber: number}
		info.Name = lun.Name
		info.Capacity = lun.bytes() / 1024
		for _, vm := range users {
			info.Vm = append(info.Vm, vm.Self)
		}
		target.ScsiDisk = append(target.ScsiDisk, info)
	}
	return &methods.QueryConfigTargetBody{Res: &types.QueryConfigTargetResponse{Returnval: target}}
}
