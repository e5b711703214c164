package rca

import (
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// entrance finds the root operation that alone is affected, of several that pass the culprit. Conditions are
// asked within root operations, so that they cannot say it.
func (x *exposure) entrance(alpha float64) (root tracewhy.Path, t stats.Table, p float64, ok bool) {
	counts := map[tracewhy.PathID]*[2]int{}
	for side, cohort := range []tracewhy.Cohort{x.affected, x.spared} {
		for trace := range cohort.Traces() {
			id := trace.Root().Path().ID()
			if counts[id] == nil {
				counts[id] = &[2]int{}
			}
			counts[id][side]++
		}
	}
	hit, spared := x.affected.Len(), x.spared.Len()
	for id, n := range counts {
		t = stats.Table{A: n[0], B: hit - n[0], C: n[1], D: spared - n[1]}
		if !singlesOut(t, x.chance) { // at most one has nearly all that are affected
			continue
		}
		p = min(1, t.Fisher(stats.Greater)*float64(len(counts)))
		return x.affected.Set().Path(id), t, p, p <= alpha
	}
	return root, t, 1, false
}

// routeKeys name attributes that say which operation was asked for.
var routeKeys = []string{"http.route", "url.template", "rpc.method", "graphql.operation.name", "messaging.destination.name", "faas.name"}

// routeOf returns an attribute that all exposed traces of a root operation have alike on their root, and no others.
func (x *exposure) routeOf(root tracewhy.Path) (Condition, bool) {
	exposed := x.affected.Or(x.spared)
	for _, key := range routeKeys {
		values := [2][]string{} // of other root operations, and of this one
		all := true
		for t := range exposed.Traces() {
			v, ok := t.Root().Attr(key)
			isIt := 0
			if t.Root().Path() == root {
				isIt = 1
				all = all && ok
			}
			if ok && !slices.Contains(values[isIt], v.String()) {
				values[isIt] = append(values[isIt], v.String())
			}
		}
		if all && len(values[1]) == 1 && !slices.Contains(values[0], values[1][0]) {
			return Condition{Key: key, Op: tracewhy.OpEqual, Value: values[1][0]}, true
		}
	}
	return Condition{}, false
}

// addEntrance says that one root operation alone is affected.
func (x *exposure) addEntrance(s *scope, alpha float64) {
	root, t, p, ok := x.entrance(alpha)
	if !ok {
		return
	}
	ratio := t.OddsRatio(0.95)
	s.evidence = append(s.evidence, Evidence{
		Claim: fmt.Sprintf("of the transactions that pass it, %d of %d are affected that come in by %s %s, and %d of %d others",
			t.A, t.A+t.C, root.Service(), root.Operation(), t.B, t.B+t.D),
		TraceIDs: exemplars(x.affected), Unit: UnitOddsRatio, Interval: Interval{Number(ratio.Value), Number(ratio.Lo), Number(ratio.Hi)}, Q: Number(p),
	})
	if c, ok := x.routeOf(root); ok {
		s.kind = ScopeConditions
		s.conditions = append(s.conditions, c)
	}
}
