package evaluate

import (
	"context"
	"slices"

	"github.com/tracewhy/tracewhy/rca"
)

// All returns every ranker of this package: chance, the naive and the published ones, and last
// tracewhy's own with the given configuration, and each case's recorded changes.
func All(cfg rca.Config) []Ranker {
	return slices.Concat(Naive(), Published(), []Ranker{Tracewhy(cfg)})
}

// Tracewhy returns the ranker of [rca.Investigate].
func Tracewhy(cfg rca.Config) Ranker {
	return Ranker{"tracewhy", func(ctx context.Context, q Question) (*Answer, error) {
		cfg := cfg
		cfg.Changes = q.Changes
		report, err := rca.Investigate(ctx, q.Baseline, q.Incident, cfg)
		if err != nil {
			return nil, err
		}
		return answerOf(report), nil
	}}
}
