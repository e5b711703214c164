package tracewhy

import (
	"cmp"
	"slices"
)

// callKeys are the attributes that tell one call of an operation from another: what differs in one of
// them is a different request. Addresses are not among them, since an attempt may go elsewhere.
var callKeys = [...]string{"url.full", "http.url", "url.path", "url.query", "http.target", "db.query.text", "db.statement"}

// resendKey counts the attempts at one HTTP request before this one. It is set for redirects too.
const resendKey = "http.request.resend_count"

// call identifies what a span asked for, among its siblings.
type call struct {
	path  PathID
	name  uint32
	attrs [len(callKeys)]AttrID // plus 1, 0: missing
}

// callReader reads calls off the spans of one Set.
type callReader struct {
	keys   [len(callKeys)]attrRange
	resend attrRange
}

func newCallReader(s *Set) *callReader {
	r := &callReader{}
	for i, key := range callKeys {
		first, end := s.AttrRange(key)
		r.keys[i] = attrRange{first, end}
	}
	first, end := s.AttrRange(resendKey)
	r.resend = attrRange{first, end}
	return r
}

func (r *callReader) call(s Span) call {
	c := call{path: s.set.cols.path[s.num], name: s.set.cols.name[s.num]}
	attrs := s.attrs()
	for i := range r.keys {
		if id, ok := r.keys[i].in(attrs); ok {
			c.attrs[i] = id + 1
		}
	}
	return c
}

func (r *callReader) isResent(s Span) bool {
	id, ok := r.resend.in(s.attrs())
	if !ok {
		return false
	}
	n, ok := s.set.AttrValue(id).Number()
	return ok && n > 0
}

// equalCalls returns the children of known interval that a span has, those that are equal calls
// together, each group in the order of start. What is sent again after a failure is equal to what
// failed, whatever it says.
func (r *callReader) equalCalls(parent Span) [][]Span {
	var groups [][]Span
	byCall := map[call]int{}
	latest := map[PathID]int{} // the group of the path's last child
	for child := range parent.Children() {
		if child.Duration() < 0 {
			continue
		}
		c := r.call(child)
		g, ok := byCall[c]
		if last, again := latest[c.path]; again && r.isResent(child) {
			if tried := groups[last]; tried[len(tried)-1].Failed() {
				g, ok = last, true
			}
		}
		if !ok {
			g = len(groups)
			byCall[c] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], child)
		latest[c.path] = g
	}
	return groups
}

// attemptGroup is what became of equal calls. A nil group is that of a call without siblings.
type attemptGroup struct {
	healthy   []Span // those that did not fail, in the order of start
	lastStart int64
}

// attempts returns the group of the calls that are equal to a failed one.
func (w *errorWork) attempts(f *failure) *attemptGroup {
	if f.group == notGrouped {
		f.group = noGroup
		if parent, ok := (Span{w.set, f.num}).Parent(); ok {
			w.groupChildren(parent)
		}
	}
	if f.group == noGroup {
		return nil
	}
	return &w.groups[f.group]
}

// groupChildren gives the failed children of a span their groups, once for all of them.
func (w *errorWork) groupChildren(parent Span) {
	for child := range parent.Children() {
		if f := w.failureOf(child); f != nil {
			f.group = noGroup
		}
	}
	if !parent.repeatsPath() {
		return
	}
	if w.calls == nil {
		w.calls = newCallReader(w.set)
	}
	for _, calls := range w.calls.equalCalls(parent) {
		if len(calls) == 1 {
			continue
		}
		g := attemptGroup{lastStart: w.set.cols.start[calls[len(calls)-1].num]}
		for _, c := range calls {
			if f := w.failureOf(c); f != nil {
				f.group = int32(len(w.groups))
			} else {
				g.healthy = append(g.healthy, c)
			}
		}
		w.groups = append(w.groups, g)
	}
}

// madeAfter reports whether an equal call was made after s had ended.
func (g *attemptGroup) madeAfter(s Span) bool {
	start, end, ok := s.Interval()
	return ok && g != nil && g.lastStart >= end && g.lastStart > start
}

// succeededAfter reports whether an equal call that was made after s had failed succeeded.
func (g *attemptGroup) succeededAfter(s Span) bool {
	_, end, ok := s.Interval()
	return ok && g != nil && len(g.healthy) > 0 && s.set.cols.start[g.healthy[len(g.healthy)-1].num] >= end
}

// succeededWithin reports whether an equal call that overlapped s succeeded before s failed.
func (g *attemptGroup) succeededWithin(s Span) bool {
	_, end, ok := s.Interval()
	if !ok || g == nil {
		return false
	}
	i, _ := slices.BinarySearchFunc(g.healthy, end, func(x Span, at int64) int { return cmp.Compare(x.set.cols.start[x.num], at) })
	return i > 0 && outrun(g.healthy[i-1], s)
}

// outrun reports whether two calls overlapped and the winner ended first.
func outrun(winner, loser Span) bool {
	start, end, _ := winner.Interval()
	otherStart, otherEnd, _ := loser.Interval()
	return start < otherEnd && otherStart < end && end <= otherEnd
}
