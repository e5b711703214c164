package rca

import (
	"context"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
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
}

// Investigate compares the traces of an incident with a baseline of the same Set and says what broke.
//
// It gives [compare.ErrCohorts] if the cohorts cannot be compared, and the context's error once that is
// cancelled.
func Investigate(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*Report, error) {
	ops, err := compare.Operations(ctx, baseline, incident, compare.OperationsConfig{Outcome: cfg.Outcome, Alpha: cfg.Alpha, Workers: cfg.Workers})
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: Schema, Verdict: VerdictIncident}
	for i, s := range suspects(ops) {
		r.RootCauses = append(r.RootCauses, RootCause{Rank: i + 1, Service: s.service, Confidence: Number(s.score())})
	}
	return r, nil
}
