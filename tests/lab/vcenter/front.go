package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Entry is one request in the log.
type Entry struct {
	N       int               `json:"n"`
	Time    string            `json:"time"`
	Session string            `json:"session"`
	User    string            `json:"user"`
	Method  string            `json:"method"`
	Object  map[string]string `json:"object"`
	Writes  bool              `json:"writes"`
	Summary string            `json:"summary"`
	Outcome string            `json:"outcome"`
}

var (
	methodPattern   = regexp.MustCompile(`<(?:[A-Za-z0-9]+:)?Body[^>]*>\s*<(?:[A-Za-z0-9]+:)?([A-Za-z_]+)`)
	thisPattern     = regexp.MustCompile(`_this[^>]*?type="([A-Za-z]+)"[^>]*>([^<]*)<`)
	returnedTask    = regexp.MustCompile(`<returnval type="Task">(task-[0-9]+)</returnval>`)
	userPattern     = regexp.MustCompile(`<userName[^>]*>([^<]*)<`)
	passwordPattern = regexp.MustCompile(`<password[^>]*>([^<]*)<`)
	cookiePattern   = regexp.MustCompile(`vmware_soap_session="?([^";]+)`)
	emptyFault      = regexp.MustCompile(`<faultstring></faultstring>`)
)

var writers = map[string]bool{
	"ReconfigVM_Task": true, "PowerOnVM_Task": true, "PowerOffVM_Task": true, "ShutdownGuest": true, "SuspendVM_Task": true,
	"DeleteVirtualDisk_Task": true, "CreateVirtualDisk_Task": true, "CreateSnapshot_Task": true, "RemoveAllSnapshots_Task": true,
	"RelocateVM_Task": true, "MigrateVM_Task": true, "AnswerVM": true, "Destroy_Task": true,
}

var privileges = map[string][]string{
	"PowerOnVM_Task":         {"VirtualMachine.Interact.PowerOn"},
	"PowerOffVM_Task":        {"VirtualMachine.Interact.PowerOff"},
	"ShutdownGuest":          {"VirtualMachine.Interact.PowerOff"},
	"DeleteVirtualDisk_Task": {"Datastore.FileManagement"},
	"CreateVirtualDisk_Task": {"Datastore.FileManagement"},
	"SearchDatastore_Task":   {"Datastore.Browse"}, "SearchDatastoreSubFolders_Task": {"Datastore.Browse"},
	"CreateSnapshot_Task": {"VirtualMachine.State.CreateSnapshot"},
}

// ServeHTTP logs a request, holds it where a test asked for that, does what a fault says, and answers.
func (server *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lab := server.lab.Load()
	if r.Method != http.MethodPost {
		lab.service.ServeMux.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request := &Request{lab: lab, w: w, r: r, body: body}
	request.read()
	lab.mu.Lock()
	entry := request.enter()
	if hold := lab.matchingHold(entry); hold != nil {
		lab.mu.Unlock()
		then := hold.wait(entry)
		lab.mu.Lock()
		request.then = then
	}
	defer lab.mu.Unlock()
	if strings.HasPrefix(entry.Method, "WaitForUpdates") {
		// It may wait long, and must not keep others out.
		lab.mu.Unlock()
		lab.service.ServeMux.ServeHTTP(w, request.again())
		lab.mu.Lock()
		return
	}
	request.work()
}

// Request is one request on its way through the lab.
type Request struct {
	lab    *Lab
	w      http.ResponseWriter
	r      *http.Request
	body   []byte
	method string
	kind   string
	value  string
	cookie string
	entry  *Entry
	then   *Fault
}

func first(pattern *regexp.Regexp, text []byte, group int) string {
	if match := pattern.FindSubmatch(text); match != nil {
		return string(match[group])
	}
	return ""
}

func (request *Request) read() {
	request.method = first(methodPattern, request.body, 1)
	request.kind, request.value = first(thisPattern, request.body, 1), first(thisPattern, request.body, 2)
	request.cookie = first(cookiePattern, []byte(request.r.Header.Get("Cookie")), 1)
}

func (request *Request) loginName() string {
	return html.UnescapeString(first(userPattern, request.body, 1))
}

func (request *Request) again() *http.Request {
	again := request.r.Clone(request.r.Context())
	again.Body = io.NopCloser(bytes.NewReader(request.body))
	return again
}

func (request *Request) enter() *Entry {
	lab := request.lab
	lab.number++
	lab.letTimePass()
	lab.current = lab.sessions[request.cookie]
	name := ""
	for _, vm := range lab.vms {
		if vm.Self.Value == request.value {
			name = decodeName(vm.Name)
		}
	}
	request.entry = &Entry{
		N: lab.number, Time: lab.now().Format(time.RFC3339Nano), Session: request.cookie, User: lab.current, Method: request.method,
		Object: map[string]string{"type": request.kind, "value": request.value, "name": name}, Writes: writers[request.method],
		Summary: request.summary(), Outcome: "held",
	}
	lab.log = append(lab.log, request.entry)
	return request.entry
}

func (request *Request) summary() string {
	if request.method == "Login" {
		return "user " + request.loginName()
	}
	text := string(request.body)
	var parts []string
	for _, word := range []string{"operation", "fileOperation", "fileName", "compatibilityMode", "pathSet"} {
		for _, match := range regexp.MustCompile("<"+word+">([^<]*)<").FindAllStringSubmatch(text, 40) {
			parts = append(parts, word+"="+match[1])
		}
	}
	return strings.Join(parts, " ")
}

// work answers the request, with the trouble that a test asked for.
func (request *Request) work() {
	lab, entry := request.lab, request.entry
	fault := request.then
	if fault == nil {
		fault = lab.matchingFault(entry)
	}
	if fault == nil {
		fault = &Fault{Kind: "none"}
	}
	switch fault.Kind {
	case "drop", "connection_dropped":
		request.drop()
		return
	case "delay":
		lab.mu.Unlock()
		time.Sleep(time.Duration(fault.DelayMs) * time.Millisecond)
		lab.mu.Lock()
	case "session_expired":
		delete(lab.sessions, request.cookie)
		lab.current = ""
	case "host_lost":
		lab.setHostState(fault.Host, "notResponding")
	case "lun_gone":
		lab.mask(fault.Lun, "", true)
	case "soap":
		request.answerFault(refuseNamed(fault.Fault, fault.Message))
		return
	case "task":
		if strings.HasSuffix(request.method, "_Task") {
			request.answerTask(refuseNamed(fault.Fault, fault.Message))
		} else {
			request.answerFault(refuseNamed(fault.Fault, fault.Message))
		}
		return
	}
	answer := request.execute()
	switch fault.Kind {
	case "reply_lost":
		request.drop()
		return
	case "done_but_failed":
		refusal := refuseNamed(fault.Fault, fault.Message)
		if ref := first(returnedTask, answer.Body.Bytes(), 1); ref != "" {
			task := lab.registry.Get(types.ManagedObjectReference{Type: "Task", Value: ref}).(*Task)
			task.end(lab, nil, refusal)
			entry.Outcome = "task:" + faultName(refusal.Fault)
		} else if !strings.HasPrefix(request.method, "Retrieve") {
			request.answerFault(refusal)
			return
		}
	}
	for key, values := range answer.Header() {
		request.w.Header()[key] = values
	}
	request.w.WriteHeader(answer.Code)
	_, _ = request.w.Write(answer.Body.Bytes())
}

// execute does the work itself and returns the answer.
func (request *Request) execute() *httptest.ResponseRecorder {
	lab, answer := request.lab, httptest.NewRecorder()
	if refusal := request.refusal(); refusal != nil {
		return request.faultAnswer(refusal)
	}
	if request.method == "CurrentTime" {
		fmt.Fprintf(answer, envelope, "<CurrentTimeResponse xmlns=\"urn:vim25\"><returnval>"+lab.now().Format(time.RFC3339Nano)+"</returnval></CurrentTimeResponse>")
		request.entry.Outcome = "ok"
		return answer
	}
	if request.method == "CancelRetrievePropertiesEx" {
		fmt.Fprintf(answer, envelope, "<CancelRetrievePropertiesExResponse xmlns=\"urn:vim25\"></CancelRetrievePropertiesExResponse>")
		request.entry.Outcome = "ok"
		return answer
	}
	lab.words = ""
	lab.service.ServeMux.ServeHTTP(answer, request.again())
	text := answer.Body.Bytes()
	if request.method == "Fetch" && bytes.Contains(text, []byte("RetrievePropertiesExResponse")) {
		text = []byte(fmt.Sprintf(envelope, "<FetchResponse xmlns=\"urn:vim25\"></FetchResponse>"))
	}
	if lab.words != "" {
		text = emptyFault.ReplaceAll(text, []byte("<faultstring>"+escape(lab.words)+"</faultstring>"))
	}
	if request.method == "Login" && answer.Code == http.StatusOK {
		for _, cookie := range answer.Result().Cookies() {
			lab.sessions[cookie.Value] = request.loginName()
		}
	}
	if request.method == "Logout" {
		delete(lab.sessions, request.cookie)
	}
	request.entry.Outcome = lab.outcome(answer.Code, text)
	replaced := httptest.NewRecorder()
	for key, values := range answer.Header() {
		if key != "Content-Length" {
			replaced.Header()[key] = values
		}
	}
	replaced.WriteHeader(answer.Code)
	_, _ = replaced.Write(text)
	return replaced
}

func (lab *Lab) outcome(code int, text []byte) string {
	if code != http.StatusOK {
		return "soap:" + first(regexp.MustCompile(`xsi:type="([A-Za-z]+)"`), text, 1)
	}
	if ref := first(returnedTask, text, 1); ref != "" {
		task, ok := lab.registry.Get(types.ManagedObjectReference{Type: "Task", Value: ref}).(*Task)
		if ok && task.Info.Error != nil {
			return "task:" + faultName(task.Info.Error.Fault)
		}
	}
	return "ok"
}

// refusal is what a server says before it looks at the request itself: who are you, and may you?
func (request *Request) refusal() *Refusal {
	lab := request.lab
	switch request.method {
	case "Login":
		user := lab.world.Users[request.loginName()]
		if user == nil || user.Password != html.UnescapeString(first(passwordPattern, request.body, 1)) {
			return refuse(&types.InvalidLogin{}, "Cannot complete login due to an incorrect user name or password.")
		}
		return nil
	case "RetrieveServiceContent", "SessionIsActive", "CurrentTime":
		return nil
	}
	if lab.current == "" {
		return refuse(&types.NotAuthenticated{NoPermission: types.NoPermission{Object: &types.ManagedObjectReference{Type: request.kind, Value: request.value}, PrivilegeId: "System.View"}}, "The session is not authenticated.")
	}
	for _, privilege := range request.needed() {
		if lab.lacks(privilege) {
			return refuse(&types.NoPermission{Object: &types.ManagedObjectReference{Type: request.kind, Value: request.value}, PrivilegeId: privilege}, "Permission to perform this operation was denied.")
		}
	}
	return nil
}

func (request *Request) needed() []string {
	if request.method != "ReconfigVM_Task" {
		return privileges[request.method]
	}
	text := string(request.body)
	var needed []string
	add := func(word, privilege string) {
		if strings.Contains(text, word) {
			needed = append(needed, privilege)
		}
	}
	add("<extraConfig", "VirtualMachine.Config.AdvancedConfig")
	add("<operation>remove<", "VirtualMachine.Config.RemoveDisk")
	add("<operation>edit<", "VirtualMachine.Config.EditDevice")
	if strings.Contains(text, "<operation>add<") {
		if strings.Contains(text, "<fileOperation>create<") {
			needed = append(needed, "VirtualMachine.Config.AddNewDisk", "VirtualMachine.Config.RawDevice", "Datastore.AllocateSpace")
		} else {
			needed = append(needed, "VirtualMachine.Config.AddExistingDisk")
		}
	}
	return needed
}

// veto hides objects that the user may not see, and passes all else on.
func (lab *Lab) veto(ctx *simulator.Context, method *simulator.Method) (object mo.Reference, fault types.BaseMethodFault) {
	return nil, nil
}

const envelope = xml.Header + `<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text))
	return strings.NewReplacer("&#39;", "'", "&#34;", "\"").Replace(out.String())
}

func (request *Request) answerFault(refusal *Refusal) {
	answer := request.faultAnswer(refusal)
	request.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	request.w.WriteHeader(answer.Code)
	_, _ = request.w.Write(answer.Body.Bytes())
}

func (request *Request) faultAnswer(refusal *Refusal) *httptest.ResponseRecorder {
	name := faultName(refusal.Fault)
	request.entry.Outcome = "soap:" + name
	detail := &strings.Builder{}
	encoder := xml.NewEncoder(detail)
	start := xml.StartElement{Name: xml.Name{Local: name + "Fault"}, Attr: []xml.Attr{
		{Name: xml.Name{Local: "xmlns"}, Value: "urn:vim25"}, {Name: xml.Name{Local: "xsi:type"}, Value: name},
	}}
	_ = encoder.EncodeElement(refusal.Fault, start)
	_ = encoder.Flush()
	answer := httptest.NewRecorder()
	answer.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(answer, envelope, "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>"+escape(refusal.Message)+"</faultstring><detail>"+detail.String()+"</detail></soapenv:Fault>")
	return answer
}

func (request *Request) answerTask(refusal *Refusal) {
	entity := types.ManagedObjectReference{Type: request.kind, Value: request.value}
	if _, managed := request.lab.registry.Get(entity).(*VM); !managed {
		for _, store := range request.lab.stores {
			entity = store.Self
		}
	}
	task := request.lab.task(entity, "", request.method, "lab."+request.method, func() (types.AnyType, *Refusal) { return nil, refusal })
	request.entry.Outcome = "task:" + faultName(refusal.Fault)
	request.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(request.w, envelope, "<"+request.method+"Response xmlns=\"urn:vim25\"><returnval type=\"Task\">"+task.Value+"</returnval></"+request.method+"Response>")
}

// drop closes the connection without an answer.
func (request *Request) drop() {
	request.entry.Outcome = "dropped"
	if hijacker, ok := request.w.(http.Hijacker); ok {
		if connection, _, err := hijacker.Hijack(); err == nil {
			_ = connection.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}
