package main

import (
	"fmt"
	"net/http"
	"slices"
)

// replacements are what may come in place of an answer: from what stands between a client and a server, or from a server that is not itself.
var replacements = []string{"503", "page_500", "page_200", "empty", "truncated", "other_method", "other_object"}

// earlier is an answer that was given before.
type earlier struct {
	asked string
	code  int
	text  []byte
}

// A page as a load balancer or a login in front gives it; it is well-formed XML (XHTML 1.0 Strict).
const page = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Maintenance of the lab</title></head><body><p>We are back soon.</p></body></html>`

// replace answers with something else than the answer, which is nil where the request was not worked on.
func (request *Request) replace(with string, answer []byte) {
	code, text := http.StatusOK, []byte{}
	switch with {
	case "503":
		code, text = http.StatusServiceUnavailable, []byte("no healthy upstream")
	case "page_500":
		code, text = http.StatusInternalServerError, []byte(page)
	case "page_200":
		text = []byte(page)
	case "truncated":
		text = answer[:len(answer)/2]
	case "other_method":
		text = request.ofOtherMethod()
	case "other_object":
		code, text = request.ofOtherObject()
	}
	request.entry.Outcome += " replaced:" + with
	request.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	request.w.WriteHeader(code)
	_, _ = request.w.Write(text)
}

func (request *Request) ofOtherMethod() []byte {
	text := `<CurrentTimeResponse xmlns="urn:vim25"><returnval>2026-01-01T00:00:00Z</returnval></CurrentTimeResponse>`
	if request.method == "CurrentTime" {
		text = `<SessionIsActiveResponse xmlns="urn:vim25"><returnval>true</returnval></SessionIsActiveResponse>`
	}
	return []byte(fmt.Sprintf(envelope, text))
}

// ofOtherObject is the latest answer of the same method to another request; where there is none, that of another method.
func (request *Request) ofOtherObject() (int, []byte) {
	for _, before := range slices.Backward(request.lab.answered[request.method]) {
		if before.asked != string(request.body) {
			return before.code, before.text
		}
	}
	return http.StatusOK, request.ofOtherMethod()
}
