package main

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// File is a file of a datastore. A mapping file knows its mode and its LUN, and neither ever changes.
type File struct {
	Path    string
	Kind    string // rdm, flat, delta, other
	Mode    string
	Lun     *LunSpec
	Bytes   int64
	UUID    string
	Size    int64
	Parent  string // of a delta
	Content string // of any other file, where it is known
	Locked  bool   // by a host that the lab does not show
}

// Files are those of one datacenter, by path: another datacenter may have a datastore of the same name.
type Files map[string]*File

func (lab *Lab) newMapping(name, mode string, lun *LunSpec) *File {
	id := lab.next()
	return &File{
		Path: name, Kind: "rdm", Mode: mode, Lun: lun, Bytes: lun.bytes(), Size: 473,
		UUID: fmt.Sprintf("60 00 c2 9f 00 00 00 00-00 00 00 00 %02x %02x %02x %02x", id>>24&255, id>>16&255, id>>8&255, id&255),
	}
}

func (lab *Lab) newFlat(name string, bytes int64) *File {
	id := lab.next()
	return &File{
		Path: name, Kind: "flat", Bytes: bytes, Size: 600,
		UUID: fmt.Sprintf("60 00 c2 9f 00 00 00 01-00 00 00 00 %02x %02x %02x %02x", id>>24&255, id>>16&255, id>>8&255, id&255),
	}
}

// extent is the file that a host makes beside a descriptor.
func (file *File) extent() string {
	stem := strings.TrimSuffix(file.Path, ".vmdk")
	switch {
	case file.Kind == "rdm" && file.Mode == "physicalMode":
		return stem + "-rdmp.vmdk"
	case file.Kind == "rdm":
		return stem + "-rdm.vmdk"
	case file.Kind == "flat":
		return stem + "-flat.vmdk"
	case file.Kind == "delta":
		return stem + "-delta.vmdk"
	}
	return ""
}

// text is what stands in a file itself.
func (file *File) text() string { return orElse(file.descriptor(), file.Content) }

// descriptor is the text of a disk's descriptor; of any other file there is none.
func (file *File) descriptor() string {
	kinds := map[string][2]string{
		"physicalMode": {"vmfsPassthroughRawDeviceMap", "VMFSRDM"}, "virtualMode": {"vmfsRawDeviceMap", "VMFSRDM"},
		"flat": {"vmfs", "VMFS"}, "delta": {"vmfsSparse", "VMFSSPARSE"},
	}
	kind, ok := kinds[orElse(file.Mode, file.Kind)]
	if !ok {
		return ""
	}
	parent, hint := "ffffffff", ""
	if file.Parent != "" {
		parent, hint = "fffffffe", fmt.Sprintf("parentFileNameHint=\"%s\"\n", path.Base(file.Parent))
	}
	return fmt.Sprintf("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=%s\ncreateType=\"%s\"\n%s\n"+
		"# Extent description\nRW %d %s \"%s\"\n\n# The Disk Data Base\n#DDB\n\n"+
		"ddb.adapterType = \"lsilogic\"\nddb.geometry.cylinders = \"%d\"\nddb.geometry.heads = \"255\"\nddb.geometry.sectors = \"63\"\n"+
		"ddb.longContentID = \"00000000000000000000fffffffffffe\"\nddb.uuid = \"%s\"\nddb.virtualHWVersion = \"19\"\n",
		parent, kind[0], hint, file.Bytes/512, kind[1], path.Base(file.extent()), file.Bytes/512/255/63, file.UUID)
}

// splitFile takes a path apart. A datastore's name may hold brackets: the longest name that fits is meant.
func (lab *Lab) splitFile(file string) (store, inner string) {
	for _, spec := range lab.world.Datastores {
		for _, name := range []string{spec.Name, encodeName(spec.Name)} {
			if rest, fits := strings.CutPrefix(file, "["+name+"]"); fits && len(spec.Name) >= len(store) {
				store, inner = spec.Name, strings.TrimPrefix(rest, " ")
			}
		}
	}
	if store == "" {
		store, inner, _ = strings.Cut(strings.TrimPrefix(file, "["), "]")
		inner = strings.TrimPrefix(inner, " ")
	}
	return store, inner
}

// plainPath writes a path as the lab keeps it: with the datastore's name as people write it.
func (lab *Lab) plainPath(file string) string {
	store, inner := lab.splitFile(file)
	return strings.TrimSuffix("["+store+"] "+inner, " ")
}

// folderKnown tells whether a folder of a datastore exists: every VM and every file has one.
func (files Files) folderKnown(file string) bool {
	folder := file[:strings.LastIndex(file, "/")+1]
	if folder == "" || strings.HasPrefix(path.Base(file), "[") {
		return true
	}
	for known := range files {
		if strings.HasPrefix(known, folder) {
			return true
		}
	}
	return false
}

// taken tells whether a file has a name, be it a descriptor or the extent beside one.
func (files Files) taken(name string) bool {
	if files[name] != nil {
		return true
	}
	for _, ending := range []string{"-rdmp.vmdk", "-rdm.vmdk", "-flat.vmdk", "-delta.vmdk"} {
		if stem, found := strings.CutSuffix(name, ending); found {
			if file := files[stem+".vmdk"]; file != nil && file.extent() == name {
				return true
			}
		}
	}
	return false
}

// holders tells of each file which running VMs hold it.
func (lab *Lab) holders(datacenter string) map[string][]string {
	held := map[string][]string{}
	for _, vm := range lab.vms {
		if vm.Runtime.PowerState == off || vm.datacenter() != datacenter {
			continue
		}
		for _, disk := range vm.disks() {
			for _, name := range chain(disk) {
				held[name] = append(held[name], decodeName(vm.Name))
			}
		}
	}
	for _, names := range held {
		sort.Strings(names)
	}
	return held
}

// lockedBy tells who holds a file: running VMs, or a host that the lab does not show.
func (lab *Lab) lockedBy(datacenter, name string) []string {
	names := lab.holders(datacenter)[name]
	if file := lab.files[datacenter][name]; file != nil && file.Locked {
		names = append(names, "another host")
	}
	return names
}

var nameEncoder = strings.NewReplacer("%", "%25", "/", "%2f", "\\", "%5c")
var nameDecoder = strings.NewReplacer("%25", "%", "%2f", "/", "%2F", "/", "%5c", "\\", "%5C", "\\")

func encodeName(name string) string { return nameEncoder.Replace(name) }
func decodeName(name string) string { return nameDecoder.Replace(name) }
