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

// mode turns a mode of package cluster into what a report says of it.
type mode struct {
	cluster.Mode
	number             int
	cause              *RootCause // that it is of, or nil
	baseline, incident tracewhy.Cohort
}

// failureModes divides the failing traces of the incident into kinds that need a remedy each.
func failureModes(ctx context.Context, baseline, incident tracewhy.Cohort, causes []*cause, described []RootCause, cfg Config) ([]*mode, []tracewhy.Warning, error) {
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
	var modes []*mode
	for i, m := range found.Modes {
		modes = append(modes, &mode{Mode: m, number: i + 1, cause: causeOf(m, causes, described), baseline: baseline, incident: incident})
	}
	return modes, found.Warnings, nil
}

// exposure says whom the mode is compared with: all others of the incident, failing in another way or not at
// all, whether they come near the culprit or not. Which requests do is part of what makes it a mode of its
// own. Root operations without a trace of the mode do not count.
func (m *mode) exposure() *exposure {
	roots := rootsOf(m.Traces)
	isAlike := func(t tracewhy.Trace) bool { return roots[t.Root().Path().ID()] }
	culprits := map[operationName]bool{{m.Service, m.Operation}: true}
	return &exposure{
		affected: m.Traces, site: siteOf(m.incident.Set(), m.Service, culprits, nil),
		spared: m.incident.Minus(m.Traces).Select(isAlike), before: m.baseline.Select(isAlike), elsewhere: m.incident.Minus(m.incident),
	}
}

func (m *mode) conclude(s *scope) FailureMode {
	f := FailureMode{
		ID: fmt.Sprintf("M%d", m.number), Service: cmp.Or(m.Peer, m.Service), Operation: m.Operation,
		Conditions: s.conditions, Scope: s.kind, Coverage: s.coverage, Prevalence: s.prevalence,
		Traces: m.Traces.Len(), Share: Number(m.Share.Value),
	}
	if m.cause != nil {
		f.RootCauseRank = m.cause.Rank
		if m.Peer != "" && m.cause.Edge != nil && m.cause.Edge.To == m.cause.Service { // by the name that it has elsewhere
			f.Service = m.cause.Service
		}
	}
	f.ExemplarTraceIDs = append(f.ExemplarTraceIDs, m.Medoid.String())
	for _, id := range m.Boundary[:min(len(m.Boundary), maxModeExemplars-1)] {
		f.ExemplarTraceIDs = append(f.ExemplarTraceIDs, id.String())
	}
	return f
}

// causeOf returns the cause that a failure mode is of: the first whose own failures are most of the mode's
// traces, or else the first at the place where those failures began; of these, one for their operation goes
// before. It is nil if there is none.
func causeOf(m cluster.Mode, causes []*cause, described []RootCause) *RootCause {
	for i, c := range causes {
		shared := 0
		for _, f := range c.failures {
			shared += f.Affected.LenAnd(m.Traces)
		}
		if 2*shared > m.Traces.Len() {
			return &described[i]
		}
	}
	var first *RootCause
	for i := range described {
		c := &described[i]
		isHere := c.Service == m.Service || m.Peer != "" && c.Service == m.Peer
		if isHere && c.Operation == m.Operation {
			return c
		}
		if isHere && first == nil {
			first = c
		}
	}
	return first
}
