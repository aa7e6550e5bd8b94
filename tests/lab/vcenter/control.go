package main

import (
	"encoding/json"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// Server holds the lab that is at work now; a new world takes its place at once.
type Server struct {
	lab atomic.Pointer[Lab]
	ids atomic.Int64
}

// Fault is trouble that a test asks for.
type Fault struct {
	ID        int64  `json:"id"`
	Method    string `json:"method"`
	Object    string `json:"object"`
	Session   string `json:"session"`
	AtRequest int    `json:"at_request"`
	Skip      int    `json:"skip"`
	Count     int    `json:"count"`
	Kind      string `json:"kind"`
	Fault     string `json:"fault"`
	Message   string `json:"message"`
	DelayMs   int    `json:"delay_ms"`
	Lun       string `json:"lun"`
	Host      string `json:"host"`
	Then      string `json:"then"`
}

func (fault *Fault) matches(entry *Entry) bool {
	return (fault.AtRequest == 0 || fault.AtRequest == entry.N) && (fault.Method == "" || fault.Method == entry.Method) &&
		(fault.Object == "" || fault.Object == entry.Object["name"] || fault.Object == entry.Object["value"]) &&
		(fault.Session == "" || fault.Session == entry.Session || fault.Session == entry.User)
}

func (lab *Lab) matchingFault(entry *Entry) *Fault {
	for index, fault := range lab.faults {
		if !fault.matches(entry) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Count--; fault.Count <= 0 {
			lab.faults = append(append([]*Fault(nil), lab.faults[:index]...), lab.faults[index+1:]...)
		}
		return fault
	}
	return nil
}

// Hold stops one request before it is worked on.
type Hold struct {
	Fault
	held    chan struct{}
	release chan *Fault
	entry   atomic.Pointer[Entry]
	done    atomic.Bool
}

func (lab *Lab) matchingHold(entry *Entry) *Hold {
	for _, hold := range lab.holds {
		if hold.entry.Load() != nil || !hold.matches(entry) {
			continue
		}
		if hold.Skip > 0 {
			hold.Skip--
			continue
		}
		hold.entry.Store(entry)
		return hold
	}
	return nil
}

func (hold *Hold) wait(entry *Entry) *Fault {
	close(hold.held)
	fault := <-hold.release
	hold.done.Store(true)
	return fault
}

func (lab *Lab) mask(lun, host string, masked bool) {
	key := lun
	if host != "" {
		key += "@" + host
	}
	lab.masked[key] = masked
	lab.refreshHosts()
}

func (lab *Lab) setHostState(name, state string) {
	if host := lab.hosts[name]; host != nil {
		host.spec.State = state
		for _, vm := range lab.vms {
			if *vm.Runtime.Host == host.Self {
				vm.Runtime.ConnectionState = types.VirtualMachineConnectionState(map[string]string{"connected": "connected"}[state])
				if state != "connected" {
					vm.Runtime.ConnectionState = "disconnected"
				}
				vm.refresh()
			}
		}
	}
	lab.refreshHosts()
}

func (lab *Lab) refreshHosts() {
	for _, host := range lab.hosts {
		host.refresh()
	}
	for _, vm := range lab.vms {
		vm.showLuns()
		vm.refresh()
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (server *Server) control() http.Handler {
	mux := http.NewServeMux()
	locked := func(work func(lab *Lab, w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			lab := server.lab.Load()
			lab.mu.Lock()
			defer lab.mu.Unlock()
			work(lab, w, r)
		}
	}
	mux.HandleFunc("GET /log", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) { answer(w, append([]*Entry{}, lab.log...)) }))
	mux.HandleFunc("POST /log/clear", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		lab.log, lab.number = nil, 0
		answer(w, map[string]bool{"ok": true})
	}))
	mux.HandleFunc("GET /clock", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]string{"now": lab.now().Format(time.RFC3339Nano)})
	}))
	mux.HandleFunc("POST /clock", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		var ask struct {
			Advance float64 `json:"advance_seconds"`
		}
		_ = json.NewDecoder(r.Body).Decode(&ask)
		lab.offset += time.Duration(ask.Advance * float64(time.Second))
		lab.letTimePass()
		answer(w, map[string]string{"now": lab.now().Format(time.RFC3339Nano)})
	}))
	mux.HandleFunc("POST /faults", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		fault := &Fault{Count: 1}
		if err := json.NewDecoder(r.Body).Decode(fault); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fault.ID = server.ids.Add(1)
		lab.faults = append(lab.faults, fault)
		answer(w, map[string]int64{"id": fault.ID})
	}))
	mux.HandleFunc("DELETE /faults", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		lab.faults = nil
		answer(w, map[string]bool{"ok": true})
	}))
	mux.HandleFunc("POST /holds", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		hold := &Hold{held: make(chan struct{}), release: make(chan *Fault, 1)}
		if err := json.NewDecoder(r.Body).Decode(&hold.Fault); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		hold.ID = server.ids.Add(1)
		lab.holds = append(lab.holds, hold)
		answer(w, map[string]int64{"id": hold.ID})
	}))
	mux.HandleFunc("GET /holds/{id}", server.waitForHold)
	mux.HandleFunc("POST /holds/{id}/release", server.releaseHold)
	mux.HandleFunc("POST /luns/{name}/{what}", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		var ask struct {
			Host string `json:"host"`
		}
		_ = json.NewDecoder(r.Body).Decode(&ask)
		what := r.PathValue("what")
		lab.mask(r.PathValue("name"), ask.Host, what == "mask" || what == "gone")
		answer(w, map[string]bool{"ok": true})
	}))
	mux.HandleFunc("POST /hosts/{name}/{what}", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		lab.changeHost(r.PathValue("name"), r.PathValue("what"))
		answer(w, map[string]bool{"ok": true})
	}))
	mux.HandleFunc("POST /vms/{name}/{what}", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) {
		lab.changeVM(r.PathValue("name"), r.PathValue("what"), w)
	}))
	mux.HandleFunc("GET /state", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) { answer(w, lab.state()) }))
	mux.HandleFunc("GET /world", locked(func(lab *Lab, w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, lab.text) }))
	mux.HandleFunc("GET /world/story", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, storyWorld) })
	mux.HandleFunc("POST /world", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		lab, err := newLab(string(text))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		lab.ensureUser(server)
		old := server.lab.Swap(lab)
		old.mu.Lock()
		for _, hold := range old.holds {
			if !hold.done.Load() {
				select {
				case hold.release <- &Fault{Kind: "drop"}:
				default:
				}
			}
		}
		old.mu.Unlock()
		answer(w, map[string]int{"vms": len(lab.vms)})
	})
	return mux
}

func (server *Server) hold(r *http.Request) *Hold {
	lab := server.lab.Load()
	lab.mu.Lock()
	defer lab.mu.Unlock()
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, hold := range lab.holds {
		if hold.ID == id {
			return hold
		}
	}
	return nil
}

func (server *Server) waitForHold(w http.ResponseWriter, r *http.Request) {
	hold := server.hold(r)
	if hold == nil {
		http.Error(w, "no such hold", http.StatusNotFound)
		return
	}
	seconds, _ := strconv.ParseFloat(r.URL.Query().Get("wait"), 64)
	select {
	case <-hold.held:
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
	state := "waiting"
	if hold.entry.Load() != nil {
		state = "held"
	}
	if hold.done.Load() {
		state = "released"
	}
	answer(w, map[string]any{"state": state, "request": hold.entry.Load()})
}

func (server *Server) releaseHold(w http.ResponseWriter, r *http.Request) {
	hold := server.hold(r)
	if hold == nil {
		http.Error(w, "no such hold", http.StatusNotFound)
		return
	}
	then := &Fault{Count: 1}
	_ = json.NewDecoder(r.Body).Decode(then)
	switch then.Then {
	case "drop":
		then.Kind = "drop"
	case "fault":
	default:
		then = nil
	}
	lab := server.lab.Load()
	lab.mu.Lock()
	if hold.entry.Load() == nil {
		hold.entry.Store(&Entry{})
	} else {
		select {
		case hold.release <- then:
		default:
		}
	}
	lab.mu.Unlock()
	answer(w, map[string]bool{"ok": true})
}

func (lab *Lab) changeHost(name, what string) {
	host := lab.hosts[name]
	if host == nil {
		return
	}
	switch what {
	case "lost":
		lab.setHostState(name, "notResponding")
	case "back":
		lab.setHostState(name, "connected")
	case "maintenance":
		host.spec.Maintenance = true
	case "free_licence":
		host.spec.Licence = "free"
	case "full_licence":
		host.spec.Licence = "full"
	}
	host.refresh()
}

func (lab *Lab) changeVM(name, what string, w http.ResponseWriter) {
	for _, vm := range lab.vms {
		if decodeName(vm.Name) != name && vm.Self.Value != name {
			continue
		}
		verb, argument, _ := strings.Cut(what, ":")
		switch verb {
		case "tools_off":
			vm.spec.Tools = "none"
		case "tools_on":
			vm.spec.Tools = "running"
		case "tools_deaf":
			vm.spec.Tools = "deaf"
		case "ask_question":
			vm.spec.Question = orElse(argument, "msg.uuid.altered: did you move or copy this virtual machine?")
		case "power_on_fault":
			vm.spec.PowerOnFault = argument
		case "encrypt":
			vm.spec.Encrypted = true
			vm.Config.KeyId = &types.CryptoKeyId{KeyId: "key-1"}
		case "ft":
			vm.Runtime.FaultToleranceState = "running"
		case "disable_method":
			vm.DisabledMethod = append(vm.DisabledMethod, argument)
		case "consolidation_needed":
			vm.Runtime.ConsolidationNeeded = true
		case "task_running":
			task := lab.newTask(vm.Self, vm.Name, "CreateSnapshot_Task", "VirtualMachine.createSnapshot")
			vm.RecentTask = []types.ManagedObjectReference{task.Self}
		case "task_done":
			for _, ref := range vm.RecentTask {
				lab.registry.Get(ref).(*Task).end(lab, nil, nil)
			}
			vm.RecentTask = nil
		default:
			http.Error(w, "unknown change "+what, http.StatusBadRequest)
			return
		}
		vm.refresh()
		answer(w, map[string]bool{"ok": true})
		return
	}
	http.Error(w, "no such VM", http.StatusNotFound)
}

// state is all that a test may want to assert.
func (lab *Lab) state() map[string]any {
	vms := []map[string]any{}
	for _, vm := range lab.vms {
		vms = append(vms, vm.state())
	}
	files := []map[string]any{}
	var names []string
	for name := range lab.files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		file := lab.files[name]
		store, _ := splitFile(name)
		files = append(files, map[string]any{
			"datastore": store, "path": name, "kind": file.Kind, "mode": file.Mode, "lun": file.Lun, "bytes": file.Bytes,
			"uuid": file.UUID, "locked_by": append([]string{}, lab.lockedBy(name)...),
		})
	}
	luns := []map[string]any{}
	for _, lun := range lab.world.Luns {
		users := []string{}
		for _, vm := range lab.vms {
			if vm.mapsLun(lun.Name) {
				users = append(users, decodeName(vm.Name))
			}
		}
		luns = append(luns, map[string]any{"name": lun.Name, "bytes": lun.Sectors * int64(lun.BlockSize), "mapped_by": users})
	}
	return map[string]any{"vms": vms, "files": files, "luns": luns, "sessions": len(lab.sessions), "model": true}
}

func (vm *VM) state() map[string]any {
	devices := []map[string]any{}
	for _, disk := range vm.disks() {
		device := map[string]any{
			"key": disk.Key, "address": vm.address(&disk.VirtualDevice), "file": chain(disk)[len(chain(disk))-1], "top_file": fileOf(disk),
			"kind": "flat", "mode": nil, "lun_canonical": nil, "lun_uuid": nil, "capacity_bytes": disk.CapacityInBytes,
			"shares": map[string]any{"level": disk.Shares.Level, "shares": disk.Shares.Shares}, "limit": disk.StorageIOAllocation.Limit,
			"label": disk.DeviceInfo.GetDescription().Label,
		}
		switch backing := disk.Backing.(type) {
		case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
			device["kind"], device["mode"], device["lun_canonical"] = "rdm", backing.CompatibilityMode, vm.lunOf(disk)
			device["lun_uuid"], device["disk_mode"], device["sharing"] = backing.LunUuid, backing.DiskMode, backing.Sharing
		case *types.VirtualDiskFlatVer2BackingInfo:
			device["disk_mode"], device["sharing"] = backing.DiskMode, backing.Sharing
		}
		devices = append(devices, device)
	}
	sort.Slice(devices, func(i, j int) bool { return devices[i]["address"].(string) < devices[j]["address"].(string) })
	extra := map[string]any{}
	for _, option := range vm.Config.ExtraConfig {
		extra[option.GetOptionValue().Key] = option.GetOptionValue().Value
	}
	order := []string{}
	for _, entry := range vm.Config.BootOptions.BootOrder {
		if boot, ok := entry.(*types.VirtualMachineBootOptionsBootableDiskDevice); ok {
			for _, disk := range vm.disks() {
				if disk.Key == boot.DeviceKey {
					order = append(order, vm.address(&disk.VirtualDevice))
				}
			}
		} else {
			order = append(order, "other")
		}
	}
	return map[string]any{
		"name": decodeName(vm.Name), "moid": vm.Self.Value, "host": vm.host().spec.Name, "power": vm.Runtime.PowerState,
		"change_version": vm.Config.ChangeVersion, "devices": devices, "extra_config": extra, "boot_order": order,
		"snapshots": vm.snapshotNames(), "annotation": vm.Config.Annotation, "question": vm.question != nil, "registered": true,
	}
}

func (vm *VM) snapshotNames() []string {
	names := []string{}
	if vm.Snapshot != nil {
		for _, tree := range vm.Snapshot.RootSnapshotList {
			names = append(names, tree.Name)
		}
	}
	return names
}
