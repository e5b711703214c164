package zipkin_test

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/ingest/input"
)

// span is a complete span whose name, and last digit of its id, is n, with more members.
func span(n, members string) string {
	return `{"traceId":"5b8efff798038103d269b633813fc60c","id":"eee19b7ec3c1b17` + n + `","kind":"SERVER","name":"` + n +
		`","timestamp":150278760000000` + n + `,"duration":9,"localEndpoint":{"serviceName":"s","ipv4":"10.0.0.1","port":80},"tags":{"a":"b"}` + members + `}`
}

// with is a span with one of its members, or what follows on that, replaced.
func with(was, is string) string {
	one := span("1", "")
	if !strings.Contains(one, was) {
		panic(was + " is not in a span")
	}
	return strings.Replace(one, was, is, 1)
}

// list is a list of documents.
func list(docs ...string) string { return "[" + strings.Join(docs, ",") + "]" }

// A hostileDoc is a document, and what reading it comes to: see outcome, and oddities of each span, without
// what most of them have.
type hostileDoc struct{ name, doc, want string }

func hostileDocs() []hostileDoc {
	one, two, three := span("1", ""), span("2", ""), span("3", "")
	return []hostileDoc{
		// Shapes.
		{"a list", list(one, two), "2 0 0 several_roots=1 | s/1 s/2"},
		{"with space everywhere", strings.NewReplacer(":", " :\r\n\t", ",", "\n, ", "{", " { ", "}", "\n}", "[", "[ ", "]", " ] ").Replace(list(one, two)), "2 0 0 several_roots=1 | s/1 s/2"},
		{"a list of lists", list(list(one), list(two), "[]", "null"), "2 0 0 several_roots=1 | s/1 s/2"},
		{"one span", one, "1 0 0 | s/1"},
		{"lines of spans", one + "\n" + two + "\r\n\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"lines of lists", list(one) + "\n" + list(two) + "\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"lines of lists of lists", list(list(one)) + "\n" + list(list(two)) + "\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"lists one after the other", list(one) + list(two), "2 0 0 several_roots=1 | s/1 s/2"},
		{"a byte order mark", "\ufeff" + list(one), "1 0 0 | s/1"},
		{"log lines", "2026-01-02T03:04:05Z INFO {} started\n2026-01-02T03:04:06Z stdout F " + one + "\nbye\n", "1 0 0 text_skipped=3 | s/1"},
		{"lists three deep", list(list(list(one), two)), "1 0 0 shape=1 | s/2"},
		{"lists without end", strings.Repeat("[", 100_000), "error at 100000: 0 0 0 truncated_input=1 |"},
		{"the id last", `[{"name":"1","timestamp":1502787600000001,"duration":9,"localEndpoint":{"serviceName":"s"},"id":"eee19b7ec3c1b171","traceId":"5b8efff798038103d269b633813fc60c"}]`, "1 0 0 | s/1"},

		// What is not traces.
		{"an empty object", "{}", "0 0 0 empty_input=1 |"},
		{"empty lists", "[[],[]]", "0 0 0 empty_input=1 |"},
		{"names of services", `["a","b"]`, "not traces: 0 0 0 not_traces=1 |"},
		{"dependencies", `[{"parent":"a","child":"b","callCount":3}]`, "not traces: 0 0 0 not_traces=1 |"},
		{"things with ids", `[{"id":"1","name":"a"}]`, "not traces: 0 0 0 not_traces=1 |"},
		{"a number", "17", "not traces: 0 0 0 not_traces=1 text_skipped=1 |"},
		{"OTLP", `{"resourceSpans":[]}`, "not traces: 0 0 0 not_traces=1 |"},
		{"Jaeger", `{"data":[{"traceID":"1","spans":[]}]}`, "not traces: 0 0 0 not_traces=1 |"},
		{"an error of Zipkin", `{"error":"Not Found","message":"abc not found","status":404}`, "not traces: 0 0 0 not_traces=1 |"},
		{"text", "trace not found", "not traces: 0 0 0 not_traces=1 text_skipped=1 |"},

		// Version 1.
		{"version 1", `[{"traceId":"5982fe77008310cc","id":"bd7a977555f6b982","name":"query","binaryAnnotations":[],"annotations":[]}]`, "version 1: 0 0 1 id_short=1 legacy_schema=1 |"},
		{"version 1 by its annotations", `[{"traceId":"5982fe77008310cc","id":"bd7a977555f6b982","annotations":[{"timestamp":1,"value":"sr","endpoint":{"serviceName":"a"}}]}]`, "version 1: 0 0 1 id_short=1 legacy_schema=1 |"},
		{"version 1 among others", list(one, `{"traceId":"5982fe77008310cc","id":"bd7a977555f6b982","binaryAnnotations":[{"key":"a","value":true}]}`), "1 0 1 id_short=1 legacy_schema=1 | s/1"},

		// What is broken.
		{"text after the list", list(one) + ` {"x`, "1 0 0 truncated_input=1 | s/1"},
		{"a line that is broken", one + "\n" + two[:150] + "\n" + three, "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"the end is missing", list(one, two)[:400], "1 0 1 truncated_input=1 | s/1"},
		{"a comma too many", "[" + one + ", ]", "1 0 0 syntax=1 | s/1"},
		{"a span with NaN", list(one, with(`"duration":9`, `"duration":NaN`), three), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a span with a bracket missing", list(one, with(`"tags":{"a":"b"}`, `"tags":{"a":"b"`), three), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a span with an annotation that is broken", list(one, span("2", `,"annotations":[{"timestamp":1,"value":x}]`), three), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a span that is a number", list(one, "5", three), "2 0 0 several_roots=1 shape=1 | s/1 s/3"},
		{"a span that is null", list(one, "null", three), "2 0 0 several_roots=1 | s/1 s/3"},
		{"a span that is empty", list(one, "{}", three), "2 0 0 several_roots=1 | s/1 s/3"},
		{"a string with a wrong escape", list(one, with(`"a":"b"`, `"a":"\x"`), three), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"members twice", list(with(`"duration":9`, `"duration":9,"duration":10`)), "1 0 0 | s/1"},
		{"names in another case", list(strings.Replace(one, "traceId", "TRACEID", 1)), "0 0 1 id_missing=1 |"},
		{"unknown members", list(span("1", `,"x":{"traceId":"1","y":[[]]}`)), "1 0 0 | s/1"},

		// Identity.
		{"the same span twice", list(one, one), "1 1 0 duplicate_span=1 | s/1"},
		{"one span with two contents", list(one, with(`"duration":9`, `"duration":10`)), "1 1 0 partial_span=1 | s/1"},
		{"a span in parts", list(`{"traceId":"5b8efff798038103d269b633813fc60c","id":"eee19b7ec3c1b171","kind":"SERVER","localEndpoint":{"serviceName":"s","ipv4":"10.0.0.1"}}`, one), "1 1 0 partial_span=1 | s/1"},
		{"no trace id", list(with(`"traceId":"5b8efff798038103d269b633813fc60c",`, ""), two), "1 0 1 id_missing=1 | s/2"},
		{"ids of numbers", list(with(`"eee19b7ec3c1b171"`, `7`), with(`"eee19b7ec3c1b171"`, `{}`), with(`"eee19b7ec3c1b171"`, `null`), two), "1 0 3 id_invalid=1 id_missing=1 shape=1 | s/2"},
		{"a parent id that is none", list(span("1", `,"parentId":"xyz"`), two), "1 0 1 id_invalid=1 | s/2"},
		{"a parent id of zeros", list(span("1", `,"parentId":"0000000000000000"`)), "1 0 0 | s/1"},
		{"a long id", list(with("eee19b7ec3c1b171", "5b8efff798038103eee19b7ec3c1b171"), two), "1 0 1 id_invalid=1 | s/2"},
		{"64 bits and 128 bits", list(with("5b8efff798038103d269b633813fc60c", "d269b633813fc60c"), two), "2 0 0 id_short=1 id_short_joined=1 several_roots=1 | s/1 s/2"},
		{"a ring", list(span("1", `,"parentId":"eee19b7ec3c1b172"`), span("2", `,"parentId":"eee19b7ec3c1b171"`)), "2 0 0 cycle=1 outside_parent=1 | s/1 s/2"},
		{"a client and two servers", list(strings.Replace(with(`"kind":"SERVER"`, `"kind":"CLIENT"`), `"serviceName":"s"`, `"serviceName":"c"`, 1), span("1", `,"shared":true`), strings.Replace(span("1", `,"shared":true,"duration":7`), "10.0.0.1", "10.0.0.2", 1), span("2", `,"parentId":"eee19b7ec3c1b171"`)), "4 0 0 outside_parent=1 shared_span_id=1 | c/1 s/1 s/1 s/2"},
		{"a shared span without a kind", list(with(`"kind":"SERVER"`, `"kind":"CLIENT"`), strings.Replace(span("1", `,"shared":true`), `"kind":"SERVER",`, "", 1)), "2 0 0 shared_span_id=1 | s/1 s/1"},
		{"shared in words", list(span("1", `,"shared":"true"`)), "1 0 0 value_invalid=1 | s/1"},

		// Time.
		{"a start of 0", list(with(`"timestamp":1502787600000001`, `"timestamp":0`)), "1 0 0 time_missing=1 | s/1"},
		{"a duration of 0", list(with(`"duration":9`, `"duration":0`)), "1 0 0 | s/1"},
		{"times of null", list(with(`"timestamp":1502787600000001,"duration":9`, `"timestamp":null,"duration":null`)), "1 0 0 time_missing=1 | s/1"},
		{"a start in milliseconds", list(with(`"timestamp":1502787600000001`, `"timestamp":1502787600000`)), "1 0 0 unit_suspect=1 | s/1"},
		{"a start beyond 64 bits", list(with(`"timestamp":1502787600000001`, `"timestamp":99999999999999999999`), two), "1 0 1 time_out_of_range=1 value_invalid=1 | s/2"},
		{"a start in the year 3000", list(with(`"timestamp":1502787600000001`, `"timestamp":32503680000000000`)), "1 0 0 time_out_of_range=1 | s/1"},
		{"a duration beyond 64 bits", list(with(`"duration":9`, `"duration":18446744073709551615`)), "1 0 0 time_out_of_range=1 | s/1"},
		{"a duration that leads beyond 64 bits", list(with(`"duration":9`, `"duration":9223372036854775`)), "1 0 0 time_out_of_range=1 | s/1"},
		{"a duration with a fraction", list(with(`"duration":9`, `"duration":9.4`)), "1 0 0 value_invalid=1 | s/1"},
		{"a duration of text", list(with(`"duration":9`, `"duration":"9ms"`), two), "1 0 1 time_invalid=1 value_invalid=1 | s/2"},
		{"a start that is a date", list(with(`"timestamp":1502787600000001`, `"timestamp":"2017-08-15T09:00:00Z"`), two), "1 0 1 time_invalid=1 value_invalid=1 | s/2"},
		{"a start of a wrong type", list(with(`"timestamp":1502787600000001`, `"timestamp":true`), with(`"timestamp":1502787600000001`, `"timestamp":[1]`), two), "1 0 2 shape=1 time_invalid=1 | s/2"},

		// Tags, annotations and endpoints.
		{"tags of null", list(with(`"tags":{"a":"b"}`, `"tags":null`)), "1 0 0 | s/1"},
		{"tags in a list", list(with(`"tags":{"a":"b"}`, `"tags":[{"key":"a"}]`)), "1 0 0 attribute_invalid=1 | s/1"},
		{"a tag twice", list(with(`"a":"b"`, `"a":"b","a":"c"`)), "1 0 0 duplicate_attribute=1 | s/1"},
		{"a tag without a key", list(with(`"a":"b"`, `"":"b"`)), "1 0 0 empty_attribute_key=1 | s/1"},
		{"a tag of true", list(with(`"a":"b"`, `"a":true`)), "1 0 0 value_invalid=1 | s/1"},
		{"a tag that is deep", list(with(`"a":"b"`, `"a":`+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000))), "1 0 0 value_invalid=1 | s/1"},
		{"a tag with half a surrogate pair", list(with(`"a":"b"`, `"a":"\ud800"`)), "1 0 0 invalid_utf8=1 | s/1"},
		{"a tag that is no UTF-8", list(with(`"a":"b"`, "\"a\":\"\xff\"")), "1 0 0 invalid_utf8=1 | s/1"},
		{"annotations of null", list(span("1", `,"annotations":null`)), "1 0 0 | s/1"},
		{"annotations of nulls", list(span("1", `,"annotations":[null]`)), "1 0 0 | s/1"},
		{"annotations of a wrong type", list(span("1", `,"annotations":{"value":"x"}`), two), "1 0 1 shape=1 | s/2"},
		{"annotations that are text", list(span("1", `,"annotations":["x"]`), two), "1 0 1 shape=1 | s/2"},
		{"annotations that are empty", list(span("1", `,"annotations":[{}]`)), "1 0 0 | s/1"},
		{"an annotation with a wrong time and value", list(span("1", `,"annotations":[{"timestamp":"now","value":5},{"timestamp":[],"value":[]},{"timestamp":9223372036854775807,"value":null}]`)), "1 0 0 time_out_of_range=1 value_invalid=4 | s/1"},
		{"an annotation with deep JSON", list(span("1", `,"annotations":[{"timestamp":1502787600000001,"value":"e: {\"a\":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}"}]`)), "1 0 0 value_depth=1 | s/1"},
		{"endpoints of null", list(with(`{"serviceName":"s","ipv4":"10.0.0.1","port":80}`, `null,"remoteEndpoint":null`)), "1 0 0 service_missing=1 | unknown_service/1"},
		{"endpoints of a wrong type", list(with(`{"serviceName":"s","ipv4":"10.0.0.1","port":80}`, `"s","remoteEndpoint":[1]`)), "1 0 0 attribute_invalid=2 service_missing=1 | unknown_service/1"},
		{"an endpoint of wrong types", list(with(`{"serviceName":"s","ipv4":"10.0.0.1","port":80}`, `{"serviceName":5,"ipv4":167772161,"ipv6":[],"port":"80"}`)), "1 0 0 attribute_invalid=2 service_missing=1 value_invalid=2 | unknown_service/1"},
		{"ports that are none", list(with(`"port":80`, `"port":-1`), span("2", `,"remoteEndpoint":{"port":"http"}`), span("3", `,"remoteEndpoint":{"port":1.5}`)), "3 0 0 attribute_invalid=3 several_roots=1 | s/1 s/2 s/3"},
		{"a port of null", list(with(`"port":80`, `"port":null`)), "1 0 0 | s/1"},
		{"addresses that are none", list(with(`"10.0.0.1"`, `"::g"`), span("2", `,"remoteEndpoint":{"ipv4":"","ipv6":null}`)), "2 0 0 attribute_invalid=1 several_roots=1 | s/1 s/2"},
		{"a kind of a wrong type", list(with(`"SERVER"`, `3`), strings.Replace(two, `"SERVER"`, `[]`, 1), strings.Replace(three, `"SERVER"`, `""`, 1)), "3 0 0 kind_unknown=2 several_roots=1 | s/1 s/2 s/3"},
		{"a name of a wrong type", list(with(`"name":"1"`, `"name":5`), strings.Replace(two, `"name":"2"`, `"name":[]`, 1), three), "2 0 1 several_roots=1 shape=1 value_invalid=1 | s/5 s/3"},
		{"links that lead nowhere", list(with(`"a":"b"`, `"otlp.link.0":"x","otlp.link.1":"","otlp.link.2":"00000000000000000000000000000000|0000000000000001||{}|0","otlp.link.x":"y"`)), "1 0 0 link_invalid=3 | s/1"},
		{"a status that is unknown", list(with(`"a":"b"`, `"otel.status_code":"BAD"`)), "1 0 0 status_unknown=1 | s/1"},
		{"error of null", list(with(`"a":"b"`, `"error":null`)), "1 0 0 | s/1"},
	}
}

// Documents that are odd, wrong or broken cost what is wrong of them, and nothing else.
func TestHostileDocuments(t *testing.T) {
	for _, tt := range hostileDocs() {
		t.Run(tt.name, func(t *testing.T) {
			got, set := outcome(t, tt.doc, input.Limits{})
			got += " |"
			for s := range spans(set) {
				got += " " + s.Service() + "/" + s.Name()
			}
			if got != tt.want {
				t.Errorf("got  %q: %q\nwant %q", tt.name, got, tt.want)
			}
		})
	}
}

// Limits cut a span short, leave it out, or end the read.
func TestLimits(t *testing.T) {
	many := `,"annotations":[{"value":"x"},{"value":"y"},{"value":"z: {\"k\":1,\"l\":[1,2,3]}"}]`
	for _, tt := range []struct {
		name, doc, want string
		limits          input.Limits
	}{
		{"spans", list(span("1", ""), span("2", ""), span("3", "")), "limit Spans: 2 0 0 limit_exceeded=1 several_roots=1", input.Limits{Spans: 2}},
		{"objects", list(span("1", ""), span("2", "")), "limit Objects: 1 0 0 limit_exceeded=1", input.Limits{Objects: 4}},
		{"bytes", list(span("1", ""), span("2", "")), "limit DecodedBytes: 1 0 0", input.Limits{DecodedBytes: 300}},
		{"bytes of a span", list(span("1", ""), span("2", strings.Repeat(" ", 5000)), span("3", "")), "2 0 1 limit_exceeded=1 several_roots=1", input.Limits{SpanBytes: 2000}},
		{"bytes of a value", list(with(`"b"`, `"bäää"`)), "1 0 0 value_truncated=1", input.Limits{ValueBytes: 3}},
		{"events", list(span("1", many)), "1 0 0 too_many=1", input.Limits{PerSpan: 2}},
		{"elements", list(span("1", many)), "1 0 0 too_many=1", input.Limits{PerSpan: 5}},
		{"depth", list(span("1", `,"annotations":[{"value":"z: {\"l\":[1,[2]]}"}]`)), "1 0 0 value_depth=1", input.Limits{Depth: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := outcome(t, tt.doc, tt.limits); got != tt.want {
				t.Errorf("got  %q: %q\nwant %q", tt.name, got, tt.want)
			}
		})
	}
}

// Of broken spans that lie in broken spans not all are looked for: that would take time in the square of
// their number.
func TestBrokenWithinBroken(t *testing.T) {
	const depth = 8000
	doc := strings.Repeat(`{"traceId":"1","x":[`, depth) + strings.Repeat("]@}", depth)
	set, got := readWindow(t, doc, input.Limits{}, 1<<18)
	if a := set.Accounting(); a.In < 100 || a.In > depth/2 {
		t.Errorf("%d of %d spans were looked for: %s", a.In, depth, got)
	}
}
