package evaluate

import (
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// All returns every ranker of this package: chance, the naive and the published ones, and last
// tracewhy's own with the given configuration.
func All(cfg rca.Config) []Ranker {
	return slices.Concat(Naive(), Published(), []Ranker{Tracewhy(cfg)})
}

// Tracewhy returns the ranker of [rca.Investigate].
func Tracewhy(cfg rca.Config) Ranker {
	return Ranker{"tracewhy", func(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
		report, err := rca.Investigate(ctx, baseline, incident, cfg)
		if err != nil {
			return nil, err
		}
		return answerOf(report), nil
	}}
}
