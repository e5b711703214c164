package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// aspect is what questions with other cuts are about as well.
type aspect struct {
	caller      *caller
	kind        StructureKind
	call, other tracewhy.PathID
}

func (q *structureQuestion) aspect() aspect { return aspect{q.caller, q.kind, q.call, q.other} }

// list sorts what was asked into findings and candidates.
func (t *structureTable) list(r *StructureResult, affected tracewhy.Cohort) {
	slices.SortStableFunc(t.family, func(x, y *structureQuestion) int {
		return cmp.Or(stats.Compare(x.adjusted, y.adjusted), stats.Compare(x.p, y.p))
	})
	hit := make([]bool, len(t.rows))
	for row, i := range t.rows {
		hit[row] = t.label[row] && affected.Has(t.c.traces[i])
	}
	listed := map[aspect]bool{}
	var significant []*structureAnswer
	sampled := t.isUneven()
	for _, q := range t.family {
		isFinding := q.adjusted <= t.cfg.Alpha && (!sampled || t.holdsWeighted(t.answer(q)))
		isCandidate := q.p <= t.cfg.Alpha && len(r.Candidates) < t.cfg.MaxListed
		switch {
		case listed[q.aspect()]:
			continue
		case isFinding:
			significant = append(significant, t.answer(q))
		case isCandidate:
			r.Candidates = append(r.Candidates, t.describe(t.answer(q), hit))
		}
		listed[q.aspect()] = true
	}
	explained := make([]bool, len(t.rows))
	for _, a := range t.findings(significant) {
		f := t.describe(a, hit)
		for _, e := range a.echoes {
			f.Also = append(f.Also, e.whatBeside(a))
		}
		r.Findings = append(r.Findings, f)
		for k, row := range a.asked.rows {
			explained[row] = explained[row] || a.shows(k)
		}
	}
	var hits, covered int
	for row, is := range hit {
		if is {
			hits++
			if explained[row] {
				covered++
			}
		}
	}
	r.Explained = ratio(covered, hits)
	if len(r.Findings) > 0 {
		r.Verdict = StructureFound
	}
}

// isUneven reports whether traces of one root operation and cohort have different weights: more of them show
// something then without its being more frequent.
func (t *structureTable) isUneven() bool {
	return slices.ContainsFunc(t.c.mass, func(m [2]mass) bool { return m[base].uneven() || m[inc].uneven() })
}

// holdsWeighted tests the weighted shares at their effective sizes, corrected by C. E. Bonferroni.
func (t *structureTable) holdsWeighted(a *structureAnswer) bool {
	var x [2]moments
	for side := range x {
		x[side] = weightedMoments(a.share, a.weight, t.clusterOf(a.asked.rows), func(k int) bool { return a.label[k] == (side == inc) })
	}
	if x[base].size < 1 || x[inc].size < 1 {
		return false
	}
	table := func(of func(share float64) float64) stats.Table {
		n, m := math.Floor(x[inc].size), math.Floor(x[base].size)
		hits, others := math.Floor(of(x[inc].mean)*n), math.Ceil(of(x[base].mean)*m)
		return stats.Table{A: int(hits), B: int(n - hits), C: int(others), D: int(m - others)}
	}
	more := table(func(share float64) float64 { return share }).Fisher(stats.Greater)
	less := table(func(share float64) float64 { return 1 - share }).Fisher(stats.Greater)
	return 2*min(more, less)*float64(len(t.family)) <= t.cfg.Alpha
}

// findings returns the answers that are no echoes of others, in the order given. They are taken from the top
// of the traces down, and calls before their order: how often something is called decides which of its
// executions there are, and what can be asked of its order.
func (t *structureTable) findings(significant []*structureAnswer) []*structureAnswer {
	down := slices.Clone(significant)
	conditional := func(a *structureAnswer) int {
		if a.kind == StructureCalls {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(down, func(x, y *structureAnswer) int {
		return cmp.Or(cmp.Compare(x.caller.path.Depth(), y.caller.path.Depth()), conditional(x)-conditional(y))
	})
	var found []*structureAnswer
	for _, a := range down {
		var beside, above []*structureAnswer
		for _, f := range found {
			switch {
			case f.caller == a.caller:
				beside = append(beside, f)
			case f.kind == StructureCalls && isAbove(t.c.set.Path(f.call), a.caller.path):
				above = append(above, f)
			}
		}
		switch {
		case len(beside) > 0 && (t.isEcho(a, beside) || t.isAlike(a, beside[0])):
			beside[0].echoes = append(beside[0].echoes, a)
		case len(above) > 0 && t.isEcho(a, above):
			above[0].echoes = append(above[0].echoes, a)
		default:
			found = append(found, a)
		}
	}
	return slices.DeleteFunc(significant, func(a *structureAnswer) bool { return !slices.Contains(found, a) })
}

// isAbove reports whether x is p, or a path that leads to it.
func isAbove(x, p tracewhy.Path) bool {
	for ; p.Depth() > x.Depth(); p, _ = p.Parent() {
	}
	return p == x
}

// isEcho reports whether an answer adds nothing to what was found: among traces that are alike in all of that
// there is no difference of its own, and are enough of both cohorts to see one.
func (t *structureTable) isEcho(a *structureAnswer, found []*structureAnswer) bool {
	tables := map[string]*[2]stats.Table{}
	var patterns []string
	at := make([]int, len(found))
	for k, row := range a.asked.rows {
		pattern := []byte{byte(t.stratum[row]), byte(t.stratum[row] >> 8), byte(t.stratum[row] >> 16)}
		for i, f := range found {
			for at[i] < len(f.asked.rows) && f.asked.rows[at[i]] < row {
				at[i]++
			}
			shows := byte(0) // nor does a trace in which the question makes no sense
			if at[i] < len(f.asked.rows) && f.asked.rows[at[i]] == row && f.shows(at[i]) {
				shows = 1
			}
			pattern = append(pattern, shows)
		}
		x := tables[string(pattern)]
		if x == nil {
			x = new([2]stats.Table)
			tables[string(pattern)] = x
			patterns = append(patterns, string(pattern))
		}
		addToTable(&x[0], a.label[k], a.shows(k))
		addToTable(&x[1], a.label[k], !a.shows(k))
	}
	var ways [2][]stats.Table
	var apart []stats.Table // were all of the incident so, and none of the baseline
	for _, p := range patterns {
		x := tables[p]
		ways[0], ways[1] = append(ways[0], x[0]), append(ways[1], x[1])
		apart = append(apart, stats.Table{A: x[0].A + x[0].B, D: x[0].C + x[0].D})
	}
	level := t.cfg.Alpha / float64(2*(len(found)+1)) // for either way
	if p, _ := stats.FisherStratified(apart); p > level {
		return false
	}
	greater, _ := stats.FisherStratified(ways[0])
	less, _ := stats.FisherStratified(ways[1])
	return min(greater, less) > level
}

// leastAlike is the share of the traces that show either of two differences that show both, where they count
// as one.
const leastAlike = 0.9

func (t *structureTable) isAlike(a, b *structureAnswer) bool {
	shows := make([]uint8, len(t.rows))
	for bit, x := range []*structureAnswer{a, b} {
		for k, row := range x.asked.rows {
			if x.shows(k) {
				shows[row] |= 1 << bit
			}
		}
	}
	var n [4]int
	for _, s := range shows {
		n[s]++
	}
	return float64(n[3]) >= leastAlike*float64(n[1]+n[2]+n[3])
}
