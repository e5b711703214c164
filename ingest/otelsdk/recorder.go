package otelsdk

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tracewhy/tracewhy"
)

// Config says how much a Recorder keeps, and for how long. Its zero value is the documented default.
type Config struct {
	// Window is how far back the recorder remembers; 0 means 15 minutes. Bin is the step in which it
	// forgets, and in which alerts look at time; 0 means 10 seconds.
	Window, Bin time.Duration
	// PerStratum is how many traces of a kind each bin keeps ([sample.Config]); 0 means 16.
	PerStratum int
	// MaxBytes bounds the memory for traces; 0 means 64 MiB. A quarter of it is for traces that are not
	// complete yet, the rest is shared out evenly among the bins, which take at least 256 KiB each.
	MaxBytes int
	// MaxQueue is how many ended spans may wait to be assembled; 0 means 16384. More are dropped: the
	// recorder never makes the service wait.
	MaxQueue int
	// MaxSpans is how many spans of one trace are kept; 0 means 10000.
	MaxSpans int

	// Quiet is how long a trace must have had no new span after its local root ended, to be complete; 0
	// means a second. A trace whose local root has not ended after MaxAge is kept as it is; 0 means 2
	// minutes.
	Quiet, MaxAge time.Duration

	// Outcome says which transactions failed or were abandoned.
	Outcome tracewhy.OutcomeRule

	// Alert says when to call back.
	Alert AlertConfig
}

func (c Config) withDefaults() Config {
	c.Window = orDefault(c.Window, 15*time.Minute)
	c.Bin = orDefault(c.Bin, 10*time.Second)
	c.Window = max(c.Window, c.Bin)
	c.PerStratum = orDefault(c.PerStratum, 16)
	c.MaxBytes = orDefault(c.MaxBytes, 64<<20)
	c.MaxQueue = orDefault(c.MaxQueue, 1<<14)
	c.MaxSpans = orDefault(c.MaxSpans, 10_000)
	c.Quiet = orDefault(c.Quiet, time.Second)
	c.MaxAge = max(orDefault(c.MaxAge, 2*time.Minute), c.Quiet)
	c.Alert = c.Alert.withDefaults()
	return c
}

// orDefault returns v if it is positive, and else the default.
func orDefault[T int | float64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// Stats says what became of the spans that a Recorder was given, since it was made, and what it holds.
// Spans = Recorded + Open + Queued + the dropped.
type Stats struct {
	Spans    uint64 // that ended
	Recorded uint64 // of traces that were complete, or counted as such: these are in the window, or were
	Queued   int    // that wait to be assembled, or just are
	Open     int    // of traces that are not complete yet

	DroppedQueue  uint64 // the queue was full
	DroppedLate   uint64 // their trace was complete already
	DroppedLarge  uint64 // their trace had Config.MaxSpans spans
	DroppedMemory uint64 // larger than all memory for incomplete traces
	DroppedTime   uint64 // their trace began before the window, or in the future
	DroppedClosed uint64 // after Shutdown

	Traces     uint64 // recorded ones
	TooOld     uint64 // recorded without their local root, after Config.MaxAge
	Evicted    uint64 // recorded before they were complete, for lack of memory
	TooLarge   uint64 // recorded with their first Config.MaxSpans spans
	Kept       int    // traces kept at present
	Bytes      int    // memory of these, and of incomplete traces, about
	Alerts     uint64 // that called back
	AlertsLost uint64 // whose callback did not come, because earlier ones took too long
}

// Recorder keeps the last minutes of a service's own traces, in bounded memory. It is a
// [sdktrace.SpanProcessor], and a [sdktrace.SpanExporter] for where a processor of the SDK's is to be in
// between. It is safe for concurrent use.
type Recorder struct {
	cfg   Config
	queue queue
	stop  chan struct{}     // closed by Shutdown
	flush chan flushRequest // to the goroutine that assembles
	done  chan struct{}     // closed when both goroutines have ended
	once  sync.Once

	closedSpans atomic.Uint64
	closed      atomic.Bool

	assembly assembly // of the goroutine that assembles

	mu     sync.Mutex // guards what follows
	window window
	watch  watch
	stats  Stats

	alerts chan pendingAlert
	cancel context.CancelFunc // of the context that callbacks get
}

var (
	_ sdktrace.SpanProcessor = (*Recorder)(nil)
	_ sdktrace.SpanExporter  = (*Recorder)(nil)
)

// New returns a Recorder that runs until [Recorder.Shutdown].
func New(cfg Config) *Recorder {
	cfg = cfg.withDefaults()
	r := &Recorder{
		cfg: cfg, queue: newQueue(cfg.MaxQueue),
		stop: make(chan struct{}), flush: make(chan flushRequest), done: make(chan struct{}),
		assembly: newAssembly(cfg), window: newWindow(cfg), watch: newWatch(cfg),
		alerts: make(chan pendingAlert, maxPendingAlerts),
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.run()
	go r.callBack(ctx) // ends after run
	return r
}

// OnStart does nothing: a recorder learns of spans when they end.
func (r *Recorder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd records a span. It takes a short lock that few other spans share, and never waits for the
// recorder's own work: a span for which there is no room is dropped, and counted.
func (r *Recorder) OnEnd(s sdktrace.ReadOnlySpan) {
	if r.closed.Load() {
		r.closedSpans.Add(1)
		return
	}
	r.queue.push(s)
}

// ExportSpans records spans. It does not block, and its error is always nil: what is dropped is counted.
func (r *Recorder) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		r.OnEnd(s)
	}
	return nil
}

// A flushRequest asks for everything that was queued to be assembled. done is closed once it is.
type flushRequest struct{ done chan struct{} }

// ForceFlush makes every span that ended before part of the window if its trace's local root has ended,
// without waiting for Config.Quiet. Its error is the context's.
func (r *Recorder) ForceFlush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	req := flushRequest{make(chan struct{})}
	select {
	case r.flush <- req:
	case <-r.stop:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-req.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown makes all that was recorded part of the window, complete or not, and ends the recorder's
// goroutines, after the callbacks that are due. What was recorded can still be had. Its error is the
// context's; callbacks are then cancelled, and the goroutines end on their own.
func (r *Recorder) Shutdown(ctx context.Context) error {
	r.once.Do(func() {
		r.closed.Store(true)
		close(r.stop)
	})
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		r.cancel()
		return ctx.Err()
	}
}

// Set builds the Set of the traces in the window, with their weights. Spans appear in it once their trace
// is complete. Its error is that of [tracewhy.Builder.Build].
//
// It takes O(n log n) for n spans kept, on the caller's goroutine, and does not hold up recording.
func (r *Recorder) Set(ctx context.Context) (*tracewhy.Set, error) {
	r.mu.Lock()
	samples := r.window.snapshot()
	r.mu.Unlock()
	var b tracewhy.Builder
	for _, s := range samples {
		if err := s.AddTo(ctx, &b); err != nil {
			return nil, err
		}
	}
	return b.Build(ctx)
}

// Stats returns what became of the spans so far.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.stats
	pushed, dropped := r.queue.counts() // after r.mu is held, so that it counts no less than what is assembled
	st.DroppedQueue, st.DroppedClosed = dropped, r.closedSpans.Load()
	st.Spans = pushed + dropped + st.DroppedClosed
	st.Queued = int(pushed - st.Recorded - uint64(st.Open) - st.DroppedLate - st.DroppedLarge - st.DroppedMemory - st.DroppedTime)
	kept, bytes := r.window.size()
	st.Kept, st.Bytes = kept, bytes+st.Bytes
	return st
}

// run assembles traces until the recorder is shut down.
func (r *Recorder) run() {
	defer close(r.alerts)
	tick := time.NewTicker(max(time.Millisecond, min(r.cfg.Quiet/4, 100*time.Millisecond)))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.assemble(waitQuiet)
		case <-r.queue.wake:
			r.assemble(waitQuiet)
		case req := <-r.flush:
			r.assemble(rootsEnded)
			close(req.done)
		case <-r.stop:
			r.assemble(everything)
			return
		}
	}
}
