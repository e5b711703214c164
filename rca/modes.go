package rca

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster"
)

// maxModeExemplars is how many traces stand for a failure mode.
const maxModeExemplars = 3

// failureModes divides the failing traces of the incident into kinds that need a remedy each.
func failureModes(ctx context.Context, incident tracewhy.Cohort, causes []RootCause, cfg Config) ([]FailureMode, []tracewhy.Warning, error) {
	failing := incident.Select(func(t tracewhy.Trace) bool {
		return !t.Missing().Root && cfg.Outcome.Of(t) == tracewhy.OutcomeFailed
	})
	if failing.Len() == 0 {
		return nil, nil, nil
	}
	found, err := cluster.Modes(ctx, failing, cluster.ModesConfig{Workers: cfg.Workers})
	if err != nil {
		return nil, nil, err
	}
	var modes []FailureMode
	for i, m := range found.Modes {
		mode := FailureMode{
			ID: fmt.Sprintf("M%d", i+1), Service: cmp.Or(m.Peer, m.Service), Operation: m.Operation,
			Traces: m.Traces.Len(), Share: Number(m.Share.Value), RootCauseRank: rankOf(m, causes),
		}
		mode.ExemplarTraceIDs = append(mode.ExemplarTraceIDs, m.Medoid.String())
		for _, id := range m.Boundary[:min(len(m.Boundary), maxModeExemplars-1)] {
			mode.ExemplarTraceIDs = append(mode.ExemplarTraceIDs, id.String())
		}
		modes = append(modes, mode)
	}
	return modes, found.Warnings, nil
}

// rankOf returns the rank of the cause that a failure mode is of: of those at the place where its failures
// began, the one for its operation goes first. 0 means none.
func rankOf(m cluster.Mode, causes []RootCause) int {
	rank := 0
	for _, c := range causes {
		isHere := c.Service == m.Service || m.Peer != "" && c.Service == m.Peer
		if isHere && c.Operation == m.Operation {
			return c.Rank
		}
		if isHere && rank == 0 {
			rank = c.Rank
		}
	}
	return rank
}
