package rca

import (
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

// A scope is what is known of whom something hits.
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
	everyone      = 0.9  // of the exposed, from which on there is nobody to compare with
	maxAsked      = 4000 // traces of either side, of which more tell nothing new
	maxConditions = 3
	periods       = 4 // of the window, within which traces are compared
)

// scopeOf asks what the affected have in common and the spared have not: both passed the culprit in the
// same window, and are compared within root operations and within parts of the window. What merely
// changed since the baseline, or in the course of the window, is therefore no condition.
//
// The first condition is what singles them out best; each further one does so among those that meet the ones
// before it. As they are asked in that order, each only after a finding, alpha holds for all of them together.
func (x *exposure) scopeOf(ctx context.Context, alpha float64, workers int) (*scope, error) {
	s := &scope{kind: ScopeUndetermined, coverage: Unknown(), prevalence: Unknown()}
	x.whileAtFault()
	if hit := float64(x.affected.Len()); hit > 0 && hit >= everyone*float64(x.affected.Len()+x.spared.Len()) {
		s.kind = ScopeEveryone
		return s, nil
	}
	x.addEntrance(s, alpha)
	q := &question{exposure: x, alpha: alpha, workers: workers, period: part(x.affected.Or(x.spared))}
	affected, others := thin(x.affected), thin(x.spared)
	r, err := q.ask(ctx, affected, others)
	if err != nil || r == nil || r.Verdict == compare.AttributesInsufficient {
		return s, err
	}
	if len(q.found) == 0 {
		if s.kind != ScopeConditions {
			s.unexplained(x, r)
		}
		return s, nil
	}
	for a, o := q.meeting(affected), q.meeting(others); len(q.found) < maxConditions; a, o = q.meeting(a), q.meeting(o) {
		before := len(q.found)
		if _, err := q.ask(ctx, a, o); err != nil {
			return nil, err
		}
		if len(q.found) == before {
			break
		}
	}
	q.conclude(s, affected, others)
	if len(q.found) == maxConditions || s.kind != ScopeConditions {
		return s, nil
	}
	return s, q.askReach(ctx, s, affected)
}

// whileAtFault leaves out who passed the culprit before or after it was at fault: from the time of the first
// affected to that of the last, not counting a few that may be so by chance. Who came earlier was spared
// for that reason, and whatever else changed when the fault began would be taken for a condition.
func (x *exposure) whileAtFault() {
	starts := startsOf(x.affected)
	if len(starts) == 0 {
		return
	}
	slices.Sort(starts)
	odd := len(starts) / 20
	first, last := starts[odd], starts[len(starts)-1-odd]
	isWithin := func(t tracewhy.Trace) bool {
		start, _, ok := t.Root().Interval()
		return ok && first <= start && start <= last
	}
	x.affected, x.spared, x.elsewhere = x.affected.Select(isWithin), x.spared.Select(isWithin), x.elsewhere.Select(isWithin)
}

// startsOf returns when the cohort's traces began, where that is known.
func startsOf(c tracewhy.Cohort) []int64 {
	var starts []int64
	for t := range c.Traces() {
		if start, _, ok := t.Root().Interval(); ok {
			starts = append(starts, start)
		}
	}
	return starts
}

// unexplained says that no condition singles out the affected, and which comes closest.
func (s *scope) unexplained(x *exposure, r *compare.AttributesResult) {
	s.kind = ScopeUnexplained
	because := fmt.Sprintf("none of %d recorded conditions singles out the %d affected from %d others that pass it",
		r.Tested, x.affected.Len(), x.spared.Len())
	if len(r.Findings) > 0 {
		f := r.Findings[0]
		because += fmt.Sprintf("; %s has %s of them and %s of the others",
			conditionText(conditionOf(f.AttributeCondition, x.site.service)), percent(f.Coverage), percent(f.Prevalence))
	}
	s.ruledOut = append(s.ruledOut, RuledOut{
		Hypothesis: "it hits only transactions of some kind, or one copy of a service", Because: because,
	})
}

// askReach says what else tells the affected from those who meet the conditions as well but never came near
// the culprit, if these are many.
func (q *question) askReach(ctx context.Context, s *scope, affected tracewhy.Cohort) error {
	x := q.exposure
	elsewhere := q.meeting(thin(x.elsewhere))
	if 2*elsewhere.Len() < affected.Len() {
		return nil
	}
	before := len(q.found)
	q.isReach = true
	if _, err := q.ask(ctx, q.meeting(affected), elsewhere); err != nil || len(q.found) == before {
		return err
	}
	c := q.found[before]
	s.conditions = append(s.conditions, conditionOf(c.condition, x.site.service))
	s.evidence = append(s.evidence, Evidence{
		Claim: fmt.Sprintf("what passes the culprit: of the affected %s have %s, of %d others that meet the other conditions but do not pass it %s",
			percent(share(c.table.A, c.table.A+c.table.B)), conditionText(s.conditions[len(s.conditions)-1]), c.table.C+c.table.D, percent(share(c.table.C, c.table.C+c.table.D))),
		TraceIDs: exemplars(affected), Unit: UnitOddsRatio, Interval: intervalOf(c.finding.OddsRatio), Q: Number(c.finding.Adjusted),
	})
	return nil
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
	starts := startsOf(c)
	if len(starts) == 0 {
		return 0
	}
	return time.Duration((slices.Max(starts) - slices.Min(starts)) / periods)
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
