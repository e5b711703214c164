package stdouttrace_test

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/ingest/input"
)

// outcome reads a document, through windows of several sizes, and says in one line what that comes to, and
// which spans there are, as "service/name".
func outcome(t *testing.T, doc string, limits input.Limits) string {
	t.Helper()
	set, first := readWindow(t, doc, limits, 1<<18)
	for _, size := range []int{1000, 70} { // of the window
		if _, got := readWindow(t, doc, limits, size); got != first {
			t.Errorf("a window of %d bytes makes a difference:\ngot  %s\nwant %s", size, got, first)
		}
	}
	first += " |"
	for s := range spans(set) {
		first += " " + s.Service() + "/" + s.Name()
	}
	return first
}

// span is a complete span whose name, and last digit of its id, is n, with more members.
func span(n, members string) string {
	return `{"Name":"` + n + `","SpanContext":{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b17` + n +
		`","TraceFlags":"01","TraceState":"","Remote":false},"Parent":{"TraceID":"00000000000000000000000000000000","SpanID":"0000000000000000","TraceFlags":"00","TraceState":"","Remote":false},` +
		`"SpanKind":2,"StartTime":"2026-11-24T12:00:00.00000000` + n + `Z","EndTime":"2026-11-24T12:00:01Z","Attributes":null,"Events":null,"Links":null,` +
		`"Status":{"Code":"Unset","Description":""},"DroppedAttributes":0,"DroppedEvents":0,"DroppedLinks":0,"ChildSpanCount":0,` +
		`"Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"s"}}],"InstrumentationScope":{"Name":"l","Version":"","SchemaURL":"","Attributes":null}` + members + "}"
}

// with is a span with a part of it replaced.
func with(was, is string) string {
	one := span("1", "")
	if !strings.Contains(one, was) {
		panic(was + " is not in a span")
	}
	return strings.Replace(one, was, is, 1)
}

// attributes is a span with attributes, which are given as Key and Value.
func attributes(kvs string) string { return with(`"Attributes":null`, `"Attributes":[`+kvs+`]`) }

// value is a span with an attribute of a value.
func value(v string) string { return attributes(`{"Key":"a","Value":` + v + `}`) }

// A hostileDoc is a document, and what reading it comes to.
type hostileDoc struct{ name, doc, want string }

func hostileDocs() []hostileDoc {
	one, two, three := span("1", ""), span("2", ""), span("3", "")
	metrics := `{"Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"s"}}],"ScopeMetrics":[{"Scope":{"Name":"l"},"Metrics":[]}]}`
	log := `{"Timestamp":"2026-11-24T12:00:00Z","ObservedTimestamp":"2026-11-24T12:00:00Z","Severity":9,"Body":{"Type":"String","Value":"x"},"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b171"}`
	return []hostileDoc{
		// Shapes.
		{"lines", one + "\n" + two + "\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"spans one after the other", one + two + three, "3 0 0 several_roots=1 | s/1 s/2 s/3"},
		{"with space everywhere", strings.NewReplacer(`":`, "\" :\r\n\t", ",", "\n, ", "{", " { ", "}", "\n}").Replace(one + two), "2 0 0 several_roots=1 | s/1 s/2"},
		{"arrays", "[" + one + "]\n[" + two + "," + three + "]\n", "3 0 0 several_roots=1 | s/1 s/2 s/3"},
		{"lines of a log between", "2026/11/24 12:00:00 starting {x}\n" + one + "\nI1124 x.go:18] \"msg\"=\"done\" \"details\"={\"a\":1}\n" + two + "\nbye", "2 0 0 several_roots=1 text_skipped=3 | s/1 s/2"},
		{"metrics and log records between", one + "\n" + metrics + "\n" + log + "\n" + two + "\n", "2 0 0 not_traces=2 several_roots=1 | s/1 s/2"},
		{"a byte order mark", "\ufeff" + one, "1 0 0 | s/1"},
		{"the context last", `{"Name":"1","StartTime":"2026-11-24T12:00:00Z","EndTime":"2026-11-24T12:00:01Z","SpanContext":{"SpanID":"eee19b7ec3c1b171","TraceID":"5b8efff798038103d269b633813fc60c"}}`, "1 0 0 service_missing=1 | unknown_service/1"},
		{"a prefix of a container's log", "2026-11-24T12:00:00Z stdout F " + one + "\n2026-11-24T12:00:00Z stdout F " + two + "\n", "2 0 0 several_roots=1 text_skipped=2 | s/1 s/2"},

		// What is not traces.
		{"nothing", "", "0 0 0 empty_input=1 |"},
		{"an empty object", "{}", "0 0 0 empty_input=1 |"},
		{"an empty array", "[]", "0 0 0 empty_input=1 |"},
		{"null", "null", "0 0 0 empty_input=1 |"},
		{"metrics alone", metrics, "not traces: 0 0 0 not_traces=1 |"},
		{"log records alone", log + "\n" + log, "not traces: 0 0 0 not_traces=1 |"},
		{"OTLP", `{"resourceSpans":[]}`, "not traces: 0 0 0 not_traces=1 |"},
		{"text", "Hello", "not traces: 0 0 0 not_traces=1 text_skipped=1 |"},
		{"names in another case", strings.ToLower(one), "not traces: 0 0 0 not_traces=1 |"},

		// What is broken.
		{"the end is missing", (one + "\n" + two)[:len(one)+300], "1 0 1 truncated_input=1 | s/1"},
		{"a line that is broken", one + "\n" + two[:300] + "\n" + three + "\n", "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"lines that run into each other", one + "\n" + two[:300] + three + "\n", "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a span with NaN", one + "\n" + value(`{"Type":"FLOAT64","Value":NaN}`) + "\n" + three, "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a comma too many", "[" + one + ",]", "1 0 0 syntax=1 | s/1"},
		{"a number in an array", "[" + one + ",5," + two + "]", "2 0 0 several_roots=1 shape=1 | s/1 s/2"},
		{"a wrong escape", one + "\n" + with(`"Name":"1"`, `"Name":"\q"`) + "\n" + three, "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"depth", strings.Repeat("[", 50_000), "error at 50000: 0 0 0 truncated_input=1 |"},
		{"depth in a span", one + span("2", `,"x":`+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)), "2 0 0 several_roots=1 | s/1 s/2"},

		// Identity.
		{"the same span twice", one + one, "1 1 0 duplicate_span=1 | s/1"},
		{"no context", one + with(`{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b171","TraceFlags":"01","TraceState":"","Remote":false}`, "null") + two, "2 0 1 id_missing=1 several_roots=1 | s/1 s/2"},
		{"a context of a wrong type", one + with(`{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b171","TraceFlags":"01","TraceState":"","Remote":false}`, `"x"`) + two, "2 0 1 several_roots=1 shape=1 | s/1 s/2"},
		{"zero ids", with("5b8efff798038103d269b633813fc60c", "00000000000000000000000000000000") + with("eee19b7ec3c1b171", "0000000000000000") + two, "1 0 2 id_zero=2 | s/2"},
		{"ids that are none", with("5b8efff798038103d269b633813fc60c", "trace") + with(`"eee19b7ec3c1b171"`, "5") + two, "1 0 2 id_invalid=2 | s/2"},
		{"ids that are lists of bytes", with(`"eee19b7ec3c1b171"`, "[238,225,155,126,195,193,177,113]") + two, "1 0 1 shape=1 | s/2"},
		{"a parent that is none", with(`"SpanID":"0000000000000000"`, `"SpanID":"parent"`) + two, "1 0 1 id_invalid=1 | s/2"},
		{"a parent of null", with(`{"TraceID":"00000000000000000000000000000000","SpanID":"0000000000000000","TraceFlags":"00","TraceState":"","Remote":false}`, "null"), "1 0 0 | s/1"},
		{"a parent that is itself", with(`"SpanID":"0000000000000000"`, `"SpanID":"eee19b7ec3c1b171"`), "1 0 0 self_parent=1 | s/1"},
		{"flags of wrong types", with(`"TraceFlags":"01"`, `"TraceFlags":"xyz"`) + strings.Replace(two, `"TraceFlags":"01"`, `"TraceFlags":[1]`, 1) + strings.Replace(three, `"TraceFlags":"01"`, `"TraceFlags":256`, 1), "3 0 0 several_roots=1 value_invalid=3 | s/1 s/2 s/3"},
		{"a remote of a wrong type", with(`"Remote":false}`, `"Remote":"yes"}`), "1 0 0 value_invalid=1 | s/1"},
		{"a tracestate of a wrong type", with(`"TraceState":""`, `"TraceState":7`) + strings.Replace(two, `"TraceState":""`, `"TraceState":{}`, 1), "2 0 0 several_roots=1 value_invalid=1 | s/1 s/2"},

		// Time, kind and status.
		{"no times", with(`"StartTime":"2026-11-24T12:00:00.000000001Z","EndTime":"2026-11-24T12:00:01Z",`, ""), "1 0 0 time_missing=1 | s/1"},
		{"times of the year 1", with(`"2026-11-24T12:00:00.000000001Z"`, `"0001-01-01T00:00:00Z"`), "1 0 0 time_missing=1 | s/1"},
		{"times of null", with(`"2026-11-24T12:00:00.000000001Z","EndTime":"2026-11-24T12:00:01Z"`, `null,"EndTime":""`), "1 0 0 time_missing=1 | s/1"},
		{"a time before 1970", with(`"2026-11-24T12:00:00.000000001Z"`, `"1969-12-31T23:59:59Z"`), "1 0 0 time_missing=1 value_invalid=1 | s/1"},
		{"a time after 2262", with(`"2026-11-24T12:00:01Z"`, `"9999-01-01T00:00:00Z"`), "1 0 0 time_out_of_range=1 | s/1"},
		{"the last moment", with(`"2026-11-24T12:00:01Z"`, `"2262-04-11T23:47:16.854775807Z"`), "1 0 0 time_out_of_range=1 | s/1"},
		{"an end before the start", with(`"2026-11-24T12:00:01Z"`, `"2026-11-24T11:00:01Z"`), "1 0 0 negative_duration=1 | s/1"},
		{"a time that is none", with(`"2026-11-24T12:00:01Z"`, `"soon"`) + with(`"2026-11-24T12:00:01Z"`, `1795521600`) + with(`"2026-11-24T12:00:01Z"`, `{}`) + two, "1 0 3 time_invalid=3 | s/2"},
		{"a kind in words", with(`"SpanKind":2`, `"SpanKind":"Server"`), "1 0 0 | s/1"},
		{"kinds that are odd", with(`"SpanKind":2`, `"SpanKind":"2"`) + strings.Replace(two, `"SpanKind":2`, `"SpanKind":99`, 1) + strings.Replace(three, `"SpanKind":2`, `"SpanKind":[]`, 1), "3 0 0 enum_quoted=1 kind_unknown=2 several_roots=1 | s/1 s/2 s/3"},
		{"status in another case", with(`"Unset"`, `"ERROR"`), "1 0 0 | s/1"},
		{"statuses that are odd", with(`"Unset"`, `"Bad"`) + strings.Replace(two, `"Unset"`, `7`, 1) + strings.Replace(three, `"Unset"`, `null`, 1), "3 0 0 several_roots=1 status_unknown=2 | s/1 s/2 s/3"},
		{"a description of a wrong type", with(`"Description":""`, `"Description":5`) + strings.Replace(two, `"Description":""`, `"Description":[]`, 1), "1 0 1 shape=1 value_invalid=1 | s/1"},
		{"dropped counts of wrong types", with(`"DroppedEvents":0`, `"DroppedEvents":-1`) + strings.Replace(two, `"DroppedEvents":0`, `"DroppedEvents":"many"`, 1), "2 0 0 several_roots=1 value_invalid=2 | s/1 s/2"},

		// Attributes.
		{"attributes in a map", with(`"Attributes":null`, `"Attributes":{"a":1}`), "1 0 0 attribute_invalid=1 | s/1"},
		{"attributes that are none", attributes(`5,null,"x",{},{"Key":["a"],"Value":{}},{"Key":"b"}`), "1 0 0 attribute_invalid=3 empty_attribute_key=1 | s/1"},
		{"an attribute twice", attributes(`{"Key":"a","Value":{"Type":"INT64","Value":1}},{"Key":"a","Value":{"Type":"INT64","Value":2}}`), "1 0 0 duplicate_attribute=1 | s/1"},
		{"a value before its type", value(`{"Value":1,"Type":"INT64"}`), "1 0 0 | s/1"},
		{"a value without a type", value(`{"Value":1}`) + "\n" + strings.Replace(two, `"Attributes":null`, `"Attributes":[{"Key":"a","Value":5}]`, 1), "2 0 0 several_roots=1 value_invalid=2 | s/1 s/2"},
		{"a type without a value", value(`{"Type":"INT64"}`), "1 0 0 | s/1"},
		{"an unknown type", value(`{"Type":"COMPLEX128","Value":[1,2]}`), "1 0 0 value_invalid=1 | s/1"},
		{"values of other types", attributes(`{"Key":"a","Value":{"Type":"BOOL","Value":1}},{"Key":"b","Value":{"Type":"INT64","Value":"1"}},{"Key":"c","Value":{"Type":"FLOAT64","Value":"1"}},{"Key":"d","Value":{"Type":"STRING","Value":1}},{"Key":"e","Value":{"Type":"BYTESLICE","Value":"*"}},{"Key":"f","Value":{"Type":"EMPTY","Value":1}},{"Key":"g","Value":{"Type":"STRING","Value":{"x":1}}}`), "1 0 0 value_invalid=7 | s/1"},
		{"slices of other types", attributes(`{"Key":"a","Value":{"Type":"INT64SLICE","Value":["1",2]}},{"Key":"b","Value":{"Type":"SLICE","Value":[1]}},{"Key":"c","Value":{"Type":"MAP","Value":{"k":1}}},{"Key":"d","Value":{"Type":"BOOLSLICE","Value":true}}`), "1 0 0 value_invalid=4 | s/1"},
		{"slices of null", attributes(`{"Key":"a","Value":{"Type":"INT64SLICE","Value":null}},{"Key":"b","Value":{"Type":"SLICE","Value":null}},{"Key":"c","Value":{"Type":"MAP","Value":null}},{"Key":"d","Value":{"Type":"BYTESLICE","Value":null}}`), "1 0 0 | s/1"},
		{"an integer beyond 64 bits", value(`{"Type":"INT64","Value":9223372036854775808}`), "1 0 0 value_invalid=1 | s/1"},
		{"a fraction beyond 64 bits", value(`{"Type":"FLOAT64","Value":1e999}`), "1 0 0 value_invalid=1 | s/1"},
		{"deep slices", value(strings.Repeat(`{"Type":"SLICE","Value":[`, 100) + strings.Repeat("]}", 100)), "1 0 0 value_depth=1 | s/1"},
		{"very deep slices", value(strings.Repeat(`{"Type":"SLICE","Value":[`, 10_000) + strings.Repeat("]}", 10_000)), "1 0 0 value_depth=1 | s/1"},
		{"deep maps", value(strings.Repeat(`{"Type":"MAP","Value":[{"Key":"k","Value":`, 100) + "null" + strings.Repeat("}]}", 100)), "1 0 0 value_depth=1 | s/1"},
		{"text that is no UTF-8", value("{\"Type\":\"STRING\",\"Value\":\"\xff\"}"), "1 0 0 invalid_utf8=1 | s/1"},

		// Events, links, resources and scopes.
		{"events that are odd", with(`"Events":null`, `"Events":[null,{},{"Name":null,"Time":null},{"Name":"e","Time":"now"},{"Name":"f","Time":5,"DroppedAttributeCount":-1}]`), "1 0 0 value_invalid=3 | s/1"},
		{"events of a wrong type", with(`"Events":null`, `"Events":{}`) + two, "1 0 1 shape=1 | s/2"},
		{"an event that is text", with(`"Events":null`, `"Events":["x"]`) + two, "1 0 1 shape=1 | s/2"},
		{"links that are odd", with(`"Links":null`, `"Links":[null,{},{"SpanContext":null},{"SpanContext":{"TraceID":"x","SpanID":"0000000000000001"}},{"SpanContext":{"TraceID":"00000000000000000000000000000001","SpanID":"0000000000000001"}}]`), "1 0 0 link_invalid=3 | s/1"},
		{"a link with a context of a wrong type", with(`"Links":null`, `"Links":[{"SpanContext":5}]`) + two, "1 0 1 link_invalid=1 shape=1 | s/2"},
		{"a resource of null", with(`"Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"s"}}]`, `"Resource":null`), "1 0 0 service_missing=1 | unknown_service/1"},
		{"resources that are odd", with(`"Resource":[`, `"Resource":["x",`) + strings.Replace(two, `"Resource":[`, `"Resource":["x",`, 1) + strings.Replace(three, `"Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"s"}}]`, `"Resource":{"service.name":"s"}`, 1), "3 0 0 attribute_invalid=3 service_missing=1 several_roots=1 | s/1 s/2 unknown_service/3"},
		{"a service that is a number", with(`{"Type":"STRING","Value":"s"}`, `{"Type":"INT64","Value":5}`), "1 0 0 service_missing=1 | unknown_service/1"},
		{"scopes that are odd", with(`"InstrumentationScope":{`, `"InstrumentationScope":{"Version":[],`) + strings.Replace(two, `"InstrumentationScope":{`, `"InstrumentationScope":{"Version":[],`, 1) + three, "1 0 2 shape=2 | s/3"},
		{"a scope of null", with(`"InstrumentationScope":{"Name":"l","Version":"","SchemaURL":"","Attributes":null}`, `"InstrumentationScope":null`), "1 0 0 | s/1"},
	}
}

// Documents that are odd, wrong or broken cost what is wrong of them, and nothing else.
func TestHostileDocuments(t *testing.T) {
	for _, tt := range hostileDocs() {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(t, tt.doc, input.Limits{}); got != tt.want {
				t.Errorf("got  %q: %q\nwant %q", tt.name, got, tt.want)
			}
		})
	}
}

// Limits cut a span short, leave it out, or end the read.
func TestLimits(t *testing.T) {
	const list = `{"Key":"a","Value":{"Type":"INT64SLICE","Value":[1,2,3]}},{"Key":"b","Value":{"Type":"SLICE","Value":[{"Type":"SLICE","Value":[]}]}}`
	for _, tt := range []struct {
		name, doc, want string
		limits          input.Limits
	}{
		{"spans", span("1", "") + span("2", "") + span("3", ""), "limit Spans: 2 0 0 limit_exceeded=1 several_roots=1 | s/1 s/2", input.Limits{Spans: 2}},
		{"objects", attributes(list) + attributes(list) + attributes(list), "limit Objects: 1 0 0 limit_exceeded=1 | s/1", input.Limits{Objects: 9}},
		{"bytes of a span", span("1", "") + span("2", strings.Repeat(" ", 5000)) + span("3", ""), "2 0 1 limit_exceeded=1 several_roots=1 | s/1 s/3", input.Limits{SpanBytes: 2000}},
		{"bytes of a value", value(`{"Type":"STRING","Value":"bäää"}`), "1 0 0 service_missing=1 value_truncated=2 | unknown_service/1", input.Limits{ValueBytes: 3}},
		{"elements", attributes(list), "1 0 0 too_many=1 | s/1", input.Limits{PerSpan: 3}},
		{"events", with(`"Events":null`, `"Events":[{"Name":"e"},{"Name":"f"}]`), "1 0 0 too_many=1 | s/1", input.Limits{PerSpan: 1}},
		{"depth", attributes(list), "1 0 0 value_depth=1 | s/1", input.Limits{Depth: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(t, tt.doc, tt.limits); got != tt.want {
				t.Errorf("got  %q: %q\nwant %q", tt.name, got, tt.want)
			}
		})
	}
}
