package timeline

import (
	"context"
	"fmt"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// SplitResult is the parts of a cohort in which transactions went well and badly.
type SplitResult struct {
	// Baseline and Incident are empty where no part is worse than another. Traces that began when it is not
	// certain which of the two it was are in neither.
	Baseline, Incident tracewhy.Cohort
	Symptom            Subject // the transactions that became worse
	Measure            Measure // and in what
	// Onset is the event at which they did; it is the zero Event where the traces begin with the incident.
	// Recovery is the event at which they were well again, or the zero Event.
	Onset, Recovery Event
	Normal, Worst   float64 // the share of transactions that failed, or were slow, in both parts
	// Detectable is the smallest share of failing transactions, in a tenth of the time, that would have been
	// seen: 1 where none would.
	Detectable float64
	Reason     string // one sentence: what was split where, or why nothing was
	Warnings   []tracewhy.Warning
}

// Split divides traces of one recording into those of better times and those of an incident, for analyses that
// compare the two: by when transactions of a root path, or all, began to fail or to be slow.
//
// The incident is where the level of failures, or of slow transactions where hardly any fail, is nearer to the worst
// than to the best that lasted a tenth of the time; the baseline is where it is within a quarter of the way from the
// best to the worst, and transactions were not slow, before the incident if that is recorded. With nothing changed, the
// probability of an incident is at most alpha.
//
// It takes time in O(n log n) for n spans. Its error is [ErrNoTraces] or that of ctx.
func Split(ctx context.Context, traces tracewhy.Cohort, cfg ChangePointsConfig) (*SplitResult, error) {
	series, err := count(ctx, traces, cfg.Series, SubjectTransactions)
	if err != nil {
		return nil, err
	}
	d := newDetector(series, cfg)
	if err := d.detect(ctx); err != nil {
		return nil, err
	}
	r := &SplitResult{Detectable: d.detectable(), Warnings: d.warnings()}
	s, ok := d.symptom()
	if !ok {
		r.Reason = fmt.Sprintf("no time of the recording is worse than another: in %d bins of %v neither failures nor durations of transactions changed by more than chance; failures of %s for a tenth of it would have been seen",
			len(series.Exposure), series.Bin, quantity.Percent(r.Detectable))
		return r, nil
	}
	r.Symptom, r.Measure, r.Normal, r.Worst = s.test.counts.Subject, s.test.measure, s.normal, s.worst
	if s.hasOnset {
		r.Onset = s.onset
	}
	if s.hasRecovery {
		r.Recovery = s.recovery
	}
	part := func(want state) tracewhy.Cohort {
		return traces.Select(func(t tracewhy.Trace) bool {
			start, _, ok := t.Root().Interval()
			if !ok {
				return false
			}
			bin, ok := series.grid().Of(start)
			return ok && s.states[bin] == want
		})
	}
	r.Baseline, r.Incident = part(stateNormal), part(stateIncident)
	r.Reason = s.reason(r)
	return r, nil
}

// state is what a bin is part of.
type state uint8

const (
	stateNeither state = iota
	stateNormal
	stateIncident
)

// stage is a series in which transactions became worse, and when they were how bad.
type stage struct {
	test          *test
	states        []state // by bin
	normal, worst float64
	excess        float64 // transactions beyond what is normal

	hasOnset, hasRecovery bool
	onset, recovery       Event
}

func (s *stage) reason(r *SplitResult) string {
	when := func(e Event) string { return time.Unix(0, e.Time).UTC().Format(time.RFC3339) }
	text := fmt.Sprintf("%s: %s from %s to %s", s.test.counts.Subject, s.test.measure, quantity.Percent(s.normal), quantity.Percent(s.worst))
	switch {
	case s.hasOnset && s.hasRecovery:
		text += fmt.Sprintf(" from %s until %s", when(s.onset), when(s.recovery))
	case s.hasOnset:
		text += " from " + when(s.onset) + " on"
	case s.hasRecovery:
		text += " until " + when(s.recovery)
	}
	return text + fmt.Sprintf("; %d traces of better times, %d of the incident", r.Baseline.Len(), r.Incident.Len())
}

// worthSlow is how many slow transactions one that fails is worth: who is slow is served.
const worthSlow = 10

// symptom returns the series of transactions that became worse by the most transactions, those that failed before
// those that were only slow. Times when they were slow beside a series of failures are neither normal nor the incident.
func (d *detector) symptom() (stage, bool) {
	var ps []float64
	var of []*test
	for i := range d.tests {
		if t := &d.tests[i]; t.counts.Subject.Kind == SubjectTransactions && t.measure.isBad() {
			ps, of = append(ps, t.result.P), append(of, t)
		}
	}
	var failing, slow stage
	for i, p := range stats.Holm(ps) {
		if p > d.cfg.Alpha || len(of[i].result.Changes) == 0 {
			continue
		}
		best := &slow
		if of[i].measure == MeasureFailures {
			best = &failing
		}
		// One root path that explains as much as all of them says more: it comes after.
		if s, ok := d.stage(of[i]); ok && (best.test == nil || stats.Compare(s.excess, best.excess*0.95) > 0) {
			*best = s
		}
	}
	if failing.test == nil || worthSlow*failing.excess < slow.excess {
		return slow, slow.test != nil
	}
	for bin, was := range slow.states {
		if was != stateNormal && failing.states[bin] == stateNormal {
			failing.states[bin] = stateNeither
		}
	}
	return failing, true
}

// stage says when the transactions of a series were how bad. It is false if the difference does not matter.
func (d *detector) stage(t *test) (stage, bool) {
	n := len(d.series.Exposure)
	changes := t.result.Changes
	type segment struct {
		from, to int
		level    float64
	}
	segments := []segment{{0, n, changes[0].Before}}
	for _, c := range changes {
		segments[len(segments)-1].to = c.At
		segments = append(segments, segment{c.At, n, c.After})
	}
	s := stage{test: t, states: make([]state, n), normal: 1}
	long := false
	for _, x := range segments {
		s.worst = max(s.worst, x.level)
		if x.to-x.from >= max(d.cfg.MinSegment, n/10) {
			s.normal, long = min(s.normal, x.level), true
		}
	}
	if !long {
		for _, x := range segments {
			s.normal = min(s.normal, x.level)
		}
	}
	if !matters(t.measure, s.normal, s.worst) || s.worst <= s.normal {
		return s, false
	}
	kind := make([]state, len(segments))
	first := -1
	for i, x := range segments {
		switch height := (x.level - s.normal) / (s.worst - s.normal); {
		case height >= 0.5:
			kind[i] = stateIncident
			if first < 0 {
				first = i
			}
		case height <= 0.25:
			kind[i] = stateNormal
		}
	}
	// What became worse slowly did so in several steps, and began with the first of them.
	begins := first
	for begins > 1 && kind[begins-1] == stateNeither && segments[begins-1].level < segments[begins].level {
		begins--
	}
	// Better times after the incident are a baseline only where there are none before it.
	before := false
	for _, k := range kind[:first] {
		before = before || k == stateNormal
	}
	values := t.values()
	for i, x := range segments {
		if before && i > first && kind[i] == stateNormal {
			kind[i] = stateNeither
		}
		for b := x.from; b < x.to; b++ {
			s.states[b] = kind[i]
			if kind[i] == stateIncident {
				s.excess += float64(values[b]) - float64(s.normal*float64(t.of(b)))
			}
		}
	}
	for i, c := range changes {
		for b := max(c.First-1, 0); b <= min(c.Last, n-1); b++ {
			if b != c.At && kind[i] != kind[i+1] {
				s.states[b] = stateNeither
			}
		}
		switch {
		case !s.hasOnset && i+1 == begins:
			s.onset, s.hasOnset = d.event(t, i), true
			s.onset.Kind = EventSymptom
		case segments[i].level > segments[i+1].level && kind[i] == stateIncident && kind[i+1] != stateIncident:
			s.recovery, s.hasRecovery = d.event(t, i), true // the last one
			s.recovery.Kind = EventRecovery
		case kind[i] != stateIncident && kind[i+1] == stateIncident:
			s.hasRecovery = false // it came back
		}
	}
	return s, true
}
