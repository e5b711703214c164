package tracewhy

import (
	"fmt"
	"iter"
	"time"
)

// GapClass says where in a span a [Gap] is.
type GapClass uint8

// The classes of gaps.
const (
	GapBeforeFirst GapClass = iota // before the first child: own work, or the wait for a queue, pool or lock
	GapBetween                     // between children: own work
	GapAfterLast                   // after the last child: own work
	GapRequest                     // from the start of a call to that of its remote side: connect, network, remote queue
	GapResponse                    // from the end of the remote side to that of the call: network, own queue
	GapQueue                       // from the end of a producer to the start of its consumer: the message queue
)

var gapNames = [...]string{"before first", "between", "after last", "request", "response", "queue"}

// String returns the class in lower-case words.
func (c GapClass) String() string {
	if int(c) < len(gapNames) {
		return gapNames[c]
	}
	return fmt.Sprintf("gap(%d)", uint8(c))
}

// Gap is time of a span in which none of its children was running.
type Gap struct {
	Class GapClass
	From  Span // whose gap it is
	Child Span // the child that the gap leads to; after the last one and in a response, the one that it comes from

	// Start and End are in nanoseconds since the Unix epoch. In a request, response or queue they are of
	// two clocks, and End may lie before Start.
	Start, End int64
}

// Duration returns how long the gap is. That of a request, response or queue may be negative.
func (g Gap) Duration() time.Duration { return time.Duration(g.End - g.Start) }

// IsRemote reports whether the span is the remote side of a call that its parent made: a server under a
// client, a consumer under a producer, or a span of another service that is not itself a client or
// producer, since kinds are often not recorded.
func (s Span) IsRemote() bool {
	p, ok := s.Parent()
	if !ok {
		return false
	}
	switch s.Kind() {
	case KindClient, KindProducer:
		return false
	case KindServer:
		if p.Kind() == KindClient {
			return true
		}
	case KindConsumer:
		if p.Kind() == KindProducer {
			return true
		}
	}
	return s.resource().service != p.resource().service
}

// Gaps yields the parts of the span's interval that no child covers, in the order of time; none for
// a span without children, or of unknown interval.
//
// Children count as in [Span.SelfTime]: the gaps before, between and after them add up to the self time.
// Where the span is a call, its edges are a request and a response instead: in a client or producer
// whose first or last child is remote ([Span.IsRemote]), and in any span but a server or consumer whose
// only child is. Those are measured between two hosts, whose clocks may differ: they are what was
// recorded, with nothing cut off or moved. Either can be negative; request plus response, the round trip
// less the remote duration, does not depend on the clocks. If that sum is negative the caller did not
// wait for the remote side to end.
//
// A producer's consumers that it did not wait for come last, each with the gap of its message queue,
// which lies outside the span's interval.
func (s Span) Gaps() iter.Seq[Gap] {
	return func(yield func(Gap) bool) {
		start, end, ok := s.Interval()
		if !ok || !s.HasChildren() {
			return
		}
		if only, ok := s.callee(); ok {
			from, to, _ := only.Interval()
			_ = yield(Gap{GapRequest, s, only, start, from}) && yield(Gap{GapResponse, s, only, to, end})
			return
		}
		isCaller := s.Kind() == KindClient || s.Kind() == KindProducer
		covered, last := start, Span{} // covered: up to here, by last
		for p := range s.set.awaited(s.num, start, end) {
			child := Span{s.set, p.num}
			gap := Gap{GapBetween, s, child, covered, p.start}
			isEdge := false
			if last.IsZero() {
				gap.Class = GapBeforeFirst
				if isEdge = isCaller && child.IsRemote(); isEdge {
					gap.Class, gap.End = GapRequest, s.set.cols.start[p.num]
				}
			}
			if (isEdge || gap.Start < gap.End) && !yield(gap) {
				return
			}
			if p.end >= covered {
				covered, last = p.end, child
			}
		}
		if !last.IsZero() {
			gap := Gap{GapAfterLast, s, last, covered, end}
			isEdge := isCaller && last.IsRemote()
			if isEdge {
				_, to, _ := last.Interval()
				gap.Class, gap.Start = GapResponse, to
			}
			if (isEdge || gap.Start < gap.End) && !yield(gap) {
				return
			}
		}
		if s.Kind() != KindProducer {
			return
		}
		for child := range s.Children() {
			if from, _, ok := child.Interval(); ok && child.Kind() == KindConsumer && child.IsAsync() && !yield(Gap{GapQueue, s, child, end, from}) {
				return
			}
		}
	}
}

// callee returns the remote side of a span that is a call and nothing else.
func (s Span) callee() (Span, bool) {
	c, only := &s.set.cols, s.num+1
	if c.end[only] != c.end[s.num] || c.duration[only] < 0 || s.Kind() == KindServer || s.Kind() == KindConsumer {
		return Span{}, false
	}
	child := Span{s.set, only}
	return child, child.IsRemote() && !s.set.isAsync(only, s.num)
}
