package timeline

import (
	"slices"
	"sort"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Row is one span of a waterfall.
type Row struct {
	Span  tracewhy.Span
	Depth int // how many spans of the trace are above it

	// Offset is how long after the beginning of the trace, its earliest start, the span began. It is
	// -1 if the span's interval is not known, and so are Duration and SelfTime.
	Offset   time.Duration
	Duration time.Duration
	SelfTime time.Duration // [tracewhy.Span.SelfTime]

	// Critical is when the trace waited for the span itself, rather than for calls that it made: its
	// sections of the critical path, in the order of time.
	Critical []Section

	// Gaps are the times in which the span ran and none of its calls did ([tracewhy.Span.Gaps]).
	Gaps []tracewhy.Gap
}

// Section is a stretch of time, counted from the beginning of the trace.
type Section struct{ Start, End time.Duration }

// CriticalTime returns for how long the trace waited for the span itself.
func (r Row) CriticalTime() time.Duration {
	var sum time.Duration
	for _, s := range r.Critical {
		sum += s.End - s.Start
	}
	return sum
}

// GapTime returns for how long the trace waited for the span itself within one of its gaps.
func (r Row) GapTime(g tracewhy.Gap) time.Duration {
	start, _, _ := r.Span.Interval()
	from, to := r.Offset+time.Duration(g.Start-start), r.Offset+time.Duration(g.End-start)
	first := sort.Search(len(r.Critical), func(i int) bool { return r.Critical[i].End > from })
	var sum time.Duration
	for _, s := range r.Critical[first:] {
		if s.Start >= to {
			break
		}
		sum += min(s.End, to) - max(s.Start, from)
	}
	return sum
}

// Waterfall returns the rows of a trace, in pre-order: a span before the calls that it made, and these
// by start. Every span has one row. The sections of all rows together are the critical path of the
// primary root ([tracewhy.Trace.CriticalPath]): they add up to its duration.
func Waterfall(t tracewhy.Trace) []Row {
	begin, _, _ := t.Interval()
	rows := make([]Row, 0, t.NumSpans())
	first := t.Root().Index() // the trace's spans have consecutive numbers
	for s := range t.Spans() {
		r := Row{Span: s, Offset: -1, Duration: s.Duration(), SelfTime: s.SelfTime(), Gaps: slices.Collect(s.Gaps())}
		if start, _, ok := s.Interval(); ok {
			r.Offset = time.Duration(start - begin)
		}
		if p, ok := s.Parent(); ok {
			r.Depth = rows[p.Index()-first].Depth + 1
		}
		rows = append(rows, r)
	}
	for _, c := range t.CriticalPath() {
		r := &rows[c.Span.Index()-first]
		r.Critical = append(r.Critical, Section{time.Duration(c.Start - begin), time.Duration(c.End - begin)})
	}
	return rows
}
