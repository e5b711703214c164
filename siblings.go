package tracewhy

import (
	"cmp"
	"slices"
)

// callKeys are the attributes that tell one call of an operation from another: what differs in one of
// them is a different request. Addresses are not among them, since an attempt may go elsewhere.
var callKeys = [...]string{"url.full", "http.url", "url.path", "url.query", "http.target", "db.query.text", "db.statement"}

// call identifies what a span asked for, among its siblings.
type call struct {
	path  PathID
	name  uint32
	attrs [len(callKeys)]AttrID // plus 1, 0: missing
}

// callRanges are the attributes of callKeys in a Set.
type callRanges [len(callKeys)]attrRange

func (s *Set) callRanges() callRanges {
	var r callRanges
	for i, key := range callKeys {
		first, end := s.AttrRange(key)
		r[i] = attrRange{first, end}
	}
	return r
}

func (r *callRanges) of(s Span) call {
	c := call{path: s.set.cols.path[s.num], name: s.set.cols.name[s.num]}
	attrs := s.attrs()
	for i := range r {
		if id, ok := r[i].in(attrs); ok {
			c.attrs[i] = id + 1
		}
	}
	return c
}

// attempts groups the children of spans by what they asked for. The zero value is ready to use for the
// spans of one Set.
type attempts struct {
	ranges callRanges
	groups map[attemptKey]*attemptGroup
	seen   map[int32]bool // parents whose children were grouped
}

type attemptKey struct {
	parent int32
	call   call
}

// attemptGroup is what became of equal calls. The zero value is that of calls without siblings.
type attemptGroup struct {
	healthy   []int32 // spans that did not fail, in the order of their start
	lastStart int64
}

// of returns the group of a span that has a parent, or nil for one that has none.
func (a *attempts) of(s Span) *attemptGroup {
	parent, ok := s.Parent()
	if !ok {
		return nil
	}
	if a.seen == nil {
		a.ranges, a.seen, a.groups = s.set.callRanges(), map[int32]bool{}, map[attemptKey]*attemptGroup{}
	}
	if !a.seen[parent.num] {
		a.seen[parent.num] = true
		for child := range parent.Children() {
			a.add(parent.num, child)
		}
	}
	return a.groups[attemptKey{parent.num, a.ranges.of(s)}]
}

func (a *attempts) add(parent int32, s Span) {
	start, _, ok := s.Interval()
	if !ok {
		return
	}
	key := attemptKey{parent, a.ranges.of(s)}
	g := a.groups[key]
	if g == nil {
		g = &attemptGroup{}
		a.groups[key] = g
	}
	g.lastStart = start
	if !s.Failed() {
		g.healthy = append(g.healthy, s.num)
	}
}

// madeAfter reports whether an equal call was made after s had ended.
func (g *attemptGroup) madeAfter(s Span) bool {
	_, end, ok := s.Interval()
	return ok && g.lastStart >= end && g.lastStart > s.set.cols.start[s.num]
}

// succeededAfter reports whether an equal call that was made after s had ended succeeded.
func (g *attemptGroup) succeededAfter(s Span) bool {
	_, end, ok := s.Interval()
	return ok && g != nil && len(g.healthy) > 0 && s.set.cols.start[g.healthy[len(g.healthy)-1]] >= end
}

// succeededWithin reports whether an equal call that overlapped s succeeded before s ended.
func (g *attemptGroup) succeededWithin(s Span) bool {
	start, end, ok := s.Interval()
	if !ok || g == nil {
		return false
	}
	c := &s.set.cols
	i, _ := slices.BinarySearchFunc(g.healthy, end, func(num int32, at int64) int { return cmp.Compare(c.start[num], at) })
	if i == 0 {
		return false
	}
	other := g.healthy[i-1]
	otherEnd := c.start[other] + c.duration[other]
	return start < otherEnd && otherEnd <= end
}
