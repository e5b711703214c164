package compare

import (
	"slices"

	"github.com/tracewhy/tracewhy"
)

// healthyRule tells traces that ended well: that neither failed nor were abandoned, and did not take longer
// than 95 % of the baseline's traces of their root operation that did neither.
type healthyRule struct {
	outcome tracewhy.OutcomeRule
	limits  map[tracewhy.PathID]healthyLimit // by the path of the root
}

// healthyLimit is what the baseline's durations of one root operation are like, in nanoseconds.
type healthyLimit struct{ median, slow int64 }

func newHealthyRule(baseline tracewhy.Cohort, outcome tracewhy.OutcomeRule) healthyRule {
	durations := map[tracewhy.PathID][]int64{}
	for t := range baseline.Traces() {
		if d, ok := durationOf(t); ok && outcome.Of(t) == tracewhy.OutcomeOK {
			root := t.Root().Path().ID()
			durations[root] = append(durations[root], d)
		}
	}
	h := healthyRule{outcome, make(map[tracewhy.PathID]healthyLimit, len(durations))}
	for root, ds := range durations {
		slices.Sort(ds)
		limit := healthyLimit{median: ds[(len(ds)-1)/2], slow: ds[len(ds)-1]}
		if len(ds) >= tailFrom {
			limit.slow = ds[rank95(len(ds))-1]
		}
		h.limits[root] = limit
	}
	return h
}

// durationOf is not known for fragments, and where the root's is not.
func durationOf(t tracewhy.Trace) (int64, bool) {
	start, end, ok := t.Root().Interval()
	return end - start, ok && !t.Missing().Root
}

// of returns the trace's outcome. It is not slow where the baseline has nothing to compare it with.
func (h healthyRule) of(t tracewhy.Trace) tracewhy.Outcome {
	o := h.outcome.Of(t)
	if o != tracewhy.OutcomeOK {
		return o
	}
	limit, compared := h.limits[t.Root().Path().ID()]
	if d, ok := durationOf(t); ok && compared && d > limit.slow {
		return tracewhy.OutcomeSlow
	}
	return tracewhy.OutcomeOK
}
