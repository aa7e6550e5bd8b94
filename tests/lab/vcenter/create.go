package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// knownOfNew are the parts of a spec of a new VM that the model knows; any other is refused, never passed over.
var knownOfNew = []string{"Name", "Annotation", "GuestId", "InstanceUuid", "NumCPUs", "MemoryMB", "Files", "ExtraConfig", "DeviceChange"}

// createVM makes a VM. The simulator's own folders would make one of the simulator's, which has no rules.
func (request *Request) createVM() *httptest.ResponseRecorder {
	lab, body := request.lab, &methods.CreateVM_TaskBody{}
	envelope := soap.Envelope{Body: body}
	decoder := xml.NewDecoder(bytes.NewReader(request.body))
	decoder.TypeFunc = types.TypeFunc()
	if err := decoder.Decode(&envelope); err != nil || body.Req == nil {
		return request.faultAnswer(refuse(&types.InvalidArgument{InvalidProperty: "config"}, "The request cannot be read."))
	}
	task := lab.task(request.object(), lab.nameOf(request.object()), "CreateVM_Task", "Folder.createVm", func() (types.AnyType, *Refusal) {
		vm, refusal := lab.createVM(body.Req)
		if refusal != nil {
			return nil, refusal
		}
		return vm.Self, nil
	})
	request.entry.Outcome = "ok"
	if made, ok := lab.registry.Get(task).(*Task); ok && made.Info.Error != nil {
		request.entry.Outcome = "task:" + faultName(made.Info.Error.Fault)
	}
	return request.taskAnswer(task)
}

// createVM enters a VM into the folder and the pool that are named, on the host that is named or that has the pool.
func (lab *Lab) createVM(req *types.CreateVM_Task) (*VM, *Refusal) {
	folder, isFolder := lab.registry.Get(req.This).(*simulator.Folder)
	pool, isPool := lab.registry.Get(req.Pool).(*Pool)
	if !isFolder || !isPool || !slices.Contains(folder.ChildType, "VirtualMachine") {
		return nil, refuse(&types.NotSupported{}, "No VM can be made there.")
	}
	spec := &req.Config
	if refusal := mayMake(spec); refusal != nil {
		return nil, refusal
	}
	var host *Host
	for _, known := range lab.hosts {
		if *known.Parent == pool.Owner && (req.Host == nil || known.Self == *req.Host) {
			host = known
		}
	}
	if host == nil {
		return nil, refuse(&types.InvalidArgument{InvalidProperty: "host"}, "The host is none of the pool's.")
	}
	if host.spec.State != "connected" || host.spec.Maintenance {
		return nil, refuse(&types.InvalidState{}, "The operation is not allowed in the current state of the host.")
	}
	if host.spec.Licence == "free" {
		return nil, refuse(&types.RestrictedVersion{}, "Current license or ESXi version prohibits execution of the requested operation.")
	}
	storeName, _ := lab.splitFile(spec.Files.VmPathName)
	store := lab.stores[host.spec.Datacenter+"/"+storeName]
	if store == nil || !store.spec.mountedBy(host.spec) {
		return nil, refuse(&types.InvalidDatastore{Name: storeName}, "The datastore "+storeName+" is not known to the host.")
	}
	if store.spec.Inaccessible {
		return nil, refuse(&types.InaccessibleDatastore{InvalidDatastore: types.InvalidDatastore{Datastore: &store.Self, Name: storeName}}, "The datastore "+storeName+" is not accessible.")
	}
	for _, other := range lab.vms {
		if *other.Parent == folder.Self && other.Name == spec.Name {
			return nil, refuse(&types.DuplicateName{Name: spec.Name, Object: other.Self}, "The name '"+spec.Name+"' already exists.")
		}
	}
	id := lab.next()
	name := decodeName(spec.Name)
	made := &VMSpec{
		Name: name, Host: host.spec.Name, Datastore: storeName, Annotation: spec.Annotation, Power: "off", Tools: "none", Version: "vmx-19", Connection: "connected",
		InstanceUUID: orElse(spec.InstanceUuid, fmt.Sprintf("5005%04x-0000-4000-8000-%012x", id, id)), BiosUUID: fmt.Sprintf("4205%04x-0000-4000-8000-%012x", id, id),
	}
	// A folder of that name that is there is left alone: the next free name is taken.
	made.home = fileName(name)
	for number := 1; lab.files[host.spec.Datacenter].folderKnown("[" + storeName + "] " + made.home + "/x"); number++ {
		made.home = fmt.Sprintf("%s_%d", fileName(name), number)
	}
	if err := lab.addVM(made); err != nil {
		return nil, refuse(&types.InvalidArgument{InvalidProperty: "config"}, err.Error())
	}
	vm := lab.vms[len(lab.vms)-1]
	lab.moveInto(vm, folder)
	if refusal := vm.changeDevices(spec); refusal != nil {
		delete(vm.files(), vm.Config.Files.VmPathName)
		vm.leave(lab.context)
		return nil, refusal
	}
	for _, option := range spec.ExtraConfig {
		vm.setExtra(option.GetOptionValue())
	}
	vm.refresh()
	return vm, nil
}

// moveInto has a new VM in the folder that its maker named.
func (lab *Lab) moveInto(vm *VM, folder *simulator.Folder) {
	if *vm.Parent == folder.Self {
		return
	}
	present := lab.registry.Get(*vm.Parent).(*simulator.Folder)
	present.ChildEntity = without(present.ChildEntity, vm.Self)
	parent := folder.Self
	vm.Parent = &parent
	folder.ChildEntity = append(folder.ChildEntity, vm.Self)
}

// mayMake refuses a new VM that lacks what it needs, or has what the model does not know.
func mayMake(spec *types.VirtualMachineConfigSpec) *Refusal {
	value := reflect.ValueOf(*spec)
	for i := range value.NumField() {
		name := value.Type().Field(i).Name
		if !value.Field(i).IsZero() && !slices.Contains(knownOfNew, name) {
			return refuse(&types.NotSupported{}, "The model does not make a VM with "+name+".")
		}
	}
	if spec.Files == nil || !strings.HasPrefix(spec.Files.VmPathName, "[") || spec.Name == "" {
		return refuse(&types.InvalidVmConfig{Property: "configSpec.files.vmPathName"}, "A VM needs a name and a datastore.")
	}
	return nil
}
