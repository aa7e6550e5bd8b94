package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// apiNames are the names of types as a host's shell writes them, where they are not made by rule.
var apiNames = map[string]string{
	"VirtualMachineConfigInfo": "vim.vm.ConfigInfo", "VirtualMachineSummary": "vim.vm.Summary", "VirtualMachineRuntimeInfo": "vim.vm.RuntimeInfo",
	"VirtualMachineFileInfo": "vim.vm.FileInfo", "VirtualMachineBootOptions": "vim.vm.BootOptions", "VirtualMachineConfigSummary": "vim.vm.Summary.ConfigSummary",
	"VirtualMachineQuickStats": "vim.vm.Summary.QuickStats", "VirtualHardware": "vim.vm.VirtualHardware", "Description": "vim.Description", "SharesInfo": "vim.SharesInfo",
	"StorageIOAllocationInfo": "vim.StorageResourceManager.IOAllocationInfo", "OptionValue": "vim.option.OptionValue", "GuestInfo": "vim.vm.GuestInfo",
	"HostListSummary": "vim.host.Summary", "HostConfigSummary": "vim.host.Summary.ConfigSummary", "AboutInfo": "vim.AboutInfo", "HostRuntimeInfo": "vim.host.RuntimeInfo",
	"ManagedObjectReference": "vim.ManagedEntity", "VirtualDiskRawDiskMappingVer1BackingInfo": "vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo",
	"VirtualDiskFlatVer2BackingInfo": "vim.vm.device.VirtualDisk.FlatVer2BackingInfo",
}

func apiName(kind reflect.Type) string {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if name := apiNames[kind.Name()]; name != "" {
		return name
	}
	switch kind.Kind() {
	case reflect.String:
		return "string"
	case reflect.Interface:
		return strings.TrimPrefix(apiName2(kind.Name()), "Base")
	case reflect.Int32, reflect.Int64:
		return "int"
	}
	return apiName2(kind.Name())
}

func apiName2(name string) string { return "vim.vm.device." + strings.TrimPrefix(name, "Base") }

// dump writes a value of the API as vim-cmd prints it.
func dump(value reflect.Value, indent string) string {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return "<unset>"
		}
		return dump(value.Elem(), indent)
	case reflect.String:
		return `"` + value.String() + `"`
	case reflect.Slice:
		return dumpList(value, indent)
	case reflect.Struct:
		if at, ok := value.Interface().(time.Time); ok {
			return `"` + at.Format(time.RFC3339Nano) + `"`
		}
		if ref, ok := value.Interface().(types.ManagedObjectReference); ok {
			return fmt.Sprintf("'vim.%s:%s'", ref.Type, ref.Value)
		}
		var lines []string
		members(value, func(name string, member reflect.Value, optional bool) {
			text := dump(member, indent+"   ")
			if optional && member.IsZero() {
				text = "<unset>"
			}
			lines = append(lines, indent+"   "+name+" = "+text)
		})
		return "(" + apiName(value.Type()) + ") {\n" + strings.Join(lines, ", \n") + "\n" + indent + "}"
	}
	return fmt.Sprint(value.Interface())
}

func dumpList(list reflect.Value, indent string) string {
	if list.Len() == 0 {
		return "<unset>"
	}
	var lines []string
	for i := range list.Len() {
		lines = append(lines, indent+"   "+dump(list.Index(i), indent+"   "))
	}
	return "(" + apiName(list.Type().Elem()) + ") [\n" + strings.Join(lines, ", \n") + "\n" + indent + "]"
}

// members goes through what a value has, with what it has from its base types first.
func members(value reflect.Value, each func(name string, member reflect.Value, optional bool)) {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("xml"), ",")
		if field.Anonymous {
			members(value.Field(i), each)
		} else if name != "" {
			each(name, value.Field(i), strings.Contains(options, "omitempty"))
		}
	}
}

// faultText is a fault as vim-cmd prints it; quotes within are left as they are.
func faultText(refusal *Refusal) string {
	return fmt.Sprintf("(vim.fault.%s) {\n   faultCause = (vmodl.MethodFault) null, \n   faultMessage = <unset>, \n   msg = \"%s\"\n}\n", faultName(refusal.Fault), refusal.Message)
}
