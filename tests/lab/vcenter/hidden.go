package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// HiddenSpec leaves properties of an object unset, as a server does where it could not reach what they tell; with a
// fault they are missing for that reason, as they are where something was refused.
type HiddenSpec struct {
	Object string   `yaml:"object" json:"object"` // name or id of an object; nothing for all of the type
	Type   string   `yaml:"type" json:"type"`     // of the object; nothing for any
	Paths  []string `yaml:"paths" json:"paths"`
	Fault  string   `yaml:"fault" json:"fault"`
	User   string   `yaml:"user" json:"user"` // nothing for all
	id     int64
}

// checkHidden refuses what would hide nothing: a typing error must not become a world where all is shown.
func (lab *Lab) checkHidden(hidden *HiddenSpec) error {
	if hidden.Fault != "" {
		if err := checkFault(hidden.Fault); err != nil {
			return err
		}
	}
	if len(hidden.Paths) == 0 {
		return fmt.Errorf("of %q no path is hidden", hidden.Object)
	}
	for _, path := range hidden.Paths {
		known := slices.ContainsFunc(lab.registry.AllReference(""), func(object mo.Reference) bool {
			return hidden.meets(lab, object.Reference()) && hasPath(reflect.TypeOf(object), stepsOf(path))
		})
		if !known {
			return fmt.Errorf("there is no %s %q with a property %s", orElse(hidden.Type, "object"), hidden.Object, path)
		}
	}
	return nil
}

func (hidden *HiddenSpec) meets(lab *Lab, ref types.ManagedObjectReference) bool {
	return (hidden.Type == "" || hidden.Type == ref.Type) && (hidden.Object == "" || hidden.Object == ref.Value || hidden.Object == lab.nameOf(ref))
}

// hiddenOf lists what is hidden of an object from the user of the present request.
func (lab *Lab) hiddenOf(ref types.ManagedObjectReference) []*HiddenSpec {
	var found []*HiddenSpec
	for _, hidden := range lab.world.Hidden {
		if (hidden.User == "" || hidden.User == lab.current) && hidden.meets(lab, ref) {
			found = append(found, hidden)
		}
	}
	return found
}

// cover takes out of what was read what is hidden of it.
func (lab *Lab) cover(object types.ObjectContent) types.ObjectContent {
	hidden := lab.hiddenOf(object.Obj)
	if len(hidden) == 0 {
		return object
	}
	shown := types.ObjectContent{Obj: object.Obj, MissingSet: object.MissingSet}
	for _, property := range object.PropSet {
		fault, covered := "", false
		for _, spec := range hidden {
			for _, path := range spec.Paths {
				kept, whole := uncovered(property, path)
				property = kept
				if whole {
					fault, covered = orElse(fault, spec.Fault), true
				}
			}
		}
		switch {
		case !covered:
			shown.PropSet = append(shown.PropSet, property)
		case fault != "":
			shown.MissingSet = append(shown.MissingSet, missing(object.Obj, property.Name, fault))
		}
	}
	return shown
}

func missing(ref types.ManagedObjectReference, path, fault string) types.MissingProperty {
	refusal := refuseNamed(fault, "")
	if denied, ok := refusal.Fault.(*types.NoPermission); ok {
		denied.Object, denied.PrivilegeId = &ref, "System.Read"
		refusal.Message = "Permission to perform this operation was denied."
	}
	return types.MissingProperty{Path: path, Fault: types.LocalizedMethodFault{Fault: refusal.Fault, LocalizedMessage: refusal.Message}}
}

// uncovered returns a property without what lies at a hidden path, and whether nothing of it is left.
func uncovered(property types.DynamicProperty, path string) (types.DynamicProperty, bool) {
	rest, below := strings.CutPrefix(path, property.Name)
	if property.Name == path || strings.HasPrefix(property.Name, path+".") || strings.HasPrefix(property.Name, path+"[") {
		return property, true
	}
	if !below || property.Val == nil || rest[0] != '.' && rest[0] != '[' {
		return property, false
	}
	kept, possible := unset(reflect.ValueOf(property.Val), stepsOf(rest))
	if !possible {
		return property, true
	}
	property.Val = kept.Interface()
	return property, false
}

// Step is one part of a path: a member, one element of a list by its key, or both.
type Step struct{ name, key string }

// stepsOf takes a path apart; a key may contain full stops, as the names of LUNs do.
func stepsOf(path string) []Step {
	var steps []Step
	for path = strings.TrimPrefix(path, "."); path != ""; path = strings.TrimPrefix(path, ".") {
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(steps, Step{name: path})
		}
		step := Step{name: path[:end]}
		if path = path[end:]; path[0] == '[' {
			step.key, path, _ = strings.Cut(path[1:], "]")
		}
		steps = append(steps, step)
	}
	return steps
}

// unset returns a copy of a value without what lies at a path. What must be set takes with it the next above that need
// not; where there is none, the answer is no.
func unset(value reflect.Value, steps []Step) (reflect.Value, bool) {
	made := reflect.New(value.Type()).Elem()
	made.Set(value)
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		if value.IsNil() {
			return value, true
		}
		inner, possible := unset(value.Elem(), steps)
		if value.Kind() == reflect.Interface {
			made.Set(inner)
		} else {
			made.Set(reflect.New(value.Type().Elem()))
			made.Elem().Set(inner)
		}
		return made, possible
	case reflect.Slice:
		return unsetOfAll(value, steps)
	case reflect.Struct:
		if strings.HasPrefix(value.Type().Name(), "ArrayOf") && steps[0].name != "" {
			list, possible := unsetOfAll(made.Field(0), steps)
			made.Field(0).Set(list)
			return made, possible
		}
		return unsetMember(made, steps)
	}
	return value, true
}

func unsetOfAll(list reflect.Value, steps []Step) (reflect.Value, bool) {
	made, possible := reflect.MakeSlice(list.Type(), list.Len(), list.Len()), true
	for i := range list.Len() {
		element, ok := unset(list.Index(i), steps)
		made.Index(i).Set(element)
		possible = possible && ok
	}
	return made, possible
}

func unsetMember(made reflect.Value, steps []Step) (reflect.Value, bool) {
	step := steps[0]
	member, optional := memberOf(made, step.name)
	if step.name == "" {
		// The array that a property's own value is.
		member, optional = made.Field(0), true
	}
	if !member.IsValid() {
		return made, true
	}
	kept, possible := reflect.Zero(member.Type()), optional
	switch {
	case step.key != "":
		kept, possible = unsetElement(member, step.key, steps[1:])
	case len(steps) > 1:
		kept, possible = unset(member, steps[1:])
	}
	if !possible && optional {
		kept, possible = reflect.Zero(member.Type()), true
	}
	member.Set(kept)
	return made, possible
}

// unsetElement takes an element out of a list, or something out of the element.
func unsetElement(list reflect.Value, key string, steps []Step) (reflect.Value, bool) {
	made, possible := reflect.MakeSlice(list.Type(), 0, list.Len()), true
	for i := range list.Len() {
		element := list.Index(i)
		if isCalled(element, key) {
			if len(steps) == 0 {
				continue
			}
			element, possible = unset(element, steps)
		}
		made = reflect.Append(made, element)
	}
	return made, possible
}

func isCalled(element reflect.Value, key string) bool {
	for element.Kind() == reflect.Interface || element.Kind() == reflect.Pointer {
		element = element.Elem()
	}
	return element.Kind() == reflect.Struct && slices.ContainsFunc([]string{"key", "canonicalName", "name", "uuid"}, func(name string) bool {
		member, _ := memberOf(element, name)
		return member.IsValid() && fmt.Sprint(member.Interface()) == key
	})
}

// memberOf finds a member by the name that it has in the API, and tells whether it may be unset.
func memberOf(value reflect.Value, name string) (reflect.Value, bool) {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("xml"), ",")
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			if member, optional := memberOf(value.Field(i), name); member.IsValid() {
				return member, optional
			}
		} else if tag == name && name != "" {
			nilable := slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Interface}, field.Type.Kind())
			return value.Field(i), nilable || strings.Contains(options, "omitempty")
		}
	}
	return reflect.Value{}, false
}

// hasPath tells whether a type has a path, as far as types can tell: below a base type anything may be.
func hasPath(kind reflect.Type, steps []Step) bool {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	if len(steps) == 0 || kind.Kind() == reflect.Interface {
		return true
	}
	for i := 0; kind.Kind() == reflect.Struct && i < kind.NumField(); i++ {
		field := kind.Field(i)
		tag, _, _ := strings.Cut(orElse(field.Tag.Get("xml"), field.Tag.Get("json")), ",")
		if tag == steps[0].name && hasPath(field.Type, steps[1:]) || field.Anonymous && hasPath(field.Type, steps) {
			return true
		}
	}
	return false
}
