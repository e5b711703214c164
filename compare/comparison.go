package compare

import (
	"cmp"
	"errors"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// ErrCohorts is returned where the two cohorts cannot be compared: one is empty, or they select from
// different Sets.
var ErrCohorts = errors.New("compare: the cohorts must be of one Set, and neither may be empty")

// minStratum is how many baseline traces a root operation needs for its incident traces to be compared.
const minStratum = 5

// cancelEvery is how many traces are handled between two looks at the context.
const cancelEvery = 256

const (
	base = 0 // index of the baseline
	inc  = 1 // index of the incident
)

// comparison is the two cohorts, stratified by root operation: what differs only because the mix of root
// operations differs is no difference.
type comparison struct {
	set     *tracewhy.Set
	traces  []tracewhy.Trace // of both cohorts, in the Set's order
	side    []int8           // by trace of the comparison: base or inc
	stratum []int32          // by trace of the comparison: its root operation, numbered
	count   [2]int           // traces a side
	mass    [][2]mass        // the weights of the traces that are not left out, by stratum and side
	strata  [][2]int         // traces, by stratum and side
	// share weighs each trace so that both sides have the incident's mix of root operations and a total of
	// 1. It is 0 for traces whose root operation has too few baseline traces, or no incident trace, and for
	// those that are left out.
	share     []float64
	lacks     []lacks    // by trace of the comparison
	leftOut   lacks      // traces that lack any of this are left out
	duration  []float64  // of each trace's primary root, in milliseconds; 0 if not known
	squares   [2]float64 // sums of squared shares, by side
	unmatched int        // incident traces with a share of 0, of those that are not left out

	explainedByMix int // shifts of structure that a changed mix of requests explains
}

// newComparison compares a trace that is in both cohorts as one of the incident.
func newComparison(baseline, incident tracewhy.Cohort) (*comparison, error) {
	if baseline.Set() == nil || baseline.Set() != incident.Set() || incident.Len() == 0 || baseline.Minus(incident).Len() == 0 {
		return nil, ErrCohorts
	}
	c := &comparison{set: incident.Set(), leftOut: lacksRoot}
	roots := map[tracewhy.PathID]int32{}
	for t := range baseline.Or(incident).Traces() {
		side := int8(base)
		if incident.Has(t) {
			side = inc
		}
		root := t.Root().Path().ID()
		s, ok := roots[root]
		if !ok {
			s = int32(len(roots))
			roots[root] = s
		}
		duration := 0.0
		if start, end, ok := t.Root().Interval(); ok {
			duration = milliseconds(end - start)
		}
		c.duration = append(c.duration, duration)
		c.traces = append(c.traces, t)
		c.side = append(c.side, side)
		c.stratum = append(c.stratum, s)
		c.lacks = append(c.lacks, lackOf(t))
		c.count[side]++
	}
	c.strata = make([][2]int, len(roots))
	c.standardise()
	return c, nil
}

// standardise counts the traces that are not left out, by stratum, and computes the shares: direct
// standardisation to the incident's mix.
func (c *comparison) standardise() {
	c.strata, c.squares, c.unmatched = make([][2]int, len(c.strata)), [2]float64{}, 0
	weight := make([][2]float64, len(c.strata))
	c.mass = make([][2]mass, len(c.strata))
	for i, t := range c.traces {
		if !c.isLeftOut(i) {
			c.strata[c.stratum[i]][c.side[i]]++
			weight[c.stratum[i]][c.side[i]] += t.Weight()
			c.mass[c.stratum[i]][c.side[i]].add(t.Weight())
		}
	}
	total := 0.0
	for s, w := range weight {
		if c.matched(int32(s)) {
			total += w[inc]
		}
	}
	c.share = make([]float64, len(c.traces))
	for i, t := range c.traces {
		s := c.stratum[i]
		if c.isLeftOut(i) {
			continue
		}
		if !c.matched(s) {
			if c.side[i] == inc {
				c.unmatched++
			}
			continue
		}
		w := weight[s]
		c.share[i] = t.Weight() / total * (w[inc] / w[c.side[i]])
		c.squares[c.side[i]] += float64(c.share[i] * c.share[i])
	}
}

func (c *comparison) matched(s int32) bool {
	return c.strata[s][base] >= minStratum && c.strata[s][inc] > 0
}

// warnings says what the comparison had to leave out.
func (c *comparison) warnings() []tracewhy.Warning {
	var ws []tracewhy.Warning
	if c.unmatched > 0 {
		w := tracewhy.Warning{
			Code:    WarningUnmatchedRoot,
			Message: "traces of the incident begin with an operation that the baseline hardly has: they have nothing to be compared with",
			Count:   c.unmatched,
		}
		for i, t := range c.traces {
			if c.side[i] == inc && c.share[i] == 0 && !c.isLeftOut(i) {
				w.TraceID = t.ID().String()
				break
			}
		}
		ws = append(ws, w)
	}
	if c.set.Weighted() {
		ws = append(ws, tracewhy.Warning{
			Code:    WarningWeighted,
			Message: "traces were sampled: effects and the tests of symptoms are weighted by sampling probability; which structure is different is told by counting each trace once",
			Count:   1,
		})
	}
	if c.explainedByMix > 0 {
		ws = append(ws, tracewhy.Warning{
			Code:    WarningRequestMix,
			Message: "operations do other things because they are asked for other things: among requests that are alike nothing changed",
			Count:   c.explainedByMix,
		})
	}
	return append(ws, c.lackWarnings()...)
}

// The codes of the warnings that comparisons give.
const (
	WarningUnmatchedRoot = "unmatched_root" // incident traces whose root operation the baseline lacks
	WarningWeighted      = "weighted"       // the traces are a sample with weights
	WarningRequestMix    = "request_mix"    // shifts of structure that a changed mix of requests explains
	WarningFragment      = "fragment"       // traces without their beginning: left out
	WarningUnfinished    = "unfinished"     // traces whose root has not ended: left out where durations are compared
	WarningIncomplete    = "incomplete"     // traces with missing spans: left out where structure, and mostly where time is compared
)

// cohort returns the cohort of the given traces of the comparison, ascending.
func (c *comparison) cohort(traces []int32) tracewhy.Cohort {
	at := 0
	return c.set.Select(func(t tracewhy.Trace) bool {
		for at < len(traces) && c.traces[traces[at]].Index() < t.Index() {
			at++
		}
		return at < len(traces) && c.traces[traces[at]] == t
	})
}

// byEffect sorts findings by effect, the largest first, to within rounding, then by place.
func byEffect[T any](findings []T, effect func(*T) float64, place func(*T) string) {
	slices.SortFunc(findings, func(x, y T) int {
		return cmp.Or(compareRounded(effect(&y), effect(&x)), cmp.Compare(place(&x), place(&y)))
	})
}
