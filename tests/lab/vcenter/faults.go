package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

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
	Gone      string `json:"gone"`
	Code      *int   `json:"code"`
	Words     string `json:"words"` // of a command or a request: what its summary has in it
	Answer    string `json:"answer"`
}

var faultKinds = []string{
	"soap", "task", "done_but_failed", "reply_lost", "delay", "slow_task", "session_expired", "connection_dropped", "host_lost", "lun_gone",
	"object_gone", "endless_task", "page_repeats", "command_fails", "goes_on_alone", "answer_replaced", "answered_in_its_place",
}

// check refuses trouble that the lab does not know: it would never come, and its test would pass.
func (lab *Lab) check(fault *Fault) error {
	if !slices.Contains(faultKinds, fault.Kind) {
		return fmt.Errorf("no trouble is called %q", fault.Kind)
	}
	if fault.Kind == "host_lost" && lab.hosts[fault.Host] == nil {
		return fmt.Errorf("there is no host %q", fault.Host)
	}
	if fault.Kind == "lun_gone" && lab.luns[fault.Lun] == nil {
		return fmt.Errorf("there is no LUN %q", fault.Lun)
	}
	if fault.Kind == "object_gone" && lab.entityNamed(fault.Gone) == nil {
		return fmt.Errorf("there is no VM, host or datastore %q", fault.Gone)
	}
	replaces := fault.Kind == "answer_replaced" || fault.Kind == "answered_in_its_place"
	if replaces != slices.Contains(replacements, fault.Answer) {
		return fmt.Errorf("the trouble %q has no answer %q", fault.Kind, fault.Answer)
	}
	if fault.Fault == "" {
		return nil
	}
	return checkFault(fault.Fault)
}

func (fault *Fault) matches(entry *Entry) bool {
	return (fault.AtRequest == 0 || fault.AtRequest == entry.N) && (fault.Method == "" || fault.Method == entry.Method) &&
		(fault.Object == "" || fault.Object == entry.Object["name"] || fault.Object == entry.Object["value"]) &&
		(fault.Session == "" || fault.Session == entry.Session || fault.Session == entry.User) &&
		strings.Contains(entry.Summary, fault.Words)
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
			lab.faults = slices.Delete(slices.Clone(lab.faults), index, index+1)
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

func (hold *Hold) wait() *Fault {
	close(hold.held)
	fault := <-hold.release
	hold.done.Store(true)
	return fault
}

// letGo ends a hold, whether its request has come or not.
func (hold *Hold) letGo(then *Fault) {
	if hold.entry.CompareAndSwap(nil, &Entry{}) {
		return
	}
	select {
	case hold.release <- then:
	default:
	}
}
