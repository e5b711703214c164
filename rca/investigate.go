package rca

import (
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline"
)

// Config adjusts an investigation. Its zero value is the documented default.
type Config struct {
	// Outcome says when a transaction has failed.
	Outcome tracewhy.OutcomeRule
	// Alpha is the probability of claiming an incident where nothing changed; 0 means 0.05.
	Alpha float64
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
	// MaxCauses is how many causes to list; 0 means 10.
	MaxCauses int
	// Recording is all traces of the time around the incident, for the timeline. The zero Cohort means those of
	// the incident.
	Recording tracewhy.Cohort
	// Changes are those that were recorded, from around the time of the incident. They may be incomplete.
	Changes []timeline.Change
	// Dependencies says whose things are, beside what spans say: its Rules, OwnHosts, OwnerKeys and Synthetic.
	Dependencies depgraph.Config
}

// Investigate compares the traces of an incident with a baseline of the same Set and says what broke. A
// trace that is in both cohorts counts as one of the incident. The baseline need not come first.
//
// It gives [compare.ErrCohorts] if the cohorts cannot be compared, and the context's error once that is
// cancelled. Time is O(n log n) in the number of spans of both cohorts, memory O(n).
func Investigate(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*Report, error) {
	if cfg.MaxCauses == 0 {
		cfg.MaxCauses = 10
	}
	baseline = baseline.Minus(incident)
	ops, err := compare.Operations(ctx, baseline, incident, compare.OperationsConfig{Outcome: cfg.Outcome, Alpha: cfg.Alpha, Workers: cfg.Workers})
	if err != nil {
		return nil, err
	}
	r := &Report{
		Schema: Schema, Verdict: VerdictNoIncident, NoneOfThese: 1,
		Population: population(baseline, incident, cfg.Outcome), Symptoms: symptomsOf(ops), Warnings: ops.Warnings,
	}
	dependencies := cfg.Dependencies
	dependencies.Outcome, dependencies.Workers = cfg.Outcome, cfg.Workers
	estate, err := newEstate(ctx, baseline, incident, dependencies)
	if err != nil {
		return nil, err
	}
	r.Dependencies = estate.dependencies()
	if !ops.Changed() {
		return r, nil
	}
	history, err := newHistory(ctx, baseline, incident, cfg)
	if err != nil {
		return nil, err
	}
	all := suspects(ops, estate)
	confidence, _ := confidences(all, nil)
	var causes []*cause
	for i, s := range all[:min(len(all), cfg.MaxCauses)] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := &cause{suspect: s, ops: ops, baseline: baseline, incident: incident, history: history}
		described, err := c.describe(ctx)
		if err != nil {
			return nil, err
		}
		described.Rank, described.Confidence = i+1, Number(confidence[i])
		if i == 0 {
			described.RuledOut = c.ruledOut(all)
		}
		estate.attribute(&described)
		causes, r.RootCauses = append(causes, c), append(r.RootCauses, described)
	}
	r.CauseSet = causeSet(r.RootCauses, nil)
	modes, warnings, err := failureModes(ctx, baseline, incident, causes, r.RootCauses, cfg)
	if err != nil {
		return nil, err
	}
	r.Warnings = append(r.Warnings, warnings...)
	if err := whom(ctx, r, causes, modes, cfg); err != nil {
		return nil, err
	}
	history.timeline(r)
	if err := triggers(ctx, r, causes, history, estate, baseline, cfg); err != nil {
		return nil, err
	}
	apart := apart(causes, r.RootCauses)
	confidence, none := confidences(all, apart)
	for i := range r.RootCauses {
		r.RootCauses[i].Confidence = Number(confidence[i])
	}
	for i := len(causes); i < len(all); i++ {
		none += confidence[i]
	}
	r.NoneOfThese = Number(none)
	r.CauseSet = causeSet(r.RootCauses, apart)
	r.Verdict = VerdictIncident
	if len(confidence) == 0 || confidence[0] < actionable {
		r.Verdict = VerdictNeedMore
		r.Next = next(r)
	}
	return r, nil
}

// whom says whom the causes of the cause set and the failure modes hit. The probability of any false condition
// in the report is at most alpha, since each question gets its part of it.
func whom(ctx context.Context, r *Report, causes []*cause, modes []*mode, cfg Config) error {
	alpha := cfg.Alpha
	if alpha == 0 {
		alpha = 0.05
	}
	alpha /= float64(max(1, len(r.CauseSet)+len(modes)))
	for i, c := range causes {
		var s *scope
		if slices.Contains(r.CauseSet, i+1) {
			var err error
			if s, err = c.exposure().scopeOf(ctx, alpha, cfg.Workers); err != nil {
				return err
			}
		}
		c.conclude(&r.RootCauses[i], s)
	}
	for _, m := range modes {
		s, err := m.exposure().scopeOf(ctx, alpha, cfg.Workers)
		if err != nil {
			return err
		}
		r.FailureModes = append(r.FailureModes, m.conclude(s))
	}
	return nil
}

func population(baseline, incident tracewhy.Cohort, rule tracewhy.OutcomeRule) Population {
	p := Population{
		Traces: baseline.Len() + incident.Len(), Spans: baseline.NumSpans() + incident.NumSpans(),
		BaselineTraces: baseline.Len(), IncidentTraces: incident.Len(), OutcomeRule: rule.String(),
	}
	durations := map[tracewhy.PathID][]float64{}
	for t := range baseline.Traces() {
		if start, end, ok := t.Root().Interval(); ok {
			root := t.Root().Path().ID()
			durations[root] = append(durations[root], float64(end-start))
		}
	}
	limits := map[tracewhy.PathID]float64{}
	for root, ds := range durations {
		limits[root] = stats.NewSample(ds).ObservedQuantile(0.99)
	}
	for t := range incident.Traces() {
		if t.Missing().Root { // a fragment, which has no outcome
			continue
		}
		if rule.Of(t) == tracewhy.OutcomeFailed {
			p.Failing++
		}
		limit, known := limits[t.Root().Path().ID()]
		if start, end, ok := t.Root().Interval(); ok && known && float64(end-start) > limit {
			p.Slow++
		}
	}
	for _, w := range incident.Set().Problems() {
		p.Problems = append(p.Problems, ProblemCount{Code: w.Code, Count: w.Count})
	}
	return p
}

func symptomsOf(ops *compare.OperationsResult) []Symptom {
	var out []Symptom
	for _, s := range ops.Symptoms {
		if s.Significant {
			out = append(out, Symptom{
				Kind: string(s.Kind), What: s.What, Unit: s.Unit, Baseline: Number(s.Baseline), Incident: Number(s.Incident),
				Excess: intervalOf(s.Excess), Q: Number(s.Q),
			})
		}
	}
	return out
}

func intervalOf(e tracewhy.Estimate) Interval {
	return Interval{Number(e.Value), Number(e.Low), Number(e.High)}
}

// next says what would decide between the causes that are left.
func next(r *Report) []NextStep {
	steps := []NextStep{{
		Query: "more traces of the incident, and a baseline of the same operations from a time without it",
		Why:   "no suspect stands out from the others",
	}}
	if len(r.RootCauses) >= 2 {
		a, b := r.RootCauses[0].Service, r.RootCauses[1].Service
		steps = append(steps, NextStep{
			Query: "logs, metrics and recent changes of " + a + " and of " + b,
			Why:   "the traces speak for both of them",
		})
	}
	return slices.Clip(steps)
}
