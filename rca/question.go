package rca

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A question is asked of the traces of an exposure until nothing more tells the affected from others.
type question struct {
	*exposure
	alpha   float64
	workers int
	period  time.Duration
	isReach bool // the others did not pass the culprit, so that what is recorded on its way is no answer

	found []*candidate
	same  []*candidate // what says the same as the first finding
}

// ask finds the condition that singles out the affected best, if any does.
func (q *question) ask(ctx context.Context, affected, others tracewhy.Cohort) (*compare.AttributesResult, error) {
	if affected.Len() == 0 || others.Len() == 0 {
		return nil, nil
	}
	r, err := compare.Attributes(ctx, others, affected, compare.AttributesConfig{Alpha: q.alpha, Workers: q.workers, Period: q.period})
	if err != nil || r.Verdict != compare.AttributesFound {
		return r, err
	}
	w := q.site.witness(affected, others, thin(q.before), candidatesOf(r))
	best := w.best(q.chance, q.isReach)
	if best == nil {
		return r, nil
	}
	if len(q.found) == 0 {
		q.same = w.aliases(best)
		for _, c := range append([]*candidate{best}, q.same...) {
			c.instance = w.instance(c)
		}
	}
	q.found = append(q.found, best)
	return r, nil
}

// meeting returns the traces of the cohort that meet all conditions found so far.
func (q *question) meeting(c tracewhy.Cohort) tracewhy.Cohort {
	none := c.Minus(c)
	fresh := make([]*candidate, len(q.found))
	for i, f := range q.found {
		fresh[i] = &candidate{condition: f.condition, finding: f.finding}
	}
	w := q.site.witness(c, none, none, fresh)
	return c.Select(func(t tracewhy.Trace) bool {
		for _, f := range fresh {
			if !w.meets(f, t) {
				return false
			}
		}
		return true
	})
}

// conclude writes down what the conditions say of the affected and of the others.
func (q *question) conclude(s *scope, affected, others tracewhy.Cohort) {
	if key := q.repeatedKey(); key != "" {
		s.kind, s.conditions = ScopeUnexplained, nil
		s.ruledOut = append(s.ruledOut, RuledOut{
			Hypothesis: "it hits only transactions with some values of " + key,
			Because:    "the affected have several values of it at once: that comes with making a call again, and goes to another copy",
		})
		return
	}
	s.kind = ScopeConditions
	worst := 0.0
	for _, c := range q.found {
		s.conditions = append(s.conditions, conditionOf(c.condition, q.site.service))
		worst = max(worst, c.finding.Adjusted)
	}
	s.instance = q.found[0].instance
	for _, c := range q.same {
		if c.instance != "" && s.instance == "" {
			s.instance = c.instance
			s.conditions = append(s.conditions, conditionOf(c.condition, q.site.service))
		}
	}
	hit := q.meeting(affected)
	t := stats.Table{A: hit.Len(), C: q.meeting(others).Len()}
	t.B, t.D = affected.Len()-t.A, others.Len()-t.C
	s.coverage, s.prevalence = Number(share(t.A, t.A+t.B)), Number(share(t.C, t.C+t.D))
	ratio := t.OddsRatio(0.95)
	s.evidence = append(s.evidence, Evidence{
		Claim: fmt.Sprintf("of the transactions that pass it with %s, %d of %d are affected, of the others %d of %d",
			conditionTexts(s.conditions), t.A, t.A+t.C, t.B, t.B+t.D),
		TraceIDs: exemplars(hit), Unit: UnitOddsRatio, Interval: Interval{Number(ratio.Value), Number(ratio.Lo), Number(ratio.Hi)}, Q: Number(worst),
	})
}

// repeatedKey returns the key of which two of the conditions want different values in one transaction, or "". Whoever
// makes a call more often meets more copies of what is called.
func (q *question) repeatedKey() string {
	seen := map[string]bool{}
	for _, c := range q.found {
		if c.condition.Op != tracewhy.OpEqual {
			continue
		}
		if seen[c.condition.Key] {
			return c.condition.Key
		}
		seen[c.condition.Key] = true
	}
	return ""
}

// candidatesOf lists the conditions of the findings, and what tells the same.
func candidatesOf(r *compare.AttributesResult) []*candidate {
	var all []*candidate
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, c := range slices.Concat([]compare.AttributeCondition{f.AttributeCondition}, f.Aliases, f.Echoes) {
			if c.Place != compare.PlaceEvent {
				all = append(all, &candidate{condition: c, finding: f})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y *candidate) int {
		return cmp.Or(cmp.Compare(x.condition.Key, y.condition.Key), cmp.Compare(x.condition.Place, y.condition.Place),
			cmp.Compare(x.condition.Service, y.condition.Service), cmp.Compare(x.condition.String(), y.condition.String()))
	})
	return all
}
