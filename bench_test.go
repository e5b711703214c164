package tracewhy_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
)

// A corpus makes the spans of a synthetic system, trace by trace: 20 spans a trace, 12 attributes a
// span of few values each, and optionally one more whose value is unique.
type corpus struct {
	rng       *rand.Rand
	unique    bool
	resources []*tracewhy.Resource
	scope     *tracewhy.Scope
	names     []string
	values    [12][]tracewhy.KeyValue // by attribute
	traces    uint64
	spans     []tracewhy.SpanData
	attrs     []tracewhy.KeyValue
}

const spansPerTrace = 20

func newCorpus(unique bool) *corpus {
	c := &corpus{rng: rand.New(rand.NewPCG(1, 2)), unique: unique, scope: &tracewhy.Scope{Name: "bench", Version: "1.0"}}
	for i := range 50 {
		c.resources = append(c.resources, &tracewhy.Resource{Attributes: []tracewhy.KeyValue{
			tracewhy.String("service.name", fmt.Sprintf("service-%c%c", 'a'+i%26, 'a'+i/26)),
			tracewhy.String("service.version", "1.4.2"),
			tracewhy.String("k8s.pod.name", fmt.Sprintf("pod-%d", i)),
		}})
	}
	for i := range 500 {
		c.names = append(c.names, fmt.Sprintf("Operation%c%c%c", 'A'+i%26, 'a'+i/26%26, 'a'+i/26/26))
	}
	for i, key := range []string{"http.request.method", "http.route", "url.scheme", "server.address", "network.peer.address",
		"user_agent.original", "customer.tier", "region", "db.system.name", "feature_flag.key"} {
		for v := range 2 + 6*i {
			c.values[i] = append(c.values[i], tracewhy.String(key, fmt.Sprintf("%s value %d", key, v)))
		}
	}
	for _, code := range []int64{200, 201, 204, 400, 404, 500, 503} {
		c.values[10] = append(c.values[10], tracewhy.Int("http.response.status_code", code))
	}
	for v := range 64 {
		c.values[11] = append(c.values[11], tracewhy.Int("thread.id", int64(v)))
	}
	return c
}

// next returns the spans of one trace; the next call overwrites them.
func (c *corpus) next() []tracewhy.SpanData {
	c.traces++
	var id tracewhy.TraceID
	binary.BigEndian.PutUint64(id[:], c.rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], c.traces)
	c.spans, c.attrs = c.spans[:0], c.attrs[:0]
	start := uint64(1_700_000_000_000_000_000) + c.traces*1_000_000
	journey := c.rng.IntN(10)
	for i := range spansPerTrace {
		s := tracewhy.SpanData{
			TraceID: id, Name: c.names[journey*50+i], Kind: tracewhy.Kind(1 + i%3),
			Start: start + uint64(i)*1000, End: start + 1_000_000 - uint64(i)*1000,
			Resource: c.resources[i*i%50], Scope: c.scope, Source: "incident",
		}
		binary.BigEndian.PutUint64(s.SpanID[:], c.rng.Uint64()|1)
		if i > 0 {
			s.ParentSpanID = c.spans[(i-1)/2].SpanID
		}
		from := len(c.attrs)
		for _, vs := range c.values {
			c.attrs = append(c.attrs, vs[c.rng.IntN(len(vs))])
		}
		if c.unique {
			c.attrs = append(c.attrs, tracewhy.String("request.id", fmt.Sprintf("%016x", c.rng.Uint64())))
		}
		s.Attributes = c.attrs[from:len(c.attrs):len(c.attrs)]
		c.spans = append(c.spans, s)
	}
	return c.spans
}

// liveHeap returns the bytes of heap in use after a collection, and how long that took.
func liveHeap() (uint64, time.Duration) {
	runtime.GC()
	start := time.Now()
	runtime.GC()
	gc := time.Since(start)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, gc
}

// BenchmarkSet builds a Set of a million spans. It reports the time to add a span and to add and build
// one, the bytes per span that the Builder and the Set keep, and how long a full collection takes while
// the Set is alive.
func BenchmarkSet(b *testing.B) {
	for _, unique := range []bool{false, true} {
		b.Run(corpusName(unique), func(b *testing.B) {
			for b.Loop() {
				c := newCorpus(unique)
				c.next()
				before, _ := liveHeap()
				var builder tracewhy.Builder
				var adding time.Duration
				for range benchTraces {
					spans := c.next()
					start := time.Now()
					for i := range spans {
						builder.Add(&spans[i])
					}
					adding += time.Since(start)
				}
				collected, _ := liveHeap()
				start := time.Now()
				set, err := builder.Build(context.Background())
				building := time.Since(start)
				if err != nil {
					b.Fatal(err)
				}
				after, gc := liveHeap()
				n := float64(set.NumSpans())
				b.ReportMetric(float64(adding.Nanoseconds())/n, "add-ns/span")
				b.ReportMetric(float64((adding+building).Nanoseconds())/n, "ns/span")
				b.ReportMetric(float64(collected-before)/n, "builder-B/span")
				b.ReportMetric(float64(after-before)/n, "B/span")
				b.ReportMetric(float64(gc.Microseconds())/1000, "gc-ms")
				runtime.KeepAlive(set)
				runtime.KeepAlive(c)
			}
		})
	}
}

const benchTraces = 50_000

func corpusName(unique bool) string {
	if unique {
		return "one-unique-value"
	}
	return "low-cardinality"
}

// A plainSpan is what comes to mind first: a struct with a map, here even with its strings shared.
type plainSpan struct {
	traceID    tracewhy.TraceID
	id, parent tracewhy.SpanID
	service    string
	name       string
	kind       tracewhy.Kind
	status     tracewhy.StatusCode
	start, end uint64
	attributes map[string]any
}

// BenchmarkPlainSpans measures what BenchmarkSet does, of a []plainSpan that is made at its final size
// and neither sorted nor linked.
func BenchmarkPlainSpans(b *testing.B) {
	for _, unique := range []bool{false, true} {
		b.Run(corpusName(unique), func(b *testing.B) {
			for b.Loop() {
				c := newCorpus(unique)
				c.next()
				before, _ := liveHeap()
				var building time.Duration
				spans := make([]plainSpan, 0, benchTraces*spansPerTrace)
				for range benchTraces {
					data := c.next()
					start := time.Now()
					for i := range data {
						d := &data[i]
						s := plainSpan{
							traceID: d.TraceID, id: d.SpanID, parent: d.ParentSpanID, service: d.Resource.Attributes[0].Value.Str(),
							name: d.Name, kind: d.Kind, status: d.Status, start: d.Start, end: d.End, attributes: make(map[string]any, len(d.Attributes)),
						}
						for _, kv := range d.Attributes {
							if kv.Value.Kind() == tracewhy.IntValue {
								s.attributes[kv.Key] = kv.Value.Int()
							} else {
								s.attributes[kv.Key] = kv.Value.Str()
							}
						}
						spans = append(spans, s)
					}
					building += time.Since(start)
				}
				after, gc := liveHeap()
				n := float64(len(spans))
				b.ReportMetric(float64(building.Nanoseconds())/n, "ns/span")
				b.ReportMetric(float64(after-before)/n, "B/span")
				b.ReportMetric(float64(gc.Microseconds())/1000, "gc-ms")
				runtime.KeepAlive(spans)
				runtime.KeepAlive(c)
			}
		})
	}
}

// BenchmarkRead goes over all spans of a Set of 20,000, for one kind of question at a time.
func BenchmarkRead(b *testing.B) {
	c := newCorpus(true)
	var builder tracewhy.Builder
	for range 1000 {
		for _, s := range c.next() {
			builder.Add(&s)
		}
	}
	set, err := builder.Build(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	region := tracewhy.Condition{Key: "region", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("region value 3")}
	for _, q := range []struct {
		name string
		ask  func(tracewhy.Span) int
	}{
		{"Duration", func(s tracewhy.Span) int { return int(s.Duration()) }},
		{"Service", func(s tracewhy.Span) int { return len(s.Service()) }},
		{"Trace", func(s tracewhy.Span) int { return s.Trace().Index() }},
		{"Attr", func(s tracewhy.Span) int { v, _ := s.Attr("region"); return len(v.Str()) }},
		{"Attr/unique", func(s tracewhy.Span) int { v, _ := s.Attr("request.id"); return len(v.Str()) }},
		{"Attr/missing", func(s tracewhy.Span) int { v, _ := s.Attr("no.such.key"); return len(v.Str()) }},
		{"AttrIDs", func(s tracewhy.Span) (n int) {
			for id := range s.AttrIDs() {
				n += int(id)
			}
			return n
		}},
		{"Failed", func(s tracewhy.Span) int { return toInt(s.Failed()) }},
		{"Condition", func(s tracewhy.Span) int { return toInt(region.Holds(s)) }},
		{"Children", func(s tracewhy.Span) (n int) {
			for c := range s.Children() {
				n += c.Index()
			}
			return n
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			sum := 0
			for b.Loop() {
				for t := range set.Traces() {
					for s := range t.Spans() {
						sum += q.ask(s)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(set.NumSpans()), "ns/span")
		})
	}
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
