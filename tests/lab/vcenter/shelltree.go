package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Trees are the datastores as folders of a real file system, and the roots of the hosts that see them. What a shell does
// there is read in before the model is asked for anything; what the model does is written out after it. A file is
// written only where it is to be another than it was: its time tells when something really changed.
type Trees struct {
	lab     *Lab
	stores  string               // the folder of the datastores' folders
	roots   map[string]string    // host -> its root
	written map[string]string    // path -> what was written last
	vmx     map[*VM]string       // what a VM's own file said last
	version map[*VM]string       // the VM's version then
	times   map[string]time.Time // of files, when they were read last
}

// openTrees makes the folders of a world's datastores anew.
func (lab *Lab) openTrees(stores string, roots map[string]string) {
	lab.trees = &Trees{lab: lab, stores: stores, roots: roots, written: map[string]string{}, vmx: map[*VM]string{}, version: map[*VM]string{}, times: map[string]time.Time{}}
	// Those of the world before, too: nobody sees them any more.
	earlier, _ := os.ReadDir(stores)
	for _, folder := range earlier {
		empty(filepath.Join(stores, folder.Name()))
	}
	for _, store := range lab.world.Datastores {
		empty(filepath.Join(stores, store.UUID))
	}
	lab.trees.writeOut()
}

func empty(folder string) {
	_ = os.MkdirAll(folder, 0o755)
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		_ = os.RemoveAll(filepath.Join(folder, entry.Name()))
	}
}

// pathOf is where a file of a datastore lies.
func (trees *Trees) pathOf(datacenter, file string) string {
	store, inner := trees.lab.splitFile(file)
	if object := trees.lab.stores[datacenter+"/"+store]; object != nil {
		return filepath.Join(trees.stores, object.spec.UUID, inner)
	}
	return ""
}

// writeOut makes the folders what the model says.
func (trees *Trees) writeOut() {
	if trees == nil || trees.lab.retired.Load() {
		return
	}
	wanted := map[string]string{}
	sizes := map[string]int64{}
	for datacenter, files := range trees.lab.files {
		for name, file := range files {
			path := trees.pathOf(datacenter, name)
			if path == "" {
				continue
			}
			wanted[path] = file.text()
			if extent := file.extent(); extent != "" {
				extentPath := trees.pathOf(datacenter, extent)
				wanted[extentPath], sizes[extentPath] = "extent of "+path, file.Bytes
			} else if file.Kind == "other" && file.Content == "" {
				sizes[path] = file.Size
			} else if file.Kind == "folder" {
				sizes[path] = -1
			}
		}
	}
	for _, vm := range trees.lab.vms {
		path := trees.pathOf(vm.datacenter(), vm.Config.Files.VmPathName)
		text := trees.vmxOf(vm)
		if trees.vmx[vm] != text {
			trees.vmx[vm] = text
			delete(trees.written, path)
			if file := vm.files()[vm.Config.Files.VmPathName]; file != nil {
				file.Content = text
			}
		}
		delete(sizes, path)
		wanted[path] = text
		if file := vm.files()[vm.Config.Files.VmPathName]; file != nil {
			wanted[path] = file.Content
		}
	}
	for path := range trees.written {
		if _, still := wanted[path]; !still {
			_ = os.Remove(path)
			delete(trees.written, path)
		}
	}
	for path, text := range wanted {
		if before, ok := trees.written[path]; !ok || before != text {
			writeFile(path, text, sizes[path])
			trees.written[path] = text
		}
	}
	trees.writeHosts()
}

// vmxOf is the text of a VM's own file, made anew where the VM has changed.
func (trees *Trees) vmxOf(vm *VM) string {
	if text, known := trees.vmx[vm]; known && trees.version[vm] == vm.Config.ChangeVersion {
		return text
	}
	trees.version[vm] = vm.Config.ChangeVersion
	return vm.vmx()
}

func writeFile(path, text string, size int64) {
	_ = os.MkdirAll(filepath.Dir(path), 0o755)
	switch {
	case size < 0:
		_ = os.Mkdir(path, 0o755)
	case size > 0:
		// As an extent is: as large as what it maps, and nothing of it on the disk.
		if file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err == nil {
			_ = file.Truncate(size)
			_ = file.Close()
		}
	default:
		_ = os.WriteFile(path, []byte(text), 0o600)
	}
}

// readIn takes over what a shell did to the files.
func (trees *Trees) readIn() {
	if trees == nil || trees.lab.retired.Load() {
		return
	}
	lab, folders := trees.lab, map[string]bool{}
	for path := range trees.written {
		for folder := filepath.Dir(path); !folders[folder] && len(folder) > len(trees.stores); folder = filepath.Dir(folder) {
			folders[folder] = true
		}
	}
	for datacenter, files := range lab.files {
		for _, store := range lab.world.Datastores {
			if store.Datacenter == datacenter {
				trees.readStore(files, store, folders)
			}
		}
	}
}

func (trees *Trees) readStore(files Files, store DatastoreSpec, folders map[string]bool) {
	root, seen := filepath.Join(trees.stores, store.UUID), map[string]bool{}
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return nil
		}
		seen[path] = true
		inner, _ := filepath.Rel(root, path)
		if !entry.IsDir() || !folders[path] {
			trees.readFile(files, "["+store.Name+"] "+inner, path, entry)
		}
		return nil
	})
	for path, text := range trees.written {
		inner, below := strings.CutPrefix(path, root+"/")
		if !below || seen[path] {
			continue
		}
		delete(trees.written, path)
		if descriptor, isExtent := strings.CutPrefix(text, "extent of "); isExtent && seen[descriptor] {
			continue
		}
		trees.lost(files, "["+store.Name+"] "+inner, root)
	}
}

// lost takes a deleted file out of the model; an extent that is left behind is a file like any other.
func (trees *Trees) lost(files Files, name, root string) {
	file := files[name]
	if file == nil {
		return
	}
	delete(files, name)
	if extent := file.extent(); extent != "" {
		_, inner := trees.lab.splitFile(extent)
		if _, err := os.Stat(filepath.Join(root, inner)); err == nil {
			files[extent] = &File{Path: extent, Kind: "other", Size: file.Bytes}
			trees.written[filepath.Join(root, inner)] = ""
		}
	}
}

// mostText is the size above which a file is nothing that the lab reads: an extent, or a copy of one.
const mostText = 1 << 16

func (trees *Trees) readFile(files Files, name, path string, entry fs.DirEntry) {
	known := files[name]
	if entry.IsDir() {
		if known == nil {
			files[name], trees.written[path] = &File{Path: name, Kind: "folder"}, ""
		}
		return
	}
	info, err := entry.Info()
	if err != nil || files.taken(name) && known == nil {
		return
	}
	if known != nil && (known.Kind != "other" || known.Content == "" && known.Size == info.Size()) {
		return
	}
	// What was read, and is older than any clock is coarse, need not be read again.
	if changed := info.ModTime(); known != nil && trees.times[path].Equal(changed) && time.Since(changed) > time.Second {
		return
	}
	trees.times[path] = info.ModTime()
	if info.Size() > mostText {
		if known == nil {
			files[name], trees.written[path] = &File{Path: name, Kind: "other", Size: info.Size()}, ""
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil || known != nil && known.Content == string(text) {
		return
	}
	files[name] = &File{Path: name, Kind: "other", Size: info.Size(), Content: string(text)}
	trees.written[path] = string(text)
}

// writeHosts makes the devices and the names of the datastores what each host has now.
func (trees *Trees) writeHosts() {
	for name, root := range trees.roots {
		host := trees.lab.hosts[name]
		if host == nil {
			continue
		}
		disks := filepath.Join(root, "vmfs", "devices", "disks")
		wanted := map[string]bool{}
		for i := range trees.lab.world.Luns {
			lun := &trees.lab.world.Luns[i]
			view, seen := trees.lab.seenBy(lun, host.spec)
			if !seen {
				continue
			}
			wanted[view.Name], wanted["vml."+view.UUID] = true, true
			device(filepath.Join(disks, view.Name), lun.bytes())
			link(view.Name, filepath.Join(disks, "vml."+view.UUID))
			if lun.VMFS != "" || lun.Boot || lun.Dump || lun.VSAN || lun.Partitioned {
				wanted[view.Name+":1"] = true
				device(filepath.Join(disks, view.Name+":1"), lun.bytes()-(1<<20))
			}
		}
		keepOnly(disks, wanted)
		volumes, mounted := filepath.Join(root, "vmfs", "volumes"), map[string]bool{}
		for _, store := range trees.lab.world.Datastores {
			if store.mountedBy(host.spec) && !store.Inaccessible {
				mounted[store.UUID], mounted[volumeName(store.Name)] = true, true
				_ = os.MkdirAll(filepath.Join(volumes, store.UUID), 0o755)
				link(store.UUID, filepath.Join(volumes, volumeName(store.Name)))
			}
		}
		keepOnly(volumes, mounted)
	}
}

func device(path string, size int64) {
	if info, err := os.Lstat(path); err == nil && info.Size() == size {
		return
	}
	writeFile(path, "", max(size, 1))
}

func link(target, path string) {
	if now, err := os.Readlink(path); err != nil || now != target {
		_ = os.Remove(path)
		_ = os.Symlink(target, path)
	}
}

func keepOnly(folder string, wanted map[string]bool) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if !wanted[entry.Name()] {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// volumeName is a datastore's name as a folder is called.
func volumeName(name string) string { return strings.ReplaceAll(name, "/", "%2f") }
