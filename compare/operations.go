package compare

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// OperationsConfig adjusts [Operations]. Its zero value is the documented default.
type OperationsConfig struct {
	// Outcome says which transactions failed.
	Outcome tracewhy.OutcomeRule
	// Alpha is the probability of calling anything a symptom where nothing changed, and the expected share
	// of false ones among structure shifts; 0 means 0.05.
	Alpha float64
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// OperationsResult says what is different in the incident, and where.
type OperationsResult struct {
	Traces   [2]int    // of the baseline and of the incident
	Symptoms []Symptom // all that were tested, the most significant first
	// Timings, Failures and Structures partition the three kinds of excess by place, the largest share first.
	Timings    []Timing
	Failures   []FailureOrigin
	Structures []StructureOrigin
	Shifts     []StructureShift // all changes of structure, the most significant first
	Warnings   []tracewhy.Warning
}

// Changed reports whether anything became worse.
func (r *OperationsResult) Changed() bool {
	for _, s := range r.Symptoms {
		if s.Significant {
			return true
		}
	}
	return false
}

// Operations compares, per call path, how executions of the incident differ from those of the baseline
// in time, in failing and in structure, and partitions the excess of each by the place that it comes from.
//
// It gives [ErrCohorts] if the cohorts cannot be compared, and the context's error once that is cancelled.
// Time is O(n log n) in the number of spans of both cohorts, memory O(n).
func Operations(ctx context.Context, baseline, incident tracewhy.Cohort, cfg OperationsConfig) (*OperationsResult, error) {
	if cfg.Alpha == 0 {
		cfg.Alpha = 0.05
	}
	c, err := newComparison(baseline, incident)
	if err != nil {
		return nil, err
	}
	who, err := c.callees(ctx)
	if err != nil {
		return nil, err
	}
	r := &OperationsResult{Traces: c.count}
	timed, whole := c.timed(), c.without(lacksSpans)
	timings, residual, err := timed.timings(ctx, who, cfg.Workers)
	if err != nil {
		return nil, err
	}
	failures, failed, err := c.failures(ctx, who, cfg.Outcome)
	if err != nil {
		return nil, err
	}
	shifts, structures, changed, err := whole.structure(ctx, who, cfg.Alpha, cfg.Workers)
	if err != nil {
		return nil, err
	}
	r.Timings, r.Failures, r.Structures, r.Shifts = timings, failures, structures, shifts
	c.explainedByMix = whole.explainedByMix
	latency, structural := timed.latencySymptom(residual, timings), whole.structureSymptom(changed, shifts)
	r.Symptoms = c.symptoms(cfg.Outcome, failed, latency, structural, cfg.Alpha)
	r.Warnings = c.warnings()
	return r, nil
}
