package main

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Sight is how much of an object a user may see.
type Sight int

const (
	readable   Sight = iota
	unreadable       // its name and its place (System.View without System.Read)
	unseen           // nothing
)

// sight tells how much a user may see of an object: what holds of a folder, a datacenter or a host's compute resource
// holds of all below it.
func (lab *Lab) sight(user string, ref types.ManagedObjectReference) Sight {
	spec := lab.world.Users[user]
	if spec == nil || len(spec.Unseen)+len(spec.Unreadable) == 0 {
		return readable
	}
	found := readable
	for entity := lab.entityOf(ref); entity != nil; {
		own := entity.Entity()
		name, id := decodeName(own.Name), own.Self.Value
		if slices.Contains(spec.Unseen, name) || slices.Contains(spec.Unseen, id) {
			return unseen
		}
		if slices.Contains(spec.Unreadable, name) || slices.Contains(spec.Unreadable, id) {
			found = unreadable
		}
		if own.Parent == nil {
			break
		}
		entity = lab.entityOf(*own.Parent)
	}
	return found
}

// unseenFault is the answer to a read that names an object of which the user may not even know.
func (lab *Lab) unseenFault(ref types.ManagedObjectReference) *soap.Fault {
	if lab.world.UnseenObjects == "absent" || lab.sight(lab.current, ref) != unseen {
		return nil
	}
	if lab.world.UnseenObjects == "NoPermission" {
		lab.words = "Permission to perform this operation was denied."
		return simulator.Fault(lab.words, &types.NoPermission{Object: &ref, PrivilegeId: "System.View"})
	}
	lab.words = "The object has already been deleted or has not been completely created"
	return simulator.Fault(lab.words, &types.ManagedObjectNotFound{Obj: ref})
}

// withoutUnseen takes out of a view what the user may not know of.
func (lab *Lab) withoutUnseen(object types.ObjectContent) types.ObjectContent {
	spec := lab.world.Users[lab.current]
	if spec == nil || len(spec.Unseen) == 0 {
		return object
	}
	for i, property := range object.PropSet {
		list, ok := property.Val.(types.ArrayOfManagedObjectReference)
		if !ok || property.Name != "view" {
			continue
		}
		list.ManagedObjectReference = slices.DeleteFunc(slices.Clone(list.ManagedObjectReference), func(ref types.ManagedObjectReference) bool {
			return lab.sight(lab.current, ref) == unseen
		})
		object.PropSet = slices.Clone(object.PropSet)
		object.PropSet[i].Val = list
	}
	return object
}
