package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// outcome is what reading a document comes to, in one line: the error's kind, the spans kept, merged
// and quarantined, and the problems with their counts.
func outcome(t *testing.T, doc []byte) (string, *tracewhy.Set) {
	t.Helper()
	var b tracewhy.Builder
	err := ingest.Read(context.Background(), "doc", bytes.NewReader(doc), "", &b, ingest.Config{})
	s, buildErr := b.Build(context.Background())
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	a := s.Accounting()
	if a.In != a.Kept+a.Merged+a.Quarantined {
		t.Errorf("spans got lost: %+v", a)
	}
	out := fmt.Sprintf("%d %d %d", a.Kept, a.Merged, a.Quarantined)
	var syntax *input.SyntaxError
	switch {
	case errors.As(err, &syntax):
		out = fmt.Sprintf("error at %d: %s", syntax.Position.Offset, out)
	case errors.Is(err, input.ErrNotTraces):
		out = "not traces: " + out
	case err != nil:
		t.Errorf("unexpected error: %v", err)
	}
	for _, p := range s.Problems() {
		out += fmt.Sprintf(" %s=%d", p.Code, p.Count)
	}
	return out, s
}

// hostile says what becomes of each OTLP document of the reference corpus. Its documents have one span
// without times, so that time_missing is part of most.
var hostile = map[string]string{
	"base":                               "1 0 0 time_missing=1 | ",
	"upper hex":                          "1 0 0 time_missing=1 | ",
	"base64 ids":                         "1 0 0 id_base64=2 time_missing=1 | ",
	"64-bit traceId":                     "1 0 0 id_short=1 time_missing=1 | trace 0000000000000000d269b633813fc60c",
	"empty ids":                          "0 0 1 id_missing=1",
	"absent ids":                         "0 0 1 id_missing=1",
	"all-zero ids":                       "0 0 1 id_zero=1",
	"null id":                            "0 0 1 id_missing=1",
	"0x prefix":                          "0 0 1 id_invalid=1",
	"odd hex":                            "1 0 0 id_short=1 time_missing=1 | trace 05b8efff798038103d269b633813fc60",
	"kind string":                        "1 0 0 time_missing=1 | kind server",
	"kind short string":                  "1 0 0 kind_unknown=1 time_missing=1 | ",
	"kind quoted int":                    "1 0 0 enum_quoted=1 time_missing=1 | kind server",
	"kind 99":                            "1 0 0 kind_unknown=1 time_missing=1 | ",
	"kind -1":                            "1 0 0 kind_unknown=1 time_missing=1 | ",
	"kind null":                          "1 0 0 time_missing=1 | ",
	"status string":                      "1 0 0 time_missing=1 | status error",
	"status null":                        "1 0 0 time_missing=1 | ",
	"ts string":                          "1 0 0 time_missing=1 | start 1544712660000000000",
	"ts number":                          "1 0 0 time_missing=1 | start 1544712660000000000",
	"ts sci":                             "1 0 0 time_missing=1 | start 1544712660000000000",
	"ts frac":                            "0 0 1 time_invalid=1",
	"ts negative":                        "0 0 1 time_invalid=1",
	"ts neg string":                      "0 0 1 time_invalid=1",
	"ts max u64":                         "1 0 0 time_out_of_range=1 | start 18446744073709551615",
	"ts overflow":                        "0 0 1 time_invalid=1",
	"ts RFC3339":                         "0 0 1 time_invalid=1",
	"ts empty string":                    "1 0 0 time_missing=1 | ",
	"ts null":                            "1 0 0 time_missing=1 | ",
	"end<start":                          "1 0 0 negative_duration=1 | start 10, end 5",
	"NaN string":                         "1 0 0 time_missing=1 | a=4:NaN",
	"Infinity string":                    "1 0 0 time_missing=1 | a=4:-Inf",
	"hex float string":                   "1 0 0 time_missing=1 value_invalid=1 | a=1:0x1p-2",
	"NaN bare":                           "error at 244: 0 0 1 syntax=1",
	"double null":                        "1 0 0 time_missing=1 value_invalid=1 | a=0:",
	"1e999":                              "1 0 0 time_missing=1 value_invalid=1 | a=1:1e999",
	"int overflow":                       "1 0 0 time_missing=1 value_invalid=1 | a=1:9223372036854775808",
	"int float":                          "1 0 0 time_missing=1 | a=3:1",
	"dup attr keys":                      "1 0 0 duplicate_attribute=1 time_missing=1 | a=3:2",
	"empty attr key":                     "1 0 0 empty_attribute_key=1 time_missing=1 | ",
	"attr no value":                      "1 0 0 time_missing=1 | a=0:",
	"attr value null":                    "1 0 0 time_missing=1 | a=0:",
	"attrs as map":                       "0 0 1 shape=1",
	"two oneof":                          "1 0 0 duplicate_field=1 time_missing=1 | a=1:x",
	"bytes bad b64":                      "1 0 0 attribute_invalid=1 time_missing=1 | ",
	"bytes url-safe b64":                 "1 0 0 time_missing=1 | a=5:+/8=",
	"snake case":                         "1 0 0 service_missing=1 time_missing=1 | ",
	"legacy instrumentationLibrarySpans": "1 0 0 legacy_schema=1 service_missing=1 time_missing=1 | ",
	"unknown field":                      "1 0 0 time_missing=1 | ",
	"dup JSON key":                       "1 0 0 duplicate_field=1 time_missing=1 | name \"b\"",
	"dup spans key":                      "1 1 0 duplicate_span=1 service_missing=2 time_missing=1 | ",
	"BOM":                                "1 0 0 time_missing=1 | ",
	"trailing garbage":                   "1 0 0 time_missing=1 trailing_data=1 | ",
	"NDJSON 2 docs":                      "1 1 0 duplicate_span=1 time_missing=1 | ",
	"JSON array of docs":                 "1 0 0 time_missing=1 | ",
	"truncated":                          "error at 120: 0 0 0 truncated_input=1",
	"empty":                              "0 0 0 empty_input=1",
	"null":                               "0 0 0 empty_input=1",
	"{}":                                 "0 0 0 empty_input=1",
	"[]":                                 "0 0 0 empty_input=1",
	"string":                             "not traces: 0 0 0 not_traces=1 text_skipped=1",
	"resourceSpans null":                 "0 0 0 empty_input=1",
	"null element":                       "0 0 0 empty_input=1",
	"invalid UTF-8 name":                 "1 0 0 invalid_utf8=1 time_missing=1 | name \"�~d01ebb10\"",
	"lone surrogate":                     "1 0 0 invalid_utf8=1 time_missing=1 | name \"�~75a7b798\"",
	"NUL in name":                        "1 0 0 time_missing=1 | name \"a\\x00b\"",
	"comment":                            "1 0 0 syntax=1 time_missing=1 | ",
	"trailing comma":                     "error at 196: 0 0 1 syntax=1",
	"single quotes":                      "error at 1: 0 0 0 syntax=1",
	"parent==self":                       "1 0 0 self_parent=1 time_missing=1 | parent eee19b7ec3c1b174",
	"empty obj field name":               "1 0 0 time_missing=1 | name \"after\"",
}

// Every OTLP document of the reference corpus behaves as it is wanted there.
func TestHostileCorpus(t *testing.T) {
	f, err := os.Open(filepath.Join(dataDir(t), "reference", "hostile_inputs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var d struct {
			ID, Format, Want string
			Doc              *string
			DocBase64        []byte `json:"doc_base64"`
		}
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(d.Format, "otlp") {
			continue
		}
		seen++
		t.Run(d.ID, func(t *testing.T) {
			doc := d.DocBase64
			if d.Doc != nil {
				doc = []byte(*d.Doc)
			}
			got, s := outcome(t, doc)
			if s.NumSpans() > 0 {
				got += " | " + oddities(s.Span(0))
			}
			want, ok := hostile[strings.TrimPrefix(d.ID, "otlpjson/")]
			if !ok {
				t.Fatalf("no expectation; wanted is %q, got %q", d.Want, got)
			}
			if got != want {
				t.Errorf("got  %s\nwant %s\n(%s)", got, want, d.Want)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if seen != len(hostile) {
		t.Errorf("%d documents, %d expectations", seen, len(hostile))
	}
}

// oddities lists what a span has beside the ids that all documents of the corpus give it.
func oddities(s tracewhy.Span) string {
	d := s.Data()
	var odd []string
	add := func(isOdd bool, format string, args ...any) {
		if isOdd {
			odd = append(odd, fmt.Sprintf(format, args...))
		}
	}
	add(d.TraceID.String() != "5b8efff798038103d269b633813fc60c", "trace %s", d.TraceID)
	add(d.SpanID.String() != "eee19b7ec3c1b174", "span %s", d.SpanID)
	add(!d.ParentSpanID.IsZero(), "parent %s", d.ParentSpanID)
	add(d.Name != "", "name %q", d.Name)
	add(d.Kind != 0, "kind %s", d.Kind)
	add(d.Status != 0, "status %s", d.Status)
	add(d.Start != 0, "start %d", d.Start)
	add(d.End != 0, "end %d", d.End)
	for _, kv := range d.Attributes {
		add(true, "%s=%d:%s", kv.Key, kv.Value.Kind(), kv.Value)
	}
	return strings.Join(odd, ", ")
}
