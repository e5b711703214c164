package tracewhy

import (
	"strings"
	"testing"
)

func TestFailed(t *testing.T) {
	exception := []Event{{Name: "exception"}}
	tests := []struct {
		name   string
		kind   Kind
		status StatusCode
		attrs  []KeyValue
		events []Event
		failed bool
	}{
		{"nothing said", KindServer, StatusUnset, nil, nil, false},
		{"status error", KindServer, StatusError, nil, nil, true},
		{"status error and HTTP 200", KindServer, StatusError, []KeyValue{Int("http.status_code", 200)}, nil, true},
		{"status OK outweighs HTTP 500", KindServer, StatusOK, []KeyValue{Int("http.status_code", 500)}, exception, false},
		{"HTTP 500", KindServer, StatusUnset, []KeyValue{Int("http.response.status_code", 500)}, nil, true},
		{"HTTP 503 as text", KindInternal, StatusUnset, []KeyValue{String("http.status_code", "503")}, nil, true},
		{"HTTP 404 of a server", KindServer, StatusUnset, []KeyValue{Int("http.status_code", 404)}, nil, false},
		{"HTTP 404 of a client", KindClient, StatusUnset, []KeyValue{Int("http.status_code", 404)}, nil, true},
		{"HTTP 302 of a client", KindClient, StatusUnset, []KeyValue{Int("http.status_code", 302)}, nil, false},
		{"the new name of the code goes first", KindServer, StatusUnset, []KeyValue{Int("http.status_code", 500), Int("http.response.status_code", 200)}, nil, false},
		{"HTTP 200 with an exception that was handled", KindServer, StatusUnset, []KeyValue{Int("http.status_code", 200)}, exception, false},
		{"HTTP 0 says nothing", KindClient, StatusUnset, []KeyValue{Int("http.status_code", 0), Bool("error", true)}, nil, true},
		{"an HTTP code that is none says nothing", KindClient, StatusUnset, []KeyValue{String("http.status_code", "timeout")}, nil, false},
		{"gRPC OK", KindClient, StatusUnset, []KeyValue{Int("rpc.grpc.status_code", 0)}, exception, false},
		{"gRPC NOT_FOUND of a server", KindServer, StatusUnset, []KeyValue{Int("rpc.grpc.status_code", 5)}, nil, false},
		{"gRPC NOT_FOUND of a client", KindClient, StatusUnset, []KeyValue{Int("rpc.grpc.status_code", 5)}, nil, true},
		{"gRPC UNAVAILABLE of a server", KindServer, StatusUnset, []KeyValue{Int("rpc.grpc.status_code", 14)}, nil, true},
		{"gRPC by name", KindServer, StatusUnset, []KeyValue{String("rpc.response.status_code", "DEADLINE_EXCEEDED")}, nil, true},
		{"gRPC by name, the caller's mistake", KindServer, StatusUnset, []KeyValue{String("rpc.response.status_code", "INVALID_ARGUMENT")}, nil, false},
		{"gRPC by name of a client", KindClient, StatusUnset, []KeyValue{String("rpc.response.status_code", "INVALID_ARGUMENT")}, nil, true},
		{"gRPC by name, OK", KindClient, StatusUnset, []KeyValue{String("rpc.response.status_code", "OK")}, exception, false},
		{"a gRPC code that is none says nothing", KindClient, StatusUnset, []KeyValue{Int("rpc.grpc.status_code", 99)}, nil, false},
		{"error=true", KindServer, StatusUnset, []KeyValue{Bool("error", true)}, nil, true},
		{"error=false", KindServer, StatusUnset, []KeyValue{Bool("error", false)}, nil, false},
		{`error="false"`, KindServer, StatusUnset, []KeyValue{String("error", "false")}, nil, false},
		{`error="False"`, KindServer, StatusUnset, []KeyValue{String("error", "False")}, nil, false},
		{`error=""`, KindServer, StatusUnset, []KeyValue{String("error", "")}, nil, false},
		{"error=0", KindServer, StatusUnset, []KeyValue{Int("error", 0)}, nil, false},
		{"error with a message", KindServer, StatusUnset, []KeyValue{String("error", "no route to host")}, nil, true},
		{"error.type", KindClient, StatusUnset, []KeyValue{String("error.type", "timeout")}, nil, true},
		{"error.type is empty", KindClient, StatusUnset, []KeyValue{String("error.type", "")}, nil, false},
		{"an exception event", KindInternal, StatusUnset, nil, exception, true},
		{"another event", KindInternal, StatusUnset, nil, []Event{{Name: "retry"}, {Name: "exceptional"}}, false},
		{"the second event", KindInternal, StatusUnset, nil, []Event{{Name: "retry"}, {Name: "exception"}}, true},
	}
	for _, tt := range tests {
		set := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) {
			s.Kind, s.Status, s.Attributes, s.Events = tt.kind, tt.status, tt.attrs, tt.events
		}))
		if got := set.Span(0).Failed(); got != tt.failed {
			t.Errorf("%s: failed %v", tt.name, got)
		}
	}
}

func TestOutcomes(t *testing.T) {
	root := span(1, 0, "root", 0, 9)
	failedRoot := with(root, func(s *SpanData) { s.Status = StatusError })
	left := func(s SpanData, key, value string) SpanData { s.Attributes = []KeyValue{String(key, value)}; return s }
	failedChild := with(span(2, 1, "pay", 1, 2), func(s *SpanData) { s.Status = StatusError })
	childFails := OutcomeRule{Failure: &Predicate{Has: []Matcher{{Operation: "pay", Failed: true}}}}
	tests := []struct {
		name  string
		rule  OutcomeRule
		spans []SpanData
		want  Outcome
	}{
		{"good", OutcomeRule{}, []SpanData{root}, OutcomeOK},
		{"the root failed", OutcomeRule{}, []SpanData{failedRoot}, OutcomeFailed},
		{"a failure that the root recovered from", OutcomeRule{}, []SpanData{root, failedChild}, OutcomeOK},
		{"unless the caller says otherwise", childFails, []SpanData{root, failedChild}, OutcomeFailed},
		{"and then the root does not matter", childFails, []SpanData{failedRoot}, OutcomeOK},
		{"abandoned", OutcomeRule{}, []SpanData{left(root, "business.outcome", "abandoned")}, OutcomeAbandoned},
		{"completed", OutcomeRule{}, []SpanData{left(root, "business.outcome", "completed")}, OutcomeOK},
		{"abandoned, in other words", OutcomeRule{AbandonedKey: "left"}, []SpanData{left(root, "left", "abandoned")}, OutcomeAbandoned},
		{"failure outweighs abandonment", OutcomeRule{}, []SpanData{left(failedRoot, "business.outcome", "abandoned")}, OutcomeFailed},
	}
	for _, tt := range tests {
		if got := tt.rule.Of(SetOf(tt.spans...).Trace(0)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if text := childFails.String(); !strings.Contains(text, "it has a failed span, pay") {
		t.Errorf("the rule reads %q", text)
	}
	if text := (OutcomeRule{}).String(); !strings.Contains(text, "primary root") || !strings.Contains(text, "business.outcome=abandoned") {
		t.Errorf("the rule reads %q", text)
	}
	for o, want := range map[Outcome]string{OutcomeOK: "ok", OutcomeSlow: "slow", OutcomeAbandoned: "abandoned", OutcomeFailed: "failed", 9: "outcome"} {
		if o.String() != want {
			t.Errorf("%d is %q, want %q", o, o, want)
		}
	}
}
