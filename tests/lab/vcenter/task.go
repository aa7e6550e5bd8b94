package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Refusal is a fault with the words that go with it.
type Refusal struct {
	Fault   types.BaseMethodFault
	Message string
}

func refuse(fault types.BaseMethodFault, message string) *Refusal {
	return &Refusal{Fault: fault, Message: message}
}

// refuseNamed makes a fault by its name, which checkFault knows, filled so that strict clients can read it.
func refuseNamed(name, message string) *Refusal {
	if name == "SystemError" || name == "" {
		return refuse(&types.SystemError{Reason: message}, orElse(message, "A general system error occurred."))
	}
	kind, _ := types.TypeFunc()(name)
	value := reflect.New(kind)
	fill(value.Elem())
	switch fault := value.Interface().(type) {
	case *types.NoPermission:
		fault.PrivilegeId = "VirtualMachine.Config.RawDevice"
		fault.Object = &types.ManagedObjectReference{Type: "Folder", Value: "group-d1"}
	case *types.InvalidPowerState:
		fault.ExistingState = on
	}
	return refuse(value.Interface().(types.BaseMethodFault), orElse(message, name))
}

// fill gives a fault what it must not lack: faults within it, objects, and words.
func fill(value reflect.Value) {
	for i := range value.NumField() {
		field := value.Field(i)
		optional := strings.Contains(value.Type().Field(i).Tag.Get("xml"), "omitempty")
		switch part := field.Addr().Interface().(type) {
		case *types.LocalizedMethodFault:
			part.Fault = &types.SystemError{Reason: "as modelled"}
		case *types.ManagedObjectReference:
			*part = types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-0"}
			if strings.Contains(value.Type().Field(i).Name, "Task") {
				*part = types.ManagedObjectReference{Type: "Task", Value: "task-0"}
			} else if strings.Contains(value.Type().Field(i).Name, "Datastore") {
				*part = types.ManagedObjectReference{Type: "Datastore", Value: "datastore-0"}
			}
		case *string:
			if !optional {
				*part = "as modelled"
			}
		default:
			if field.Kind() == reflect.Struct {
				fill(field)
			}
		}
	}
}

// checkFault tells whether a name is that of a fault of the API.
func checkFault(name string) error {
	if kind, known := types.TypeFunc()(name); known {
		if _, isFault := reflect.New(kind).Interface().(types.BaseMethodFault); isFault {
			return nil
		}
	}
	return fmt.Errorf("the API has no fault %q", name)
}

// Task is a task. It is over when its reference is returned, unless it asks a question or a test made it slow.
type Task struct {
	mo.Task
	lab *Lab
}

// endless is longer than any test waits.
const endless = 1000 * time.Hour

// CancelTask ends a task that a test made slow before it has done anything.
func (task *Task) CancelTask(req *types.CancelTask) soap.HasFault {
	body := &methods.CancelTaskBody{}
	switch {
	case task.Info.State != types.TaskInfoStateRunning:
		body.Fault_ = simulator.Fault("The task is over.", &types.InvalidState{})
	case !task.Info.Cancelable:
		body.Fault_ = simulator.Fault("The task cannot be cancelled.", &types.NotSupported{})
	default:
		task.Info.Cancelled = true
		task.end(task.lab, nil, refuse(&types.RequestCanceled{}, "The task was canceled by a user."))
		body.Res = &types.CancelTaskResponse{}
	}
	return body
}

func (lab *Lab) task(entity types.ManagedObjectReference, entityName, name, description string, run func() (types.AnyType, *Refusal)) types.ManagedObjectReference {
	task := lab.newTask(entity, entityName, name, description)
	work := func() {
		lab.working = task
		result, refusal := run()
		lab.working = nil
		task.end(lab, result, refusal)
	}
	if slow := lab.slow; slow > 0 {
		lab.slow, task.Info.Cancelable = 0, true
		if slow < endless {
			time.AfterFunc(slow, func() {
				lab.mu.Lock()
				defer lab.mu.Unlock()
				if task.Info.State == types.TaskInfoStateRunning {
					work()
				}
			})
		}
		return task.Self
	}
	work()
	return task.Self
}

func (lab *Lab) newTask(entity types.ManagedObjectReference, entityName, name, description string) *Task {
	task := &Task{lab: lab}
	task.Self = lab.ref("Task", "task")
	now := lab.now()
	task.Info = types.TaskInfo{
		Key: task.Self.Value, Task: task.Self, Name: name, DescriptionId: description, Entity: &entity, EntityName: entityName,
		State: types.TaskInfoStateRunning, Reason: &types.TaskReasonUser{UserName: orElse(lab.current, "nobody")},
		QueueTime: now, StartTime: &now, EventChainId: int32(lab.next()),
	}
	lab.registry.Put(task)
	if vm, ok := lab.registry.Get(entity).(*VM); ok {
		recent := append([]types.ManagedObjectReference(nil), vm.RecentTask...)
		vm.RecentTask = append(recent[max(0, len(recent)-3):], task.Self)
	}
	return task
}

// unfinished is a task of the VM that still runs, other than the one that asks.
func (vm *VM) unfinished() *Task {
	for _, ref := range vm.RecentTask {
		task, ok := vm.lab.registry.Get(ref).(*Task)
		if ok && task != vm.lab.working && task.Info.State == types.TaskInfoStateRunning {
			return task
		}
	}
	return nil
}

// beBusy gives the VM a task that runs until a test ends it.
func (vm *VM) beBusy() {
	vm.lab.newTask(vm.Self, vm.Name, "CreateSnapshot_Task", "VirtualMachine.createSnapshot")
}

func (task *Task) end(lab *Lab, result types.AnyType, refusal *Refusal) {
	now := lab.now()
	task.Info.CompleteTime = &now
	task.Info.Result = result
	task.Info.State = types.TaskInfoStateSuccess
	if refusal != nil {
		task.Info.Result = nil
		task.Info.State = types.TaskInfoStateError
		task.Info.Error = &types.LocalizedMethodFault{Fault: refusal.Fault, LocalizedMessage: refusal.Message}
	}
}

// mayChange refuses what no VM lets be done to it now: its host is away, or another task works on it.
func (vm *VM) mayChange() *Refusal {
	if vm.host().spec.State != "connected" {
		return refuse(&types.HostNotConnected{}, "Unable to communicate with the remote host, since it is disconnected.")
	}
	if task := vm.unfinished(); task != nil {
		return refuse(&types.TaskInProgress{Task: task.Self}, "Another task is already in progress.")
	}
	return nil
}

func faultName(fault types.BaseMethodFault) string {
	return reflect.TypeOf(fault).Elem().Name()
}

func inUse(file string, users []string) *Refusal {
	return refuse(&types.FileLocked{FileFault: types.FileFault{File: file}}, fmt.Sprintf("Failed to lock the file %s: it is used by %s", file, strings.Join(users, ", ")))
}

func notFound(file string) *Refusal {
	return refuse(&types.FileNotFound{FileFault: types.FileFault{File: file}}, "File "+file+" was not found")
}

func alreadyThere(file string) *Refusal {
	return refuse(&types.FileAlreadyExists{FileFault: types.FileFault{File: file}}, "The file "+file+" already exists")
}
