package jaeger_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
)

// small keeps the documents of fuzzing from growing for ever.
const small = 1 << 14

// check reads a document, and holds what comes of it against what must be true of any: every span is
// accounted for, where windows end makes no difference, and what is written of it is read as something
// that is written again as it was.
func check(t *testing.T, doc []byte) {
	read := func(doc []byte, size int) (*tracewhy.Set, string) {
		var b tracewhy.Builder
		err := jaeger.ReadWindow(context.Background(), bytes.NewReader(doc), &b, input.Config{}, size)
		s := build(t, &b)
		return s, outcomeOf(t, err, s)
	}
	set, outcome := read(doc, 1<<18)
	other, got := read(doc, 1<<8)
	if got != outcome {
		t.Fatalf("a smaller window makes a difference:\n%s\n%s", outcome, got)
	}
	if diff := cmp.Diff(spansOf(set), spansOf(other)); diff != "" {
		t.Fatalf("a smaller window makes a difference:\n%s", diff)
	}
	if set.NumSpans() == 0 {
		return
	}
	first := written(t, set)
	again, _ := read(first, 1<<18)
	if a := again.Accounting(); a.Kept != set.NumSpans() || a.Quarantined > 0 {
		t.Fatalf("of %d spans, %+v are read again:\n%s", set.NumSpans(), a, first)
	}
	if second := written(t, again); !bytes.Equal(first, second) {
		t.Fatalf("what was read is written otherwise:\n%s\n%s", first, second)
	}
}

func written(tb testing.TB, set *tracewhy.Set) []byte {
	var doc bytes.Buffer
	if err := jaeger.WriteJSON(&doc, spans(set)); err != nil {
		tb.Fatal(err)
	}
	return doc.Bytes()
}

func FuzzRead(f *testing.F) {
	for _, d := range hostileDocs() {
		if len(d.doc) < small {
			f.Add([]byte(d.doc))
		}
	}
	for seed := range uint64(8) {
		f.Add(written(f, newGenerator(seed).set(f, 1)))
	}
	f.Fuzz(check)
}

// FuzzNesting makes documents of parts that nest and repeat, as mutations of bytes do not find them.
func FuzzNesting(f *testing.F) {
	f.Add([]byte("\x08\x06\x03\x02\x01\x00"))
	f.Add([]byte("\x07\x05\x24\x31\x40"))
	f.Add([]byte("\x0a\x19\x1b\x1c\x0d\x0e"))
	f.Add(bytes.Repeat([]byte("\x09\x00"), 100))
	f.Fuzz(func(t *testing.T, program []byte) { check(t, nested(program)) })
}

// nested runs a program of one byte an instruction: which part encloses what was made so far, and how
// often that is repeated in it.
func nested(program []byte) (doc []byte) {
	const ids = `"traceID":"5b8efff798038103d269b633813fc60c","spanID":"eee19b7ec3c1b17`
	parts := []struct{ before, after string }{
		{`{"data":[`, `]}`},
		{`{"traceID":"d269b633813fc60c","spans":[`, `],"processes":` + processes + `}`},
		{`{"processes":{"p1":{"serviceName":"u","tags":[`, `]}},"spans":[{` + ids + `0","processID":"p1"}]}`},
		{`{` + ids + `1","startTime":1502787600000001,"duration":3,"processID":"p1","tags":[`, `]}`},
		{`{` + ids + `2","startTime":1502787600000001,"logs":[`, `]}`},
		{`{` + ids + `3","duration":-3,"references":[`, `]}`},
		{`{` + ids + `4","process":{"serviceName":"v","tags":[`, `]}}`},
		{`{"timestamp":1502787600000001,"fields":[`, `]}`},
		{`{"key":"error","value":`, `}`},
		{`{"key":"a","type":"string","value":`, `}`},
		{`{"refType":"FOLLOWS_FROM","spanID":"eee19b7ec3c1b171","span":`, `}`},
		{`{"hits":{"hits":[{"_source":`, `}]}}`},
		{`"`, `"`},
		{`[`, `]`},
		{`{"warnings":[`, `],` + ids + `5"}`},
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
