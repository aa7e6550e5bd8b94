package main

import (
	"bytes"
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

// transports are the ways by which a host reaches a LUN; without one it is a block adapter, as for local SATA. What the
// API shows of each is as modelled; of NVMe over fabrics it shows a topology of its own.
var transports = []string{"fc", "iscsi", "sas", "usb", "pcie", "nvme-tcp", "nvme-rdma", "nvme-fc"}

func adapterOf(transport string) (types.BaseHostHostBusAdapter, types.BaseHostTargetTransport) {
	device := map[string]string{
		"": "vmhba0", "fc": "vmhba2", "sas": "vmhba3", "pcie": "vmhba4", "usb": "vmhba32", "iscsi": "vmhba64", "nvme-tcp": "vmhba65", "nvme-rdma": "vmhba66",
		"nvme-fc": "vmhba67",
	}[transport]
	bus := types.HostHostBusAdapter{Device: device, Status: "online", Model: "a model", Driver: "lab"}
	bus.Key = "key-vim.host.BlockHba-" + device
	named := func(kind string) types.HostHostBusAdapter {
		bus.Key = "key-vim.host." + kind + "-" + device
		return bus
	}
	switch transport {
	case "fc", "nvme-fc":
		return &types.HostFibreChannelHba{HostHostBusAdapter: named("FibreChannelHba"), PortType: "fabric", Speed: 16}, &types.HostFibreChannelTargetTransport{}
	case "iscsi":
		return &types.HostInternetScsiHba{HostHostBusAdapter: named("InternetScsiHba"), IsSoftwareBased: true, IScsiName: "iqn.1998-01.com.vmware:lab"},
			&types.HostInternetScsiTargetTransport{IScsiName: "iqn.2026-01.lab:target"}
	case "sas":
		return &types.HostSerialAttachedHba{HostHostBusAdapter: named("SerialAttachedHba"), NodeWorldWideName: "0"}, &types.HostSerialAttachedTargetTransport{}
	case "pcie":
		return &types.HostPcieHba{HostHostBusAdapter: named("PcieHba")}, &types.HostPcieTargetTransport{}
	case "nvme-tcp":
		return &types.HostTcpHba{HostHostBusAdapter: named("TcpHba")}, &types.HostTcpTargetTransport{}
	case "nvme-rdma":
		return &types.HostRdmaHba{HostHostBusAdapter: named("RdmaHba")}, &types.HostRdmaTargetTransport{}
	case "usb":
		bus.Driver, bus.Model = "vmkusb", "USB"
	}
	return &types.HostBlockHba{HostHostBusAdapter: bus}, &types.HostBlockAdapterTargetTransport{}
}

func (host *Host) scsiDisk(lun *LunSpec, view LunView) *types.HostScsiDisk {
	path := "/vmfs/devices/disks/" + view.Name
	disk := &types.HostScsiDisk{
		ScsiLun: types.ScsiLun{
			HostDevice: types.HostDevice{DeviceName: path, DeviceType: "disk"},
			Key:        "key-vim.host.ScsiDisk-" + view.UUID, Uuid: view.UUID, CanonicalName: view.Name, DisplayName: lun.Display, LunType: "disk",
			Vendor: lun.Vendor, Model: lun.Model, Revision: "0001", ScsiLevel: 5, SerialNumber: orElse(lun.Serial, "unavailable"),
			OperationalState: []string{view.State}, VStorageSupport: "vStorageUnknown", ProtocolEndpoint: types.NewBool(lun.ProtocolEndpoint),
			PerenniallyReserved: types.NewBool(view.PerenniallyReserved),
			Descriptor:          []types.ScsiLunDescriptor{{Quality: lun.Quality, Id: view.Name}, {Quality: "lowQuality", Id: "vml." + view.UUID}},
		},
		Capacity:     types.HostDiskDimensionsLba{BlockSize: lun.BlockSize, Block: lun.Sectors},
		DevicePath:   path,
		LocalDisk:    types.NewBool(lun.Local),
		Ssd:          types.NewBool(lun.SSD),
		ScsiDiskType: lun.Format,
	}
	if view.State == "degraded" {
		// "A LUN may be ok and degraded indicating I/O is still possible."
		disk.OperationalState = []string{"ok", "degraded"}
	}
	if len(lun.Descriptors) > 0 {
		disk.Descriptor = nil
		for _, descriptor := range lun.Descriptors {
			disk.Descriptor = append(disk.Descriptor, types.ScsiLunDescriptor{Quality: descriptor.Quality, Id: descriptor.ID})
		}
	}
	for _, name := range lun.AlternateNames {
		disk.AlternateName = append(disk.AlternateName, name.shown())
	}
	if lun.DurableName != nil {
		name := lun.DurableName.shown()
		disk.DurableName = &name
	}
	if lun.Inquiry > 0 {
		disk.StandardInquiry = append([]byte{0, 0}, bytes.Repeat([]byte{' '}, lun.Inquiry-2)...)
	}
	if lun.VSAN {
		disk.VsanDiskInfo = &types.VsanHostVsanDiskInfo{VsanUuid: "5210-vsan", FormatVersion: 15}
	}
	return disk
}

// Topology collects what a host tells of its storage beside the disks themselves, by transport.
type Topology struct {
	info     *types.HostStorageDeviceInfo
	adapters map[string]int
	nvme     map[string]int
}

func (host *Host) storage() *types.HostStorageDeviceInfo {
	info := &types.HostStorageDeviceInfo{
		ScsiTopology:  &types.HostScsiTopology{},
		MultipathInfo: &types.HostMultipathInfo{},
		PlugStoreTopology: &types.HostPlugStoreTopology{Plugin: []types.HostPlugStoreTopologyPlugin{
			{Key: "key-plugin-NMP", Name: "NMP"}, {Key: "key-plugin-HPP", Name: "HPP"},
		}},
	}
	info.ScsiLun = append(info.ScsiLun, &types.ScsiLun{
		HostDevice: types.HostDevice{DeviceName: "/vmfs/devices/cdrom/mpx.vmhba9:C0:T0:L0", DeviceType: "cdrom"},
		Key:        "key-vim.host.ScsiLun-0005000000766d686261393a303a30", Uuid: "0005000000766d686261393a303a30",
		CanonicalName: "mpx.vmhba9:C0:T0:L0", DisplayName: "Local CD-ROM", LunType: "cdrom", Vendor: "NECVMWar", Model: "VMware IDE CDR10",
		Revision: "1.00", ScsiLevel: 5, SerialNumber: "unavailable", OperationalState: []string{"ok"},
	})
	topology := &Topology{info: info, adapters: map[string]int{}, nvme: map[string]int{}}
	topology.adapter("")
	for i := range host.lab.world.Luns {
		lun := &host.lab.world.Luns[i]
		if view, seen := host.lab.seenBy(lun, host.spec); seen {
			disk := host.scsiDisk(lun, view)
			info.ScsiLun = append(info.ScsiLun, disk)
			topology.add(i, lun, view, disk)
		}
	}
	return info
}

// adapter returns the place of the adapter of a transport, and makes the adapter where it is the first time.
func (topology *Topology) adapter(transport string) int {
	place, known := topology.adapters[transport]
	if !known {
		place = len(topology.info.HostBusAdapter)
		topology.adapters[transport] = place
		bus, _ := adapterOf(transport)
		topology.info.HostBusAdapter = append(topology.info.HostBusAdapter, bus)
		topology.info.ScsiTopology.Adapter = append(topology.info.ScsiTopology.Adapter, types.HostScsiTopologyInterface{
			Key: fmt.Sprintf("if-%d", place), Adapter: bus.GetHostHostBusAdapter().Key,
		})
	}
	return place
}

// add tells by which adapter, target and path a disk is reached.
func (topology *Topology) add(target int, lun *LunSpec, view LunView, disk *types.HostScsiDisk) {
	info := topology.info
	adapter := &info.ScsiTopology.Adapter[topology.adapter(lun.Transport)]
	bus, transport := adapterOf(lun.Transport)
	adapter.Target = append(adapter.Target, types.HostScsiTopologyTarget{
		Key: fmt.Sprintf("target-%d", target), Target: int32(target), Transport: transport,
		Lun: []types.HostScsiTopologyLun{{Key: fmt.Sprintf("lun-%d", target), Lun: view.Number, ScsiLun: disk.Key}},
	})
	plugin := &info.PlugStoreTopology.Plugin[0]
	if len(lun.Transport) > 4 && lun.Transport[:5] == "nvme-" {
		plugin = &info.PlugStoreTopology.Plugin[1]
		topology.addNamespace(lun, view)
	}
	device := "key-vim.host.PlugStoreTopology.Device-" + view.UUID
	plugin.Device = append(plugin.Device, device)
	info.PlugStoreTopology.Device = append(info.PlugStoreTopology.Device, types.HostPlugStoreTopologyDevice{Key: device, Lun: disk.Key})
	name := fmt.Sprintf("%s:C0:T%d:L%d", bus.GetHostHostBusAdapter().Device, target, view.Number)
	state := map[bool]string{false: "active", true: "dead"}[view.Dead]
	info.MultipathInfo.Lun = append(info.MultipathInfo.Lun, types.HostMultipathInfoLogicalUnit{
		Key: "mp-" + disk.Key, Id: view.UUID, Lun: disk.Key, Policy: &types.HostMultipathInfoLogicalUnitPolicy{Policy: "VMW_PSP_FIXED"},
		Path: []types.HostMultipathInfoPath{{
			Key: "path-" + name, Name: name, PathState: state, State: state, Adapter: adapter.Adapter, Lun: "mp-" + disk.Key, Transport: transport,
		}},
	})
}

// addNamespace enters a LUN into the topology of NVMe over fabrics, whose controller is one for each transport.
func (topology *Topology) addNamespace(lun *LunSpec, view LunView) {
	if topology.info.NvmeTopology == nil {
		topology.info.NvmeTopology = &types.HostNvmeTopology{}
	}
	nvme := topology.info.NvmeTopology
	place, known := topology.nvme[lun.Transport]
	if !known {
		place = len(nvme.Adapter)
		topology.nvme[lun.Transport] = place
		bus, _ := adapterOf(lun.Transport)
		key := bus.GetHostHostBusAdapter().Key
		kind := map[string]string{"nvme-tcp": "tcp", "nvme-rdma": "rdma", "nvme-fc": "fibreChannel"}[lun.Transport]
		nvme.Adapter = append(nvme.Adapter, types.HostNvmeTopologyInterface{Key: "nvme-if-" + key, Adapter: key, ConnectedController: []types.HostNvmeController{{
			Key: "nvme-controller-" + key, ControllerNumber: int32(256 + place), Subnqn: "nqn.2026-01.lab:subsystem", Name: "nqn.2026-01.lab:subsystem#" + kind,
			AssociatedAdapter: key, TransportType: kind, NumberOfQueues: 8, QueueSize: 128,
		}}})
	}
	controller := &nvme.Adapter[place].ConnectedController[0]
	number := int32(len(controller.AttachedNamespace) + 1)
	controller.AttachedNamespace = append(controller.AttachedNamespace, types.HostNvmeNamespace{
		Key: fmt.Sprintf("%s-namespace-%d", controller.Key, number), Name: view.Name, Id: number, BlockSize: lun.BlockSize, CapacityInBlocks: lun.Sectors,
	})
}
