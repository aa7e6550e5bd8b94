package main

import (
	"bytes"
	"html"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Authorization tells what the logged-in user may do.
type Authorization struct {
	mo.AuthorizationManager
	lab *Lab
}

// HasPrivilegeOnEntities answers for each entity and privilege.
func (auth *Authorization) HasPrivilegeOnEntities(ctx *simulator.Context, req *types.HasPrivilegeOnEntities) soap.HasFault {
	return &methods.HasPrivilegeOnEntitiesBody{Res: &types.HasPrivilegeOnEntitiesResponse{
		Returnval: auth.lab.granted(auth.lab.current, req.Entity, req.PrivId),
	}}
}

// HasUserPrivilegeOnEntities answers the same for a user by name.
func (auth *Authorization) HasUserPrivilegeOnEntities(ctx *simulator.Context, req *types.HasUserPrivilegeOnEntities) soap.HasFault {
	return &methods.HasUserPrivilegeOnEntitiesBody{Res: &types.HasUserPrivilegeOnEntitiesResponse{
		Returnval: auth.lab.granted(req.UserName, req.Entities, req.PrivId),
	}}
}

func (lab *Lab) granted(user string, entities []types.ManagedObjectReference, privileges []string) []types.EntityPrivilege {
	var answers []types.EntityPrivilege
	for _, entity := range entities {
		answer := types.EntityPrivilege{Entity: entity}
		for _, privilege := range privileges {
			answer.PrivAvailability = append(answer.PrivAvailability, types.PrivilegeAvailability{PrivId: privilege, IsGranted: !lab.lacks(user, privilege, entity)})
		}
		answers = append(answers, answer)
	}
	return answers
}

// lacks tells whether a user's role on an object is without a privilege.
func (lab *Lab) lacks(user, privilege string, object types.ManagedObjectReference) bool {
	spec := lab.world.Users[user]
	if spec == nil {
		return true
	}
	switch lab.sight(user, object) {
	case unseen:
		return true
	case unreadable:
		if privilege != "System.View" {
			return true
		}
	}
	name := lab.nameOf(object)
	return slices.Contains(spec.Missing, privilege) || slices.Contains(spec.MissingOn[name], privilege)
}

// nameOf is an object's name as people see it; what has none is called as what it belongs to, or "".
func (lab *Lab) nameOf(ref types.ManagedObjectReference) string {
	if entity := lab.entityOf(ref); entity != nil {
		return decodeName(entity.Entity().Name)
	}
	return ""
}

// entityOf is what an object is of the inventory, or the part of it that it belongs to.
func (lab *Lab) entityOf(ref types.ManagedObjectReference) mo.Entity {
	switch object := lab.registry.Get(ref).(type) {
	case mo.Entity:
		return object
	case *Browser:
		return lab.entityOf(object.entity)
	case *Storage:
		return object.host
	case *Environment:
		return object.host
	}
	return nil
}

func (lab *Lab) root() types.ManagedObjectReference {
	return lab.service.Context.Map.Get(serviceInstance).(*simulator.ServiceInstance).Content.RootFolder
}

var serviceInstance = types.ManagedObjectReference{Type: "ServiceInstance", Value: "ServiceInstance"}

// need is a privilege that a request takes, and the object that it takes it on.
type need struct {
	privilege string
	object    types.ManagedObjectReference
}

var privileges = map[string][]string{
	"PowerOnVM_Task":          {"VirtualMachine.Interact.PowerOn"},
	"PowerOffVM_Task":         {"VirtualMachine.Interact.PowerOff"},
	"ShutdownGuest":           {"VirtualMachine.Interact.PowerOff"},
	"SuspendVM_Task":          {"VirtualMachine.Interact.Suspend"},
	"AnswerVM":                {"VirtualMachine.Interact.AnswerQuestion"},
	"CreateSnapshot_Task":     {"VirtualMachine.State.CreateSnapshot"},
	"RemoveSnapshot_Task":     {"VirtualMachine.State.RemoveSnapshot"},
	"RemoveAllSnapshots_Task": {"VirtualMachine.State.RemoveSnapshot"},
	"MigrateVM_Task":          {"Resource.ColdMigrate"},
	"RelocateVM_Task":         {"Resource.ColdMigrate"},
	"Destroy_Task":            {"VirtualMachine.Inventory.Delete"},
	"CreateVM_Task":           {"VirtualMachine.Inventory.Create"},
	// As modelled.
	"RetrieveDiskPartitionInfo": {"Host.Config.Storage"},
	"UnregisterVM":              {"VirtualMachine.Inventory.Unregister"},
	"DeleteVirtualDisk_Task":    {"Datastore.FileManagement"},
	"CreateVirtualDisk_Task":    {"Datastore.FileManagement"},
	"SearchDatastore_Task":      {"Datastore.Browse"}, "SearchDatastoreSubFolders_Task": {"Datastore.Browse"},
}

// needs lists what a request takes.
func (request *Request) needs() []need {
	object := types.ManagedObjectReference{Type: request.kind, Value: request.value}
	var needs []need
	add := func(on types.ManagedObjectReference, privileges ...string) {
		for _, privilege := range privileges {
			needs = append(needs, need{privilege, on})
		}
	}
	switch request.method {
	case "ReconfigVM_Task":
		request.needsOfReconfigure(object, add)
	case "DeleteVirtualDisk_Task", "CreateVirtualDisk_Task":
		add(request.lab.storeNamed(first(namePattern, request.body, 1), object), privileges[request.method]...)
	case "SearchDatastore_Task", "SearchDatastoreSubFolders_Task":
		add(request.lab.storeNamed(first(folderPattern, request.body, 1), object), privileges[request.method]...)
	case "CreateVM_Task":
		add(object, privileges[request.method]...)
		add(types.ManagedObjectReference{Type: "ResourcePool", Value: first(poolPattern, request.body, 1)}, "Resource.AssignVMToPool")
		add(request.lab.storeNamed(first(vmxPattern, request.body, 1), object), "Datastore.AllocateSpace")
		if bytes.Contains(request.body, []byte("<extraConfig")) {
			add(object, "VirtualMachine.Config.AdvancedConfig")
		}
	default:
		add(object, privileges[request.method]...)
	}
	return needs
}

func (request *Request) needsOfReconfigure(vm types.ManagedObjectReference, add func(types.ManagedObjectReference, ...string)) {
	text := string(request.body)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, "<"+word) })
	}
	if has("extraConfig") {
		add(vm, "VirtualMachine.Config.AdvancedConfig")
	}
	if has("operation>remove<") {
		add(vm, "VirtualMachine.Config.RemoveDisk")
	}
	if has("operation>edit<") {
		add(vm, "VirtualMachine.Config.EditDevice")
	}
	if has("changeTrackingEnabled") {
		add(vm, "VirtualMachine.Config.ChangeTracking")
	}
	if has("annotation>") {
		add(vm, "VirtualMachine.Config.Annotation")
	}
	if has("bootOptions") {
		add(vm, "VirtualMachine.Config.Settings")
	}
	makes := has("fileOperation>create<", "fileOperation>replace<")
	for _, match := range filePattern.FindAllStringSubmatch(text, -1) {
		if store := request.lab.storeNamed(match[1], vm); makes {
			add(store, "Datastore.AllocateSpace")
		} else if has("fileOperation>destroy<") {
			add(store, "Datastore.FileManagement")
		}
	}
	switch {
	case !has("operation>add<"):
	case makes:
		add(vm, "VirtualMachine.Config.AddNewDisk")
	default:
		add(vm, "VirtualMachine.Config.AddExistingDisk")
	}
	if makes && strings.Contains(text, "VirtualDiskRawDiskMappingVer1BackingInfo") {
		add(vm, "VirtualMachine.Config.RawDevice")
	}
}

// storeNamed finds the datastore that the path of a file names; where there is none, it is the object itself.
func (lab *Lab) storeNamed(file string, object types.ManagedObjectReference) types.ManagedObjectReference {
	name, _ := lab.splitFile(html.UnescapeString(file))
	for _, store := range lab.world.Datastores {
		if store.Name == name {
			return lab.stores[store.Datacenter+"/"+name].Self
		}
	}
	return object
}
