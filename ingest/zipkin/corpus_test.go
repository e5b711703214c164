package zipkin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// corpus says what becomes of each Zipkin document of the reference corpus: what outcome says, and what the
// last span has beside the ids that all have.
var corpus = map[string]string{
	"base":                  "1 0 0 service_missing=1 | time 1502787600000000000..1502787600000432000",
	"64-bit tid":            "1 0 0 id_short=1 service_missing=1 | trace 0000000000000000d269b633813fc60c, time 1502787600000000000..1502787600000432000",
	"short id":              "1 0 0 id_short=2 service_missing=1 | trace 00000000000000000000000000000001, span 0000000000000002, time 1502787600000000000..1502787600000001000",
	"upper hex":             "1 0 0 service_missing=1 time_missing=1 | ",
	"no id":                 "0 0 1 id_missing=1",
	"zero tid":              "0 0 1 id_short=1 id_zero=1",
	"ts string":             "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | time 1502787600000000000..0",
	"ts float":              "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | time 1502787600000001000..0",
	"ts negative":           "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | ",
	"ts nanos (unit error)": "1 0 0 service_missing=1 time_out_of_range=1 unit_suspect=1 | time 18446744073709551615..18446744073709551615",
	"ts huge":               "0 0 1 time_out_of_range=1",
	"dur negative":          "1 0 0 negative_duration=1 service_missing=1 | time 1502787600000000000..1502787599999999000",
	"dur absent":            "1 0 0 service_missing=1 time_missing=1 | time 1502787600000000000..0",
	"ts absent":             "1 0 0 service_missing=1 time_missing=1 | ",
	"parent self":           "1 0 0 self_parent=1 service_missing=1 time_missing=1 | parent eee19b7ec3c1b174",
	"kind lower":            "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | kind client",
	"kind bogus":            "1 0 0 kind_unknown=1 service_missing=1 time_missing=1 | ",
	"tag number":            "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | http.status_code 500",
	"tag null":              "1 0 0 service_missing=1 time_missing=1 | a empty",
	"tag nested":            "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | a {\"b\":1}",
	"error tag empty":       "1 0 0 service_missing=1 time_missing=1 | status error",
	"error tag false":       "1 0 0 service_missing=1 time_missing=1 value_invalid=1 | error false",
	"no localEndpoint":      "1 0 0 service_missing=1 time_missing=1 | ",
	"bad ipv4":              "1 0 0 attribute_invalid=1 time_missing=1 | service a",
	"port 70000":            "1 0 0 attribute_invalid=1 time_missing=1 | service a",
	"object not array":      "1 0 0 service_missing=1 time_missing=1 | ", // a line of spans, of which there may be more
	"empty":                 "0 0 0 empty_input=1",
	"[]":                    "0 0 0 empty_input=1",
	"null":                  "0 0 0 empty_input=1",
	"[null]":                "0 0 0 empty_input=1",
	"shared client+server":  "2 0 0 service_missing=2 shared_span_id=1 | kind client, time 10000..20000 | kind server, time 12000..17000",
	"one bad of two":        "1 0 1 id_invalid=1 id_short=1 service_missing=1 time_missing=1 | ",
}

// Every Zipkin document of the reference corpus behaves as it is wanted there.
func TestHostileCorpus(t *testing.T) {
	lines := bufio.NewScanner(bytes.NewReader(dataFile(t, "reference/hostile_inputs.jsonl")))
	lines.Buffer(nil, 1<<24)
	seen := 0
	for lines.Scan() {
		var d struct{ ID, Format, Want, Doc string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		name, isZipkin := strings.CutPrefix(d.ID, "zipkin/")
		if !isZipkin {
			continue
		}
		seen++
		t.Run(name, func(t *testing.T) {
			got, set := outcome(t, d.Doc, input.Limits{})
			for s := range spans(set) {
				got += " | " + oddities(s)
			}
			if want := corpus[name]; got != want {
				t.Errorf("got  %q: %q,\nwant %q: %q,\n(%s)", name, got, name, want, d.Want)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if seen != len(corpus) {
		t.Errorf("%d documents, %d expectations", seen, len(corpus))
	}
}

// oddities lists what a span has beside the ids that all documents of the corpus give it.
func oddities(s tracewhy.Span) string {
	d := s.Data()
	var odd []string
	add := func(isOdd bool, what, value string) {
		if isOdd {
			odd = append(odd, what+" "+value)
		}
	}
	add(d.TraceID.String() != "5b8efff798038103d269b633813fc60c", "trace", d.TraceID.String())
	add(d.SpanID.String() != "eee19b7ec3c1b174", "span", d.SpanID.String())
	add(!d.ParentSpanID.IsZero(), "parent", d.ParentSpanID.String())
	add(d.Name != "", "name", d.Name)
	add(d.Kind != 0, "kind", d.Kind.String())
	add(d.Status != 0, "status", d.Status.String())
	add(d.StatusMessage != "", "message", d.StatusMessage)
	add(d.Start != 0 || d.End != 0, "time", interval(d))
	add(s.Service() != "unknown_service", "service", s.Service())
	for _, kv := range d.Attributes {
		add(true, kv.Key, kindNames[kv.Value.Kind()]+kv.Value.String())
	}
	return strings.Join(odd, ", ")
}
