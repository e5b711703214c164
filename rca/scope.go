package rca

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// Scope says how far it is known whom a cause, or a failure mode, hits.
type Scope string

// The scopes.
const (
	// ScopeConditions: the conditions single out the affected among those who were at risk.
	ScopeConditions Scope = "conditions"
	// ScopeEveryone: nearly all who were at risk are affected, so that there is nothing to single out.
	ScopeEveryone Scope = "everyone"
	// ScopeUnexplained: no recorded attribute singles them out.
	ScopeUnexplained Scope = "unexplained"
	// ScopeUndetermined: there are too few to tell, or it was not asked.
	ScopeUndetermined Scope = "undetermined"
)

// A finding about whom something hits.
type scope struct {
	kind       Scope
	conditions []Condition
	instance   string // the one instance of the culprit's service that the conditions say
	// coverage is the share of the affected that meet the conditions, prevalence that of the spared.
	coverage, prevalence Number
	evidence             []Evidence
	ruledOut             []RuledOut
}

const (
	minCovered  = 0.8 // of the affected meet the conditions of a cause
	minOdds     = 3.0 // times the odds of being affected, among those who do
	minContrast = 0.2 // between the shares of the affected and of the spared that meet them
	everyone    = 0.9 // of the exposed, from which on there is nobody to compare with
	maxAsked    = 4000
	periods     = 4 // of the window, within which traces are compared
)

// scopeOf asks what the affected have in common and the spared have not: both passed the culprit in the
// same window, and are compared within root operations and within parts of the window. What merely
// changed since the baseline, or in the course of the window, is therefore no condition.
func (x *exposure) scopeOf(ctx context.Context, alpha float64, workers int) (*scope, error) {
	s := &scope{kind: ScopeUndetermined, coverage: Unknown(), prevalence: Unknown()}
	hit, spared := x.affected.Len(), x.spared.Len()
	if float64(hit) >= everyone*float64(hit+spared) && hit > 0 {
		s.kind = ScopeEveryone
		return s, nil
	}
	if hit == 0 {
		return s, nil
	}
	affected, others := thin(x.affected), thin(x.spared)
	r, err := compare.Attributes(ctx, others, affected, compare.AttributesConfig{
		Alpha: alpha, Workers: workers, Period: part(x.affected.Or(x.spared)),
	})
	if err != nil {
		return nil, err
	}
	switch r.Verdict {
	case compare.AttributesInsufficient:
		return s, nil
	case compare.AttributesNone:
		s.unexplained(x, r)
		return s, nil
	}
	w := x.site.witness(affected, others, thin(x.before), candidatesOf(r))
	best := w.best(x.chance)
	if best == nil {
		s.unexplained(x, r)
		return s, nil
	}
	s.kind = ScopeConditions
	s.conditions = []Condition{conditionOf(best.condition, x.site.service)}
	s.instance = w.instance(best)
	for _, a := range w.aliases(best) {
		if name := w.instance(a); name != "" && s.instance == "" {
			s.instance = name
			s.conditions = append(s.conditions, conditionOf(a.condition, x.site.service))
		}
	}
	t := best.table
	s.coverage, s.prevalence = Number(share(t.A, t.A+t.B)), Number(share(t.C, t.C+t.D))
	s.evidence = append(s.evidence, Evidence{
		Claim: fmt.Sprintf("of transactions that pass the culprit %d of %d are affected where %s, and %d of %d others; as an odds ratio",
			t.A, t.A+t.C, conditionText(s.conditions[0]), t.B, t.B+t.D),
		TraceIDs: exemplars(affected.Select(w.meets(best))), Interval: intervalOf(best.finding.OddsRatio), Q: Number(best.finding.Adjusted),
	})
	return s, nil
}

func (s *scope) unexplained(x *exposure, r *compare.AttributesResult) {
	s.kind = ScopeUnexplained
	s.ruledOut = append(s.ruledOut, RuledOut{
		Hypothesis: "it hits only transactions of some kind, or one copy of a service",
		Because: fmt.Sprintf("none of %d recorded conditions singles out the %d affected from %d others that pass it",
			r.Tested, x.affected.Len(), x.spared.Len()),
	})
}

// thin leaves out traces, evenly, of a cohort that is larger than is needed to tell.
func thin(c tracewhy.Cohort) tracewhy.Cohort {
	n := c.Len()
	if n <= maxAsked {
		return c
	}
	i, kept := 0, 0
	return c.Select(func(tracewhy.Trace) bool {
		i++
		if i*maxAsked/n > kept {
			kept++
			return true
		}
		return false
	})
}

// part returns the length of one of the periods of the cohort.
func part(c tracewhy.Cohort) time.Duration {
	var first, last int64
	for t := range c.Traces() {
		start, _, ok := t.Root().Interval()
		if !ok {
			continue
		}
		if first == 0 || start < first {
			first = start
		}
		last = max(last, start)
	}
	return time.Duration((last - first) / periods)
}

func share(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

// conditionOf returns a condition as the report writes it: of a resource it names the service, unless that is
// the culprit's.
func conditionOf(c compare.AttributeCondition, culprit string) Condition {
	x := ConditionOf(c.Condition)
	if c.Place == compare.PlaceResource && c.Service != culprit {
		x.Service = c.Service
	}
	return x
}

func conditionText(c Condition) string {
	text := c.Key
	if c.Service != "" {
		text += " of " + c.Service
	}
	text += " " + string(c.Op)
	if c.Op != tracewhy.OpMissing && c.Op != tracewhy.OpPresent {
		text += " " + fmt.Sprint(c.Value)
	}
	return text
}

func conditionTexts(all []Condition) string {
	var texts []string
	for _, c := range all {
		texts = append(texts, conditionText(c))
	}
	return strings.Join(texts, " and ")
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
