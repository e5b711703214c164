package compare

import (
	"slices"

	"github.com/tracewhy/tracewhy"
)

// Twin returns the healthy trace of the baseline that is most like t: one that neither failed nor was
// abandoned, and did not take longer than 95 % of the baseline's traces of its root operation. It is false if
// there is none, or if t is of another Set. A trace is never its own twin.
//
// A twin has the root operation of t, and of those that do, the most attributes of the root in common;
// then the most call paths, then the most attributes of all spans. Of equals it is the one whose duration is
// nearest to the median, then the first of the Set. Attributes that say how a trace ended, and identifiers,
// do not count. Twin takes time in O(n) for n spans of the baseline.
func Twin(t tracewhy.Trace, baseline tracewhy.Cohort) (tracewhy.Trace, bool) {
	if baseline.Set() != t.Set() {
		return tracewhy.Trace{}, false
	}
	return newTwins(baseline, newHealthyRule(baseline, tracewhy.OutcomeRule{})).of(t)
}

// twins is the healthy traces of a baseline, by the path of their root.
type twins struct {
	rule    healthyRule
	healthy map[tracewhy.PathID][]tracewhy.Trace
	counts  []bool // by attribute of the Set: whether to be alike in it says anything
}

func newTwins(baseline tracewhy.Cohort, rule healthyRule) *twins {
	set := baseline.Set()
	w := &twins{rule, map[tracewhy.PathID][]tracewhy.Trace{}, make([]bool, set.NumAttrs())}
	for t := range baseline.Traces() {
		if t.Missing().Root || rule.of(t) != tracewhy.OutcomeOK {
			continue
		}
		root := t.Root().Path().ID()
		w.healthy[root] = append(w.healthy[root], t)
	}
	for key := range set.Keys() {
		if consequenceByName(key, nil) != "" || isIDName(key) {
			continue
		}
		first, end := set.AttrRange(key)
		for id := first; id < end; id++ {
			w.counts[id] = true
		}
	}
	return w
}

func (w *twins) of(t tracewhy.Trace) (best tracewhy.Trace, ok bool) {
	root := t.Root().Path().ID()
	median := w.rule.limits[root].median
	wanted := w.likenessOf(t)
	var most [4]int64
	for _, c := range w.healthy[root] {
		if c == t {
			continue
		}
		likeness := wanted.shared(w.likenessOf(c))
		if d, known := durationOf(c); known {
			likeness[3] = -max(d-median, median-d)
		} else {
			likeness[3] = -1 << 62
		}
		if best.IsZero() || slices.Compare(likeness[:], most[:]) > 0 {
			best, most = c, likeness
		}
	}
	return best, !best.IsZero()
}

// likeness is what traces may have in common.
type likeness struct {
	root, all map[tracewhy.AttrID]bool
	paths     map[tracewhy.PathID]bool
}

func (w *twins) likenessOf(t tracewhy.Trace) likeness {
	l := likeness{map[tracewhy.AttrID]bool{}, map[tracewhy.AttrID]bool{}, map[tracewhy.PathID]bool{}}
	for id := range t.Root().AttrIDs() {
		if w.counts[id] {
			l.root[id] = true
		}
	}
	for s := range t.Spans() {
		l.paths[s.Path().ID()] = true
		for id := range s.AttrIDs() {
			if w.counts[id] {
				l.all[id] = true
			}
		}
	}
	return l
}

// shared counts what both have: attributes of the root, paths, and attributes.
func (l likeness) shared(x likeness) (n [4]int64) {
	n[0], n[1], n[2] = sharedKeys(l.root, x.root), sharedKeys(l.paths, x.paths), sharedKeys(l.all, x.all)
	return n
}

func sharedKeys[K comparable](a, b map[K]bool) (n int64) {
	for k := range a {
		if b[k] {
			n++
		}
	}
	return n
}
