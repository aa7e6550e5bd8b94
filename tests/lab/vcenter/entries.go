package main

import (
	"slices"
	"strings"
	"time"
)

// Entry is one request in the log.
type Entry struct {
	N         int               `json:"n"`
	Time      string            `json:"time"`
	Session   string            `json:"session"`
	User      string            `json:"user"`
	Method    string            `json:"method"`
	Object    map[string]string `json:"object"`
	Writes    bool              `json:"writes"`
	Summary   string            `json:"summary"`
	Outcome   string            `json:"outcome"`
	Arguments []string          `json:"arguments,omitempty"` // of a command of a shell
}

// readers are the methods that change nothing; all others are writes. What a session makes for itself is none.
var readers = []string{
	"Retrieve", "ContinueRetrieve", "CancelRetrieve", "Query", "Find", "Fetch", "Search", "Has", "WaitFor", "CancelWaitFor", "CheckFor", "Validate",
	"CurrentTime", "Login", "Logout", "SessionIsActive", "CreateContainerView", "CreateListView", "CreateFilter", "CreatePropertyCollector",
	"CreateCollector", "DestroyView", "DestroyPropertyFilter", "DestroyPropertyCollector", "DestroyCollector", "ModifyListView", "ResetListView", "Acquire",
}

func writes(method string) bool {
	return method != "" && !slices.ContainsFunc(readers, func(prefix string) bool { return strings.HasPrefix(method, prefix) })
}

func (request *Request) enter() *Entry {
	lab := request.lab
	lab.number++
	lab.letTimePass()
	name := lab.nameOf(request.object())
	request.entry = &Entry{
		N: lab.number, Time: lab.now().Format(time.RFC3339Nano), Session: request.cookie, User: lab.sessions[request.cookie], Method: request.method,
		Object: map[string]string{"type": request.kind, "value": request.value, "name": name}, Writes: writes(request.method),
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
	for _, match := range wordPattern.FindAllStringSubmatch(text, 60) {
		parts = append(parts, match[1]+"="+match[2])
	}
	return strings.Join(parts, " ")
}
