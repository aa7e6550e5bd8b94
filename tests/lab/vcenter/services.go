package main

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// VirtualDiskManager creates, deletes and looks at disks that no VM has.
type VirtualDiskManager struct {
	mo.VirtualDiskManager
	lab *Lab
}

func (manager *VirtualDiskManager) entity() (types.ManagedObjectReference, string) {
	for _, store := range manager.lab.stores {
		return store.Self, store.Name
	}
	return manager.lab.registry.Get(manager.Self).Reference(), ""
}

func (manager *VirtualDiskManager) licence() *Refusal {
	for _, host := range manager.lab.hosts {
		if refusal := manager.lab.licence(host); refusal != nil && manager.lab.world.API == "esxi" {
			return refusal
		}
	}
	return nil
}

// needsDatacenter: a vCenter must be told in which datacenter a datastore's name is meant.
func (manager *VirtualDiskManager) needsDatacenter(dc *types.ManagedObjectReference) *Refusal {
	if dc == nil && manager.lab.world.API == "vcenter" {
		return refuse(&types.InvalidArgument{InvalidProperty: "datacenter"}, "A specified parameter was not correct: datacenter")
	}
	return nil
}

// DeleteVirtualDiskTask deletes a descriptor and its extent; never what a mapping maps.
func (manager *VirtualDiskManager) DeleteVirtualDiskTask(ctx *simulator.Context, req *types.DeleteVirtualDisk_Task) soap.HasFault {
	ref, name := manager.entity()
	task := manager.lab.task(ref, name, "DeleteVirtualDisk_Task", "VirtualDiskManager.deleteVirtualDisk", func() (types.AnyType, *Refusal) {
		if refusal := manager.licence(); refusal != nil {
			return nil, refusal
		}
		if refusal := manager.needsDatacenter(req.Datacenter); refusal != nil {
			return nil, refusal
		}
		file := manager.lab.files[req.Name]
		if file == nil || file.Kind == "other" {
			return nil, refuse(&types.FileNotFound{FileFault: types.FileFault{File: req.Name}}, "File "+req.Name+" was not found")
		}
		if users := manager.lab.lockedBy(req.Name); len(users) > 0 {
			return nil, inUse(req.Name, users)
		}
		delete(manager.lab.files, req.Name)
		return nil, nil
	})
	return &methods.DeleteVirtualDisk_TaskBody{Res: &types.DeleteVirtualDisk_TaskResponse{Returnval: task}}
}

// CreateVirtualDiskTask makes a mapping of a device. Which host it asks cannot be said: the first that sees the device.
func (manager *VirtualDiskManager) CreateVirtualDiskTask(ctx *simulator.Context, req *types.CreateVirtualDisk_Task) soap.HasFault {
	ref, name := manager.entity()
	task := manager.lab.task(ref, name, "CreateVirtualDisk_Task", "VirtualDiskManager.createVirtualDisk", func() (types.AnyType, *Refusal) {
		if refusal := manager.licence(); refusal != nil {
			return nil, refusal
		}
		spec, ok := req.Spec.(*types.DeviceBackedVirtualDiskSpec)
		mode := map[string]string{"rdm": "virtualMode", "rdmp": "physicalMode"}[req.Spec.GetVirtualDiskSpec().DiskType]
		if !ok || mode == "" {
			return nil, refuse(&types.NotSupported{}, "The model makes mappings only.")
		}
		if manager.lab.files[req.Name] != nil {
			return nil, refuse(&types.FileAlreadyExists{FileFault: types.FileFault{File: req.Name}}, "The file already exists")
		}
		for _, host := range manager.lab.hosts {
			if lun := manager.lab.lunByDevice(spec.Device, host.spec); lun != nil {
				manager.lab.files[req.Name] = manager.lab.newMapping(req.Name, mode, lun)
				return req.Name, nil
			}
		}
		return nil, refuse(&types.InvalidArgument{InvalidProperty: "device"}, "The device was not found (as modelled).")
	})
	return &methods.CreateVirtualDisk_TaskBody{Res: &types.CreateVirtualDisk_TaskResponse{Returnval: task}}
}

// QueryVirtualDiskUuid reads ddb.uuid of a descriptor.
func (manager *VirtualDiskManager) QueryVirtualDiskUuid(ctx *simulator.Context, req *types.QueryVirtualDiskUuid) soap.HasFault {
	body := &methods.QueryVirtualDiskUuidBody{}
	if refusal := manager.needsDatacenter(req.Datacenter); refusal != nil {
		body.Fault_ = simulator.Fault(refusal.Message, refusal.Fault)
		return body
	}
	file := manager.lab.files[req.Name]
	if file == nil || file.Kind == "other" {
		body.Fault_ = simulator.Fault("File not found", &types.FileNotFound{FileFault: types.FileFault{File: req.Name}})
		return body
	}
	body.Res = &types.QueryVirtualDiskUuidResponse{Returnval: file.UUID}
	return body
}

// Browser looks into the folders of one datastore.
type Browser struct {
	mo.HostDatastoreBrowser
	lab   *Lab
	store *DatastoreSpec
}

// SearchDatastoreTask lists one folder.
func (browser *Browser) SearchDatastoreTask(ctx *simulator.Context, req *types.SearchDatastore_Task) soap.HasFault {
	task := browser.lab.task(browser.Self, browser.store.Name, "SearchDatastore_Task", "HostDatastoreBrowser.search", func() (types.AnyType, *Refusal) {
		results, refusal := browser.search(req.DatastorePath, req.SearchSpec, false)
		if refusal != nil {
			return nil, refusal
		}
		return results[0], nil
	})
	browser.reference(task)
	return &methods.SearchDatastore_TaskBody{Res: &types.SearchDatastore_TaskResponse{Returnval: task}}
}

// SearchDatastoreSubFoldersTask lists a folder and all below it.
func (browser *Browser) SearchDatastoreSubFoldersTask(ctx *simulator.Context, req *types.SearchDatastoreSubFolders_Task) soap.HasFault {
	task := browser.lab.task(browser.Self, browser.store.Name, "SearchDatastoreSubFolders_Task", "HostDatastoreBrowser.searchSubFolders", func() (types.AnyType, *Refusal) {
		results, refusal := browser.search(req.DatastorePath, req.SearchSpec, true)
		if refusal != nil {
			return nil, refusal
		}
		return types.ArrayOfHostDatastoreBrowserSearchResults{HostDatastoreBrowserSearchResults: results}, nil
	})
	browser.reference(task)
	return &methods.SearchDatastoreSubFolders_TaskBody{Res: &types.SearchDatastoreSubFolders_TaskResponse{Returnval: task}}
}

// reference makes the task's entity a managed entity, which strict clients insist on.
func (browser *Browser) reference(task types.ManagedObjectReference) {
	store := browser.lab.stores[browser.store.Datacenter+"/"+browser.store.Name]
	browser.lab.registry.Get(task).(*Task).Info.Entity = &store.Self
}

func (browser *Browser) search(folder string, spec *types.HostDatastoreBrowserSearchSpec, deep bool) ([]types.HostDatastoreBrowserSearchResults, *Refusal) {
	store, inner := splitFile(folder)
	inner = strings.Trim(inner, "/")
	if store != browser.store.Name {
		return nil, refuse(&types.InvalidDatastorePath{DatastorePath: folder}, "Invalid datastore path "+folder)
	}
	if browser.store.Inaccessible {
		return nil, refuse(&types.FileFault{File: folder}, "The datastore is not accessible.")
	}
	byFolder := map[string][]*File{}
	known := inner == ""
	for name, file := range browser.lab.files {
		ds, rest := splitFile(name)
		if ds != store {
			continue
		}
		dir := path.Dir(rest)
		if dir == "." {
			dir = ""
		}
		known = known || dir == inner || strings.HasPrefix(dir, inner+"/")
		if dir == inner || deep && (inner == "" || strings.HasPrefix(dir, inner+"/")) {
			byFolder[dir] = append(byFolder[dir], file)
		}
	}
	if !known {
		return nil, refuse(&types.FileNotFound{FileFault: types.FileFault{File: folder}}, "File "+folder+" was not found")
	}
	if _, ok := byFolder[inner]; !ok {
		byFolder[inner] = nil
	}
	var dirs []string
	for dir := range byFolder {
		dirs = append(dirs, dir)
	}
	sort.Strings(dirs)
	var results []types.HostDatastoreBrowserSearchResults
	for _, dir := range dirs {
		self := browser.lab.stores[browser.store.Datacenter+"/"+store].Self
		result := types.HostDatastoreBrowserSearchResults{Datastore: &self, FolderPath: fmt.Sprintf("[%s] %s", store, dir)}
		files := byFolder[dir]
		sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
		for _, file := range files {
			result.File = append(result.File, browser.describe(file, spec)...)
		}
		results = append(results, result)
	}
	return results, nil
}

func (browser *Browser) describe(file *File, spec *types.HostDatastoreBrowserSearchSpec) []types.BaseFileInfo {
	var found []types.BaseFileInfo
	disks, others := true, true
	if spec != nil && len(spec.Query) > 0 {
		disks, others = false, false
		for _, query := range spec.Query {
			switch query.(type) {
			case *types.VmDiskFileQuery:
				disks = true
			case *types.FileQuery:
				others = true
			}
		}
	}
	plain := func(name string, size int64) types.FileInfo {
		_, inner := splitFile(name)
		now := browser.lab.now()
		return types.FileInfo{Path: path.Base(inner), FriendlyName: path.Base(inner), FileSize: size, Modification: &now}
	}
	matches := func(name string) bool {
		if spec == nil || len(spec.MatchPattern) == 0 {
			return true
		}
		for _, pattern := range spec.MatchPattern {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
		return false
	}
	info := plain(file.Path, file.Size)
	if matches(info.Path) {
		kind := map[string]string{"rdm": "VirtualDiskRawDiskMappingVer1BackingInfo", "flat": "VirtualDiskFlatVer2BackingInfo", "delta": "VirtualDiskSparseVer2BackingInfo"}[file.Kind]
		if kind != "" && disks {
			found = append(found, &types.VmDiskFileInfo{FileInfo: info, DiskType: kind, CapacityKb: file.Bytes / 1024, HardwareVersion: 19, ControllerType: "VirtualLsiLogicController"})
		} else if others {
			found = append(found, &info)
		}
	}
	if extent := file.mappingExtent(); extent != "" && others {
		if info := plain(extent, file.Bytes); matches(info.Path) {
			found = append(found, &info)
		}
	}
	return found
}

// Authorization tells what the logged-in user may do.
type Authorization struct {
	mo.AuthorizationManager
	lab *Lab
}

// HasPrivilegeOnEntities answers for each entity and privilege.
func (auth *Authorization) HasPrivilegeOnEntities(ctx *simulator.Context, req *types.HasPrivilegeOnEntities) soap.HasFault {
	body := &methods.HasPrivilegeOnEntitiesBody{Res: &types.HasPrivilegeOnEntitiesResponse{}}
	for _, entity := range req.Entity {
		answer := types.EntityPrivilege{Entity: entity}
		for _, privilege := range req.PrivId {
			answer.PrivAvailability = append(answer.PrivAvailability, types.PrivilegeAvailability{PrivId: privilege, IsGranted: !auth.lab.lacks(privilege)})
		}
		body.Res.Returnval = append(body.Res.Returnval, answer)
	}
	return body
}

// HasUserPrivilegeOnEntities answers the same for a user by name.
func (auth *Authorization) HasUserPrivilegeOnEntities(ctx *simulator.Context, req *types.HasUserPrivilegeOnEntities) soap.HasFault {
	body := &methods.HasUserPrivilegeOnEntitiesBody{Res: &types.HasUserPrivilegeOnEntitiesResponse{}}
	for _, entity := range req.Entities {
		answer := types.EntityPrivilege{Entity: entity}
		for _, privilege := range req.PrivId {
			answer.PrivAvailability = append(answer.PrivAvailability, types.PrivilegeAvailability{PrivId: privilege, IsGranted: !auth.lab.lacks(privilege)})
		}
		body.Res.Returnval = append(body.Res.Returnval, answer)
	}
	return body
}

func (lab *Lab) lacks(privilege string) bool {
	if user := lab.world.Users[lab.current]; user != nil {
		for _, missing := range user.Missing {
			if missing == privilege {
				return true
			}
		}
	}
	return false
}
