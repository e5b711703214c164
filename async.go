package tracewhy

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// IsAsync reports whether the span's parent did not wait for it to end: the span is one end of a message
// (a producer or a consumer) and outlives its parent, or it has a link to its parent that says
// opentracing.ref_type=follows_from. A consumer that ends before its parent counts as waited for, as in
// a request and reply over a queue. It is false without a parent, and where the interval of either is
// not known.
//
// Other spans that outlive their parent are not taken for fire-and-forget: the parent may have been
// waiting for them when it gave up. What reads time along the tree cuts them off at their parent's end,
// and [Span.Overrun] says how much that is.
func (s Span) IsAsync() bool {
	c := &s.set.cols
	p := c.parent[s.num]
	return p != noParent && c.duration[p] >= 0 && c.duration[s.num] >= 0 && s.set.isAsync(s.num, p)
}

// Overrun returns how long the span went on after its parent had ended: 0 if it did not, or if that is
// not known. The clocks of two hosts may differ by as much.
func (s Span) Overrun() time.Duration {
	c := &s.set.cols
	p := c.parent[s.num]
	if p == noParent || c.duration[p] < 0 || c.duration[s.num] < 0 {
		return 0
	}
	return time.Duration(max(0, c.start[s.num]+c.duration[s.num]-c.start[p]-c.duration[p]))
}

// isAsync is [Span.IsAsync] for a span, and the nearest ancestor whose interval is known.
func (s *Set) isAsync(num, parent int32) bool {
	c := &s.cols
	switch c.kind[num] {
	case KindProducer, KindConsumer:
		if c.start[num]+c.duration[num] > c.start[parent]+c.duration[parent] {
			return true
		}
	}
	return c.link[num] != c.link[num+1] && s.followsFrom(num)
}

// followsFrom reports whether the span has OpenTracing's weaker kind of reference to its parent:
// https://opentelemetry.io/docs/specs/semconv/registry/attributes/opentracing/
func (s *Set) followsFrom(num int32) bool {
	parent := Span{s, num}.ParentID()
	for _, l := range s.links[s.cols.link[num]:s.cols.link[num+1]] {
		if l.span != parent || l.trace != s.recordedTraceID(s.cols.trace[num]) {
			continue
		}
		if id, ok := s.find(s.side(l.attr, l.attrs), "opentracing.ref_type"); ok {
			return s.AttrValue(id).Str() == "follows_from"
		}
	}
	return false
}

// piece is a part of a span's interval: [start, end) in nanoseconds.
type piece struct {
	num        int32
	start, end int64
}

func (p piece) isEmpty() bool { return p.start == p.end }

// awaited yields the children that a span of known interval waited for, each cut to the part of it
// in [lo, hi], in the order of their start. Children that lie outside are left out; those that take no
// time are not.
func (s *Set) awaited(parent int32, lo, hi int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		c := &s.cols
		for i := parent + 1; i < c.end[parent]; i = c.end[i] {
			if c.duration[i] < 0 && c.end[i] > i+1 { // its children are not in order with its siblings
				kids := s.appendAwaited(nil, parent, lo, hi)
				slices.SortFunc(kids, func(x, y piece) int { return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.num, y.num)) })
				for _, p := range kids {
					if !yield(p) {
						return
					}
				}
				return
			}
		}
		for i := parent + 1; i < c.end[parent]; i = c.end[i] {
			if p, ok := s.await(i, parent, lo, hi); ok && !yield(p) {
				return
			}
		}
	}
}

// appendAwaited appends what awaited yields to dst, in the order of the Set.
func (s *Set) appendAwaited(dst []piece, parent int32, lo, hi int64) []piece {
	c := &s.cols
	for i := parent + 1; i < c.end[parent]; {
		if c.duration[i] < 0 {
			i++ // its children stand in for it
			continue
		}
		if p, ok := s.await(i, parent, lo, hi); ok {
			dst = append(dst, p)
		}
		i = c.end[i]
	}
	return dst
}

// await returns the part of a child in [lo, hi], if its parent waited for it.
func (s *Set) await(num, parent int32, lo, hi int64) (piece, bool) {
	c := &s.cols
	if c.duration[num] < 0 {
		return piece{}, false
	}
	start, end := c.start[num], c.start[num]+c.duration[num]
	p := piece{num, max(start, lo), min(end, hi)}
	return p, (p.start < p.end || p.start == p.end && start == end) && !s.isAsync(num, parent)
}
