package stdouttrace_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
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
	if diff := cmp.Diff(dataOf(first), dataOf(second), cmp.Comparer(tracewhy.Value.Equal)); diff != "" {
		t.Fatalf("a smaller window makes a difference:\n%s", diff)
	}
}

func dataOf(set *tracewhy.Set) (list []tracewhy.SpanData) {
	for s := range spans(set) {
		list = append(list, s.Data())
	}
	return list
}

func FuzzRead(f *testing.F) {
	for _, d := range hostileDocs() {
		if len(d.doc) < small {
			f.Add([]byte(d.doc))
		}
	}
	files, err := filepath.Glob("testdata/*.json*")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		doc, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc[:min(len(doc), small)])
	}
	f.Fuzz(check)
}

// FuzzNesting makes documents of parts that nest and repeat, as mutations of bytes do not find them.
func FuzzNesting(f *testing.F) {
	f.Add([]byte("\x0b\x08\x05\x02"))
	f.Add([]byte("\x0c\x09\x37\x05\x03\x20"))
	f.Add([]byte("\x0d\x0a\x06\x04\x11\x22"))
	f.Add(bytes.Repeat([]byte("\x06\x05"), 50))
	f.Add(bytes.Repeat([]byte("\x01"), 100))
	f.Fuzz(func(t *testing.T, program []byte) { check(t, nested(program)) })
}

// nested runs a program of one byte an instruction: which part encloses what was made so far, and how
// often that is repeated in it.
func nested(program []byte) (doc []byte) {
	const ids = `"SpanContext":{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b17`
	parts := []struct{ before, after string }{
		{`[`, `]`},
		{`{"Name":"1",` + ids + `1"},"Attributes":[`, `]}`},
		{`{"Name":"2",` + ids + `2"},"StartTime":"2026-11-24T12:00:00Z","Events":[`, `]}`},
		{`{"Name":"3",` + ids + `3"},"EndTime":"2026-11-24T12:00:00Z","Links":[`, `]}`},
		{`{"Name":"4","Resource":[`, `],` + ids + `4"}}`},
		{`{"Key":"a","Value":`, `}`},
		{`{"Type":"SLICE","Value":[`, `]}`},
		{`{"Type":"MAP","Value":[`, `]}`},
		{`{"Value":[`, `],"Type":"SLICE"}`},
		{`{"Type":"ARRAY","Value":[`, `]}`},
		{`{"Name":"e","Time":"2026-11-24T12:00:00Z","Attributes":[`, `]}`},
		{`{"Type":"STRING","Value":"`, `"}`},
		{`{"Type":"INT64SLICE","Value":[1,`, `2]}`},
		{ids + `1","TraceState":[`, `]}`},
		{`{"InstrumentationLibrary":{"Attributes":[`, `]},` + ids + `5"}}`},
		{`{"x":`, `}`},
	}
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
		doc = append(append([]byte(p.before), bytes.Join(slices.Repeat([][]byte{doc}, n), []byte(separator))...), p.after...)
	}
	return doc
}
