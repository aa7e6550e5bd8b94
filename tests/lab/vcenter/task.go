package main

import (
	"fmt"
	"reflect"

	"github.com/vmware/govmomi/vim25/mo"
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

// refuseNamed makes any fault by its name, filled so that strict clients can read it.
func refuseNamed(name, message string) *Refusal {
	if name == "SystemError" || name == "" {
		return refuse(&types.SystemError{Reason: message}, orElse(message, "A general system error occurred."))
	}
	kind, ok := types.TypeFunc()(name)
	if !ok {
		return refuse(&types.SystemError{Reason: "unknown fault " + name}, "unknown fault "+name)
	}
	value := reflect.New(kind)
	switch fault := value.Interface().(type) {
	case *types.TaskInProgress:
		fault.Task = types.ManagedObjectReference{Type: "Task", Value: "task-0"}
	case *types.NoPermission:
		fault.PrivilegeId = "VirtualMachine.Config.RawDevice"
		fault.Object = &types.ManagedObjectReference{Type: "Folder", Value: "group-d1"}
	case *types.RDMPointsToInaccessibleDisk:
		fault.Fault.Fault = &types.SystemError{}
		fault.Device, fault.Backing = "disk", "backing"
	case *types.InvalidPowerState:
		fault.ExistingState = on
	}
	fault, ok := value.Interface().(types.BaseMethodFault)
	if !ok {
		return refuse(&types.SystemError{Reason: name + " is no fault"}, name+" is no fault")
	}
	return refuse(fault, orElse(message, name))
}

// Task is a task; all but a power-on that asks a question are over when their reference is returned.
type Task struct{ mo.Task }

func (lab *Lab) task(entity types.ManagedObjectReference, entityName, name, description string, run func() (types.AnyType, *Refusal)) types.ManagedObjectReference {
	task := lab.newTask(entity, entityName, name, description)
	result, refusal := run()
	task.end(lab, result, refusal)
	return task.Self
}

func (lab *Lab) newTask(entity types.ManagedObjectReference, entityName, name, description string) *Task {
	task := &Task{}
	task.Self = lab.ref("Task", "task")
	now := lab.now()
	task.Info = types.TaskInfo{
		Key: task.Self.Value, Task: task.Self, Name: name, DescriptionId: description, Entity: &entity, EntityName: entityName,
		State: types.TaskInfoStateRunning, Reason: &types.TaskReasonUser{UserName: orElse(lab.current, "nobody")},
		QueueTime: now, StartTime: &now, EventChainId: int32(lab.next()),
	}
	lab.registry.Put(task)
	return task
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

func faultName(fault types.BaseMethodFault) string {
	return reflect.TypeOf(fault).Elem().Name()
}

func (vm *VM) mayChange() *Refusal {
	if vm.host().spec.State != "connected" {
		return refuse(&types.HostNotConnected{}, "Unable to communicate with the remote host, since it is disconnected.")
	}
	return vm.lab.licence(vm.host())
}

// licence refuses every write on a host with a free licence, with the words such a host uses.
func (lab *Lab) licence(host *Host) *Refusal {
	if host.spec.Licence != "free" {
		return nil
	}
	return refuse(&types.RestrictedVersion{}, "Current license or ESXi version prohibits execution of the requested operation.")
}

func inUse(file string, users []string) *Refusal {
	return refuse(&types.FileLocked{FileFault: types.FileFault{File: file}}, fmt.Sprintf("Failed to lock the file %s: it is used by %v", file, users))
}
