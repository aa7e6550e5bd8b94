package main

import (
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
	for i := range host.lab.world.Luns {
		lun := &host.lab.world.Luns[i]
		if view, seen := host.lab.seenBy(lun, host.spec); seen && lun.Dump {
			host.Config.ActiveDiagnosticPartition = &types.HostDiagnosticPartition{
				StorageType: "directAttached", DiagnosticType: "singleHost",
				Id: types.HostScsiDiskPartition{DiskName: view.Name, Partition: 7},
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
			Volume:    host.lab.volume(store, host.spec), VStorageSupport: "vStorageSupported",
		})
	}
	for i := range host.lab.world.Luns {
		lun := &host.lab.world.Luns[i]
		if view, seen := host.lab.seenBy(lun, host.spec); seen && lun.Boot {
			info.MountInfo = append(info.MountInfo, host.systemVolumes(lun, view)...)
		}
	}
	return info
}

// systemVolumes are those on a boot disk: one that names its extent, or some of type OTHER, which have none.
func (host *Host) systemVolumes(lun *LunSpec, view LunView) []types.HostFileSystemMountInfo {
	name := host.spec.Name
	if lun.SystemVolumes == "VMFSOS" {
		return []types.HostFileSystemMountInfo{{
			MountInfo: types.HostMountInfo{Path: "/vmfs/volumes/osdata-" + name, AccessMode: "readWrite"},
			Volume: &types.HostVmfsVolume{
				HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFSOS", Name: "OSDATA-" + name},
				BlockSizeMb:          1, MajorVersion: 6, Version: "6.82", Uuid: "osdata-" + name,
				Extent: []types.HostScsiDiskPartition{{DiskName: view.Name, Partition: 7}},
			},
		}}
	}
	var mounts []types.HostFileSystemMountInfo
	for _, label := range []string{"BOOTBANK1", "BOOTBANK2"} {
		mounts = append(mounts, types.HostFileSystemMountInfo{
			MountInfo: types.HostMountInfo{Path: "/vmfs/volumes/" + label + "-" + name, AccessMode: "readWrite"},
			Volume:    &types.HostFileSystemVolume{Type: "OTHER", Name: label, Capacity: 4 << 30},
		})
	}
	return mounts
}

// Storage is a host's storage system.
type Storage struct {
	mo.HostStorageSystem
	host *Host
}

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
	users := env.lab.usersOfLuns()
	for i := range env.lab.world.Luns {
		lun := &env.lab.world.Luns[i]
		view, seen := env.lab.seenBy(lun, host.spec)
		if !seen || !lun.offered() || env.lab.world.RdmFilter && len(users[lun]) > 0 {
			continue
		}
		info := types.VirtualMachineScsiDiskDeviceInfo{Disk: host.scsiDisk(lun, view), LunNumber: view.Number}
		info.Name = view.Name
		info.Capacity = lun.bytes() / 1024
		for _, vm := range users[lun] {
			info.Vm = append(info.Vm, vm.Self)
		}
		target.ScsiDisk = append(target.ScsiDisk, info)
	}
	return &methods.QueryConfigTargetBody{Res: &types.QueryConfigTargetResponse{Returnval: target}}
}
