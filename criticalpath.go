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
	_, end, ok := s.Interval()
	if !ok {
		return dst
	}
	first := len(dst)
	dst = s.appendPathBack(dst, end)
	slices.Reverse(dst[first:])
	return dst
}

// appendPathBack appends what a span of known interval was waiting for up to a moment in it, the last
// first.
func (s Span) appendPathBack(dst []Section, upTo int64) []Section {
	// Most traces are small enough to need no allocation.
	var frameBuf [16]pathFrame
	var kidBuf [32]piece
	frames, kids := frameBuf[:0], kidBuf[:0]
	start, end, _ := s.Interval()
	kids = s.set.appendAwaited(kids, s.num, start, end)
	sortLastEndFirst(kids)
	frames = append(frames, pathFrame{piece: piece{s.num, start, upTo}, isOpen: true})
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if !f.isOpen {
			f.isOpen, f.kids, f.next = true, len(kids), len(kids)
			kids = s.set.appendAwaited(kids, f.num, f.start, f.end)
			sortLastEndFirst(kids[f.kids:])
		}
		k, held := f.heldUpBy(kids)
		if own := (piece{f.num, k.end, f.end}); !own.isEmpty() {
			dst = append(dst, Section{Span{s.set, own.num}, own.start, own.end})
		}
		if !held {
			kids = kids[:f.kids]
			frames = frames[:len(frames)-1]
			continue
		}
		f.end = k.start
		frames = append(frames, pathFrame{piece: k})
	}
	return dst
}

// pathFrame is a span that the walk along a critical path is in.
type pathFrame struct {
	piece           // its end is where the walk back has come to
	isOpen     bool // its children are listed
	kids, next int  // where its children begin in the list, and which of them to look at next
}

// heldUpBy returns the child that the span was waiting for last before its end, or else the span's start
// as a piece without length.
func (f *pathFrame) heldUpBy(kids []piece) (piece, bool) {
	for f.next < len(kids) && f.start < f.end {
		k := kids[f.next]
		f.next++
		if k.end <= f.end && !k.isEmpty() {
			return k, true
		}
	}
	return piece{f.num, f.start, f.start}, false
}

// sortLastEndFirst orders the children of a span as a walk back along the critical path meets them.
func sortLastEndFirst(kids []piece) {
	if len(kids) < 2 {
		return
	}
	slices.Reverse(kids) // by start before, and so nearly in order now
	slices.SortFunc(kids, func(x, y piece) int {
		switch {
		case x.end != y.end:
			return cmp.Compare(y.end, x.end)
		case x.start != y.start:
			return cmp.Compare(y.start, x.start)
		}
		return cmp.Compare(x.num, y.num)
	})
}
