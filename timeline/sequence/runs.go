package sequence

import (
	"fmt"
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
)

// callRun is calls of one path that one span made, of which one is drawn.
type callRun struct {
	drawn      tracewhy.Span
	service    string // that calls of the path go to, as others of them show; "" if none does
	calls      int
	failures   int
	atOnce     bool  // some of them overlap
	start, end int64 // of all, or of the one that is drawn where others lie in between
}

// newCallRun returns the run of spans in the order of their start.
func newCallRun(spans []tracewhy.Span) callRun {
	r := callRun{drawn: spans[0], start: math.MaxInt64, end: math.MinInt64}
	for _, s := range spans {
		r.calls++
		switch {
		case s.Failed() && r.failures == 0, r.failures == 0 && s.Duration() > r.drawn.Duration():
			r.drawn = s
		}
		if s.Failed() {
			r.failures++
		}
		if start, end, ok := s.Interval(); ok {
			r.atOnce = r.atOnce || start < r.end
			r.start, r.end = min(r.start, start), max(r.end, end)
		}
	}
	return r
}

// title returns what a loop of the run says.
func (r *callRun) title() string {
	if r.failures == r.calls && !r.atOnce {
		return quantity.Count(r.calls, "attempt") + ", all failed"
	}
	what := quantity.Count(r.calls, "time")
	if r.atOnce {
		what += ", some at once"
	}
	if r.failures > 0 {
		what += fmt.Sprintf(", %d failed", r.failures)
	}
	return what
}

// calledPeer returns what a call went to that has no spans, or "".
func calledPeer(s tracewhy.Span) string {
	if !isOutgoing(s) || s.HasChildren() {
		return ""
	}
	peer, _ := s.Peer()
	return peer
}

// callRuns returns the calls that a span made. Those of one path that follow each other are one run; where there
// are many such runs of a path, between others, they all are. The attempt that succeeded is not in the run of those
// before it that failed.
func callRuns(s tracewhy.Span) []callRun {
	type kind struct {
		path, below tracewhy.PathID // below tells clients apart that call different services
		peer        string          // and this those of others
	}
	var kinds []kind
	var runs [][]tracewhy.Span
	count := map[kind]int{}                // runs; only looked up
	others := map[tracewhy.PathID]string{} // the service that calls of a path go to; only looked up
	for child := range s.Children() {
		if other, ok := otherSide(child); ok {
			if _, ok := others[child.Path().ID()]; !ok {
				others[child.Path().ID()] = other.Service()
			}
		}
		k := kind{child.Path().ID(), child.Path().ID(), calledPeer(child)}
		for below := range child.Children() {
			k.below = below.Path().ID()
			break
		}
		if n := len(kinds); n > 0 && kinds[n-1] == k {
			runs[n-1] = append(runs[n-1], child)
			continue
		}
		kinds, runs = append(kinds, k), append(runs, []tracewhy.Span{child})
		count[k]++
	}
	first := map[kind]int{} // where a run of many is; only looked up
	var merged [][]tracewhy.Span
	var isScattered []bool
	for i, k := range kinds {
		at, ok := first[k]
		if ok && count[k] >= tracewhy.MinRepeat {
			merged[at], isScattered[at] = append(merged[at], runs[i]...), true
			continue
		}
		first[k] = len(merged)
		merged, isScattered = append(merged, runs[i]), append(isScattered, false)
	}
	out := make([]callRun, 0, len(merged))
	for i, spans := range merged {
		r := newCallRun(spans)
		last := len(spans) - 1
		switch {
		case isScattered[i]:
			r.start, r.end, _ = r.drawn.Interval()
		case last > 0 && r.failures == last && !spans[last].Failed():
			out = append(out, newCallRun(spans[:last]))
			r = newCallRun(spans[last:])
		}
		out = append(out, r)
	}
	for i := range out {
		out[i].service = others[out[i].drawn.Path().ID()]
	}
	return out
}
