package otlp_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// demo returns the traces of an incident of a bank.
func demo(b *testing.B) *tracewhy.Set {
	c := scenario.Demo()
	var to tracewhy.Builder
	for _, spans := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for i := range spans {
			to.Add(&spans[i])
		}
	}
	return build(b, &to)
}

func BenchmarkRead(b *testing.B) {
	set := demo(b)
	for _, w := range writers {
		b.Run(w.name, func(b *testing.B) {
			var doc bytes.Buffer
			if err := w.write(&doc, allSpans(set)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(doc.Len()))
			b.ReportAllocs()
			for b.Loop() {
				var to tracewhy.Builder
				if err := otlp.Read(context.Background(), bytes.NewReader(doc.Bytes()), &to, input.Config{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*set.NumSpans()), "ns/span")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	set := demo(b)
	for _, w := range writers {
		b.Run(w.name, func(b *testing.B) {
			benchmarkWrite(b, set, w.write)
		})
	}
}

func benchmarkWrite(b *testing.B, set *tracewhy.Set, write func(io.Writer, iter.Seq[tracewhy.Span]) error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := write(io.Discard, allSpans(set)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*set.NumSpans()), "ns/span")
}
