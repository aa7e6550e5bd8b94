package main

import (
	"net/http"
	"strings"
)

// download answers what a server gives over plain HTTP: the service's versions, and a datastore's files, which are
// descriptors here. A file asks for a session, or for a name and a password.
func (lab *Lab) download(w http.ResponseWriter, r *http.Request) {
	inner, isFile := strings.CutPrefix(r.URL.Path, "/folder/")
	if !isFile {
		lab.service.ServeMux.ServeHTTP(w, r)
		return
	}
	lab.mu.Lock()
	defer lab.mu.Unlock()
	lab.trees.readIn()
	user := lab.sessions[first(cookiePattern, []byte(r.Header.Get("Cookie")), 1)]
	if name, password, ok := r.BasicAuth(); ok && lab.world.Users[name] != nil && lab.world.Users[name].Password == password {
		user = name
	}
	datacenter, store := strings.TrimPrefix(r.URL.Query().Get("dcPath"), "/"), r.URL.Query().Get("dsName")
	if lab.world.API == "esxi" {
		datacenter = orElse(datacenter, lab.world.Hosts[0].Datacenter)
	}
	if lab.stores[datacenter+"/"+store] == nil {
		store = decodeName(store)
	}
	file := lab.files[datacenter]["["+store+"] "+inner]
	entry := &Entry{N: lab.number + 1, User: user, Method: "GET " + r.URL.Path, Object: map[string]string{}, Summary: r.URL.RawQuery}
	lab.number++
	lab.log = append(lab.log, entry)
	switch {
	case user == "":
		entry.Outcome = "http:401"
		w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
		http.Error(w, "Log in first.", http.StatusUnauthorized)
	case file == nil || file.text() == "":
		entry.Outcome = "http:404"
		http.NotFound(w, r)
	case lab.lacks(user, "Datastore.Browse", lab.stores[datacenter+"/"+store].Self):
		entry.Outcome = "http:403"
		http.Error(w, "Permission to perform this operation was denied.", http.StatusForbidden)
	default:
		entry.Outcome = "ok"
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(file.text()))
	}
}
