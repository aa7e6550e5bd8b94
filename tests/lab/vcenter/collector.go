package main

import (
	"slices"
	"strconv"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// PropertyCollector reads as the simulator's does, and adds what a server does beside: it keeps back what the user has
// no right to, and refuses a read of properties that it does not know. Each session has its own.
type PropertyCollector struct {
	simulator.PropertyCollector
	sent    map[types.ManagedObjectReference]sentObjects // by filter
	version int
}

// sentObjects are the properties that a client was told, by object and path.
type sentObjects map[types.ManagedObjectReference]map[string]string

func labOf(ctx *simulator.Context) *Lab {
	instance := ctx.Map.Get(serviceInstance).(*simulator.ServiceInstance)
	return ctx.Map.Get(*instance.Content.AuthorizationManager).(*Authorization).lab
}

// CreatePropertyCollector makes one more of this kind.
func (pc *PropertyCollector) CreatePropertyCollector(ctx *simulator.Context, req *types.CreatePropertyCollector) soap.HasFault {
	return &methods.CreatePropertyCollectorBody{Res: &types.CreatePropertyCollectorResponse{
		Returnval: ctx.Session.Put(&PropertyCollector{}).Reference(),
	}}
}

// RetrievePropertiesEx answers the first page.
func (pc *PropertyCollector) RetrievePropertiesEx(ctx *simulator.Context, req *types.RetrievePropertiesEx) soap.HasFault {
	lab := labOf(ctx)
	for _, spec := range req.SpecSet {
		for _, set := range spec.PropSet {
			for _, path := range set.PathSet {
				if slices.Contains(lab.world.UnknownPaths, path) {
					return &methods.RetrievePropertiesExBody{Fault_: lab.unknownProperty(path)}
				}
			}
		}
	}
	body := pc.PropertyCollector.RetrievePropertiesEx(ctx, req).(*methods.RetrievePropertiesExBody)
	if body.Res != nil && body.Res.Returnval != nil {
		objects, fault := lab.readable(body.Res.Returnval.Objects)
		if fault != nil {
			return &methods.RetrievePropertiesExBody{Fault_: fault}
		}
		body.Res.Returnval.Objects = objects
	}
	return body
}

// RetrieveProperties is the older form, without pages.
func (pc *PropertyCollector) RetrieveProperties(ctx *simulator.Context, req *types.RetrieveProperties) soap.HasFault {
	answer := pc.RetrievePropertiesEx(ctx, &types.RetrievePropertiesEx{This: req.This, SpecSet: req.SpecSet}).(*methods.RetrievePropertiesExBody)
	body := &methods.RetrievePropertiesBody{Fault_: answer.Fault_}
	if answer.Res != nil {
		body.Res = &types.RetrievePropertiesResponse{Returnval: answer.Res.Returnval.Objects}
	}
	return body
}

// ContinueRetrievePropertiesEx answers a further page.
func (pc *PropertyCollector) ContinueRetrievePropertiesEx(ctx *simulator.Context, req *types.ContinueRetrievePropertiesEx) soap.HasFault {
	body := pc.PropertyCollector.ContinueRetrievePropertiesEx(ctx, req).(*methods.ContinueRetrievePropertiesExBody)
	if body.Res != nil {
		objects, fault := labOf(ctx).readable(body.Res.Returnval.Objects)
		if fault != nil {
			return &methods.ContinueRetrievePropertiesExBody{Fault_: fault}
		}
		for i := range objects {
			objects[i].PropSet = slices.DeleteFunc(objects[i].PropSet, func(property types.DynamicProperty) bool { return property.Val == nil })
		}
		body.Res.Returnval.Objects = objects
	}
	return body
}

func (lab *Lab) unknownProperty(path string) *soap.Fault {
	lab.words = "The property " + path + " is not known."
	return simulator.Fault(lab.words, &types.InvalidProperty{Name: path})
}

// readable keeps back what the user may not read, and refuses the whole where a property is unknown.
func (lab *Lab) readable(objects []types.ObjectContent) ([]types.ObjectContent, *soap.Fault) {
	user := lab.world.Users[lab.current]
	var shown []types.ObjectContent
	for _, object := range objects {
		for _, missing := range object.MissingSet {
			if unknown, ok := missing.Fault.Fault.(*types.InvalidProperty); ok {
				return nil, lab.unknownProperty(unknown.Name)
			}
		}
		name := ""
		if user != nil && len(user.Unseen)+len(user.Unreadable) > 0 {
			name = lab.nameOf(object.Obj)
		}
		switch {
		case name != "" && slices.Contains(user.Unseen, name):
			continue
		case name != "" && slices.Contains(user.Unreadable, name):
			shown = append(shown, withheld(object))
		default:
			shown = append(shown, object)
		}
	}
	return shown, nil
}

// withheld is an object of which the user may see the name and the place only.
func withheld(object types.ObjectContent) types.ObjectContent {
	kept := types.ObjectContent{Obj: object.Obj}
	for _, property := range object.PropSet {
		if property.Name == "name" || property.Name == "parent" {
			kept.PropSet = append(kept.PropSet, property)
			continue
		}
		kept.MissingSet = append(kept.MissingSet, types.MissingProperty{Path: property.Name, Fault: types.LocalizedMethodFault{
			Fault:            &types.NoPermission{Object: &object.Obj, PrivilegeId: "System.Read"},
			LocalizedMessage: "Permission to perform this operation was denied.",
		}})
	}
	return kept
}

// WaitForUpdatesEx tells what changed since the client was last told; whoever calls it waits where there is nothing.
func (pc *PropertyCollector) WaitForUpdatesEx(ctx *simulator.Context, req *types.WaitForUpdatesEx) soap.HasFault {
	body := &methods.WaitForUpdatesExBody{Res: &types.WaitForUpdatesExResponse{}}
	set, fault := pc.updates(ctx, req.Version)
	if fault != nil {
		return &methods.WaitForUpdatesExBody{Fault_: fault}
	}
	body.Res.Returnval = set
	return body
}

// WaitForUpdates is the older form.
func (pc *PropertyCollector) WaitForUpdates(ctx *simulator.Context, req *types.WaitForUpdates) soap.HasFault {
	set, fault := pc.updates(ctx, req.Version)
	if fault != nil {
		return &methods.WaitForUpdatesBody{Fault_: fault}
	}
	body := &methods.WaitForUpdatesBody{Res: &types.WaitForUpdatesResponse{}}
	if set != nil {
		body.Res.Returnval = *set
	}
	return body
}

func (pc *PropertyCollector) updates(ctx *simulator.Context, version string) (*types.UpdateSet, *soap.Fault) {
	if version == "" || pc.sent == nil {
		pc.sent = map[types.ManagedObjectReference]sentObjects{}
	}
	set := &types.UpdateSet{}
	for _, ref := range pc.Filter {
		filter, ok := ctx.Session.Get(ref).(*simulator.PropertyFilter)
		if !ok {
			continue
		}
		spec := filter.Spec
		spec.ReportMissingObjectsInResults = types.NewBool(true)
		answer := pc.RetrievePropertiesEx(ctx, &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{spec}}).(*methods.RetrievePropertiesExBody)
		if answer.Fault_ != nil {
			return nil, answer.Fault_
		}
		if changes := pc.compare(ref, answer.Res.Returnval.Objects); len(changes) > 0 {
			set.FilterSet = append(set.FilterSet, types.PropertyFilterUpdate{Filter: ref, ObjectSet: changes})
		}
	}
	if len(set.FilterSet) == 0 && version != "" {
		return nil, nil
	}
	pc.version++
	set.Version = strconv.Itoa(pc.version)
	return set, nil
}

// compare lists what is not as the client was told, and remembers that it is told now.
func (pc *PropertyCollector) compare(filter types.ManagedObjectReference, objects []types.ObjectContent) []types.ObjectUpdate {
	before, now := pc.sent[filter], sentObjects{}
	var updates []types.ObjectUpdate
	for _, object := range objects {
		known, told := before[object.Obj]
		update := types.ObjectUpdate{Kind: types.ObjectUpdateKindModify, Obj: object.Obj, MissingSet: object.MissingSet}
		if !told {
			update.Kind = types.ObjectUpdateKindEnter
		}
		now[object.Obj] = map[string]string{}
		for _, property := range object.PropSet {
			text, _ := xml.Marshal(property)
			now[object.Obj][property.Name] = string(text)
			if known[property.Name] != string(text) {
				update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: property.Name, Op: types.PropertyChangeOpAssign, Val: property.Val})
			}
		}
		for name := range known {
			if now[object.Obj][name] == "" {
				update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: name, Op: types.PropertyChangeOpAssign})
			}
		}
		if !told || len(update.ChangeSet) > 0 {
			updates = append(updates, update)
		}
	}
	for ref := range before {
		if _, there := now[ref]; !there {
			updates = append(updates, types.ObjectUpdate{Kind: types.ObjectUpdateKindLeave, Obj: ref})
		}
	}
	pc.sent[filter] = now
	return updates
}
