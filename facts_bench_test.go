package tracewhy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// The shapes of traces that slow or recursive code has trouble with, at a number of spans.
var shapes = []struct {
	name string
	make func(n int) []tracewhy.SpanData
}{
	{"flat", func(n int) []tracewhy.SpanData { // overlapping siblings in no order of their end
		rng := rand.New(rand.NewPCG(1, 2))
		return shape(n, func(i int) (parent int, start, end int64) {
			start = 1 + int64(i)*10
			return 0, start, start + 1 + rng.Int64N(1000)
		})
	}},
	{"row", func(n int) []tracewhy.SpanData { // one after the other
		return shape(n, func(i int) (parent int, start, end int64) { return 0, int64(i) * 10, int64(i)*10 + 9 })
	}},
	{"deep", func(n int) []tracewhy.SpanData { // each the child of the one before
		return shape(n, func(i int) (parent int, start, end int64) { return i - 1, int64(i), int64(20*n - i) })
	}},
	{"tree", func(n int) []tracewhy.SpanData { // eight children each
		return shape(n, func(i int) (parent int, start, end int64) {
			parent = (i - 1) / 8
			return parent, int64(i), int64(20*n - i)
		})
	}},
}

// shape makes a trace of n spans below a root, with errors all along.
func shape(n int, of func(i int) (parent int, start, end int64)) []tracewhy.SpanData {
	spans := make([]tracewhy.SpanData, n+1)
	for i := range spans {
		parent, start, end := 0, int64(0), int64(20*n+2000)
		spans[i] = tracewhy.SpanData{TraceID: tracetext.TraceID(1), SpanID: tracetext.SpanID(i + 1), Name: "op", Status: tracewhy.StatusError}
		if i > 0 {
			parent, start, end = of(i)
			spans[i].ParentSpanID = tracetext.SpanID(parent + 1)
		}
		spans[i].Start, spans[i].End = uint64(tracetext.Epoch+start), uint64(tracetext.Epoch+end)
	}
	return spans
}

// eachFact runs a benchmark for each of the facts of a trace.
func eachFact(b *testing.B, t tracewhy.Trace) {
	facts := []struct {
		name string
		find func() int
	}{
		{"CriticalPath", func() int { return len(t.CriticalPath()) }},
		{"Slacks", func() int { return len(t.Slacks()) }},
		{"SelfTimes", func() int { return len(t.Set().SelfTimes()) }},
		{"ErrorHops", func() int { return len(t.ErrorHops()) }},
		{"Gaps", func() int {
			n := 1
			for s := range t.Spans() {
				for range s.Gaps() {
					n++
				}
			}
			return n
		}},
		{"CallGroups", func() int {
			n := 1
			for s := range t.Spans() {
				n += len(s.CallGroups())
			}
			return n
		}},
	}
	for _, f := range facts {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if f.find() == 0 {
					b.Fatal("nothing found")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(t.NumSpans()), "ns/span")
		})
	}
}

// BenchmarkShapes doubles the number of spans up to a million: ns/span shows how time grows.
func BenchmarkShapes(b *testing.B) {
	for _, shape := range shapes {
		for n := 125_000; n <= 1_000_000; n *= 2 {
			t := tracewhy.SetOf(shape.make(n)...).Trace(0)
			b.Run(fmt.Sprintf("%s/%d", shape.name, n), func(b *testing.B) { eachFact(b, t) })
		}
	}
}

// BenchmarkManyTraces finds facts of traces of 20 spans, of which one in ten failed.
func BenchmarkManyTraces(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	const traces, spans = 10_000, 20
	var builder tracewhy.Builder
	for i := range traces {
		type window struct{ start, end int64 }
		windows := []window{{0, 1_000_000_000}}
		for j := range spans {
			d := tracewhy.SpanData{
				TraceID: tracetext.TraceID(i + 1), SpanID: tracetext.SpanID(j + 1), Name: fmt.Sprintf("op%d", j%7),
				Kind: tracewhy.Kind(1 + j%3), Attributes: []tracewhy.KeyValue{tracewhy.Int("http.response.status_code", 200)},
			}
			at := windows[0]
			if j > 0 {
				parent := rng.IntN(j)
				p := windows[parent]
				at.start = p.start + rng.Int64N(p.end-p.start)
				at.end = at.start + 1 + rng.Int64N(p.end-at.start)
				windows = append(windows, at)
				d.ParentSpanID = tracetext.SpanID(parent + 1)
			}
			if i%10 == 0 && (j == 0 || j%6 == 0) {
				d.Status, d.StatusMessage = tracewhy.StatusError, "connection refused"
			}
			d.Start, d.End = uint64(tracetext.Epoch+at.start), uint64(tracetext.Epoch+at.end)
			builder.Add(&d)
		}
	}
	set, err := builder.Build(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	measure := func(name string, run func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(traces*spans), "ns/span")
		})
	}
	var path []tracewhy.Section
	measure("AppendCriticalPath", func() {
		for t := range set.Traces() {
			path = t.Root().AppendCriticalPath(path[:0])
		}
	})
	measure("Slacks", func() {
		for t := range set.Traces() {
			t.Slacks()
		}
	})
	measure("SelfTime", func() {
		for i := range set.NumSpans() {
			set.Span(i).SelfTime()
		}
	})
	measure("SelfTimes", func() { set.SelfTimes() })
	measure("Gaps", func() {
		n := 0
		for i := range set.NumSpans() {
			for range set.Span(i).Gaps() {
				n++
			}
		}
	})
	measure("ErrorOrigin", func() {
		for t := range set.Traces() {
			t.ErrorOrigin()
		}
	})
	measure("ErrorHops", func() {
		for t := range set.Traces() {
			t.ErrorHops()
		}
	})
	measure("CallGroups", func() {
		for i := range set.NumSpans() {
			set.Span(i).CallGroups()
		}
	})
}
