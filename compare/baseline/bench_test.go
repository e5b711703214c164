package baseline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare/baseline"
)

// million makes about a million spans.
func million() *tracewhy.Set {
	return tracewhy.SetOf(knobs{traces: 240_000, fails: 0.01, checks: 0.1, lost: 0.01}.spans(1)...)
}

func BenchmarkTake(b *testing.B) {
	set := million()
	b.ReportAllocs()
	for b.Loop() {
		take(b, set.All(), baseline.Config{})
	}
	b.ReportMetric(float64(set.NumSpans())*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
	b.ReportMetric(float64(set.NumSpans()), "spans")
}

// BenchmarkFile writes and reads the snapshot of a million spans, and reports its size.
func BenchmarkFile(b *testing.B) {
	s := take(b, million().All(), baseline.Config{})
	data := encode(b, s)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(data); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			encode(b, s)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			decode(b, data)
		}
		b.ReportMetric(float64(len(data)), "bytes")
		b.ReportMetric(float64(z.Len()), "gzip-bytes")
	})
}

func BenchmarkDiff(b *testing.B) {
	x, y := take(b, million().All(), baseline.Config{}), knobs{traces: 10_000, day: 1, slow: 2}.take(b, 1, baseline.Config{})
	for b.Loop() {
		if _, err := baseline.Diff(context.Background(), x, y, baseline.Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	x, y := knobs{traces: 10_000}.take(b, 1, baseline.Config{}), knobs{traces: 10_000, day: 1}.take(b, 1, baseline.Config{})
	for b.Loop() {
		merge(b, x, y)
	}
}
