package main

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

var (
	methodPattern   = regexp.MustCompile(`<(?:[A-Za-z0-9]+:)?Body[^>]*>\s*<(?:[A-Za-z0-9]+:)?([A-Za-z_]+)`)
	thisPattern     = regexp.MustCompile(`_this[^>]*?type="([A-Za-z]+)"[^>]*>([^<]*)<`)
	returnedTask    = regexp.MustCompile(`<returnval type="Task">(task-[0-9]+)</returnval>`)
	userPattern     = regexp.MustCompile(`<userName[^>]*>([^<]*)<`)
	passwordPattern = regexp.MustCompile(`<password[^>]*>([^<]*)<`)
	cookiePattern   = regexp.MustCompile(`vmware_soap_session="?([^";]+)`)
	emptyFault      = regexp.MustCompile(`<faultstring></faultstring>`)
	wordPattern     = regexp.MustCompile(`<(operation|fileOperation|fileName|compatibilityMode|pathSet)>([^<]*)<`)
	namePattern     = regexp.MustCompile(`<name[^>]*>([^<]*)<`)
	folderPattern   = regexp.MustCompile(`<datastorePath[^>]*>([^<]*)<`)
	filePattern     = regexp.MustCompile(`<fileName>([^<]*)<`)
	maxWaitPattern  = regexp.MustCompile(`<maxWaitSeconds[^>]*>(\d+)<`)
	versionPattern  = regexp.MustCompile(`<version[^>]*>([^<]+)<`)
	poolPattern     = regexp.MustCompile(`<pool[^>]*>([^<]*)<`)
	vmxPattern      = regexp.MustCompile(`<vmPathName>([^<]*)<`)
	faultPattern    = regexp.MustCompile(`xsi:type="([A-Za-z]+)"`)
)

// ServeHTTP logs a request, holds it where a test asked for that, does what a fault says, and answers.
func (server *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lab := server.lab.Load()
	if lab.world.API == "esxi" && lab.hostdIsDown() {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	if r.Method != http.MethodPost {
		lab.download(w, r)
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
	lab.trees.readIn()
	if hold := lab.matchingHold(entry); hold != nil {
		lab.mu.Unlock()
		then := hold.wait()
		lab.mu.Lock()
		lab.trees.readIn()
		request.then = then
	}
	defer lab.mu.Unlock()
	request.work()
	lab.trees.writeOut()
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

func (request *Request) object() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: request.kind, Value: request.value}
}

func (request *Request) loginName() string {
	return html.UnescapeString(first(userPattern, request.body, 1))
}

func (request *Request) again() *http.Request {
	again := request.r.Clone(request.r.Context())
	again.Body = io.NopCloser(bytes.NewReader(request.body))
	return again
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
	case "connection_dropped":
		request.drop()
		return
	case "delay":
		lab.mu.Unlock()
		time.Sleep(time.Duration(fault.DelayMs) * time.Millisecond)
		lab.mu.Lock()
	case "slow_task":
		lab.slow = time.Duration(fault.DelayMs) * time.Millisecond
	case "session_expired":
		delete(lab.sessions, request.cookie)
	case "host_lost":
		lab.setHostState(fault.Host, "notResponding")
	case "object_gone":
		_ = lab.takeAway(fault.Gone)
	case "page_repeats":
		lab.pageAgain = true
	case "endless_task":
		lab.slow = endless
	case "lun_gone":
		lab.masked[fault.Lun] = true
		lab.refreshHosts()
	case "answered_in_its_place":
		request.replace(fault.Answer, nil)
		return
	case "soap":
		request.send(request.faultAnswer(refuseNamed(fault.Fault, fault.Message)))
		return
	case "task":
		if strings.HasSuffix(request.method, "_Task") {
			request.answerTask(refuseNamed(fault.Fault, fault.Message))
		} else {
			request.send(request.faultAnswer(refuseNamed(fault.Fault, fault.Message)))
		}
		return
	}
	answer := request.execute()
	lab.slow, lab.pageAgain = 0, false
	switch fault.Kind {
	case "reply_lost":
		request.drop()
		return
	case "answer_replaced":
		request.replace(fault.Answer, answer.Body.Bytes())
		return
	case "done_but_failed":
		refusal := refuseNamed(fault.Fault, fault.Message)
		if ref := first(returnedTask, answer.Body.Bytes(), 1); ref != "" {
			task := lab.registry.Get(types.ManagedObjectReference{Type: "Task", Value: ref}).(*Task)
			task.end(lab, nil, refusal)
			entry.Outcome = "task:" + faultName(refusal.Fault)
		} else if writes(request.method) {
			answer = request.faultAnswer(refusal)
		}
	}
	if lab.answered == nil {
		lab.answered = map[string][]earlier{}
	}
	lab.answered[request.method] = append(lab.answered[request.method], earlier{string(request.body), answer.Code, answer.Body.Bytes()})
	request.send(answer)
}

func (request *Request) send(answer *httptest.ResponseRecorder) {
	for key, values := range answer.Header() {
		request.w.Header()[key] = values
	}
	request.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	request.w.WriteHeader(answer.Code)
	_, _ = request.w.Write(rawText(answer.Body.Bytes()))
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
	if request.method == "CreateVM_Task" {
		return request.createVM()
	}
	raw := request.answerOfSimulator()
	if request.method == "Fetch" {
		raw = request.fetch(raw)
	}
	if strings.HasPrefix(request.method, "WaitForUpdates") {
		raw = request.waitFrom(raw)
	}
	text := raw.Body.Bytes()
	if lab.words != "" {
		text = emptyFault.ReplaceAll(text, []byte("<faultstring>"+escape(lab.words)+"</faultstring>"))
	}
	if request.method == "Login" && raw.Code == http.StatusOK {
		for _, cookie := range raw.Result().Cookies() {
			lab.sessions[cookie.Value] = request.loginName()
		}
	}
	if request.method == "Logout" {
		delete(lab.sessions, request.cookie)
	}
	request.entry.Outcome = lab.outcome(raw.Code, text)
	for key, values := range raw.Header() {
		if key != "Content-Length" {
			answer.Header()[key] = values
		}
	}
	answer.WriteHeader(raw.Code)
	_, _ = answer.Write(text)
	return answer
}

func (request *Request) answerOfSimulator() *httptest.ResponseRecorder {
	lab, answer := request.lab, httptest.NewRecorder()
	lab.words, lab.current = "", lab.sessions[request.cookie]
	lab.service.ServeMux.ServeHTTP(answer, request.again())
	return answer
}

// waitFrom asks again while nothing has changed, and lets others in meanwhile.
func (request *Request) waitFrom(answer *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	lab, end := request.lab, time.Now().Add(time.Hour)
	if limit := first(maxWaitPattern, request.body, 1); limit != "" {
		seconds, _ := strconv.Atoi(limit)
		end = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	started := first(versionPattern, request.body, 1) != ""
	for started && answer.Code == http.StatusOK && !bytes.Contains(answer.Body.Bytes(), []byte("<filterSet>")) && time.Now().Before(end) {
		lab.mu.Unlock()
		select {
		case <-request.r.Context().Done():
		case <-time.After(25 * time.Millisecond):
		}
		lab.mu.Lock()
		if request.r.Context().Err() != nil || lab.retired.Load() || lab.sessions[request.cookie] == "" {
			break
		}
		lab.letTimePass()
		answer = request.answerOfSimulator()
	}
	return answer
}

func (lab *Lab) outcome(code int, text []byte) string {
	if code != http.StatusOK {
		return "soap:" + first(faultPattern, text, 1)
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
	lab.current = lab.sessions[request.cookie]
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
	object := request.object()
	if lab.current == "" {
		return refuse(&types.NotAuthenticated{NoPermission: types.NoPermission{Object: &object, PrivilegeId: "System.View"}}, "The session is not authenticated.")
	}
	if lab.world.UnseenObjects == "ManagedObjectNotFound" && lab.sight(lab.current, object) == unseen {
		return refuse(&types.ManagedObjectNotFound{Obj: object}, "The object has already been deleted or has not been completely created")
	}
	needs := request.needs()
	if request.method == "Fetch" && lab.nameOf(request.object()) != "" {
		needs = append(needs, need{map[bool]string{true: "System.View", false: "System.Read"}[bytes.Contains(request.body, []byte(">name<"))], request.object()})
	}
	for _, need := range needs {
		if lab.lacks(lab.current, need.privilege, need.object) {
			return refuse(&types.NoPermission{Object: &need.object, PrivilegeId: need.privilege}, "Permission to perform this operation was denied.")
		}
	}
	if !writes(request.method) {
		return nil
	}
	vm, isVM := lab.registry.Get(request.object()).(*VM)
	if isVM && slices.Contains(vm.spec.DisabledMethods, request.method) {
		return refuse(&types.MethodDisabled{Source: "lab.backup"}, "The method is disabled by 'lab.backup'.")
	}
	if isVM && vm.host().spec.Licence == "free" || lab.world.API == "esxi" && lab.world.Hosts[0].Licence == "free" {
		return refuse(&types.RestrictedVersion{}, "Current license or ESXi version prohibits execution of the requested operation.")
	}
	return nil
}

const envelope = xml.Header + `<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text))
	return strings.NewReplacer("&#39;", "'", "&#34;", "\"").Replace(out.String())
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
	entity := request.object()
	if _, managed := request.lab.registry.Get(entity).(mo.Entity); !managed {
		entity = request.lab.root()
	}
	task := request.lab.task(entity, "", request.method, "lab."+request.method, func() (types.AnyType, *Refusal) { return nil, refusal })
	request.entry.Outcome = "task:" + faultName(refusal.Fault)
	request.send(request.taskAnswer(task))
}

// taskAnswer is the answer of a method that returns a task.
func (request *Request) taskAnswer(task types.ManagedObjectReference) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	fmt.Fprintf(answer, envelope, "<"+request.method+"Response xmlns=\"urn:vim25\"><returnval type=\"Task\">"+task.Value+"</returnval></"+request.method+"Response>")
	return answer
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
