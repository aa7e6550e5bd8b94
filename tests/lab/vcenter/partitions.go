package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// RetrieveDiskPartitionInfo tells what partition table stands on each of some disks, by their device paths.
func (storage *Storage) RetrieveDiskPartitionInfo(ctx *simulator.Context, req *types.RetrieveDiskPartitionInfo) soap.HasFault {
	body, lab := &methods.RetrieveDiskPartitionInfoBody{}, storage.host.lab
	answer := &types.RetrieveDiskPartitionInfoResponse{}
	for _, device := range req.DevicePath {
		lun := lab.lunByDevice(device, storage.host.spec)
		if lun == nil {
			refusal := refuse(&types.NotFound{}, "The device was not found (as modelled).")
			lab.words = refusal.Message
			body.Fault_ = simulator.Fault(refusal.Message, refusal.Fault)
			return body
		}
		answer.Returnval = append(answer.Returnval, lun.partitions(device))
	}
	body.Res = answer
	return body
}

// partitions are none on an empty disk, and one where a guest or the host has made some.
func (lun *LunSpec) partitions(device string) types.HostDiskPartitionInfo {
	total := types.HostDiskDimensionsLba{BlockSize: lun.BlockSize, Block: lun.Sectors}
	info := types.HostDiskPartitionInfo{
		DeviceName: device, Spec: types.HostDiskPartitionSpec{PartitionFormat: "unknown", TotalSectors: lun.Sectors},
		Layout: types.HostDiskPartitionLayout{Total: &total},
	}
	if lun.VMFS != "" || lun.Boot || lun.Dump || lun.VSAN || lun.Partitioned {
		info.Spec.PartitionFormat = "gpt"
		info.Spec.Partition = []types.HostDiskPartitionAttributes{{Partition: 1, StartSector: 2048, EndSector: lun.Sectors - 34, Type: "none"}}
		end := types.HostDiskDimensionsLba{BlockSize: lun.BlockSize, Block: lun.Sectors - 34}
		info.Layout.Partition = []types.HostDiskPartitionBlockRange{{
			Partition: 1, Type: "none", Start: types.HostDiskDimensionsLba{BlockSize: lun.BlockSize, Block: 2048}, End: end,
		}}
	}
	return info
}
