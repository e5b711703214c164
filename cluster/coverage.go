package cluster

import (
	"context"
	"errors"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Coverage is what part of a mode a predicate covers.
type Coverage struct {
	Traces  int               // of the mode
	Covered tracewhy.Cohort   // those that the predicate holds for
	Share   tracewhy.Estimate // of the mode's traces, weighted where they were sampled
}

// Coverage returns what part of each mode the predicate holds for, in the order of Modes. The predicate
// says which traces a remedy would help: a fix that covers one mode is seen to cover one, whatever part of
// all failures that is.
func (r *ModesResult) Coverage(p tracewhy.Predicate) []Coverage {
	out := make([]Coverage, len(r.Modes))
	for i := range r.Modes {
		all := r.Modes[i].Traces
		covered := all.Where(p)
		var weights []float64
		for t := range all.Traces() {
			weights = append(weights, t.Weight())
		}
		n := stats.EffectiveSize(weights)
		out[i] = Coverage{Traces: all.Len(), Covered: covered, Share: share(covered.Weight()/all.Weight(), n)}
	}
	return out
}

// share is a share of n traces, with its interval.
func share(x, n float64) tracewhy.Estimate {
	e := stats.Wilson(min(x, 1)*n, n, 0.95)
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// ErrCohorts says that cohorts are not of one Set, share traces, or have none.
var ErrCohorts = errors.New("cluster: cohorts must be of one set, and have traces, none of them in common")

// Change is how a mode's share of all traces differs between two cohorts.
type Change struct {
	Traces [2]tracewhy.Cohort // the failing traces of before and after that are of the mode
	// Before and After are the mode's shares of all traces of the cohorts, and Difference is after less
	// before.
	Before, After, Difference tracewhy.Estimate
	// Control is the difference for all other modes together: what became of failures that a remedy for
	// this mode is not for. It is unknown where there is no other mode.
	Control tracewhy.Estimate
	// Net is how much more the mode changed than the other modes did, as the ratio of the odds of being of
	// the mode among failures, after to before: below 1 where a remedy helped this mode and no other.
	Net tracewhy.Estimate
}

// Changes compares how often each mode occurs in two cohorts, such as before and after a remedy or a
// deployment, in the order of Modes. The cohorts hold all traces, not the failing ones alone; those of which
// the rule says that they failed are given to the mode that they are like. A remedy that works lowers its
// own mode and leaves the others, its controls: if those fall as well, traffic or something else changed.
//
// It takes time in O(n log n) for n spans, and gives [ErrCohorts], or the context's error.
func (r *ModesResult) Changes(ctx context.Context, before, after tracewhy.Cohort, rule tracewhy.OutcomeRule) ([]Change, error) {
	if before.Len() == 0 || after.Len() == 0 || before.Set() != after.Set() || before.LenAnd(after) > 0 || before.Set() != r.Noise.Set() {
		return nil, ErrCohorts
	}
	out := make([]Change, len(r.Modes))
	counts := make([][2]float64, len(r.Modes)) // weights, by mode and side
	var failures, size [2]float64
	total := [2]float64{before.Weight(), after.Weight()}
	for side, c := range [2]tracewhy.Cohort{before, after} {
		weights := make([]float64, 0, c.Len())
		for t := range c.Traces() {
			weights = append(weights, t.Weight())
		}
		size[side] = stats.EffectiveSize(weights)
		failed, of, err := r.sort(ctx, c, rule)
		if err != nil {
			return nil, err
		}
		for g := range out {
			out[g].Traces[side] = failed.Select(func(t tracewhy.Trace) bool { return of[t.Index()] == g+1 })
			counts[g][side] = out[g].Traces[side].Weight()
			failures[side] += counts[g][side]
		}
	}
	for g := range out {
		c, n := &out[g], counts[g]
		c.Before, c.After = share(n[0]/total[0], size[0]), share(n[1]/total[1], size[1])
		c.Difference = difference(n, total, size)
		c.Control, c.Net = tracewhy.Unknown(), tracewhy.Unknown()
		if len(out) > 1 {
			others := [2]float64{failures[0] - n[0], failures[1] - n[1]}
			c.Control = difference(others, total, size)
			c.Net = oddsRatio(n, others, total, size)
		}
	}
	return out, nil
}

// difference is the second share less the first.
func difference(n, total, size [2]float64) tracewhy.Estimate {
	k := func(side int) float64 { return min(n[side]/total[side], 1) * size[side] }
	e := stats.ProportionDifference(k(1), size[1], k(0), size[0], 0.95)
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// oddsRatio compares counts of a mode and of others, after to before, rounded to effective numbers of traces.
func oddsRatio(n, others, total, size [2]float64) tracewhy.Estimate {
	count := func(x float64, side int) int { return int(float64(x/total[side]*size[side]) + 0.5) }
	e := stats.Table{A: count(n[1], 1), B: count(others[1], 1), C: count(n[0], 0), D: count(others[0], 0)}.OddsRatio(0.95)
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// sort gives the failing traces of a cohort to modes: 1 + the mode's number by trace, 0 for none.
func (r *ModesResult) sort(ctx context.Context, c tracewhy.Cohort, rule tracewhy.OutcomeRule) (tracewhy.Cohort, map[int]int, error) {
	failed := c.Select(func(t tracewhy.Trace) bool { return rule.Of(t) == tracewhy.OutcomeFailed })
	profiles, _, err := r.profiler.clone().profiles(ctx, failed)
	if err != nil {
		return failed, nil, err
	}
	modes, err := r.assign(ctx, profiles, 0)
	if err != nil {
		return failed, nil, err
	}
	of := make(map[int]int, len(profiles))
	for i, p := range profiles {
		of[p.trace.Index()] = modes[i] + 1
	}
	return failed, of, nil
}
