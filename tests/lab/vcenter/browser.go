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

// Browser looks into the folders of one datastore, or of all that a host mounts. Its tasks belong to that entity: strict
// clients insist on a managed one.
type Browser struct {
	mo.HostDatastoreBrowser
	lab        *Lab
	entity     types.ManagedObjectReference
	datacenter string
	mounts     func(store *DatastoreSpec) bool
}

func (lab *Lab) addBrowser(entity types.ManagedObjectReference, datacenter string, mounts func(store *DatastoreSpec) bool) types.ManagedObjectReference {
	browser := &Browser{lab: lab, entity: entity, datacenter: datacenter, mounts: mounts}
	browser.Self = lab.ref("HostDatastoreBrowser", "browser")
	lab.registry.Put(browser)
	return browser.Self
}

// SearchDatastoreTask lists one folder.
func (browser *Browser) SearchDatastoreTask(ctx *simulator.Context, req *types.SearchDatastore_Task) soap.HasFault {
	task := browser.lab.task(browser.entity, browser.lab.nameOf(browser.entity), "SearchDatastore_Task", "HostDatastoreBrowser.search", func() (types.AnyType, *Refusal) {
		results, refusal := browser.search(req.DatastorePath, req.SearchSpec, false)
		if refusal != nil {
			return nil, refusal
		}
		return results[0], nil
	})
	return &methods.SearchDatastore_TaskBody{Res: &types.SearchDatastore_TaskResponse{Returnval: task}}
}

// SearchDatastoreSubFoldersTask lists a folder and all below it.
func (browser *Browser) SearchDatastoreSubFoldersTask(ctx *simulator.Context, req *types.SearchDatastoreSubFolders_Task) soap.HasFault {
	task := browser.lab.task(browser.entity, browser.lab.nameOf(browser.entity), "SearchDatastoreSubFolders_Task", "HostDatastoreBrowser.searchSubFolders", func() (types.AnyType, *Refusal) {
		results, refusal := browser.search(req.DatastorePath, req.SearchSpec, true)
		if refusal != nil {
			return nil, refusal
		}
		return types.ArrayOfHostDatastoreBrowserSearchResults{HostDatastoreBrowserSearchResults: results}, nil
	})
	return &methods.SearchDatastoreSubFolders_TaskBody{Res: &types.SearchDatastoreSubFolders_TaskResponse{Returnval: task}}
}

func (browser *Browser) search(folder string, spec *types.HostDatastoreBrowserSearchSpec, deep bool) ([]types.HostDatastoreBrowserSearchResults, *Refusal) {
	store, inner := browser.lab.splitFile(folder)
	inner = strings.Trim(inner, "/")
	object := browser.lab.stores[browser.datacenter+"/"+store]
	if object == nil || !browser.mounts(object.spec) {
		return nil, refuse(&types.InvalidDatastorePath{DatastorePath: folder}, "Invalid datastore path "+folder)
	}
	if object.spec.Inaccessible {
		return nil, refuse(&types.FileFault{File: folder}, "The datastore is not accessible.")
	}
	byFolder := map[string][]*File{}
	known := inner == ""
	for name, file := range browser.lab.files[browser.datacenter] {
		rest, here := strings.CutPrefix(name, "["+store+"] ")
		if !here {
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
		result := types.HostDatastoreBrowserSearchResults{Datastore: &object.Self, FolderPath: fmt.Sprintf("[%s] %s", store, dir)}
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
	disks, others, folders := true, true, false
	if spec != nil && len(spec.Query) > 0 {
		disks, others = false, false
		for _, query := range spec.Query {
			switch query.(type) {
			case *types.VmDiskFileQuery:
				disks = true
			case *types.FileQuery:
				others = true
			case *types.FolderFileQuery:
				folders = true
			}
		}
	}
	plain := func(name string, size int64) types.FileInfo {
		_, inner := browser.lab.splitFile(name)
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
		} else if file.Kind == "folder" && (others || folders) {
			found = append(found, &types.FolderFileInfo{FileInfo: info})
		} else if others && file.Kind != "folder" {
			found = append(found, &info)
		}
	}
	if extent := file.extent(); extent != "" && others {
		if info := plain(extent, file.Bytes); matches(info.Path) {
			found = append(found, &info)
		}
	}
	return found
}
