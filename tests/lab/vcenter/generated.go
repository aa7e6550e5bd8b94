package main

import (
	"fmt"
	"strings"
)

// inquiryBytes is how long the standard INQUIRY data of a generated LUN is, and vitalPages its pages of vital product
// data (supported pages, serial number, identification, block limits): sizes as arrays commonly answer with them. It is
// an assumption; no dump of a large site was at hand.
const inquiryBytes = 96

var vitalPages = []int{20, 24, 96, 64}

// generate makes up hosts, LUNs and VMs by rule; a world may add its own beside them.
func (w *World) generate() {
	spec := w.Generated
	hosts := orElse(spec.Hosts, 4)
	for i := 0; i < hosts; i++ {
		w.Hosts = append(w.Hosts, HostSpec{Name: fmt.Sprintf("esx%02d.lab", i+1)})
	}
	w.Datastores = append(w.Datastores, DatastoreSpec{Name: "san01"})
	every := orElse(spec.RDMEvery, 10)
	for i := 0; i < spec.VMs; i++ {
		vm := VMSpec{Name: fmt.Sprintf("vm-%05d", i), Host: w.Hosts[i%hosts].Name, Datastore: "san01", Power: "on"}
		for j := 0; j < orElse(spec.Disks, 2); j++ {
			vm.Disks = append(vm.Disks, DiskSpec{Flat: 40 << 30})
		}
		if i%every == 0 {
			for j := 0; j < 2; j++ {
				vm.Disks = append(vm.Disks, DiskSpec{RDM: w.generateLun()})
			}
		}
		w.VMs = append(w.VMs, vm)
	}
	if spec.Mappings > 0 {
		vm := VMSpec{Name: "many-mappings", Host: w.Hosts[0].Name, Datastore: "san01", Disks: []DiskSpec{{Flat: 40 << 30}}}
		for i := 0; i < spec.Mappings; i++ {
			vm.Disks = append(vm.Disks, DiskSpec{RDM: w.generateLun(), Mode: spec.Mode})
		}
		w.VMs = append(w.VMs, vm)
	}
	for i := 0; i < spec.Luns; i++ {
		w.generateLun()
	}
}

// generateLun makes up a LUN, with the next number; returns its name.
func (w *World) generateLun() string {
	w.generated++
	number := w.generated - 1
	name := fmt.Sprintf("naa.600601601234560000000000%08x", number)
	serial := orElse(w.Generated.Serial, fmt.Sprintf("APM%09d", number))
	lun := LunSpec{Name: name, Sectors: 3907029168, Serial: serial}
	if w.Generated.Inquiry {
		lun.Inquiry = inquiryBytes
		for _, size := range vitalPages {
			lun.AlternateNames = append(lun.AlternateNames, DurableNameSpec{Namespace: "GENERIC_VPD", Hex: strings.Repeat("20", size)})
		}
		lun.DurableName = &DurableNameSpec{Namespace: "SERIALNUM", Text: serial}
	}
	w.Luns = append(w.Luns, lun)
	return name
}
