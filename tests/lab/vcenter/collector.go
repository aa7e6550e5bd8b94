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
	left    map[string]*pages // by token
}

// sentObjects are the properties that a client was told, by object and path. The values are copies; they are written
// out only where there is something to compare them with.
type sentObjects map[types.ManagedObjectReference]map[string]types.DynamicProperty

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

// RetrievePropertiesEx answers the first page. What is read is settled now, the properties of a page are read when the
// page is asked for.
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
		for _, object := range spec.ObjectSet {
			if fault := lab.unseenFault(object.Obj); fault != nil {
				return &methods.RetrievePropertiesExBody{Fault_: fault}
			}
		}
	}
	if req.Options.MaxObjects <= 0 || len(req.SpecSet) != 1 {
		return pc.collect(ctx, req)
	}
	bare := req.SpecSet[0]
	bare.PropSet = nil
	for _, set := range req.SpecSet[0].PropSet {
		bare.PropSet = append(bare.PropSet, types.PropertySpec{Type: set.Type})
	}
	listed := pc.collect(ctx, &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{bare}})
	if listed.Fault_ != nil {
		return listed
	}
	left := &pages{props: req.SpecSet[0].PropSet, size: int(req.Options.MaxObjects)}
	for _, object := range listed.Res.Returnval.Objects {
		left.objects = append(left.objects, types.ObjectSpec{Obj: object.Obj})
	}
	return pc.nextPage(ctx, left)
}

// pages are the objects of a read that have not been sent yet.
type pages struct {
	props   []types.PropertySpec
	objects []types.ObjectSpec
	size    int
}

func (pc *PropertyCollector) nextPage(ctx *simulator.Context, left *pages) *methods.RetrievePropertiesExBody {
	now := min(left.size, len(left.objects))
	spec := types.PropertyFilterSpec{PropSet: left.props, ObjectSet: left.objects[:now], ReportMissingObjectsInResults: types.NewBool(true)}
	body := pc.collect(ctx, &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{spec}})
	if left.objects = left.objects[now:]; len(left.objects) > 0 && body.Res != nil {
		token := strconv.Itoa(labOf(ctx).next())
		if pc.left == nil {
			pc.left = map[string]*pages{}
		}
		pc.left[token], body.Res.Returnval.Token = left, token
	}
	return body
}

// collect reads at once, and keeps back what the user may not read.
func (pc *PropertyCollector) collect(ctx *simulator.Context, req *types.RetrievePropertiesEx) *methods.RetrievePropertiesExBody {
	body := pc.PropertyCollector.RetrievePropertiesEx(ctx, req).(*methods.RetrievePropertiesExBody)
	if body.Res != nil && body.Res.Returnval != nil {
		objects, fault := labOf(ctx).readable(body.Res.Returnval.Objects)
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
	left := pc.left[req.Token]
	if left == nil {
		labOf(ctx).words = "The token is not known."
		return &methods.ContinueRetrievePropertiesExBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "token"})}
	}
	delete(pc.left, req.Token)
	again := *left
	page := pc.nextPage(ctx, left)
	if lab := labOf(ctx); lab.pageAgain && page.Res != nil {
		page.Res.Returnval.Token, pc.left[req.Token] = req.Token, &again
	}
	body := &methods.ContinueRetrievePropertiesExBody{Fault_: page.Fault_}
	if page.Res != nil {
		body.Res = &types.ContinueRetrievePropertiesExResponse{Returnval: *page.Res.Returnval}
	}
	return body
}

// CancelRetrievePropertiesEx forgets the pages that nobody wants.
func (pc *PropertyCollector) CancelRetrievePropertiesEx(ctx *simulator.Context, req *types.CancelRetrievePropertiesEx) soap.HasFault {
	delete(pc.left, req.Token)
	return &methods.CancelRetrievePropertiesExBody{Res: &types.CancelRetrievePropertiesExResponse{}}
}

func (lab *Lab) unknownProperty(path string) *soap.Fault {
	lab.words = "The property " + path + " is not known."
	return simulator.Fault(lab.words, &types.InvalidProperty{Name: path})
}

// readable keeps back what the user may not read, and refuses the whole where a property is unknown.
func (lab *Lab) readable(objects []types.ObjectContent) ([]types.ObjectContent, *soap.Fault) {
	var shown []types.ObjectContent
	for _, object := range objects {
		for _, missing := range object.MissingSet {
			if unknown, ok := missing.Fault.Fault.(*types.InvalidProperty); ok {
				return nil, lab.unknownProperty(unknown.Name)
			}
		}
		switch lab.sight(lab.current, object.Obj) {
		case unseen:
		case unreadable:
			shown = append(shown, withheld(object))
		default:
			shown = append(shown, lab.cover(lab.withoutUnseen(object)))
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
		kept.MissingSet = append(kept.MissingSet, missing(object.Obj, property.Name, "NoPermission"))
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
		now[object.Obj] = map[string]types.DynamicProperty{}
		for _, property := range object.PropSet {
			now[object.Obj][property.Name] = property
			if old, ok := known[property.Name]; !ok || written(old) != written(property) {
				update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: property.Name, Op: types.PropertyChangeOpAssign, Val: property.Val})
			}
		}
		for name := range known {
			if _, still := now[object.Obj][name]; !still {
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

func written(property types.DynamicProperty) string {
	text, _ := xml.Marshal(property)
	return string(text)
}
