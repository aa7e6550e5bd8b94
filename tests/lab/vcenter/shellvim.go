package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// vimVerbs are the commands of vmsvc, with the least number of words that each takes after the VM.
var vimVerbs = map[string]struct {
	words int
	do    func(vm *VM, command *Command, words []string) Answer
}{
	"get.config": {0, vimConfig}, "get.summary": {0, vimSummary}, "get.runtime": {0, vimRuntime}, "get.guest": {0, vimGuest}, "power.getstate": {0, vimState},
	"power.on": {0, vimStart}, "power.off": {0, vimStop}, "power.shutdown": {0, vimShutdown}, "power.suspend": {0, vimSuspend}, "snapshot.get": {0, vimSnapshots},
	"device.getdevices": {0, vimDevices}, "device.diskremove": {3, vimRemoveDisk}, "device.diskaddexisting": {3, vimAddDisk}, "reload": {0, vimReload},
	"message": {0, vimMessage}, "destroy": {0, vimDestroy}, "unregister": {0, vimUnregister},
}

// vimCmd talks to hostd; where that is down, nobody answers.
func vimCmd(lab *Lab, command *Command) Answer {
	if command.host.HostdDown {
		return failed(1, "Connect to localhost failed: Connection failure.\n")
	}
	if len(command.Arguments) == 0 {
		return failed(255, "Commands available under /:\nhostsvc/   solo/   vmsvc/\n")
	}
	verb, words := command.Arguments[0], command.Arguments[1:]
	host := lab.hosts[command.host.Name]
	switch verb {
	case "vmsvc/getallvms":
		return lab.allVMs(host)
	case "hostsvc/hostsummary":
		return printed("Host summary:\n\n%s\n", dump(reflect.ValueOf(host.Summary), ""))
	case "solo/registervm":
		return lab.vimRegister(command, host, words)
	}
	known, ok := vimVerbs[strings.TrimPrefix(verb, "vmsvc/")]
	if !ok || !strings.HasPrefix(verb, "vmsvc/") {
		return failed(255, "Invalid command '%s'.\n", verb)
	}
	if len(words) < known.words+1 {
		return failed(255, "Insufficient arguments.\nUsage: %s vmid ...\n", strings.TrimPrefix(verb, "vmsvc/"))
	}
	for _, vm := range lab.vms {
		if vm.vmid() == words[0] && *vm.Runtime.Host == host.Self {
			return known.do(vm, command, words[1:])
		}
	}
	return lab.vimFault(refuse(&types.NotFound{}, "Unable to find a VM corresponding to \""+words[0]+"\""))
}

// hostdIsDown tells whether the one host of a world without vCenter answers nobody.
func (lab *Lab) hostdIsDown() bool {
	lab.mu.Lock()
	defer lab.mu.Unlock()
	return lab.world.Hosts[0].HostdDown
}

// vimFault prints a fault. With which code vim-cmd then ends is not known: the world says it.
func (lab *Lab) vimFault(refusal *Refusal) Answer {
	code := 1
	if lab.world.Shell.FaultCode != nil {
		code = *lab.world.Shell.FaultCode
	}
	return Answer{Then: "answer", Stdout: faultText(refusal), Code: code}
}

// vmid is the number of a VM on its host.
func (vm *VM) vmid() string { return strings.TrimPrefix(vm.Self.Value, "vm-") }

func (lab *Lab) allVMs(host *Host) Answer {
	var out strings.Builder
	rows := [][]string{{"Vmid", "Name", "File", "Guest OS", "Version", "Annotation"}}
	for _, vm := range lab.vms {
		if *vm.Runtime.Host != host.Self {
			continue
		}
		if connection := vm.Runtime.ConnectionState; connection == "invalid" || connection == "inaccessible" {
			fmt.Fprintf(&out, "Skipping invalid VM '%s'\n", vm.vmid())
			continue
		}
		rows = append(rows, []string{vm.vmid(), vm.Name, vm.Config.Files.VmPathName, strings.TrimSuffix(vm.Config.GuestId, "Guest"), vm.Config.Version, vm.Config.Annotation})
	}
	widths := make([]int, 6)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row[:5] {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+3))
		}
		fmt.Fprintln(&out, strings.TrimRight(line.String()+row[5], " "))
	}
	return printed("%s", out.String())
}

func vimConfig(vm *VM, command *Command, words []string) Answer {
	return printed("Configuration:\n\n%s\n", dump(reflect.ValueOf(vm.Config), ""))
}

func vimSummary(vm *VM, command *Command, words []string) Answer {
	return printed("Listsummary:\n\n%s\n", dump(reflect.ValueOf(vm.Summary), ""))
}

func vimRuntime(vm *VM, command *Command, words []string) Answer {
	return printed("Runtime information\n\n%s\n", dump(reflect.ValueOf(vm.Runtime), ""))
}

func vimGuest(vm *VM, command *Command, words []string) Answer {
	status := "toolsNotRunning"
	if vm.Runtime.PowerState == on && vm.spec.Tools != "none" {
		status = "toolsOk"
	}
	return printed("Guest information:\n\n(vim.vm.GuestInfo) {\n   toolsStatus = \"%s\", \n   toolsRunningStatus = \"%s\"\n}\n", status, vm.Guest.ToolsRunningStatus)
}

var stateWords = map[types.VirtualMachinePowerState]string{on: "Powered on", off: "Powered off", suspended: "Suspended"}

func vimState(vm *VM, command *Command, words []string) Answer {
	return printed("Retrieved runtime info\n%s\n", stateWords[vm.Runtime.PowerState])
}

// ended is what a command says when its task is over, or that it still runs.
func (vm *VM) ended(said string, ref types.ManagedObjectReference) Answer {
	task := vm.lab.registry.Get(ref).(*Task)
	if task.Info.Error != nil {
		answer := vm.lab.vimFault(refuse(task.Info.Error.Fault, task.Info.Error.LocalizedMessage))
		answer.Stdout = said + answer.Stdout
		return answer
	}
	return printed("%s", said)
}

// vimStart starts the VM, and waits where it asks a question.
func vimStart(vm *VM, command *Command, words []string) Answer {
	task := taskOf(vm.PowerOnVMTask(vm.lab.context, &types.PowerOnVM_Task{This: vm.Self}))
	if vm.lab.registry.Get(task).(*Task).Info.State == types.TaskInfoStateRunning {
		return Answer{later: func() (Answer, bool) {
			over := vm.lab.registry.Get(task).(*Task).Info.State != types.TaskInfoStateRunning
			return vm.ended("Powering on VM:\n", task), over
		}}
	}
	return vm.ended("Powering on VM:\n", task)
}

func vimStop(vm *VM, command *Command, words []string) Answer {
	return vm.ended("Powering off VM:\n", taskOf(vm.PowerOffVMTask(vm.lab.context, &types.PowerOffVM_Task{This: vm.Self})))
}

func vimSuspend(vm *VM, command *Command, words []string) Answer {
	return vm.ended("Suspending VM:\n", taskOf(vm.SuspendVMTask(vm.lab.context, &types.SuspendVM_Task{This: vm.Self})))
}

func vimDestroy(vm *VM, command *Command, words []string) Answer {
	return vm.ended("", taskOf(vm.DestroyTask(vm.lab.context, &types.Destroy_Task{This: vm.Self})))
}

// taskOf is the task that the body of an answer returns.
func taskOf(body any) types.ManagedObjectReference {
	return reflect.ValueOf(body).Elem().FieldByName("Res").Elem().FieldByName("Returnval").Interface().(types.ManagedObjectReference)
}

func vimShutdown(vm *VM, command *Command, words []string) Answer {
	if body := vm.ShutdownGuest(vm.lab.context, &types.ShutdownGuest{This: vm.Self}); body.Fault() != nil {
		return vm.lab.vimFault(refuse(body.Fault().VimFault().(types.BaseMethodFault), vm.lab.words))
	}
	return printed("")
}

func vimUnregister(vm *VM, command *Command, words []string) Answer {
	if body := vm.UnregisterVM(vm.lab.context, &types.UnregisterVM{This: vm.Self}); body.Fault() != nil {
		return vm.lab.vimFault(refuse(body.Fault().VimFault().(types.BaseMethodFault), vm.lab.words))
	}
	return printed("")
}

func vimSnapshots(vm *VM, command *Command, words []string) Answer {
	out, indent := "Get Snapshot:\n", "|"
	for i, snapshot := range vm.snapshots {
		if i == 0 {
			out += "|-ROOT\n"
		} else {
			out += indent + "-CHILD\n"
		}
		indent += "--"
		dashes := strings.Repeat("-", 2*i+2)
		out += fmt.Sprintf("%sSnapshot Name        : %s\n%sSnapshot Id        : %d\n%sSnapshot Desciption  : %s\n", dashes, snapshot.tree.Name, dashes, snapshot.tree.Id, dashes, snapshot.tree.Description)
		out += fmt.Sprintf("%sSnapshot Created On  : %s\n%sSnapshot State       : %s\n", dashes, snapshot.tree.CreateTime.Format("1/2/2006 15:4:5"), dashes, strings.ToLower(stateWords[snapshot.tree.State]))
	}
	return printed("%s", out)
}

func vimDevices(vm *VM, command *Command, words []string) Answer {
	return printed("Devices:\n\n%s\n", dump(reflect.ValueOf(vm.Config.Hardware), ""))
}

// controllerFor finds the controller of a number. 5 does not take a word for its kind, 8 insists on one (as modelled).
func (vm *VM) controllerFor(command *Command, number string, words []string) (int32, *Answer) {
	kind, usage := "scsi", failed(1, "Usage: %s vmid ... controller_number unit_number [controller_type]\n", strings.TrimPrefix(command.Arguments[0], "vmsvc/"))
	switch major := command.host.major(); {
	case len(words) > 1 || len(words) == 1 && major < 6 || len(words) == 0 && major >= 8:
		return 0, &usage
	case len(words) == 1:
		if kind = map[string]string{"scsi": "scsi", "pvscsi": "scsi", "lsilogic": "scsi", "sata": "sata", "ahci": "sata", "nvme": "nvme"}[words[0]]; kind == "" {
			return 0, &usage
		}
	}
	key, ok := vm.controllerKey(kind + number)
	if !ok {
		answer := failed(255, "Invalid controller number\n")
		return 0, &answer
	}
	return key, nil
}

// vimRemoveDisk takes a disk away. Its file stays if the fourth word says so, in any of the spellings that were seen.
func vimRemoveDisk(vm *VM, command *Command, words []string) Answer {
	key, refused := vm.controllerFor(command, words[0], words[3:])
	if refused != nil {
		return *refused
	}
	for _, disk := range vm.disks() {
		if disk.ControllerKey != key || strconv.Itoa(int(*disk.UnitNumber)) != words[1] {
			continue
		}
		change := &types.VirtualDeviceConfigSpec{Operation: "remove", Device: disk}
		if vm.lab.world.Shell.RemoveDeletes || !slices.Contains([]string{"n", "no", "false", "0"}, words[2]) {
			change.FileOperation = "destroy"
		}
		return vm.reconfigured(change)
	}
	return failed(255, "Could not find a disk at the given address\n")
}

func vimAddDisk(vm *VM, command *Command, words []string) Answer {
	key, refused := vm.controllerFor(command, words[1], words[3:])
	if refused != nil {
		return *refused
	}
	path := vm.lab.storePath(command, words[0])
	file := vm.files()[path]
	if file == nil || file.descriptor() == "" {
		return vm.lab.vimFault(refuse(&types.FileNotFound{}, "File "+words[0]+" was not found"))
	}
	unit, err := strconv.Atoi(words[2])
	if err != nil {
		return failed(255, "Invalid unit number\n")
	}
	disk := &types.VirtualDisk{}
	disk.Key, disk.ControllerKey, disk.UnitNumber = -1, key, types.NewInt32(int32(unit))
	if file.Kind == "rdm" {
		backing := &types.VirtualDiskRawDiskMappingVer1BackingInfo{DiskMode: "persistent"}
		backing.FileName, disk.Backing = path, backing
	} else {
		backing := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent"}
		backing.FileName, disk.Backing = path, backing
	}
	return vm.reconfigured(&types.VirtualDeviceConfigSpec{Operation: "add", Device: disk})
}

func (vm *VM) reconfigured(change *types.VirtualDeviceConfigSpec) Answer {
	if refusal := vm.reconfigure(&types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{change}}); refusal != nil {
		return vm.lab.vimFault(refusal)
	}
	return printed("")
}

func vimReload(vm *VM, command *Command, words []string) Answer {
	if vm.Runtime.PowerState != off {
		return vm.lab.vimFault(vm.wrongState(off))
	}
	file := vm.files()[vm.Config.Files.VmPathName]
	if file == nil {
		return vm.lab.vimFault(notFound(vm.Config.Files.VmPathName))
	}
	text := file.Content
	vm.reload(text)
	// What it read is what it would write: the file is left as it is.
	vm.lab.trees.vmx[vm] = vm.vmx()
	return printed("")
}

func vimMessage(vm *VM, command *Command, words []string) Answer {
	if vm.question == nil {
		return printed("No message.\n")
	}
	if len(words) == 2 {
		vm.AnswerVM(&types.AnswerVM{QuestionId: words[0], AnswerChoice: words[1]})
		return printed("")
	}
	out := fmt.Sprintf("Virtual machine message %s:\n%s\n\n", vm.question.Id, vm.question.Text)
	for _, choice := range vm.question.Choice.ChoiceInfo {
		description := choice.GetElementDescription()
		out += fmt.Sprintf("   %s. %s\n", description.Key, description.Label)
	}
	return printed("%s", out)
}
