package otlp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// small keeps the documents of fuzzing from growing for ever.
const small = 1 << 14

// check reads a document, and holds what comes of it against what must be true of any: every span is
// accounted for, where windows end makes no difference, and what is written of it is read again as it
// was, and written again as it was.
func check(t *testing.T, doc []byte, write func(io.Writer, iter.Seq[tracewhy.Span]) error) {
	read := func(doc []byte, size int) (*tracewhy.Set, string) {
		var b tracewhy.Builder
		err := otlp.ReadWindow(context.Background(), bytes.NewReader(doc), &b, input.Config{}, size)
		s := build(t, &b)
		return s, outcomeOf(t, err, s)
	}
	set, outcome := read(doc, 1<<18)
	data := dataOf(set)
	if other, got := read(doc, 1<<8); got != outcome {
		t.Fatalf("a smaller window makes a difference:\n%s\n%s", outcome, got)
	} else if diff := cmp.Diff(data, dataOf(other)); diff != "" {
		t.Fatalf("a smaller window makes a difference:\n%s", diff)
	}
	if len(data) == 0 {
		return
	}
	var first, second bytes.Buffer
	if err := write(&first, allSpans(set)); err != nil {
		t.Fatal(err)
	}
	again, _ := read(first.Bytes(), 1<<18)
	if diff := cmp.Diff(data, dataOf(again)); diff != "" {
		t.Fatalf("what was written is read otherwise:\n%s\n%s", diff, first.Bytes())
	}
	if err := write(&second, allSpans(again)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatalf("what was read is written otherwise:\n%q\n%q", first.Bytes(), second.Bytes())
	}
}

// written returns documents that say everything.
func written(f *testing.F, write func(io.Writer, iter.Seq[tracewhy.Span]) error) (docs [][]byte) {
	for seed := range uint64(8) {
		var doc bytes.Buffer
		if err := write(&doc, allSpans(newGenerator(seed).set(f, 1))); err != nil {
			f.Fatal(err)
		}
		docs = append(docs, doc.Bytes())
	}
	return docs
}

func FuzzJSON(f *testing.F) {
	for _, d := range hostileJSON() {
		if len(d.doc) < small {
			f.Add(d.doc)
		}
	}
	for _, doc := range written(f, otlp.WriteJSON) {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) { check(t, doc, otlp.WriteJSON) })
}

func FuzzProto(f *testing.F) {
	for _, d := range hostileProto() {
		if len(d.doc) < small {
			f.Add(d.doc)
		}
	}
	for _, doc := range written(f, otlp.WriteProto) {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) { check(t, doc, otlp.WriteProto) })
}

// FuzzDelimited reads a message after its length, twice, with and without the end of the second.
func FuzzDelimited(f *testing.F) {
	for _, doc := range written(f, otlp.WriteProto) {
		f.Add(doc, true, uint16(3))
		f.Add(doc, false, uint16(0))
	}
	f.Fuzz(func(t *testing.T, doc []byte, isVarint bool, cut uint16) {
		length := binary.BigEndian.AppendUint32(nil, uint32(len(doc)))
		if isVarint {
			length = binary.AppendUvarint(nil, uint64(len(doc)))
		}
		one := append(length, doc...)
		two := append(bytes.Clone(one), one...)
		check(t, two[:len(two)-min(int(cut), len(one))], otlp.WriteProto)
	})
}

// FuzzNesting makes documents of parts that nest and repeat, as mutations of bytes do not find them.
func FuzzNesting(f *testing.F) {
	f.Add([]byte("\x01\x02\x33\x04\x05\x06\x07"))
	f.Add([]byte("\x00\x11\x22\x33\xf9\xf9\xf9\xf9"))
	f.Add(bytes.Repeat([]byte("\x09\x0a"), 100))
	f.Fuzz(func(t *testing.T, program []byte) {
		jsonDoc, protoDoc := nested(program)
		check(t, jsonDoc, otlp.WriteJSON)
		check(t, protoDoc, otlp.WriteProto)
	})
}

// nested runs a program of one byte an instruction: which part encloses what was made so far, and how
// often that is repeated in it.
func nested(program []byte) (jsonDoc, protoDoc []byte) {
	parts := []struct {
		before, after string
		field         uint64
	}{
		{`{"resourceSpans":[`, `]}`, 1},
		{`{"scopeSpans":[`, `]}`, 2},
		{`{"spans":[`, `]}`, 2},
		{`{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","attributes":[`, `]}`, 9},
		{`{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","events":[`, `]}`, 11},
		{`{"spanId":"eee19b7ec3c1b176","links":[`, `]}`, 13},
		{`{"attributes":[`, `]}`, 3},
		{`{"key":"a","value":`, `}`, 2},
		{`{"arrayValue":{"values":[`, `]}}`, 5},
		{`{"kvlistValue":{"values":[`, `]}}`, 6},
		{`{"values":[`, `]}`, 1},
		{`{"resource":`, `}`, 1},
		{`{"stringValue":"`, `"}`, 1},
		{`[`, `]`, 7},
		{`{"result":`, `}`, 100},
		{`{"x":`, `}`, 1000},
	}
	for _, op := range program {
		p := parts[op&15]
		n := 1 + int(op>>4)
		if len(jsonDoc)*n > small || len(protoDoc)*n > small {
			n = 1
		}
		separator := ""
		if p.before[len(p.before)-1] == '[' {
			separator = ","
		}
		jsonDoc = append(append([]byte(p.before), bytes.Join(slices.Repeat([][]byte{jsonDoc}, n), []byte(separator))...), p.after...)
		protoDoc = message(p.field, bytes.Repeat(protoDoc, n))
	}
	return jsonDoc, protoDoc
}
