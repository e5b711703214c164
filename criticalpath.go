package tracewhy

import (
	"cmp"
	"slices"
	"time"
)

// Section is a part of a critical path: what the span itself did between two moments, in nanoseconds
// since the Unix epoch, held up the end of the whole.
type Section struct {
	Span       Span
	Start, End int64
}

// Duration returns how long the section is.
func (s Section) Duration() time.Duration { return time.Duration(s.End - s.Start) }

// CriticalPath returns the critical path of the trace's primary root: [Span.AppendCriticalPath].
func (t Trace) CriticalPath() []Section { return t.Root().AppendCriticalPath(nil) }

// AppendCriticalPath appends the span's critical path to dst: sections in the order of time that cover
// the span's interval exactly, without overlap, so that their sum is its duration. It appends nothing
// if the interval is not known, or empty.
//
// Each section belongs to the deepest span that the end of s was waiting for at that time. It is found
// by walking back from the end. The span itself is waited for down to the end of the child that ended
// last; that child down to its start; and from there on the span again, down to the end of the child
// that ended last before that. Children that were still running at that moment did not hold it up. (As
// in CRISP, Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures",
// USENIX ATC 2022.) Of children that end together the one that started last goes first, then the one
// that comes first in the Set.
//
// From the top down, every child is cut to the interval of its parent as it was cut. Asynchronous
// children ([Span.IsAsync]) are not waited for. Children that take no time never appear. The children of
// a span whose interval is not known count as its parent's. Clocks are taken at their word: where those
// of two hosts differ, so much of the call's edge is counted on the wrong side of it, and the sum holds.
//
// It takes time in O(n log n) for the n spans below s, whatever their depth.
func (s Span) AppendCriticalPath(dst []Section) []Section {
	start, end, ok := s.Interval()
	if !ok || start == end {
		return dst
	}
	// Most traces are small enough to need no allocation.
	var todo [32]step
	var children [32]piece
	w := pathWalk{set: s.set, todo: todo[:0], children: children[:0]}
	w.expand(piece{s.num, start, end})
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		next := w.todo[last]
		w.todo = w.todo[:last]
		if !next.isSection {
			w.expand(next.piece)
			continue
		}
		dst = append(dst, Section{Span{s.set, next.num}, next.start, next.end})
	}
	return dst
}

// pathWalk is the state of a walk along a critical path.
type pathWalk struct {
	set      *Set
	todo     []step // the earliest on top
	children []piece
}

// step is a part of the path: the span's own section of it, or a part that its children may share.
type step struct {
	piece
	isSection bool
}

// expand replaces a part of the path by sections of its span and parts for the children that the span
// waited for.
func (w *pathWalk) expand(of piece) {
	kids := w.set.appendAwaited(w.children[:0], of.num, of.start, of.end)
	w.children = kids[:0]
	if len(kids) > 1 {
		slices.Reverse(kids) // nearly in order
		slices.SortFunc(kids, lastEndFirst)
	}
	at := of.end
	for _, k := range kids {
		if k.end > at || k.start == k.end {
			continue
		}
		if k.end < at {
			w.todo = append(w.todo, step{piece{of.num, k.end, at}, true})
		}
		w.todo = append(w.todo, step{k, w.set.cols.end[k.num] == k.num+1})
		at = k.start
	}
	if of.start < at {
		w.todo = append(w.todo, step{piece{of.num, of.start, at}, true})
	}
}

// lastEndFirst orders the children of a span as a walk back along the critical path meets them.
func lastEndFirst(x, y piece) int {
	return cmp.Or(cmp.Compare(y.end, x.end), cmp.Compare(y.start, x.start), cmp.Compare(x.num, y.num))
}
