package compare

import (
	"slices"

	"github.com/tracewhy/tracewhy"
)

// Twin returns the trace of the cohort that is most like t but ended otherwise: a healthy one for a
// trace that failed, was slow or abandoned, and one that is not healthy for a healthy trace. It is false
// if there is none, or if t is of another Set.
//
// A twin has the root operation of t, and of those that do, the most attributes of the root in common;
// then the most call paths, then the most attributes of all spans; then it is the first of the Set.
// Twin takes time in O(n) for n spans of the cohort.
func Twin(t tracewhy.Trace, cohort tracewhy.Cohort) (tracewhy.Trace, bool) {
	var best tracewhy.Trace
	if cohort.Set() != t.Set() {
		return best, false
	}
	isHealthy := func(t tracewhy.Trace) bool { return tracewhy.OutcomeRule{}.Of(t) == tracewhy.OutcomeOK }
	root, healthy := t.Root().Path(), isHealthy(t)
	wanted := likenessOf(t)
	var most [3]int
	for c := range cohort.Traces() {
		if c.Root().Path() != root || isHealthy(c) == healthy {
			continue
		}
		if n := wanted.shared(likenessOf(c)); best.IsZero() || slices.Compare(n[:], most[:]) > 0 {
			best, most = c, n
		}
	}
	return best, !best.IsZero()
}

// likeness is what traces may have in common.
type likeness struct {
	root, all map[tracewhy.AttrID]bool
	paths     map[tracewhy.PathID]bool
}

func likenessOf(t tracewhy.Trace) likeness {
	l := likeness{map[tracewhy.AttrID]bool{}, map[tracewhy.AttrID]bool{}, map[tracewhy.PathID]bool{}}
	for id := range t.Root().AttrIDs() {
		l.root[id] = true
	}
	for s := range t.Spans() {
		l.paths[s.Path().ID()] = true
		for id := range s.AttrIDs() {
			l.all[id] = true
		}
	}
	return l
}

// shared counts what both have: attributes of the root, paths, and attributes.
func (l likeness) shared(x likeness) [3]int {
	return [3]int{sharedKeys(l.root, x.root), sharedKeys(l.paths, x.paths), sharedKeys(l.all, x.all)}
}

func sharedKeys[K comparable](a, b map[K]bool) int {
	n := 0
	for k := range a {
		if b[k] {
			n++
		}
	}
	return n
}
