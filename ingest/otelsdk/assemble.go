package otelsdk

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy"
)

// An assembly puts spans of concurrent requests together by trace. The goroutine that assembles owns it.
type assembly struct {
	cfg      Config
	maxBytes int
	convert  converter
	open     map[trace.TraceID]*openTrace
	byAge    []*openTrace // the open ones, the oldest first, and some that are not open any more
	evicted  []*openTrace // to be recorded as they are, for lack of memory
	spans    int          // of open traces
	bytes    int

	// The ids of traces that were complete lately, in two generations, to know spans that come late.
	complete, completeBefore map[trace.TraceID]struct{}
	turned                   time.Time // when the younger generation began

	spare   []sdktrace.ReadOnlySpan
	dropped Stats // since the last look
}

// An openTrace is a trace that is not complete yet.
type openTrace struct {
	id          trace.TraceID
	spans       []sdktrace.ReadOnlySpan
	bytes       int
	first, last time.Time // when its first and last span arrived
	rootEnded   bool      // a span without a parent in this process
}

// maxComplete is how many ids a generation has.
const maxComplete = 1 << 14

func newAssembly(cfg Config) assembly {
	return assembly{
		cfg: cfg, maxBytes: cfg.MaxBytes / 4, open: map[trace.TraceID]*openTrace{},
		complete: map[trace.TraceID]struct{}{}, completeBefore: map[trace.TraceID]struct{}{},
	}
}

func (a *assembly) isComplete(id trace.TraceID) bool {
	if _, ok := a.complete[id]; ok {
		return true
	}
	_, ok := a.completeBefore[id]
	return ok
}

// add adds a span that was taken from the queue.
func (a *assembly) add(s sdktrace.ReadOnlySpan, now time.Time) {
	id := s.SpanContext().TraceID()
	t := a.open[id]
	if t == nil {
		if a.isComplete(id) {
			a.dropped.DroppedLate++
			return
		}
		t = &openTrace{id: id, first: now, spans: make([]sdktrace.ReadOnlySpan, 0, 8)}
	}
	if len(t.spans) >= a.cfg.MaxSpans {
		a.dropped.DroppedLarge++
		return
	}
	size := sizeOf(s)
	if size > a.maxBytes {
		a.dropped.DroppedMemory++
		return
	}
	for a.bytes+size > a.maxBytes {
		a.evict()
	}
	if a.isComplete(id) { // it was the oldest
		a.dropped.DroppedLate++
		return
	}
	if len(t.spans) == 0 {
		a.open[id] = t
		a.byAge = append(a.byAge, t)
	}
	t.spans = append(t.spans, s)
	t.bytes += size
	t.last = now
	t.rootEnded = t.rootEnded || !s.Parent().IsValid() || s.Parent().IsRemote()
	a.spans++
	a.bytes += size
}

// sizeOf estimates the memory that a span of the SDK holds.
func sizeOf(s sdktrace.ReadOnlySpan) int {
	const ofSpan, ofAttribute, ofEvent, ofLink = 600, 72, 96, 96
	n := ofSpan + len(s.Name())
	for _, kv := range s.Attributes() {
		n += ofAttribute + len(kv.Key)
		n += textLen(kv.Value)
	}
	for _, e := range s.Events() {
		n += ofEvent + len(e.Name)
		for _, kv := range e.Attributes {
			n += ofAttribute + len(kv.Key) + textLen(kv.Value)
		}
	}
	return n + ofLink*len(s.Links())
}

// textLen returns how long a value is that is not a number.
func textLen(v attribute.Value) int {
	switch v.Type() {
	case attribute.EMPTY, attribute.BOOL, attribute.INT64, attribute.FLOAT64:
		return 0
	case attribute.STRING:
		return len(v.AsString())
	}
	return len(v.String())
}

// What take takes.
type taking uint8

const (
	waitQuiet  taking = iota // traces that are complete
	rootsEnded               // and those whose local root has ended
	everything               // and all others
)

// close makes an open trace a complete one.
func (a *assembly) close(t *openTrace) {
	delete(a.open, t.id)
	a.complete[t.id] = struct{}{}
	a.spans -= len(t.spans)
	a.bytes -= t.bytes
}

// evict closes the oldest open trace.
func (a *assembly) evict() {
	for len(a.byAge) > 0 {
		t := a.byAge[0]
		a.byAge = a.byAge[1:]
		if a.open[t.id] == t {
			a.close(t)
			a.evicted = append(a.evicted, t)
			a.dropped.Evicted++
			return
		}
	}
}

// take removes the traces that are to be recorded, in the order of their ids.
func (a *assembly) take(which taking, now time.Time) []*openTrace {
	if now.Sub(a.turned) > a.cfg.MaxAge || len(a.complete) >= maxComplete {
		a.completeBefore, a.complete, a.turned = a.complete, map[trace.TraceID]struct{}{}, now
	}
	taken := a.evicted
	a.evicted = nil
	for _, t := range a.open {
		quiet := t.rootEnded && (which >= rootsEnded || now.Sub(t.last) >= a.cfg.Quiet)
		tooOld := now.Sub(t.first) >= a.cfg.MaxAge
		tooLarge := len(t.spans) >= a.cfg.MaxSpans
		if !quiet && !tooOld && !tooLarge && which != everything {
			continue
		}
		switch {
		case tooLarge:
			a.dropped.TooLarge++
		case tooOld && !quiet:
			a.dropped.TooOld++
		}
		taken = append(taken, t)
		a.close(t)
	}
	a.byAge = slices.DeleteFunc(a.byAge, func(t *openTrace) bool { return a.open[t.id] != t })
	slices.SortFunc(taken, func(x, y *openTrace) int { return slices.Compare(x.id[:], y.id[:]) })
	return taken
}

// assemble empties the queue and records the traces that are complete.
func (r *Recorder) assemble(which taking) {
	a, now := &r.assembly, time.Now()
	a.spare = r.queue.drain(a.spare, func(s sdktrace.ReadOnlySpan) { a.add(s, now) })
	taken := a.take(which, now)
	var b tracewhy.Builder
	for _, t := range taken {
		for _, s := range t.spans {
			d := a.convert.span(s)
			b.Add(&d)
		}
	}
	set, err := b.Build(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.add(&a.dropped)
	a.dropped = Stats{}
	r.stats.Open, r.stats.Bytes = a.spans, a.bytes
	for _, t := range taken {
		r.stats.Recorded += uint64(len(t.spans))
	}
	if err != nil { // more than a Set can hold, which MaxBytes does not allow
		return
	}
	before := r.window.newest
	for t := range set.Traces() {
		bin, ok := r.window.add(t, now.Add(a.cfg.MaxAge))
		if !ok {
			r.stats.Recorded -= uint64(t.NumSpans())
			r.stats.DroppedTime += uint64(t.NumSpans())
			continue
		}
		r.stats.Traces++
		if r.cfg.Alert.Call != nil {
			r.watch.add(t, bin)
		}
	}
	if r.cfg.Alert.Call != nil && r.window.newest > before {
		r.look()
	}
}

// add adds what was dropped.
func (s *Stats) add(d *Stats) {
	s.DroppedLate += d.DroppedLate
	s.DroppedMemory += d.DroppedMemory
	s.DroppedLarge += d.DroppedLarge
	s.Evicted += d.Evicted
	s.TooOld += d.TooOld
	s.TooLarge += d.TooLarge
}
