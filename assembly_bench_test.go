package tracewhy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// assemblies are what it takes a Builder the longest to put together, at a number of spans.
var assemblies = []struct {
	name string
	make func(n int) []tracewhy.SpanData
}{
	{"traces", func(n int) []tracewhy.SpanData { // of 20 spans each
		c := newCorpus(false)
		var spans []tracewhy.SpanData
		for len(spans) < n {
			for _, s := range c.next() {
				s.Attributes = nil
				spans = append(spans, s)
			}
		}
		return spans
	}},
	{"tree", shapes[3].make},
	{"deep", shapes[2].make},
	{"siblings", shapes[0].make},
	{"one-id", func(n int) []tracewhy.SpanData { // for requests that overlap, and are spans without a parent
		spans := shape(n, func(i int) (int, int64, int64) { return 0, 10 * int64(i), 10*int64(i) + 1000 })[1:]
		for i := range spans {
			spans[i].ParentSpanID = tracewhy.SpanID{}
		}
		return spans
	}},
	{"one-id-orphans", func(n int) []tracewhy.SpanData { // and half of them are below parents that are missing
		spans := shape(n, func(i int) (int, int64, int64) { return 0, 10 * int64(i), 10*int64(i) + 15 })[1:]
		for i := range spans {
			if spans[i].ParentSpanID = (tracewhy.SpanID{}); i%2 == 1 {
				spans[i].ParentSpanID = tracetext.SpanID(n + i + 10)
			}
		}
		return spans
	}},
	{"one-id-links", func(n int) []tracewhy.SpanData { // and each links to another, so that all are one
		spans := shape(n, func(i int) (int, int64, int64) { return 0, 10 * int64(i), 10*int64(i) + 9 })[1:]
		rng := rand.New(rand.NewPCG(5, 6))
		for i := range spans {
			to := spans[rng.IntN(len(spans))]
			spans[i].ParentSpanID, spans[i].Links = tracewhy.SpanID{}, []tracewhy.Link{{TraceID: to.TraceID, SpanID: to.SpanID}}
		}
		return spans
	}},
	{"links", func(n int) []tracewhy.SpanData { // all of them of one span, each to a trace of its own
		spans := shape(n, func(i int) (int, int64, int64) { return 0, 10 * int64(i), 10*int64(i) + 9 })
		for i := range spans[1:] {
			s := &spans[1+i]
			s.TraceID, s.ParentSpanID = tracetext.TraceID(2+i), tracewhy.SpanID{}
			spans[0].Links = append(spans[0].Links, tracewhy.Link{TraceID: s.TraceID, SpanID: s.SpanID})
		}
		return spans
	}},
	{"twice", func(n int) []tracewhy.SpanData { // every batch
		spans := shapes[3].make(n / 2)
		return append(spans, spans...)
	}},
	{"one-span", func(n int) []tracewhy.SpanData { // in as many different reports
		spans := shapes[0].make(n)
		for i := range spans {
			spans[i].SpanID = tracetext.SpanID(1)
		}
		return spans
	}},
}

// BenchmarkAssembly doubles the number of spans, in no order, up to a million. It reports the time that
// Build takes, and its memory: what it allocates on top of the Builder, and what the Set keeps.
func BenchmarkAssembly(b *testing.B) {
	for _, a := range assemblies {
		for n := 125_000; n <= 1_000_000; n *= 2 {
			b.Run(fmt.Sprintf("%s/%d", a.name, n), func(b *testing.B) {
				spans := a.make(n)
				rand.New(rand.NewPCG(1, 2)).Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
				var building time.Duration
				var allocated, kept uint64
				for b.Loop() {
					before, _ := liveHeap()
					var builder tracewhy.Builder
					for i := range spans {
						builder.Add(&spans[i])
					}
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					allocated -= m.TotalAlloc
					start := time.Now()
					set, err := builder.Build(context.Background())
					building += time.Since(start)
					if err != nil {
						b.Fatal(err)
					}
					runtime.ReadMemStats(&m)
					allocated += m.TotalAlloc
					after, _ := liveHeap()
					kept += after - before
					runtime.KeepAlive(set)
				}
				per := float64(b.N) * float64(len(spans))
				b.ReportMetric(float64(building.Nanoseconds())/per, "build-ns/span")
				b.ReportMetric(float64(allocated)/per, "alloc-B/span")
				b.ReportMetric(float64(kept)/per, "B/span")
				b.ReportMetric(0, "ns/op") // of adding too, and of collecting garbage
				runtime.KeepAlive(spans)
			})
		}
	}
}
