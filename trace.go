package tracewhy

import (
	"iter"
	"math"
	"time"
)

// Trace is a handle to one trace of a Set: small, comparable, valid as long as its Set is.
// The zero Trace is no trace; only IsZero may be called on it.
type Trace struct {
	set *Set
	num int32
}

// IsZero reports whether t is the zero Trace.
func (t Trace) IsZero() bool { return t.set == nil }

// ID returns the trace's id, unique in its Set: where one id was used for many traces
// ([ProblemMegaTrace]) each has one of its own, the upper half of the recorded id and the id of its first
// span. [Trace.RecordedID] is the one to search for elsewhere.
func (t Trace) ID() TraceID { return t.set.traces[t.num].id }

// RecordedID returns the trace's id as it was recorded.
func (t Trace) RecordedID() TraceID { return t.set.recordedTraceID(t.num) }

// Index returns the trace's number in its Set, for tables kept beside it.
func (t Trace) Index() int { return int(t.num) }

// Set returns the Set that the trace is part of.
func (t Trace) Set() *Set { return t.set }

// Source returns where the trace was read from, as the [SpanData.Source] of its primary root said.
func (t Trace) Source() string { return t.set.sources[t.set.traces[t.num].source] }

// bounds returns the numbers of the trace's first span and of the one after its last.
func (t Trace) bounds() (first, end int32) {
	first = t.set.traces[t.num].first
	if int(t.num)+1 < len(t.set.traces) {
		return first, t.set.traces[t.num+1].first
	}
	return first, int32(t.set.NumSpans())
}

// NumSpans returns how many spans the trace has.
func (t Trace) NumSpans() int {
	first, end := t.bounds()
	return int(end - first)
}

// Spans yields the trace's spans in pre-order.
func (t Trace) Spans() iter.Seq[Span] {
	first, end := t.bounds()
	return t.set.spans(first, end)
}

func (s *Set) spans(first, end int32) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		for i := first; i < end; i++ {
			if !yield(Span{s, i}) {
				return
			}
		}
	}
}

// Root returns the trace's primary root: the earliest span that names no parent, then the longest, then
// the one with the smallest id. In a trace without such a span it is where a ring of parents was cut, or
// else the first orphan, and then HasRoot is false.
func (t Trace) Root() Span {
	first, _ := t.bounds()
	return Span{t.set, first}
}

// HasRoot reports whether the trace has a root span, rather than only spans whose parents are missing.
func (t Trace) HasRoot() bool { return !t.Root().Marks().Has(MarkOrphan) }

// Roots yields the trace's root spans and the roots of its orphan subtrees.
func (t Trace) Roots() iter.Seq[Span] {
	first, end := t.bounds()
	return func(yield func(Span) bool) {
		for i := first; i < end; i = t.set.cols.end[i] {
			if !yield(Span{t.set, i}) {
				return
			}
		}
	}
}

// IsComplete reports whether the trace has exactly one root, and no span whose parent is missing.
func (t Trace) IsComplete() bool {
	first, end := t.bounds()
	return t.set.cols.end[first] == end && t.HasRoot()
}

// Weight returns how many traces this one stands for, 1 unless it was sampled: see [MaxWeight].
func (t Trace) Weight() float64 {
	if t.set.weights == nil {
		return 1
	}
	return t.set.weights[t.num]
}

// Interval returns the earliest start and the latest end of the trace's spans, in nanoseconds since
// the Unix epoch. It is false if no span has both.
func (t Trace) Interval() (start, end int64, ok bool) {
	first, stop := t.bounds()
	start, end = math.MaxInt64, math.MinInt64
	for i := first; i < stop; i++ {
		if s, e, known := (Span{t.set, i}).Interval(); known {
			start, end, ok = min(start, s), max(end, e), true
		}
	}
	if !ok {
		return 0, 0, false
	}
	return start, end, true
}

// Duration returns the time from the trace's earliest start to its latest end, or -1 if not known.
func (t Trace) Duration() time.Duration {
	start, end, ok := t.Interval()
	if !ok {
		return unknownDuration
	}
	return time.Duration(end - start)
}

// Find returns the trace's span with the given [Span.ID]. It looks at each span in turn.
func (t Trace) Find(id SpanID) (Span, bool) {
	for s := range t.Spans() {
		if s.ID() == id {
			return s, true
		}
	}
	return Span{}, false
}
