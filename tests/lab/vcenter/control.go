package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// Server holds the lab that is at work now; a new world takes its place at once.
type Server struct {
	lab    atomic.Pointer[Lab]
	ids    atomic.Int64
	shells map[string]*Shell // by host
	stores string            // where the shells' datastores are
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	text, _ := json.Marshal(value)
	_, _ = w.Write(escapedText(text))
}

// asked reads the JSON of a request; a word that is not known is an error.
func asked(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// locked makes a handler of something that is done to the lab while no request is worked on.
func (server *Server) locked(work func(lab *Lab, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lab := server.lab.Load()
		lab.mu.Lock()
		defer lab.mu.Unlock()
		lab.trees.readIn()
		result, err := work(lab, r)
		lab.trees.writeOut()
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, result)
	}
}

var done = map[string]bool{"ok": true}

func (server *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /log", server.locked(func(lab *Lab, r *http.Request) (any, error) { return append([]*Entry{}, lab.log...), nil }))
	mux.HandleFunc("GET /log/counts", server.locked(func(lab *Lab, r *http.Request) (any, error) { return lab.counts(), nil }))
	mux.HandleFunc("POST /log/clear", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		lab.log, lab.number = nil, 0
		return done, nil
	}))
	mux.HandleFunc("GET /clock", server.locked(clock))
	mux.HandleFunc("POST /clock", server.locked(clock))
	mux.HandleFunc("POST /faults", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		fault := &Fault{Count: 1}
		if err := asked(r, fault); err != nil {
			return nil, err
		}
		fault.ID = server.ids.Add(1)
		lab.faults = append(lab.faults, fault)
		return map[string]int64{"id": fault.ID}, lab.check(fault)
	}))
	mux.HandleFunc("DELETE /faults", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		lab.faults = nil
		return done, nil
	}))
	mux.HandleFunc("POST /holds", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		hold := &Hold{held: make(chan struct{}), release: make(chan *Fault, 1)}
		if err := asked(r, &hold.Fault); err != nil {
			return nil, err
		}
		hold.ID = server.ids.Add(1)
		lab.holds = append(lab.holds, hold)
		return map[string]int64{"id": hold.ID}, nil
	}))
	mux.HandleFunc("GET /holds/{id}", server.waitForHold)
	mux.HandleFunc("POST /holds/{id}/release", server.releaseHold)
	mux.HandleFunc("POST /luns/{name}/{what}", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		ask := lunChange{}
		if err := asked(r, &ask); err != nil {
			return nil, err
		}
		return done, lab.changeLun(r.PathValue("name"), r.PathValue("what"), ask)
	}))
	mux.HandleFunc("POST /hosts/{name}/{what}", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		return done, lab.changeHost(r.PathValue("name"), r.PathValue("what"))
	}))
	mux.HandleFunc("POST /vms/{name}/{what}", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		return done, lab.changeVM(r.PathValue("name"), r.PathValue("what"))
	}))
	mux.HandleFunc("POST /datastores/{name}/{what}", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		return done, lab.changeDatastore(r.PathValue("name"), r.PathValue("what"))
	}))
	mux.HandleFunc("POST /gone/{name}", server.locked(func(lab *Lab, r *http.Request) (any, error) { return done, lab.takeAway(r.PathValue("name")) }))
	mux.HandleFunc("POST /shells", server.locked(server.openShell))
	mux.HandleFunc("DELETE /shells/{host}", server.locked(server.closeShell))
	mux.HandleFunc("POST /hidden", server.locked(server.hide))
	mux.HandleFunc("DELETE /hidden", server.locked(show))
	mux.HandleFunc("DELETE /hidden/{id}", server.locked(show))
	mux.HandleFunc("POST /files/{what}", server.locked(func(lab *Lab, r *http.Request) (any, error) {
		spec := FileSpec{}
		if err := asked(r, &spec); err != nil {
			return nil, err
		}
		return done, lab.changeFile(r.PathValue("what"), spec)
	}))
	mux.HandleFunc("GET /state", server.locked(func(lab *Lab, r *http.Request) (any, error) { return lab.state(), nil }))
	mux.HandleFunc("GET /world", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, server.lab.Load().text) })
	mux.HandleFunc("GET /world/story", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, storyWorld) })
	mux.HandleFunc("POST /world", server.newWorld)
	return mux
}

// openShell gives a host of the world a shell, in whatever world comes after too.
func (server *Server) openShell(lab *Lab, r *http.Request) (any, error) {
	ask := struct {
		Shell
		Stores string `json:"stores"`
	}{}
	if err := asked(r, &ask); err != nil {
		return nil, err
	}
	if lab.hosts[ask.Host] == nil {
		return nil, fmt.Errorf("there is no host %q", ask.Host)
	}
	shell := &ask.Shell
	shell.lab = func() *Lab { return server.lab.Load() }
	if server.shells == nil {
		server.shells = map[string]*Shell{}
	}
	server.shells[shell.Host], server.stores = shell, ask.Stores
	lab.openTrees(server.stores, server.roots())
	return done, shell.listen()
}

func (server *Server) closeShell(lab *Lab, r *http.Request) (any, error) {
	shell := server.shells[r.PathValue("host")]
	if shell == nil {
		return nil, fmt.Errorf("the host %q has no shell", r.PathValue("host"))
	}
	delete(server.shells, shell.Host)
	if lab.trees = nil; len(server.shells) > 0 {
		lab.openTrees(server.stores, server.roots())
	}
	return done, shell.listener.Close()
}

func (server *Server) roots() map[string]string {
	roots := map[string]string{}
	for name, shell := range server.shells {
		roots[name] = shell.Root
	}
	return roots
}

// hide leaves properties unset from now on.
func (server *Server) hide(lab *Lab, r *http.Request) (any, error) {
	hidden := &HiddenSpec{id: server.ids.Add(1)}
	if err := asked(r, hidden); err != nil {
		return nil, err
	}
	if err := lab.checkHidden(hidden); err != nil {
		return nil, err
	}
	lab.world.Hidden = append(lab.world.Hidden, hidden)
	return map[string]int64{"id": hidden.id}, nil
}

// show shows again what was hidden: by one call of hide, or all.
func show(lab *Lab, r *http.Request) (any, error) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	lab.world.Hidden = slices.DeleteFunc(lab.world.Hidden, func(hidden *HiddenSpec) bool { return id == 0 || hidden.id == id })
	return done, nil
}

// counts tells of each method how often it was asked for since the log was cleared.
func (lab *Lab) counts() map[string]int {
	counts := map[string]int{}
	for _, entry := range lab.log {
		counts[entry.Method]++
	}
	return counts
}

func clock(lab *Lab, r *http.Request) (any, error) {
	ask := struct {
		Advance float64 `json:"advance_seconds"`
	}{}
	if err := asked(r, &ask); err != nil {
		return nil, err
	}
	lab.offset += time.Duration(ask.Advance * float64(time.Second))
	lab.letTimePass()
	return map[string]string{"now": lab.now().Format(time.RFC3339Nano)}, nil
}

// newWorld puts a world in the place of the present one, whose held requests are dropped.
func (server *Server) newWorld(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	lab, err := newLab(string(text))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lab.ensureUser()
	lab.mu.Lock()
	defer lab.mu.Unlock()
	vms := len(lab.vms)
	old := server.lab.Swap(lab)
	old.retired.Store(true)
	old.mu.Lock()
	for _, hold := range old.holds {
		hold.letGo(&Fault{Kind: "connection_dropped"})
	}
	old.mu.Unlock()
	if len(server.shells) > 0 {
		lab.openTrees(server.stores, server.roots())
	}
	answer(w, map[string]int{"vms": vms})
}

func (server *Server) hold(r *http.Request) (*Lab, *Hold) {
	lab := server.lab.Load()
	lab.mu.Lock()
	defer lab.mu.Unlock()
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, hold := range lab.holds {
		if hold.ID == id {
			return lab, hold
		}
	}
	return lab, nil
}

func (server *Server) waitForHold(w http.ResponseWriter, r *http.Request) {
	lab, hold := server.hold(r)
	if hold == nil {
		http.Error(w, "no such hold", http.StatusNotFound)
		return
	}
	seconds, _ := strconv.ParseFloat(r.URL.Query().Get("wait"), 64)
	select {
	case <-hold.held:
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
	state, entry := "waiting", hold.entry.Load()
	if entry != nil {
		state = "held"
	}
	if hold.done.Load() {
		state = "released"
	}
	lab.mu.Lock()
	defer lab.mu.Unlock()
	answer(w, map[string]any{"state": state, "request": entry})
}

func (server *Server) releaseHold(w http.ResponseWriter, r *http.Request) {
	lab, hold := server.hold(r)
	if hold == nil {
		http.Error(w, "no such hold", http.StatusNotFound)
		return
	}
	then, err := &Fault{}, error(nil)
	if err = asked(r, then); err == nil {
		switch then.Then {
		case "", "proceed":
			then = nil
		case "drop":
			then.Kind = "connection_dropped"
		case "fault":
			err = lab.check(then)
		default:
			err = fmt.Errorf("a request goes on, is dropped, or fails; it does not %q", then.Then)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	hold.letGo(then)
	answer(w, done)
}
