package zipkin_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// small keeps the documents of fuzzing from growing for ever.
const small = 1 << 14

// check reads a document, and holds what comes of it against what must be true of any: every span is
// accounted for, and where windows end makes no difference.
func check(t *testing.T, doc []byte) {
	first, outcome := readWindow(t, string(doc), input.Limits{}, 1<<18)
	second, got := readWindow(t, string(doc), input.Limits{}, 1<<8)
	if got != outcome {
		t.Fatalf("a smaller window makes a difference:\n%s\n%s", outcome, got)
	}
	whole := func(*tracewhy.SpanData) {}
	if diff := cmp.Diff(spansByID(first, whole), spansByID(second, whole)); diff != "" {
		t.Fatalf("a smaller window makes a difference:\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	for _, d := range hostileDocs() {
		if len(d.doc) < small {
			f.Add([]byte(d.doc))
		}
	}
	f.Add([]byte(`[{"traceId":"1","id":"2","annotations":[{"timestamp":1,"value":"\"a\":{\"b\":[1]}"},{"value":"{\"a\": {\"b\": 1.5}}"},{"value":"a|{}|1"}],` +
		`"tags":{"otlp.link.0":"0000000000000000000000000000000a|0000000000000001|a=b|{\"k\":1}|2","error":"x","otel.status_code":"ERROR","host.name":"h"},"remoteEndpoint":{"ipv6":"::1","port":1}}]`))
	f.Fuzz(check)
}

// FuzzNesting makes documents of parts that nest and repeat, as mutations of bytes do not find them.
func FuzzNesting(f *testing.F) {
	f.Add([]byte("\x07\x04\x02\x00\x01"))
	f.Add([]byte("\x08\x37\x25\x12\x30\x11"))
	f.Add([]byte("\x0a\x0b\x0d\x24\x00\x00"))
	f.Add([]byte("\x06\x09\x0c\x03\x10\x0e"))
	f.Add(bytes.Repeat([]byte("\x01"), 100))
	f.Add(bytes.Repeat([]byte("\x07\x06"), 50))
	f.Fuzz(func(t *testing.T, program []byte) { check(t, nested(program)) })
}

// nested runs a program of one byte an instruction: which part encloses what was made so far, and how
// often that is repeated in it.
func nested(program []byte) (doc []byte) {
	const ids = `"traceId":"5b8efff798038103d269b633813fc60c","id":"eee19b7ec3c1b17`
	parts := []struct{ before, after string }{
		{`[`, `]`},
		{`[`, `,{}]`},
		{`{` + ids + `1","timestamp":1502787600000001,"duration":3,"tags":`, `}`},
		{`{` + ids + `2","kind":"SERVER","shared":true,"localEndpoint":`, `}`},
		{`{` + ids + `2","kind":"CLIENT","annotations":[`, `]}`},
		{`{"timestamp":1502787600000001,"value":`, `}`},
		{`{"a":`, `}`},
		{`{"error":`, `}`},
		{`"e: `, `"`}, // a text, whose quotes are escaped
		{`"e|`, `|1"`},
		{`{"otlp.link.0":`, `}`},
		{`"0000000000000000000000000000000a|0000000000000001||`, `|2"`},
		{`{"serviceName":"s","ipv4":`, `}`},
		{`{"x":`, `,` + ids + `3"}`},
		{`{"host.name":"h","otel.status_code":`, `}`},
		{`{` + ids + `4","binaryAnnotations":`, `}`},
	}
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, op := range program {
		p := parts[op&15]
		n := 1 + int(op>>4)
		if len(doc)*n > small {
			n = 1
		}
		separator := ""
		if p.before[len(p.before)-1] == '[' {
			separator = ","
		}
		inner := bytes.Join(slices.Repeat([][]byte{doc}, n), []byte(separator))
		if p.before[0] == '"' {
			if inner = []byte(escape.Replace(string(inner))); len(inner) > small {
				return doc
			}
		}
		doc = append(append([]byte(p.before), inner...), p.after...)
	}
	return doc
}
