package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fields are what a command of esxcli tells of one thing: each with its label in text, its key in JSON, and its value.
type Fields []Field

// Field is one of them.
type Field struct {
	Label string
	Key   string
	Value any
}

// major is the version of a host by which its shell speaks: 5, 6, 7 or 8.
func (host *HostSpec) major() int {
	first, _, _ := strings.Cut(host.Version, ".")
	number, _ := strconv.Atoi(first)
	return number
}

// esxcli answers the commands of storage that the documentation shows. JSON came with 8.
func esxcli(lab *Lab, command *Command) Answer {
	format, words := "text", []string{}
	for _, word := range command.Arguments {
		if name, ok := strings.CutPrefix(word, "--formatter="); ok {
			format = name
		} else if word != "--debug" {
			words = append(words, word)
		}
	}
	if format != "text" && (format != "json" || command.host.major() < 8) {
		return Answer{Then: "answer", Stdout: "Unable to find requested formatter: " + format + "\n", Code: 1}
	}
	wanted := ""
	for i, word := range words {
		if name, ok := strings.CutPrefix(word, "--device="); ok {
			wanted, words = name, words[:i]
			break
		}
		if (word == "-d" || word == "--device") && i+1 < len(words) {
			wanted, words = words[i+1], words[:i]
			break
		}
	}
	host := lab.hosts[command.host.Name]
	switch line := strings.Join(words, " "); {
	case line == "storage core device list":
		return told(format, host.devicesOf(wanted), wanted, (*Host).deviceFields, host, "Device", "")
	case line == "storage core device capacity list" && command.host.major() >= 6:
		return table(format, eachDevice(host, host.devicesOf(wanted), (*Host).capacityFields))
	case line == "storage core path list":
		return told(format, host.devicesOf(wanted), wanted, (*Host).pathFields, host, "UID", "uid-")
	case line == "storage filesystem list":
		return table(format, host.filesystems())
	case line == "storage vmfs extent list":
		return table(format, host.extents())
	case line == "system coredump partition list":
		return table(format, host.dumpPartitions())
	case line == "vsan storage list":
		return blocks(format, host.vsanDevices())
	case line == "system version get":
		return blocks(format, []Fields{{{"", "", ""}, {"Product", "Product", "VMware ESXi"}, {"Version", "Version", command.host.Version}, {"Build", "Build", "Releasebuild-0"}}})
	}
	return failed(1, "Error: Unknown command or namespace %s\n\n", strings.Join(words, " "))
}

// Device is a disk or another device as one host sees it.
type Device struct {
	LunView
	lun *LunSpec // nil for the drive of CDs
}

func (host *Host) devices() []Device {
	devices := []Device{{LunView: LunView{Name: "mpx.vmhba9:C0:T0:L0", UUID: "0005000000766d686261393a303a30", State: "ok"}}}
	for i := range host.lab.world.Luns {
		if view, seen := host.lab.seenBy(&host.lab.world.Luns[i], host.spec); seen {
			devices = append(devices, Device{view, &host.lab.world.Luns[i]})
		}
	}
	return devices
}

// devicesOf are the devices, or the one that is named, by its name or its vml.
func (host *Host) devicesOf(wanted string) []Device {
	return slices.DeleteFunc(host.devices(), func(device Device) bool {
		return wanted != "" && wanted != device.Name && strings.TrimPrefix(wanted, "vml.") != device.UUID
	})
}

func (device Device) path() string {
	if device.lun == nil {
		return "/vmfs/devices/cdrom/" + device.Name
	}
	return "/vmfs/devices/disks/" + device.Name
}

func (device Device) kind() string {
	if device.lun == nil {
		return "CD-ROM"
	}
	return "Direct-Access"
}

func (device Device) display() string {
	if device.lun == nil {
		return "Local NECVMWar CD-ROM (" + device.Name + ")"
	}
	return device.lun.Display
}

func (device Device) mebibytes() int64 {
	if device.lun == nil {
		return 0
	}
	return device.lun.bytes() >> 20
}

func (device Device) plugin() string {
	if device.lun != nil && strings.HasPrefix(device.lun.Transport, "nvme-") || strings.HasPrefix(device.Name, "t10.NVMe") {
		return "HPP"
	}
	return "NMP"
}

func (device Device) status() string {
	return map[string]string{"ok": "on", "off": "off", "degraded": "degraded", "lostCommunication": "dead timeout"}[device.State]
}

// deviceFields are those of the versions: 5 has its own and blanks at the end, 7 and 8 some more.
func (host *Host) deviceFields(device Device) Fields {
	lun := orElse(device.lun, &LunSpec{Vendor: "NECVMWar", Model: "VMware IDE CDR10", Local: true})
	version, blank := host.spec.major(), ""
	if version < 6 {
		blank = " "
	}
	usb := lun.Transport == "usb"
	fields := Fields{
		{"Display Name", "DisplayName", device.display()}, {"Has Settable Display Name", "HasSettableDisplayName", true},
		{"Size", "Size", device.mebibytes()}, {"Device Type", "DeviceType", device.kind() + blank}, {"Multipath Plugin", "MultipathPlugin", device.plugin()},
		{"Devfs Path", "DevfsPath", device.path()}, {"Vendor", "Vendor", padded(lun.Vendor, 8)}, {"Model", "Model", padded(lun.Model, 16)},
		{"Revision", "Revision", "0001"}, {"SCSI Level", "SCSILevel", 5}, {"Is Pseudo", "IsPseudo", false}, {"Status", "Status", device.status()},
		{"Is RDM Capable", "IsRDMCapable", !lun.Local}, {"Is Local", "IsLocal", lun.Local}, {"Is Removable", "IsRemovable", usb || device.lun == nil},
		{"Is SSD", "IsSSD", lun.SSD},
	}
	if version >= 6 {
		fields = append(fields, Field{"Is VVOL PE", "IsVVOLPE", lun.ProtocolEndpoint})
	}
	fields = append(fields, Field{"Is Offline", "IsOffline", device.State == "off"}, Field{"Is Perennially Reserved", "IsPerenniallyReserved", device.PerenniallyReserved},
		Field{"Queue Full Sample Size", "QueueFullSampleSize", 0}, Field{"Queue Full Threshold", "QueueFullThreshold", 0},
		Field{"Thin Provisioning Status", "ThinProvisioningStatus", "unknown"}, Field{"Attached Filters", "AttachedFilters", ""},
		Field{"VAAI Status", "VAAIStatus", "unknown"}, Field{"Other UIDs", "OtherUIDs", []string{"vml." + device.UUID}},
	)
	if version < 6 {
		return append(fields, Field{"Is Local SAS Device", "IsLocalSASDevice", lun.Transport == "sas"}, Field{"Is Boot USB Device", "IsBootUSBDevice", usb && lun.Boot})
	}
	fields = append(fields, Field{"Is Shared Clusterwide", "IsSharedClusterwide", !lun.Local})
	if version >= 7 {
		fields = append(fields, Field{"Is SAS", "IsSAS", lun.Transport == "sas"}, Field{"Is USB", "IsUSB", usb})
	} else {
		fields = append(fields, Field{"Is Local SAS Device", "IsLocalSASDevice", lun.Transport == "sas"}, Field{"Is SAS", "IsSAS", lun.Transport == "sas"}, Field{"Is USB", "IsUSB", usb})
	}
	return append(fields, Field{"Is Boot Device", "IsBootDevice", lun.Boot}, Field{"Device Max Queue Depth", "DeviceMaxQueueDepth", 31},
		Field{"Drive Type", "DriveType", "unknown"}, Field{"RAID Level", "RAIDLevel", "unknown"}, Field{"Number of Physical Drives", "NumberofPhysicalDrives", "unknown"},
		Field{"Protection Enabled", "ProtectionEnabled", false}, Field{"PI Activated", "PIActivated", false}, Field{"DIX Enabled", "DIXEnabled", false})
}

func padded(text string, width int) string { return fmt.Sprintf("%-*s", width, text) }

func (host *Host) capacityFields(device Device) Fields {
	if device.lun == nil {
		return nil
	}
	lun := device.lun
	physical, format := int32(4096), map[string]string{"native512": "512n", "emulated512": "512e", "native4k": "4Kn", "SoftwareEmulated4k": "4Kn SWE"}[lun.Format]
	if format == "512n" {
		physical = 512
	}
	return Fields{
		{"Device", "Device", device.Name}, {"Physical Blocksize", "PhysicalBlocksize", physical}, {"Logical Blocksize", "LogicalBlocksize", lun.BlockSize},
		{"Logical Block Count", "LogicalBlockCount", lun.Sectors}, {"Size", "Size", fmt.Sprintf("%d MiB", device.mebibytes())},
		{"Format Type", "FormatType", orElse(format, "unknown")},
	}
}

func (host *Host) pathFields(device Device) Fields {
	transport := "sata"
	if device.lun != nil {
		transport = orElse(device.lun.Transport, "sata")
	}
	bus, _ := adapterOf(map[bool]string{false: transport, true: ""}[transport == "sata"])
	adapter := bus.GetHostHostBusAdapter().Device
	state := "active"
	if device.Dead {
		state = "dead"
	}
	target := slices.IndexFunc(host.devices(), func(other Device) bool { return other.Name == device.Name })
	return Fields{
		{"UID", "UID", fmt.Sprintf("%s.%s-%d:%d-%s", transport, adapter, 0, target, device.Name)},
		{"Runtime Name", "RuntimeName", fmt.Sprintf("%s:C0:T%d:L%d", adapter, target, device.Number)}, {"Device", "Device", device.Name},
		{"Device Display Name", "DeviceDisplayName", device.display()}, {"Adapter", "Adapter", adapter}, {"Controller", "Controller", "Not Applicable"},
		{"Channel", "Channel", 0}, {"Target", "Target", target}, {"LUN", "LUN", device.Number}, {"Plugin", "Plugin", device.plugin()},
		{"State", "State", state}, {"Transport", "Transport", transport}, {"Adapter Identifier", "AdapterIdentifier", transport + "." + adapter},
		{"Target Identifier", "TargetIdentifier", fmt.Sprintf("%s.0:%d", transport, target)},
	}
}

// filesystems and extents are as modelled: no source shows the outputs.
func (host *Host) filesystems() []Fields {
	rows := []Fields{}
	for _, store := range host.lab.world.Datastores {
		if store.mountedBy(host.spec) {
			kind := store.Type
			if kind == "VMFS" {
				kind = "VMFS-" + store.Version[:1]
			}
			rows = append(rows, Fields{
				{"Mount Point", "MountPoint", "/vmfs/volumes/" + store.UUID}, {"Volume Name", "VolumeName", store.Name}, {"UUID", "UUID", store.UUID},
				{"Mounted", "Mounted", !store.Inaccessible}, {"Type", "Type", kind}, {"Size", "Size", int64(1) << 42}, {"Free", "Free", store.Free},
			})
		}
	}
	return rows
}

func (host *Host) extents() []Fields {
	rows := []Fields{}
	for _, device := range host.devices() {
		for _, store := range host.lab.world.Datastores {
			if device.lun != nil && device.lun.VMFS == store.Name && store.mountedBy(host.spec) {
				rows = append(rows, Fields{
					{"Volume Name", "VolumeName", store.Name}, {"VMFS UUID", "VMFSUUID", store.UUID}, {"Extent Number", "ExtentNumber", 0},
					{"Device Name", "DeviceName", device.Name}, {"Partition", "Partition", 1},
				})
			}
		}
	}
	return rows
}

// dumpPartitions has the columns of the command's documentation; what it prints without any is as modelled.
func (host *Host) dumpPartitions() []Fields {
	rows := []Fields{}
	for _, device := range host.devices() {
		if device.lun != nil && device.lun.Dump {
			name := device.Name + ":1"
			rows = append(rows, Fields{{"Name", "Name", name}, {"Path", "Path", "/vmfs/devices/disks/" + name}, {"Active", "Active", true}, {"Configured", "Configured", true}})
		}
	}
	return rows
}

func (host *Host) vsanDevices() []Fields {
	rows := []Fields{}
	for _, device := range host.devices() {
		if device.lun != nil && device.lun.VSAN {
			rows = append(rows, Fields{{"", "", device.Name}, {"Device", "Device", device.Name}, {"Display Name", "DisplayName", device.display()}, {"Is SSD", "IsSSD", device.lun.SSD}})
		}
	}
	return rows
}

func eachDevice(host *Host, devices []Device, fields func(*Host, Device) Fields) []Fields {
	rows := []Fields{}
	for _, device := range devices {
		if row := fields(host, device); row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// told is a list in blocks, each below the name of its device.
func told(format string, devices []Device, wanted string, fields func(*Host, Device) Fields, host *Host, key, prefix string) Answer {
	if wanted != "" && len(devices) == 0 {
		return failed(1, "Error: Unable to find device with name %s\n", wanted)
	}
	var rows []Fields
	for _, device := range devices {
		row := fields(host, device)
		if prefix == "" {
			row = append(Fields{{"", key, device.Name}}, row...)
		} else {
			row = append(Fields{{"", "", row[0].Value}}, row...)
		}
		rows = append(rows, row)
	}
	return blocks(format, rows)
}

func blocks(format string, rows []Fields) Answer {
	if format == "json" {
		return asJSON(rows)
	}
	var out strings.Builder
	for i, row := range rows {
		if head := fmt.Sprint(row[0].Value); head != "" {
			fmt.Fprintln(&out, head)
		}
		for _, field := range row[1:] {
			fmt.Fprintf(&out, "   %s: %s\n", field.Label, field.text())
		}
		if i+1 < len(rows) {
			fmt.Fprintln(&out)
		}
	}
	return printed("%s", out.String())
}

func (field Field) text() string {
	if list, ok := field.Value.([]string); ok {
		return strings.Join(list, ", ")
	}
	return fmt.Sprint(field.Value)
}

// table has a column for each field: numbers to the right, all else to the left, two blanks between.
func table(format string, rows []Fields) Answer {
	if format == "json" {
		return asJSON(rows)
	}
	if len(rows) == 0 {
		return printed("")
	}
	var out strings.Builder
	widths, right := make([]int, len(rows[0])), make([]bool, len(rows[0]))
	for _, row := range rows {
		for i, field := range row {
			text := field.text()
			_, isText := field.Value.(string)
			right[i] = !isText && field.Label != "Mounted" || strings.HasSuffix(text, " MiB")
			widths[i] = max(widths[i], len(text), len(field.Label))
		}
	}
	line := func(cell func(i int) string) {
		var cells []string
		for i, width := range widths {
			if right[i] {
				cells = append(cells, fmt.Sprintf("%*s", width, cell(i)))
			} else {
				cells = append(cells, fmt.Sprintf("%-*s", width, cell(i)))
			}
		}
		fmt.Fprintln(&out, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
	line(func(i int) string { return rows[0][i].Label })
	line(func(i int) string { return strings.Repeat("-", widths[i]) })
	for _, row := range rows {
		line(func(i int) string { return row[i].text() })
	}
	return printed("%s", out.String())
}

func asJSON(rows []Fields) Answer {
	list := []map[string]any{}
	for _, row := range rows {
		object := map[string]any{}
		for _, field := range row {
			if field.Key != "" {
				object[field.Key] = field.Value
			}
		}
		list = append(list, object)
	}
	text, _ := json.MarshalIndent(list, "", "   ")
	return printed("%s\n", text)
}
