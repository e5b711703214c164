package ingest_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/golden"
)

// awkward are the values that each field of each format in JSON is given in turn.
var awkward = []string{
	`null`, `true`, `""`, `"x"`, `"0"`, `-1`, `0`, `0.5`, `1e999`, `18446744073709551616`, `[]`, `{}`,
	`[null]`, `[[[]]]`, `{"a":{"a":1}}`, `"\u0000"`, `"\ud800"`, "\"\xff\"",
}

// A layout is how a format in JSON writes one sound span: the text around its fields, and each field.
type layout struct {
	name, before, after string
	fields              [][2]string
}

var layouts = []layout{
	{"otlp", `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"spans":[{`, `}]}]}]}`, [][2]string{
		{"traceId", `"5b8efff798038103d269b633813fc60c"`}, {"spanId", `"eee19b7ec3c1b174"`}, {"parentSpanId", `"eee19b7ec3c1b173"`},
		{"name", `"n"`}, {"kind", `2`}, {"startTimeUnixNano", `"1544712660000000000"`}, {"endTimeUnixNano", `"1544712661000000000"`},
		{"attributes", `[{"key":"a","value":{"intValue":"1"}}]`}, {"events", `[{"name":"e","timeUnixNano":"1544712660000000001"}]`},
		{"links", `[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175"}]`}, {"status", `{"code":2}`}, {"flags", `1`},
	}},
	{"jaeger", `{"data":[{"traceID":"5b8efff798038103d269b633813fc60c","processes":{"p1":{"serviceName":"s"}},"spans":[{`, `}]}]}`, [][2]string{
		{"traceID", `"5b8efff798038103d269b633813fc60c"`}, {"spanID", `"eee19b7ec3c1b174"`},
		{"references", `[{"refType":"CHILD_OF","traceID":"5b8efff798038103d269b633813fc60c","spanID":"eee19b7ec3c1b173"}]`},
		{"operationName", `"n"`}, {"startTime", `1544712660000000`}, {"duration", `1000000`}, {"processID", `"p1"`},
		{"tags", `[{"key":"error","type":"bool","value":true}]`}, {"logs", `[{"timestamp":1544712660000001,"fields":[{"key":"event","type":"string","value":"e"}]}]`},
	}},
	{"zipkin", `[{`, `}]`, [][2]string{
		{"traceId", `"5b8efff798038103d269b633813fc60c"`}, {"id", `"eee19b7ec3c1b174"`}, {"parentId", `"eee19b7ec3c1b173"`},
		{"name", `"n"`}, {"kind", `"SERVER"`}, {"timestamp", `1544712660000000`}, {"duration", `1000000`},
		{"localEndpoint", `{"serviceName":"s"}`}, {"remoteEndpoint", `{"serviceName":"r"}`}, {"tags", `{"error":"e"}`},
		{"annotations", `[{"timestamp":1544712660000001,"value":"e"}]`}, {"shared", `false`},
	}},
	{"stdouttrace", `{`, `}`, [][2]string{
		{"Name", `"n"`}, {"SpanContext", `{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b174"}`},
		{"Parent", `{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b173"}`}, {"SpanKind", `2`},
		{"StartTime", `"2018-12-13T14:51:00Z"`}, {"EndTime", `"2018-12-13T14:51:01Z"`},
		{"Attributes", `[{"Key":"a","Value":{"Type":"INT64","Value":1}}]`}, {"Events", `[{"Name":"e","Time":"2018-12-13T14:51:00Z"}]`},
		{"Links", `[]`}, {"Status", `{"Code":"Error"}`}, {"Resource", `[{"Key":"service.name","Value":{"Type":"STRING","Value":"s"}}]`},
	}},
}

// with returns the document with the given field written as value.
func (l layout) with(field, value string) []byte {
	var members []string
	for _, f := range l.fields {
		if f[0] == field {
			f[1] = value
		}
		members = append(members, fmt.Sprintf("%q:%s", f[0], f[1]))
	}
	return []byte(l.before + strings.Join(members, ",") + l.after)
}

// Each awkward value in each field of each format has the outcome that the golden file says, and no span
// gets lost uncounted. A sound span of each format is kept; all it
// lacks is its parent, which the document does not have.
func TestGrid(t *testing.T) {
	var got strings.Builder
	for _, l := range layouts {
		if out, _ := outcome(t, l.with("", "")); out != "1 0 0 no_root=1 orphan=1" {
			t.Errorf("%s: a sound span comes to %s", l.name, out)
		}
		for _, f := range l.fields {
			for _, v := range awkward {
				out, _ := outcome(t, l.with(f[0], v))
				fmt.Fprintf(&got, "%s %s %s: %s\n", l.name, f[0], strings.ToValidUTF8(v, `\xff`), out)
			}
		}
	}
	// In protobuf what is awkward is the wire type: each of the eight for each field of a span.
	bytesField := func(n uint64, b []byte) []byte {
		return append(binary.AppendUvarint(binary.AppendUvarint(nil, n<<3|2), uint64(len(b))), b...)
	}
	for field := range uint64(17) {
		for wire := range uint64(8) {
			span := append(bytesField(1, bytes.Repeat([]byte{1}, 16)), bytesField(2, bytes.Repeat([]byte{2}, 8))...)
			span = binary.AppendUvarint(span, field<<3|wire)
			span = append(span, 8, 0, 0, 0, 0, 0, 0, 0, 0)
			out, _ := outcome(t, bytesField(1, bytesField(2, bytesField(2, span))))
			fmt.Fprintf(&got, "protobuf field %d wire type %d: %s\n", field, wire, out)
		}
	}
	golden.Check(t, "grid.golden", got.String())
}

// The Zipkin documents of the reference corpus come to what the golden file says: the outcome and what
// the first span has.
func TestHostileZipkin(t *testing.T) {
	f, err := os.Open(filepath.Join(dataDir(t), "reference", "hostile_inputs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got strings.Builder
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var d struct{ ID, Format, Doc string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		if d.Format != "zipkin_v2_json" {
			continue
		}
		out, s := outcome(t, []byte(d.Doc))
		if s.NumSpans() > 0 {
			out += " | " + oddities(s.Span(0))
		}
		fmt.Fprintf(&got, "%s: %s\n", d.ID, out)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "zipkin.golden", got.String())
}
