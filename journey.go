package tracewhy

import "slices"

// JourneyPath returns the critical path of a journey that ends with the trace's primary root and may
// have begun in other traces, which it finds by the links of roots: those that lead to a span of another
// trace of the Set, as from a consumer to the producers of its messages. Without such a link it is
// [Trace.CriticalPath].
//
// The sections are in the order of time and cover the journey without a hole, from the start of the first
// trace's root to the end of this one's. At a link the path goes on with what the linked span was doing
// up to its end (or up to the start of the root, if that came first), and before that with what each of
// its ancestors was waiting for when it made the call. The time in between is a section of the span that
// had not started yet: a section that ends at its span's start is the wait for it, in a message queue for
// example. Of several linked spans the one that ended last is followed, then the one that started last,
// then the first in the Set. No trace is followed twice.
func (t Trace) JourneyPath() []Section {
	root := t.Root()
	start, end, ok := root.Interval()
	if !ok {
		return nil
	}
	back := root.appendPathBack(nil, end) // the last section first
	for seen := map[int32]bool{}; ; {
		seen[root.num] = true
		sender, ok := root.linkedFrom(start, seen)
		if !ok {
			slices.Reverse(back)
			return back
		}
		back, start = sender.appendHistoryBack(back, root, start)
		root = sender.Trace().Root()
	}
}

// linkedFrom returns the span that a root's start at a moment was waiting for, of those that it links to.
func (s Span) linkedFrom(at int64, seen map[int32]bool) (Span, bool) {
	linked := map[Trace]map[SpanID]bool{} // traces may be large, and links many: look at each span once
	for l := range s.Links() {
		if t, ok := s.set.linkTarget(l.TraceID, l.SpanID); ok && !seen[t.Root().num] {
			if linked[t] == nil {
				linked[t] = map[SpanID]bool{}
			}
			linked[t][l.SpanID] = true
		}
	}
	var best piece
	for t, ids := range linked { // in any order: the best is one
		for x := range t.Spans() {
			start, end, ok := x.Interval()
			if !ok || !ids[x.RecordedID()] || start > at {
				continue
			}
			p := piece{x.num, start, min(end, at)}
			if best.start == 0 || p.end > best.end || p.end == best.end && (p.start > best.start || p.start == best.start && p.num < best.num) {
				best = p
			}
		}
	}
	return Span{s.set, best.num}, best.start != 0
}

// appendHistoryBack appends, the last first, what held up the start of next at a moment if s was the
// reason for it, and returns from when on that is.
func (s Span) appendHistoryBack(back []Section, next Span, at int64) ([]Section, int64) {
	for {
		if start, end, ok := s.Interval(); ok && start <= at {
			if end < at {
				back = append(back, Section{next, end, at})
				at = end
			}
			back = s.appendPathBack(back, at)
			at, next = start, s
		}
		parent, ok := s.Parent()
		if !ok {
			return back, at
		}
		s = parent
	}
}
