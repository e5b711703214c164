package jaeger_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// demo returns the traces of an incident of a bank.
func demo(tb testing.TB) *tracewhy.Set {
	return mustSet(tb, func(to *tracewhy.Builder) error {
		c := scenario.Demo()
		for _, spans := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
			for i := range spans {
				to.Add(&spans[i])
			}
		}
		return nil
	})
}

func benchmarkRead(b *testing.B, doc []byte, spans int) {
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var to tracewhy.Builder
		if err := jaeger.Read(context.Background(), bytes.NewReader(doc), &to, input.Config{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}

// BenchmarkRead reads what WriteJSON writes, and an answer of Jaeger, where the processes come last.
func BenchmarkRead(b *testing.B) {
	b.Run("written", func(b *testing.B) {
		set := demo(b)
		var doc bytes.Buffer
		if err := jaeger.WriteJSON(&doc, spans(set)); err != nil {
			b.Fatal(err)
		}
		benchmarkRead(b, doc.Bytes(), set.NumSpans())
	})
	b.Run("answer", func(b *testing.B) {
		doc := dataFile(b, "formats/crossformat/jaeger_api.json")
		benchmarkRead(b, doc, readJaeger(b, doc).NumSpans())
	})
}

func BenchmarkWrite(b *testing.B) {
	set := demo(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := jaeger.WriteJSON(io.Discard, spans(set)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*set.NumSpans()), "ns/span")
}
