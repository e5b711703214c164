package otelsdk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otelsdk"
)

// A service makes traces with the SDK, in the fake time of a test.
type service struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

func newService(processors ...sdktrace.SpanProcessor) *service {
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop")))}
	for _, p := range processors {
		opts = append(opts, sdktrace.WithSpanProcessor(p))
	}
	p := sdktrace.NewTracerProvider(opts...)
	return &service{p, p.Tracer("test")}
}

// A request is what one transaction does.
type request struct {
	took      time.Duration // its call of the vendor
	fails     bool
	vendor    string // what it calls
	operation string
	tolerant  bool // it succeeds although the call fails
}

func (s *service) serve(ctx context.Context, r request) {
	if r.operation == "" {
		r.operation = "POST /pay"
	}
	ctx, root := s.tracer.Start(ctx, r.operation, trace.WithSpanKind(trace.SpanKindServer))
	defer root.End()
	_, call := s.tracer.Start(ctx, "charge", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("server.address", r.vendor)))
	time.Sleep(r.took)
	if r.fails {
		call.SetStatus(codes.Error, "no answer")
		if !r.tolerant {
			root.SetStatus(codes.Error, "")
		}
	}
	call.End()
}

func mustSet(t *testing.T, r *otelsdk.Recorder) *tracewhy.Set {
	t.Helper()
	set, err := r.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func shutdown(t *testing.T, r *otelsdk.Recorder) {
	t.Helper()
	if err := r.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// consistent checks that every span is accounted for, once the recorder rests.
func consistent(t *testing.T, r *otelsdk.Recorder) otelsdk.Stats {
	t.Helper()
	st := r.Stats()
	if st.Queued != 0 {
		t.Errorf("spans are left: %+v", st)
	}
	dropped := st.DroppedQueue + st.DroppedLate + st.DroppedLarge + st.DroppedMemory + st.DroppedTime + st.DroppedClosed
	if st.Spans != st.Recorded+uint64(st.Open+st.Queued)+dropped {
		t.Errorf("spans are not accounted for: %+v", st)
	}
	return st
}

// Spans of concurrent requests become traces, a while after their roots have ended.
func TestAssembly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otelsdk.New(otelsdk.Config{})
		s := newService(r)
		var requests sync.WaitGroup
		for i := range 100 {
			requests.Go(func() {
				s.serve(t.Context(), request{took: time.Duration(i) * time.Millisecond, vendor: "cards", fails: i%10 == 0})
			})
		}
		requests.Wait()
		synctest.Wait()
		if n := mustSet(t, r).NumTraces(); n != 0 {
			t.Errorf("%d traces are complete at once", n)
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		set := mustSet(t, r)
		if set.All().Weight() != 100 || set.Trace(0).NumSpans() != 2 || !set.Trace(0).IsComplete() {
			t.Errorf("the Set stands for %v traces", set.All().Weight())
		}
		failed := set.Select(func(tr tracewhy.Trace) bool { return tr.Root().Failed() })
		if failed.Weight() != 10 || failed.Len() != 10 {
			t.Errorf("%d failed traces that stand for %v, want 10", failed.Len(), failed.Weight())
		}
		if st := consistent(t, r); st.Spans != 200 || st.Recorded != 200 || st.Traces != 100 || st.Open != 0 || st.Kept != set.NumTraces() || st.Bytes == 0 {
			t.Errorf("%+v", st)
		}
		shutdown(t, r)
	})
}

func TestLateSpansAndLongTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otelsdk.New(otelsdk.Config{Quiet: time.Second, MaxAge: 10 * time.Second, MaxSpans: 5})
		s := newService(r)

		// A span that outlives its root by less than Quiet belongs to the trace; a later one does not.
		ctx, root := s.tracer.Start(t.Context(), "root")
		_, soon := s.tracer.Start(ctx, "soon")
		_, late := s.tracer.Start(ctx, "late")
		root.End()
		time.Sleep(900 * time.Millisecond)
		soon.End()
		time.Sleep(2 * time.Second)
		late.End()
		synctest.Wait()
		time.Sleep(time.Second)
		if set := mustSet(t, r); set.NumTraces() != 1 || set.NumSpans() != 2 {
			t.Errorf("%d spans", set.NumSpans())
		}
		if st := consistent(t, r); st.DroppedLate != 1 {
			t.Errorf("%+v", st)
		}

		// A root that does not end.
		ctx, endless := s.tracer.Start(t.Context(), "endless")
		_, child := s.tracer.Start(ctx, "child")
		child.End()
		time.Sleep(9 * time.Second)
		if n := mustSet(t, r).NumTraces(); n != 1 {
			t.Errorf("%d traces", n)
		}
		time.Sleep(2 * time.Second)
		if n := mustSet(t, r).NumTraces(); n != 2 {
			t.Errorf("%d traces", n)
		}
		endless.End()

		// Too many spans: the first are kept.
		ctx, large := s.tracer.Start(t.Context(), "large")
		for range 20 {
			_, child := s.tracer.Start(ctx, "child")
			child.End()
		}
		large.End()
		time.Sleep(2 * time.Second)
		set := mustSet(t, r)
		if set.NumTraces() != 3 || set.NumSpans() != 2+1+5 {
			t.Errorf("%d traces, %d spans", set.NumTraces(), set.NumSpans())
		}
		if st := consistent(t, r); st.TooOld != 1 || st.TooLarge != 1 || st.DroppedLate+st.DroppedLarge != 2+16 {
			t.Errorf("%+v", st)
		}
		shutdown(t, r)
	})
}

// A trace that another service began has its local root below a remote parent.
func TestRemoteParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otelsdk.New(otelsdk.Config{})
		s := newService(r)
		remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true})
		s.serve(trace.ContextWithRemoteSpanContext(t.Context(), remote), request{vendor: "cards"})
		time.Sleep(2 * time.Second)
		set := mustSet(t, r)
		if set.NumTraces() != 1 || set.Trace(0).NumSpans() != 2 || set.Trace(0).Root().Name() != "POST /pay" {
			t.Errorf("%d traces", set.NumTraces())
		}
		shutdown(t, r)
	})
}

func TestFlushAndShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otelsdk.New(otelsdk.Config{})
		s := newService(r)
		s.serve(t.Context(), request{vendor: "cards"})
		ctx, open := s.tracer.Start(t.Context(), "open")
		_, child := s.tracer.Start(ctx, "child")
		child.End()
		if err := s.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if set := mustSet(t, r); set.NumTraces() != 1 {
			t.Errorf("%d traces after ForceFlush, want the complete one", set.NumTraces())
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.ForceFlush(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if err := s.provider.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if set := mustSet(t, r); set.NumTraces() != 2 {
			t.Errorf("%d traces after Shutdown, want the open one too", set.NumTraces())
		}
		open.End()
		r.OnEnd(open.(sdktrace.ReadOnlySpan))
		if err := errors.Join(r.ForceFlush(t.Context()), r.Shutdown(t.Context())); err != nil {
			t.Error(err)
		}
		if st := consistent(t, r); st.DroppedClosed != 1 || st.Traces != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// The window slides with the time of the spans.
func TestWindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := otelsdk.New(otelsdk.Config{Window: time.Minute, Bin: 10 * time.Second})
		s := newService(r)
		for i := range 30 {
			s.serve(t.Context(), request{vendor: "cards", operation: fmt.Sprintf("op %d", i/6)})
			time.Sleep(10 * time.Second)
		}
		set := mustSet(t, r)
		if n := set.NumTraces(); n != 6 {
			t.Errorf("%d traces, want those of six bins", n)
		}
		for tr := range set.Traces() {
			if tr.Root().Name() != "op 4" {
				t.Errorf("%s is too old", tr.Root().Name())
			}
		}
		// Spans with times of their own, as an exporter may get them.
		at := func(d time.Duration) {
			_, span := s.tracer.Start(t.Context(), "timed", trace.WithTimestamp(time.Now().Add(d)))
			span.End(trace.WithTimestamp(time.Now().Add(d)))
		}
		at(-time.Hour)
		at(time.Hour)
		time.Sleep(2 * time.Second)
		if st := consistent(t, r); st.DroppedTime != 2 || st.Traces != 30 {
			t.Errorf("%+v", st)
		}
		shutdown(t, r)
	})
}

// Whatever the service does, the recorder keeps to its memory, and does not make it wait.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := otelsdk.Config{MaxBytes: 4 << 20, Window: time.Minute, Bin: 10 * time.Second, MaxQueue: 64}
		r := otelsdk.New(cfg)
		s := newService(r)
		// Nothing assembles while a bubble's goroutine does not wait, so the queue must overflow.
		for range 1000 {
			_, span := s.tracer.Start(t.Context(), "x")
			span.End()
		}
		if st := r.Stats(); st.DroppedQueue == 0 || st.Spans != 1000 {
			t.Errorf("%+v", st)
		}
		// Open traces with large attributes.
		ctx, root := s.tracer.Start(t.Context(), "root")
		for range 400 {
			_, span := s.tracer.Start(ctx, "x", trace.WithAttributes(attribute.String("body", strings.Repeat("x", 10<<10))))
			span.End()
			synctest.Wait()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if st := consistent(t, r); st.Evicted == 0 || st.Bytes > cfg.MaxBytes {
			t.Errorf("%+v", st)
		}
		root.End()
		_, span := s.tracer.Start(t.Context(), "x", trace.WithAttributes(attribute.String("body", strings.Repeat("x", 2<<20))))
		span.End()
		time.Sleep(5 * time.Second)
		if st := consistent(t, r); st.DroppedMemory != 1 {
			t.Errorf("%+v", st)
		}
		for range 300 {
			s.serve(t.Context(), request{vendor: "cards", took: 10 * time.Millisecond, operation: strings.Repeat("x", 500)})
		}
		time.Sleep(5 * time.Second)
		if st := consistent(t, r); st.Bytes > cfg.MaxBytes || st.Open != 0 {
			t.Errorf("%+v", st)
		}
		shutdown(t, r)
	})
}

// The exporter sees the same as the processor.
func TestExporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		processor, exporter := otelsdk.New(otelsdk.Config{}), otelsdk.New(otelsdk.Config{})
		s := newService(processor, sdktrace.NewBatchSpanProcessor(exporter))
		for range 10 {
			s.serve(t.Context(), request{vendor: "cards", took: time.Second})
		}
		if err := s.provider.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		x, y := mustSet(t, processor), mustSet(t, exporter)
		if x.NumSpans() != 20 || y.NumSpans() != 20 {
			t.Fatalf("%d and %d spans, want 20", x.NumSpans(), y.NumSpans())
		}
		for i := range x.NumSpans() {
			if a, b := x.Span(i), y.Span(i); a.ID() != b.ID() || a.Start() != b.Start() {
				t.Errorf("span %d differs", i)
			}
		}
	})
}

// Many goroutines at once, with someone who looks: for the race detector.
func TestConcurrent(t *testing.T) {
	r := otelsdk.New(otelsdk.Config{Quiet: time.Millisecond})
	s := newService(r)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 200 {
				s.serve(t.Context(), request{vendor: "cards"})
			}
		})
	}
	running.Go(func() {
		for range 20 {
			r.Stats()
			if _, err := r.Set(t.Context()); err != nil {
				t.Error(err)
			}
			if err := r.ForceFlush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	running.Wait()
	shutdown(t, r)
	if st := consistent(t, r); st.Spans != 3200 || st.Traces != 1600 {
		t.Errorf("%+v", st)
	}
}
