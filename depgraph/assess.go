package depgraph

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// Assessment is what two cohorts say of all that is called, read once.
type Assessment struct {
	FaultDomain *FaultDomainResult
	Scorecards  *ScorecardsResult
	Influence   *InfluenceResult // on the incident
}

// Assess is [FaultDomain], [Scorecards], and the [Influence] on the incident, in little more than the time of one
// of them. Its errors and complexity are those of [FaultDomain].
func Assess(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*Assessment, error) {
	v, err := newComparison(ctx, &cfg, baseline, incident)
	if err != nil {
		return nil, err
	}
	a := &Assessment{Influence: v.influence()}
	if a.FaultDomain, err = v.faultDomain(ctx); err != nil {
		return nil, err
	}
	if a.Scorecards, err = v.scorecards(ctx); err != nil {
		return nil, err
	}
	return a, nil
}
