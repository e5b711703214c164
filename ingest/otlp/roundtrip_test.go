package otlp_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

func allSpans(s *tracewhy.Set) iter.Seq[tracewhy.Span] {
	return func(yield func(tracewhy.Span) bool) {
		for i := range s.NumSpans() {
			if !yield(s.Span(i)) {
				return
			}
		}
	}
}

func dataOf(s *tracewhy.Set) []tracewhy.SpanData {
	var all []tracewhy.SpanData
	for span := range allSpans(s) {
		all = append(all, span.Data())
	}
	return all
}

var writers = []struct {
	name  string
	write func(io.Writer, iter.Seq[tracewhy.Span]) error
}{
	{"JSON", otlp.WriteJSON},
	{"protobuf", otlp.WriteProto},
}

// Writing OTLP and reading it back loses nothing.
func TestRoundTrip(t *testing.T) {
	for _, w := range writers {
		t.Run(w.name, func(t *testing.T) {
			for seed := range uint64(8) {
				want := newGenerator(seed).set(t, 20)
				var doc bytes.Buffer
				if err := w.write(&doc, allSpans(want)); err != nil {
					t.Fatal(err)
				}
				var b tracewhy.Builder
				if err := otlp.Read(context.Background(), iotest.HalfReader(&doc), &b, input.Config{Source: "test"}); err != nil {
					t.Fatal(err)
				}
				got := build(t, &b)
				if diff := cmp.Diff(dataOf(want), dataOf(got)); diff != "" {
					t.Fatalf("seed %d: what was read is not what was written:\n%s", seed, diff)
				}
				if diff := cmp.Diff(want.Problems(), got.Problems()); diff != "" {
					t.Fatalf("seed %d: problems differ:\n%s", seed, diff)
				}
			}
		})
	}
}
