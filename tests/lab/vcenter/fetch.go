package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"regexp"

	"github.com/vmware/govmomi/simulator"
)

var (
	propPattern  = regexp.MustCompile(`<prop[^>]*>([^<]*)<`)
	valuePattern = regexp.MustCompile(`(?s)<val( .*)</val>`)
	faultInside  = regexp.MustCompile(`(?s)<missingSet>.*<fault [^>]*:type="([A-Za-z]+)"`)
)

const read = `<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">%s</_this><specSet><propSet><type>%s</type><pathSet>%s</pathSet></propSet>` +
	`<objectSet><obj type="%[2]s">%[4]s</obj></objectSet></specSet><options></options></RetrievePropertiesEx>`

// fetch answers how one property is read by itself. The simulator reads what it has; where the user may not see all of
// it, or something is hidden, it is read anew as any other property is. What is unset is no value.
func (request *Request) fetch(answer *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	lab := request.lab
	user := lab.world.Users[lab.current]
	if user != nil && len(user.Unseen) > 0 || len(lab.hiddenOf(request.object())) > 0 {
		instance := lab.registry.Get(serviceInstance).(*simulator.ServiceInstance)
		body, property := request.body, first(propPattern, request.body, 1)
		if request.value == serviceInstance.Value {
			return answer
		}
		request.body = []byte(fmt.Sprintf(envelope, fmt.Sprintf(read, instance.Content.PropertyCollector.Value, request.kind, property, escape(request.value))))
		answer = request.answerOfSimulator()
		request.body = body
		text := answer.Body.Bytes()
		if value := valuePattern.FindSubmatch(text); value != nil {
			return written200("<returnval" + string(value[1]) + "</returnval>")
		}
		if fault := first(faultInside, text, 1); fault != "" {
			why := missing(request.object(), property, fault).Fault
			return request.faultAnswer(&Refusal{why.Fault, why.LocalizedMessage})
		}
	}
	if bytes.Contains(answer.Body.Bytes(), []byte("RetrievePropertiesExResponse")) {
		return written200("")
	}
	return answer
}

func written200(value string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	fmt.Fprintf(answer, envelope, "<FetchResponse xmlns=\"urn:vim25\">"+value+"</FetchResponse>")
	return answer
}
