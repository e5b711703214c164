package tracewhy

import (
	"slices"
	"time"
)

// SelfTime returns how much of its time the span spent on its own: its duration less the time in which
// any child that it waited for was running. Overlapping children count once, the parts of children
// outside the span's interval not at all, and asynchronous ones ([Span.IsAsync]) neither; the children
// of a span whose interval is not known count as its parent's. It is -1 if the span's interval is not
// known.
//
// [Set.SelfTimes] is faster for many spans.
func (s Span) SelfTime() time.Duration {
	start, end, ok := s.Interval()
	if !ok {
		return unknownDuration
	}
	self, covered := end-start, start // covered: up to here
	for p := range s.set.awaited(s.num, start, end) {
		if from := max(covered, p.start); from < p.end {
			self -= p.end - from
			covered = p.end
		}
	}
	return time.Duration(self)
}

// SelfTimes returns the [Span.SelfTime] of every span in nanoseconds, by span number. It takes time in
// O(n) for n spans, or O(n log n) where intervals are not known.
func (s *Set) SelfTimes() []int64 {
	c := &s.cols
	self := slices.Clone(c.duration)
	// Up to where the span's children were seen to cover it. For a span of unknown interval, the number
	// of the one that its children count for.
	covered := slices.Clone(c.start)
	var unordered []int32 // their children are not in order
	for i, p := range c.parent {
		if p != noParent && c.duration[p] < 0 {
			if p = int32(covered[p]); p != noParent {
				unordered = append(unordered, p)
			}
		}
		if c.duration[i] < 0 {
			covered[i] = int64(p)
			continue
		}
		if p == noParent {
			continue
		}
		from, to := max(covered[p], c.start[i]), min(c.start[p]+c.duration[p], c.start[i]+c.duration[i])
		if from < to && !s.isAsync(int32(i), p) {
			self[p] -= to - from
			covered[p] = to
		}
	}
	slices.Sort(unordered)
	for _, num := range slices.Compact(unordered) {
		self[num] = int64(Span{s, num}.SelfTime())
	}
	return self
}
