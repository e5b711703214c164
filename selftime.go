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
	self, c := end-start, &s.set.cols
	covered := start // up to here
	for i := s.num + 1; i < c.end[s.num]; i = c.end[i] {
		if c.duration[i] < 0 {
			if c.end[i] == i+1 {
				continue
			}
			return time.Duration(s.set.unorderedSelfTime(s.num))
		}
		if from, to := max(covered, c.start[i]), min(end, c.start[i]+c.duration[i]); from < to && !s.set.isAsync(i, s.num) {
			self -= to - from
			covered = to
		}
	}
	return time.Duration(self)
}

// unorderedSelfTime is SelfTime for a span with grandchildren that count as children and are not in
// their order.
func (s *Set) unorderedSelfTime(num int32) int64 {
	start, end, _ := Span{s, num}.Interval()
	self, covered := end-start, start
	for _, p := range s.appendAwaited(nil, num, start, end) {
		if from := max(covered, p.start); from < p.end {
			self -= p.end - from
			covered = p.end
		}
	}
	return self
}

// SelfTimes returns the [Span.SelfTime] of every span in nanoseconds, by span number: in O(n) for n spans, or
// O(n log n) where intervals are not known.
func (s *Set) SelfTimes() []int64 {
	c := &s.cols
	self := append([]int64(nil), c.duration...)
	// Up to where the span's children were seen to cover it. For a span of unknown interval, the number
	// of the one that its children count for.
	covered := append([]int64(nil), c.start...)
	var unordered []int32
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
		self[num] = s.unorderedSelfTime(num)
	}
	return self
}
