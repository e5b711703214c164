package otelsdk_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy/ingest/otelsdk"
)

// ignore is a processor that does nothing.
type ignore struct{}

func (ignore) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (ignore) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (ignore) Shutdown(context.Context) error                  { return nil }
func (ignore) ForceFlush(context.Context) error                { return nil }

const benchSpans = 5 // of a request

// benchRequest makes the spans of one request, as instrumentation for HTTP and SQL would.
func benchRequest(ctx context.Context, tracer trace.Tracer, n int) {
	ctx, root := tracer.Start(ctx, "POST /pay", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", "POST"), attribute.String("http.route", "/pay"), attribute.String("url.scheme", "https"),
		attribute.String("server.address", "shop.example"), attribute.Int("http.response.status_code", 200), attribute.Int("user.id", n),
	))
	for range benchSpans - 1 {
		_, s := tracer.Start(ctx, "SELECT orders", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", "postgresql"), attribute.String("db.namespace", "orders"),
			attribute.String("db.query.text", "SELECT * FROM orders WHERE id = $1"), attribute.String("db.operation.name", "SELECT"),
			attribute.String("server.address", "db.internal"), attribute.Int("server.port", 5432),
		))
		s.End()
	}
	root.End()
}

// processors are what a span may go to.
var processors = []struct {
	name string
	make func() []sdktrace.SpanProcessor
}{
	{"none", func() []sdktrace.SpanProcessor { return nil }},
	{"no-op", func() []sdktrace.SpanProcessor { return []sdktrace.SpanProcessor{ignore{}} }},
	{"simple+no-op", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{sdktrace.NewSimpleSpanProcessor(tracetest.NewNoopExporter())}
	}},
	{"batch+no-op", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{sdktrace.NewBatchSpanProcessor(tracetest.NewNoopExporter())}
	}},
	{"simple+in-memory", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{sdktrace.NewSimpleSpanProcessor(tracetest.NewInMemoryExporter())}
	}},
	{"batch+in-memory", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{sdktrace.NewBatchSpanProcessor(tracetest.NewInMemoryExporter())}
	}},
	{"recorder", func() []sdktrace.SpanProcessor { return []sdktrace.SpanProcessor{otelsdk.New(otelsdk.Config{})} }},
	{"recorder+alerts", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{otelsdk.New(otelsdk.Config{Alert: otelsdk.AlertConfig{Call: func(context.Context, otelsdk.Alert) {}}})}
	}},
	{"batch+recorder", func() []sdktrace.SpanProcessor {
		return []sdktrace.SpanProcessor{sdktrace.NewBatchSpanProcessor(otelsdk.New(otelsdk.Config{}))}
	}},
}

func benchProvider(ps []sdktrace.SpanProcessor) *sdktrace.TracerProvider {
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop")))}
	for _, p := range ps {
		opts = append(opts, sdktrace.WithSpanProcessor(p))
	}
	return sdktrace.NewTracerProvider(opts...)
}

// BenchmarkSpan measures what a span costs a service: on its own goroutine (ns/span, wall clock, as fast
// as one goroutine can make spans), in all (cpu-ns/span), and in allocations.
func BenchmarkSpan(b *testing.B) {
	for _, p := range processors {
		b.Run(p.name, func(b *testing.B) {
			provider := benchProvider(p.make())
			tracer := provider.Tracer("bench")
			b.ReportAllocs()
			before, n := cpuTime(), 0
			for b.Loop() {
				benchRequest(b.Context(), tracer, n)
				n++
			}
			spans := float64(n) * benchSpans
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/spans, "ns/span")
			b.ReportMetric(float64(cpuTime()-before)/spans, "cpu-ns/span")
			if err := provider.Shutdown(context.Background()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkOnEnd measures what the end of a span alone costs the service, for a span of six attributes.
func BenchmarkOnEnd(b *testing.B) {
	for _, p := range processors {
		if p.name == "none" {
			continue
		}
		b.Run(p.name, func(b *testing.B) {
			sp := p.make()[0]
			var spans []sdktrace.ReadOnlySpan
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(collect{&spans}))
			for n := range 1000 {
				benchRequest(b.Context(), provider.Tracer("bench"), n)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				sp.OnEnd(spans[n])
				if n++; n == len(spans) {
					n = 0
					b.StopTimer()
					if err := sp.ForceFlush(b.Context()); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			}
			if err := sp.Shutdown(context.Background()); err != nil {
				b.Error(err)
			}
		})
	}
}

// collect is an exporter that hands spans on.
type collect struct{ spans *[]sdktrace.ReadOnlySpan }

func (c collect) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	*c.spans = append(*c.spans, spans...)
	return nil
}
func (collect) Shutdown(context.Context) error { return nil }

// BenchmarkSpanParallel is BenchmarkSpan with a goroutine for each processor.
func BenchmarkSpanParallel(b *testing.B) {
	for _, p := range processors {
		b.Run(p.name, func(b *testing.B) {
			provider := benchProvider(p.make())
			tracer := provider.Tracer("bench")
			b.RunParallel(func(pb *testing.PB) {
				for n := 0; pb.Next(); n++ {
					benchRequest(context.Background(), tracer, n)
				}
			})
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSpans), "ns/span")
			if err := provider.Shutdown(context.Background()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkSteady measures how much of a processor a span takes in all at 10,000 spans a second, a rate
// that a busy service may have, and not the highest that a goroutine can make.
func BenchmarkSteady(b *testing.B) {
	for _, p := range processors {
		b.Run(p.name, func(b *testing.B) {
			provider := benchProvider(p.make())
			tracer := provider.Tracer("bench")
			before, n := cpuTime(), 0
			for b.Loop() {
				tick := time.NewTicker(10 * time.Millisecond)
				for range 100 {
					<-tick.C
					for range 20 {
						benchRequest(b.Context(), tracer, n)
						n++
					}
				}
				tick.Stop()
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(n*benchSpans), "cpu-ns/span")
			if err := provider.Shutdown(context.Background()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkHeld measures how much memory is held after 200,000 spans, at a rate that none need be dropped.
func BenchmarkHeld(b *testing.B) {
	const requests = 40_000
	for _, p := range processors {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				ps := p.make()
				provider := benchProvider(ps)
				tracer := provider.Tracer("bench")
				for n := range requests {
					benchRequest(b.Context(), tracer, n)
					if n%200 == 0 {
						if err := provider.ForceFlush(b.Context()); err != nil {
							b.Fatal(err)
						}
					}
				}
				if err := provider.ForceFlush(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(heap()-before)/(requests*benchSpans), "held-B/span")
				if len(ps) > 0 {
					if r, ok := ps[0].(*otelsdk.Recorder); ok {
						st := r.Stats()
						b.ReportMetric(float64(st.Bytes), "window-B")
						b.ReportMetric(float64(st.Kept), "kept-traces")
						b.ReportMetric(float64(st.Spans-st.Recorded), "dropped-spans")
					}
				}
				if err := provider.Shutdown(context.Background()); err != nil {
					b.Fatal(err)
				}
				runtime.KeepAlive(ps)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
