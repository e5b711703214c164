// Package perfetto writes traces in the Trace Event Format, the JSON that https://ui.perfetto.dev and
// chrome://tracing open.
//
//	stats, err := perfetto.Write(file, set.Source("incident"))
//
// Every instance of a service is a process, with as many lanes (threads) as it takes for spans that
// overlap not to cover each other: a span is drawn inside another one on its lane only if that is its
// parent. Where a call went to another process, and where a span has a link, an arrow leads there.
// Arrows are in the order of time: where clocks differ by so much that the other side seems to have begun
// first, one points back.
//
// The process "critical path" has a slice for each trace, and inside it what its end was waiting for at
// each moment ([tracewhy.Trace.CriticalPath]). Spans of the critical path have the category critical
// beside their kind; spans that failed ([tracewhy.Span.Failed]) have the category failed, a cross before
// their name and, in chrome://tracing, the colour for what is terrible. A query of Perfetto finds them:
//
//	select name, dur from slice where category glob '*failed*' order by dur desc
//
// The arguments of a slice are the ids of the span, its kind, status, attributes, events and links, its
// start on the clock, and how long the trace waited for it; those of the first span in a process also the
// resource. Attributes keep their types, but bytes are base64, and NaN and the infinities are strings,
// since JSON has no words for them.
//
// Times are exact to the nanosecond and count from the earliest one, which is start_unix_ns of otherData:
// viewers read them as floating point, which has room for nanoseconds over 100 days, and not since 1970.
// Clocks are not adjusted. A span whose duration is not known is a moment rather than a slice,
// and one that has no time at all is left out: [Stats] counts them.
//
// Events are in the order of time, except for those of critical paths, which come together, and for spans
// that have an end only. The same traces give the same bytes. Writing takes time in O(n log n) for n spans and memory for those of traces
// that overlap, and for links.
//
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU describes the format;
// what Perfetto makes of it is in its directory src/trace_processor/importers/json.
package perfetto

import (
	"bufio"
	"io"
	"math"

	"github.com/tracewhy/tracewhy"
)

// Stats says what became of the spans that were to be written.
type Stats struct {
	Slices  int `json:"slices"`  // spans that are drawn with their duration
	Moments int `json:"moments"` // spans of unknown or negative duration, drawn at their start, or else their end
	Omitted int `json:"omitted"` // spans without any time
}

// Write writes the traces of a cohort. Its error is w's.
func Write(w io.Writer, c tracewhy.Cohort) (Stats, error) {
	d := newDrawing(bufio.NewWriterSize(w, 64<<10), c)
	d.header()
	for t := range c.Traces() {
		d.drawUntil(t)
		d.admit(t)
	}
	d.drawRest()
	d.footer()
	return d.stats, d.w.Flush()
}

// placed is something to draw, and when.
type placed struct {
	span     tracewhy.Span
	at, end  int64 // in nanoseconds since the Unix epoch; equal if it is a moment
	isPath   bool  // the critical path of the trace whose root the span is
	isMoment bool
}

// before is the order in which things are drawn. It is the order in which Perfetto reads slices, so that
// what comes first there does so here.
func (p placed) before(q placed) bool {
	switch {
	case p.at != q.at:
		return p.at < q.at
	case p.end != q.end:
		return p.end > q.end
	case p.span != q.span:
		return p.span.Index() < q.span.Index()
	}
	return p.isPath && !q.isPath
}

// place says when to draw a span; it is false for a span without any time.
func place(s tracewhy.Span) (placed, bool) {
	if start, end, ok := s.Interval(); ok {
		return placed{span: s, at: start, end: end}, true
	}
	at := int64(s.Data().End) // below zero if it is out of range
	if start := s.Start(); !start.IsZero() {
		at = start.UnixNano()
	}
	return placed{span: s, at: at, end: at, isMoment: true}, at > 0
}

// drawing is a file that is being written.
type drawing struct {
	w     *bufio.Writer
	b     []byte // the event that is being written
	stats Stats

	cohort    tracewhy.Cohort
	base      int64            // the earliest time
	order     []*process       // by number, from 1
	processes map[int]*process // by the number of a resource
	paths     *process         // for critical paths
	lastTID   int

	waiting  heap[placed]                 // of the traces that were admitted
	open     map[tracewhy.Span]*lane      // where slices are that may not have ended
	critical map[tracewhy.Span]int64      // how long the trace waited for a waiting span, in nanoseconds
	binds    map[tracewhy.Span]bind       // of waiting spans
	ends     map[tracewhy.Span][]arrowEnd // of waiting spans, and of links
	sections []tracewhy.Section
}

func newDrawing(w *bufio.Writer, c tracewhy.Cohort) *drawing {
	d := &drawing{
		w: w, cohort: c,
		waiting:  heap[placed]{less: placed.before},
		open:     map[tracewhy.Span]*lane{},
		critical: map[tracewhy.Span]int64{},
		binds:    map[tracewhy.Span]bind{},
		ends:     map[tracewhy.Span][]arrowEnd{},
	}
	d.survey()
	return d
}

// admit lets the spans of a trace wait to be drawn, after all that begin before them.
func (d *drawing) admit(t tracewhy.Trace) {
	d.sections = t.Root().AppendCriticalPath(d.sections[:0])
	for _, s := range d.sections {
		d.critical[s.Span] += int64(s.Duration())
	}
	if p, ok := place(t.Root()); ok && len(d.sections) > 0 {
		p.isPath = true
		d.waiting.push(p)
	}
	for s := range t.Spans() {
		p, ok := place(s)
		if !ok {
			d.stats.Omitted++
			continue
		}
		d.waiting.push(p)
		if parent, ok := s.Parent(); ok && d.process(parent) != d.process(s) {
			if from, ok := place(parent); ok {
				d.connectCall(from, p)
			}
		}
	}
}

// drawUntil draws what waits and cannot come after a span of the trace, which is the next one.
func (d *drawing) drawUntil(t tracewhy.Trace) {
	start := int64(math.MaxInt64)
	for s := range t.Spans() {
		if at := s.Start(); !at.IsZero() {
			start = min(start, at.UnixNano())
		}
	}
	if start == math.MaxInt64 {
		return // only moments follow, which may come in any order
	}
	for d.waiting.len() > 0 && d.waiting.top().at < start {
		d.draw(d.waiting.pop())
	}
}

func (d *drawing) drawRest() {
	for d.waiting.len() > 0 {
		d.draw(d.waiting.pop())
	}
}
