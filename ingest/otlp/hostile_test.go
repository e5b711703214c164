package otlp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// outcome reads a document and says in one line what that comes to.
func outcome(t *testing.T, doc []byte, limits input.Limits) string {
	t.Helper()
	first := ""
	for _, size := range []int{1 << 18, 1000, 70} { // of the window
		var b tracewhy.Builder
		err := otlp.ReadWindow(context.Background(), bytes.NewReader(doc), &b, input.Config{Limits: limits}, size)
		out := outcomeOf(t, err, build(t, &b))
		if first == "" {
			first = out
		} else if out != first {
			t.Errorf("a window of %d bytes makes a difference:\ngot  %s\nwant %s", size, out, first)
		}
	}
	return first
}

// outcomeOf lists the kind of an error, the spans kept, merged and quarantined, the problems with their
// counts and the places of the first, and the spans' names.
func outcomeOf(t *testing.T, err error, s *tracewhy.Set) string {
	t.Helper()
	a := s.Accounting()
	out := fmt.Sprintf("%d %d %d", a.Kept, a.Merged, a.Quarantined)
	var syntax *input.SyntaxError
	var limit *input.LimitError
	switch {
	case errors.As(err, &syntax):
		out = fmt.Sprintf("error at %d: %s", syntax.Position.Offset, out)
	case errors.As(err, &limit):
		out = fmt.Sprintf("limit %s: %s", limit.Limit, out)
	case errors.Is(err, input.ErrNotTraces):
		out = "not traces: " + out
	case err != nil:
		t.Errorf("unexpected error: %v", err)
	}
	for _, p := range s.Problems() {
		out += fmt.Sprintf(" %s=%d", p.Code, p.Count)
	}
	names := ""
	for span := range allSpans(s) {
		names += " " + span.Name()
	}
	if strings.TrimSpace(names) != "" {
		out += " |" + names
	}
	return out
}

// spanJSON is a complete span whose name, and last digit of its id, is n, with more members.
func spanJSON(n int, members string) string {
	return fmt.Sprintf(`{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b17%d","name":"%d","startTimeUnixNano":"%d","endTimeUnixNano":"9"%s}`, n, n, n, members)
}

// docJSON is a document of the given spans.
func docJSON(spans ...string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"spans":[` +
		strings.Join(spans, ",") + `]}]}]}`
}

func attrJSON(value string) string { return `,"attributes":[{"key":"a","value":` + value + `}]` }

// A hostileDoc is a document that is not as it should be, and what reading it comes to.
type hostileDoc struct {
	name string
	doc  []byte
	want string
}

func (d hostileDoc) test(t *testing.T) {
	if got := outcome(t, d.doc, input.Limits{}); got != d.want {
		t.Errorf("got  %s\nwant %s", got, d.want)
	}
}

func TestHostileJSON(t *testing.T) {
	for _, d := range hostileJSON() {
		t.Run(d.name, d.test)
	}
}

func hostileJSON() (docs []hostileDoc) {
	one, two, three := spanJSON(1, ""), spanJSON(2, ""), spanJSON(3, "")
	x := attrJSON(`{"stringValue":"x"}`)
	xAnd7 := attrJSON(`{"stringValue":"x","intValue":"7"}`)
	noKey := strings.Replace(x, `}]`, `,"key":""}]`, 1)
	tests := []struct{ name, doc, want string }{
		{"a document", docJSON(one, two), "2 0 0 several_roots=1 | 1 2"},
		{"with space everywhere", strings.NewReplacer(":", " :\r\n\t", ",", "\n, ", "{", " { ", "}", "\n}", "[", "[ ", "]", " ] ").Replace(docJSON(one, two)), "2 0 0 several_roots=1 | 1 2"},
		{"lines", docJSON(one) + "\n" + docJSON(two) + "\r\n\n" + docJSON(three) + "\n", "3 0 0 several_roots=1 | 1 2 3"},
		{"one after the other", docJSON(one) + docJSON(two) + " " + docJSON(three), "3 0 0 several_roots=1 | 1 2 3"},
		{"an array of documents", "[" + docJSON(one) + ",null," + docJSON(two) + "]", "2 0 0 several_roots=1 | 1 2"},
		{"a byte order mark before each line", "\ufeff" + docJSON(one) + "\n\ufeff" + docJSON(two), "2 0 0 several_roots=1 | 1 2"},
		{"log lines", "2026-01-02T03:04:05Z INFO {} started\n2026-01-02T03:04:06Z stdout F " + docJSON(one) + "\n\tx " + docJSON(two) + "\nbye\n", "2 0 0 several_roots=1 text_skipped=4 | 1 2"},
		{"a line that is broken", docJSON(one) + "\n" + docJSON(two)[:150] + "\n" + docJSON(three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a line of another kind", docJSON(one) + "\n" + `{"resourceMetrics":[{"resource":{}}]}` + "\n" + docJSON(two), "2 0 0 not_traces=1 several_roots=1 | 1 2"},
		{"nothing but other kinds", `{"resourceLogs":[]}` + "\n[1,2]", "not traces: 0 0 0 not_traces=1"},
		{"a number", "17", "not traces: 0 0 0 not_traces=1 text_skipped=1"},
		{"text after the document", docJSON(one) + ` {"x`, "1 0 0 truncated_input=1 | 1"},
		{"an answer of Tempo", `{"trace":` + docJSON(one) + `,"metrics":{}}`, "1 0 0 | 1"},
		{"an older answer of Tempo", strings.Replace(docJSON(one), "resourceSpans", "batches", 1), "1 0 0 | 1"},
		{"an answer of Jaeger", `{"result":` + docJSON(one) + `}`, "1 0 0 | 1"},
		{"an answer in an answer, too deep", `{"result":{"result":{"result":` + docJSON(one) + `}}}`, "0 0 0 empty_input=1"},

		{"cut within a span", docJSON(one, two)[:len(docJSON(one, two))-20], "1 0 1 truncated_input=1 | 1"},
		{"cut between spans", docJSON(one, two)[:len(docJSON(one))-6], "1 0 0 truncated_input=1 | 1"},
		{"cut after a whole line", docJSON(one) + "\n" + docJSON(two)[:30], "1 0 0 truncated_input=1 | 1"},

		{"a bad span among good ones: NaN", docJSON(one, spanJSON(2, attrJSON(`{"doubleValue":NaN}`)), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a bad span among good ones: a comma too many", docJSON(one, spanJSON(2, ","), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a bad span among good ones: a bad escape", docJSON(one, spanJSON(2, attrJSON(`{"stringValue":"\x"}`)), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a bad span among good ones: a number", docJSON(one, "5", three), "2 0 1 several_roots=1 shape=1 | 1 3"},
		{"a bad span among good ones: null", docJSON(one, "null", three), "2 0 1 several_roots=1 shape=1 | 1 3"},
		{"a bad span among good ones: events are no array", docJSON(one, spanJSON(2, `,"events":{}`), three), "2 0 1 several_roots=1 shape=1 | 1 3"},
		{"a bad span among good ones: a status of text", docJSON(one, spanJSON(2, `,"status":"ok"`), three), "2 0 1 several_roots=1 shape=1 | 1 3"},
		{"a bad span among good ones: a name of objects", docJSON(one, spanJSON(2, `,"name":{}`), three), "2 0 1 duplicate_field=1 several_roots=1 shape=1 | 1 3"},
		{"a bad span among good ones: a bad parent", docJSON(one, spanJSON(2, `,"parentSpanId":"none"`), three), "2 0 1 id_invalid=1 several_roots=1 | 1 3"},
		{"a bad span among good ones: a time of true", docJSON(one, spanJSON(2, `,"startTimeUnixNano":true`), three), "2 0 1 duplicate_field=1 several_roots=1 time_invalid=1 | 1 3"},
		{"a bad span among good ones: a time in a list", docJSON(one, spanJSON(2, `,"endTimeUnixNano":[1]`), three), "2 0 1 duplicate_field=1 several_roots=1 shape=1 | 1 3"},

		{"a parent of zeros", docJSON(spanJSON(1, `,"parentSpanId":"0000000000000000"`)), "1 0 0 | 1"},
		{"a parent of null", docJSON(spanJSON(1, `,"parentSpanId":null`)), "1 0 0 | 1"},
		{"a number for a name", docJSON(spanJSON(1, `,"name":7`)), "1 0 0 duplicate_field=1 value_invalid=1 | 7"},
		{"a status without a name", docJSON(spanJSON(1, `,"status":{"code":"BROKEN"}`)), "1 0 0 status_unknown=1 | 1"},
		{"a quoted status", docJSON(spanJSON(1, `,"status":{"code":"2"}`)), "1 0 0 enum_quoted=1 | 1"},
		{"flags beyond 32 bits", docJSON(spanJSON(1, `,"flags":4294967296`)), "1 0 0 value_invalid=1 | 1"},
		{"negative dropped counts", docJSON(spanJSON(1, `,"droppedEventsCount":-1`)), "1 0 0 value_invalid=1 | 1"},
		{"a link that leads nowhere", docJSON(spanJSON(1, `,"links":[{"traceId":"","spanId":"eee19b7ec3c1b174"},{}]`)), "1 0 0 link_invalid=2 | 1"},
		{"an event with a bad time", docJSON(spanJSON(1, `,"events":[{"timeUnixNano":"soon"}]`)), "1 0 0 value_invalid=1 | 1"},
		{"a value without its type", docJSON(spanJSON(1, attrJSON(`"x"`))), "1 0 0 value_invalid=1 | 1"},
		{"a value that is a list", docJSON(spanJSON(1, attrJSON(`[1]`))), "1 0 0 attribute_invalid=1 | 1"},
		{"an attribute that is text", docJSON(spanJSON(1, `,"attributes":["x"]`)), "1 0 0 attribute_invalid=1 | 1"},
		{"an int of another type", docJSON(spanJSON(1, attrJSON(`{"intValue":1.5}`))), "1 0 0 value_invalid=1 | 1"},
		{"a double as text", docJSON(spanJSON(1, attrJSON(`{"doubleValue":"1.5"}`))), "1 0 0 | 1"},
		{"arrays of nothing", docJSON(spanJSON(1, attrJSON(`{"arrayValue":null}`)+attrJSON(`{"arrayValue":{"values":null}}`))), "1 0 0 duplicate_attribute=1 | 1"},
		{"bad base64 in an array", docJSON(spanJSON(1, attrJSON(`{"arrayValue":{"values":[{"bytesValue":"*"}]}}`))), "1 0 0 attribute_invalid=1 | 1"},
		{"names in capitals", strings.Replace(docJSON(one), `"traceId"`, `"TRACEID"`, 1), "0 0 1 id_missing=1"},
		{"names with escapes", strings.Replace(docJSON(one), `"traceId"`, `"trace\u0049d"`, 1), "1 0 0 | 1"},
		{"a comma too few, after a span that has it", docJSON(one, strings.Replace(two, `{"traceId"`, `{"x":1"traceId"`, 1), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"two values in one, after some that have one", docJSON(spanJSON(1, x), spanJSON(2, x), spanJSON(3, xAnd7), spanJSON(4, xAnd7)), "4 0 0 duplicate_field=2 several_roots=1 | 1 2 3 4"},
		{"two keys in one, after some that have one", docJSON(spanJSON(1, x), spanJSON(2, x), spanJSON(3, noKey), spanJSON(4, noKey)), "4 0 0 empty_attribute_key=2 several_roots=1 | 1 2 3 4"},
		{"members of null", docJSON(spanJSON(1, `,"attributes":null,"events":null,"links":null,"status":null,"flags":null,"traceState":null`)), "1 0 0 | 1"},
		{"a resource of text", strings.Replace(docJSON(one), `{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]}`, `"x"`, 1), "1 0 0 service_missing=1 shape=1 | 1"},
		{"scopes of text", `{"resourceSpans":[{"scopeSpans":"x"},7,` + docJSON(one)[18:], "1 0 0 shape=2 | 1"},
		{"spans that are no array", strings.Replace(docJSON(one), `"spans":[`, `"spans":{"x":1},"spans":[`, 1), "1 0 0 shape=1 | 1"},
		{"what is deep is not looked at", docJSON(spanJSON(1, `,"x":`+strings.Repeat(`[{"a":`, 1e5)+"1"+strings.Repeat("}]", 1e5))), "1 0 0 | 1"},
		{"a document that only opens", strings.Repeat("[", 1e6), "error at 1000000: 0 0 0 truncated_input=1"},
		{"an object that only opens", strings.Repeat(`{"a":`, 1e6), "error at 5000000: 0 0 0 truncated_input=1"},
		{"a value that only opens", docJSON(spanJSON(1, attrJSON(strings.Repeat(`{"arrayValue":{"values":[`, 1e5)))), "error at 2500295: 0 0 1 truncated_input=1"},
		{"a value too deep", docJSON(spanJSON(1, attrJSON(strings.Repeat(`{"arrayValue":{"values":[`, 1e5)+strings.Repeat(`]}}`, 1e5)))), "1 0 0 value_depth=1 | 1"},
		{"empty spans", docJSON(strings.Repeat("{},", 1e5) + "{}"), "0 0 100001 id_missing=100001"},
		{"empty events", docJSON(spanJSON(1, `,"events":[`+strings.Repeat("{},", 1e5)+`{}]`)), "1 0 0 too_many=1 | 1"},
		{"a string with no end", docJSON(one)[:100] + strings.Repeat("x", 1e6), "error at 1000100: 0 0 0 truncated_input=1"},
	}
	for _, tt := range tests {
		docs = append(docs, hostileDoc{tt.name, []byte(tt.doc), tt.want})
	}
	return docs
}

// Parts of a message in protobuf.
func message(field uint64, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.AppendUvarint(nil, field<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(body))), body...)
}

func varint(field, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, field<<3), v)
}

func fixed64(field, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(nil, field<<3|1), v)
}

func attrProto(key string, value ...[]byte) []byte {
	return message(9, message(1, []byte(key)), message(2, value...))
}

// spanProto is a complete span whose name, and last byte of its id, is n, with more fields.
func spanProto(n byte, fields ...[]byte) []byte {
	return message(2, message(1, []byte("0123456789abcdef")), message(2, []byte{1, 2, 3, 4, 5, 6, 7, n}), message(5, []byte{'0' + n}),
		fixed64(7, uint64(n)), fixed64(8, 9), bytes.Join(fields, nil))
}

var resource = message(1, message(1, message(1, []byte("service.name")), message(2, message(1, []byte("s")))))

// docProto is a message of the given spans.
func docProto(spans ...[]byte) []byte {
	return message(1, resource, message(2, spans...))
}

func TestHostileProto(t *testing.T) {
	for _, d := range hostileProto() {
		t.Run(d.name, d.test)
	}
}

func hostileProto() []hostileDoc {
	one, two, three := spanProto(1), spanProto(2), spanProto(3)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	framed := func(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }
	fixed := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	raw := func(span ...[]byte) []byte { return message(2, span...) }
	id, spanID := message(1, []byte("0123456789abcdef")), message(2, []byte("01234567"))
	big := docProto(one, spanProto(2, attrProto("a", message(1, bytes.Repeat([]byte("x"), 300)))))
	deep := []byte{}
	for range 5000 {
		deep = message(5, message(1, deep))
	}
	group := join(bytes.Repeat([]byte{19<<3&0x7f | 3 | 0x80, 1}, 1e5), bytes.Repeat([]byte{19<<3&0x7f | 4 | 0x80, 1}, 1e5))
	return []hostileDoc{
		{"a message", docProto(one, two), "2 0 0 several_roots=1 | 1 2"},
		{"messages that follow each other", join(docProto(one), docProto(two)), "2 0 0 several_roots=1 | 1 2"},
		{"messages after their lengths", join(framed(docProto(one)), framed(docProto(two)), framed(nil)), "2 0 0 several_roots=1 | 1 2"},
		{"messages after their lengths, an empty one first", join(framed(nil), framed(docProto(one))), "1 0 0 | 1"},
		{"messages after lengths of two bytes", join(framed(big), framed(docProto(three))), "3 0 0 several_roots=1 | 1 2 3"},
		{"messages after their lengths in four bytes", join(fixed(docProto(one)), fixed(docProto(two)), fixed(nil), fixed(docProto(three))), "3 0 0 several_roots=1 | 1 2 3"},
		{"a message that has a newline's length", framed(docProto(message(2, []byte{}))), "0 0 1 id_missing=1"},
		{"fields in another order", message(1, message(3, []byte("schema")), message(2, one, message(1, message(1, []byte("scope")))), resource), "1 0 0 | 1"},
		{"the field of older versions", message(1, message(1000, one)), "1 0 0 legacy_schema=1 service_missing=1 | 1"},
		{"unknown fields", join(docProto(one, spanProto(2, varint(99, 1), fixed64(98, 1), message(97, []byte("x")))), varint(500, 7)), "2 0 0 several_roots=1 | 1 2"},
		{"known fields of another type", docProto(spanProto(1, varint(5, 1), message(7, []byte("x")))), "1 0 0 | 1"},
		{"groups", docProto(spanProto(1, group)), "1 0 0 | 1"},
		{"groups with no end", docProto(one, spanProto(2, group[:2e5]), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"kinds beyond those known", docProto(spanProto(1, varint(6, 99)), spanProto(2, varint(6, math.MaxUint64))), "2 0 0 kind_unknown=2 several_roots=1 | 1 2"},
		{"a status beyond those known", docProto(spanProto(1, message(15, varint(3, 9)))), "1 0 0 status_unknown=1 | 1"},

		{"no ids", docProto(one, raw(), raw(id), raw(spanID), raw(message(1), spanID)), "1 0 4 id_missing=4 | 1"},
		{"ids of zeros", docProto(one, raw(message(1, make([]byte, 16)), spanID), raw(id, message(2, make([]byte, 8)))), "1 0 2 id_zero=2 | 1"},
		{"ids of another length", docProto(one, raw(message(1, []byte("01234567")), spanID), raw(id, message(2, []byte("0123456789"))), spanProto(2, message(4, []byte("x")))), "1 0 3 id_length=3 | 1"},
		{"a link that leads nowhere", docProto(spanProto(1, message(13, id), message(13, id, message(2, make([]byte, 8))))), "1 0 0 link_invalid=2 | 1"},
		{"two values in one", docProto(spanProto(1, attrProto("a", varint(3, 1), message(1, []byte("x"))))), "1 0 0 duplicate_field=1 | 1"},
		{"text that is no UTF-8", docProto(spanProto(1, attrProto("a", message(1, []byte("\xff"))), message(3, []byte("\xfe")))), "1 0 0 invalid_utf8=2 | 1"},
		{"an attribute that is broken", docProto(spanProto(1, message(9, []byte{0xff}), attrProto("a", []byte{0x0a, 5, 'x'}))), "1 0 0 attribute_invalid=2 | 1"},
		{"an attribute without a key", docProto(spanProto(1, message(9))), "1 0 0 empty_attribute_key=1 | 1"},
		{"a value too deep", docProto(spanProto(1, attrProto("a", deep))), "1 0 0 value_depth=1 | 1"},

		{"a span with a length beyond it", docProto(one, raw([]byte{0x0a, 0x7f}), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a span with an endless integer", docProto(one, raw(bytes.Repeat([]byte{0xff}, 20)), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a span with field 0", docProto(one, raw([]byte{0, 1}), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a span with a wire type that is none", docProto(one, raw([]byte{0x0f}), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a span with the end of a group", docProto(one, raw([]byte{0x0c}), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"an event that is broken", docProto(one, spanProto(2, message(11, []byte{0xff})), three), "2 0 1 several_roots=1 syntax=1 | 1 3"},
		{"a scope with a length beyond it", join(docProto(one), message(1, message(2, []byte{0x12, 0x7f})), docProto(two)), "2 0 0 several_roots=1 syntax=1 | 1 2"},
		{"a resource that is broken", join(docProto(one), message(1, message(1, []byte{0xff}), message(2, two))), "2 0 0 service_missing=1 several_roots=1 syntax=1 | 1 2"},
		{"a message that is broken among others", join(framed(docProto(one)), framed([]byte{0x0a, 0x7f}), framed(docProto(two))), "2 0 0 several_roots=1 syntax=1 | 1 2"},
		{"bytes after the message", join(docProto(one), []byte{0xff, 0xff}), "1 0 0 truncated_input=1 | 1"},
		{"cut within a span", docProto(one, two)[:len(docProto(one, two))-5], "1 0 1 truncated_input=1 | 1"},
		{"cut within a length", docProto(one)[:3], "error at 3: 0 0 0 truncated_input=1"},
		{"cut within a frame", join(framed(docProto(one)), framed(docProto(two))[:10]), "1 0 0 truncated_input=1 | 1"},
		{"random bytes", []byte("\x01\x02\x03\x04\x05\x06\x07"), "not traces: 0 0 0 not_traces=1"},

		{"empty resources", bytes.Repeat([]byte{0x0a, 0}, 1e5), "0 0 0 empty_input=1"},
		{"empty spans", docProto(bytes.Repeat([]byte{0x12, 0}, 1e5)), "0 0 100000 id_missing=100000"},
		{"empty attributes", docProto(spanProto(1, bytes.Repeat([]byte{0x4a, 0}, 1e5))), "1 0 0 empty_attribute_key=65536 too_many=1 | 1"},
		{"an array of nothing", docProto(spanProto(1, attrProto("a", message(5, bytes.Repeat([]byte{0x0a, 0}, 1e5))))), "1 0 0 too_many=1 | 1"},
	}
}

func TestLimits(t *testing.T) {
	attributes := func(n int) string {
		return `,"attributes":[` + strings.Repeat(`{"key":"a","value":{"boolValue":true}},`, n) + `null]`
	}
	dense := bytes.Repeat(message(11), 60000)
	var spans [][]byte
	for n := range byte(40) {
		spans = append(spans, spanProto(n, dense, message(5, []byte("A")), fixed64(7, 1)))
	}
	tests := []struct {
		name   string
		doc    string
		limits input.Limits
		want   string
	}{
		{"decoded bytes", docJSON(spanJSON(1, "")) + "\n" + docJSON(spanJSON(2, "")), input.Limits{DecodedBytes: 300}, "limit DecodedBytes: 1 0 0 | 1"},
		{"spans", docJSON(spanJSON(1, ""), spanJSON(2, ""), spanJSON(3, "")), input.Limits{Spans: 2}, "limit Spans: 2 0 0 limit_exceeded=1 several_roots=1 | 1 2"},
		{"objects", docJSON(spanJSON(1, attributes(3)), spanJSON(2, attributes(3))), input.Limits{Objects: 5}, "limit Objects: 1 0 0 duplicate_attribute=2 limit_exceeded=1 | 1"},
		{"objects, of spans that were lost", docJSON(spanJSON(1, attributes(4)+",,"), spanJSON(2, attributes(3))), input.Limits{Objects: 5}, "1 0 1 duplicate_attribute=2 syntax=1 | 2"},
		{"density", string(docProto(spans...)), input.Limits{}, "limit Density: 17 0 0 limit_exceeded=1 several_roots=1 | A A A A A A A A A A A A A A A A A"},
		{"per span", docJSON(spanJSON(1, attributes(5))), input.Limits{PerSpan: 3}, "1 0 0 duplicate_attribute=2 too_many=1 | 1"},
		{"depth", docJSON(spanJSON(1, attrJSON(`{"arrayValue":{"values":[{"arrayValue":{}}]}}`))), input.Limits{Depth: 1}, "1 0 0 value_depth=1 | 1"},
		{"value bytes", docJSON(spanJSON(1, attrJSON(`{"stringValue":"`+strings.Repeat("ü", 20)+`"}`))), input.Limits{ValueBytes: 33}, "1 0 0 value_truncated=1 | 1"},
		{"span bytes", docJSON(spanJSON(1, ""), spanJSON(2, attrJSON(`{"stringValue":"`+strings.Repeat("x", 1e6)+`"}`)), spanJSON(3, "")), input.Limits{SpanBytes: 1e5}, "2 0 1 limit_exceeded=1 several_roots=1 | 1 3"},
		{"span bytes of protobuf", string(docProto(spanProto(1), spanProto(2, attrProto("a", message(1, make([]byte, 1000)))), spanProto(3))), input.Limits{SpanBytes: 500}, "2 0 1 limit_exceeded=1 several_roots=1 | 1 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(t, []byte(tt.doc), tt.limits); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Values that are cut are still UTF-8.
func TestCutValue(t *testing.T) {
	var b tracewhy.Builder
	doc := docJSON(spanJSON(1, attrJSON(`{"stringValue":"`+strings.Repeat("ü", 20)+`"}`)))
	if err := otlp.ReadJSON(context.Background(), strings.NewReader(doc), &b, input.Config{Limits: input.Limits{ValueBytes: 33}}); err != nil {
		t.Fatal(err)
	}
	if v, _ := build(t, &b).Span(0).Attr("a"); v.Str() != strings.Repeat("ü", 16) {
		t.Errorf("got %q", v.Str())
	}
}

// Ids come in hexadecimal of either case, in base64, and short.
func TestIDs(t *testing.T) {
	trace := []byte{0, 0, 0, 0, 0, 0, 0, 0xff, 8, 9, 10, 11, 12, 13, 14, 0xfe}
	want := fmt.Sprintf("%x", trace)
	for _, id := range []string{
		want, strings.ToUpper(want), strings.TrimLeft(want, "0"), base64.StdEncoding.EncodeToString(trace), base64.RawURLEncoding.EncodeToString(trace),
	} {
		var b tracewhy.Builder
		doc := strings.Replace(docJSON(spanJSON(1, "")), "5b8efff798038103d269b633813fc60c", id, 1)
		if err := otlp.ReadJSON(context.Background(), strings.NewReader(doc), &b, input.Config{}); err != nil {
			t.Fatal(err)
		}
		if s := build(t, &b); s.NumTraces() != 1 || s.Trace(0).ID().String() != want {
			t.Errorf("%s is not read as %s: %+v", id, want, s.Problems())
		}
	}
}
