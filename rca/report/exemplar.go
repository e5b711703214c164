package report

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// exemplar draws a trace that shows the cause, above a healthy one. It prints nothing if the Config has
// no cohorts, or the cause no trace of theirs.
func (p *printer) exemplar(c *rca.RootCause, cfg Config) {
	shows, ok := exemplarOf(c, cfg.Incident)
	if !ok {
		return
	}
	list := []drawing{{"failing", shows, pointer(c)}}
	if (tracewhy.OutcomeRule{}).Of(shows) == tracewhy.OutcomeOK {
		list[0].title = "affected"
	}
	if twin, ok := healthyTwin(shows, cfg.Baseline); ok {
		list = append(list, drawing{"healthy", twin, pointer(c)})
	}
	p.blank()
	p.waterfalls(cfg.rows(), list)
}

// exemplarOf returns the first trace of the cohort that the cause's evidence names.
func exemplarOf(c *rca.RootCause, incident tracewhy.Cohort) (tracewhy.Trace, bool) {
	if incident.Set() == nil {
		return tracewhy.Trace{}, false
	}
	for _, e := range c.Evidence {
		for _, text := range e.TraceIDs {
			if id, err := tracewhy.ParseTraceID(text); err == nil {
				if t, ok := incident.Set().Lookup(id); ok && incident.Has(t) {
					return t, true
				}
			}
		}
	}
	return tracewhy.Trace{}, false
}

// healthyTwin returns a trace of the baseline that did what t was to do: with the same root, not failed,
// and of those that share the most call paths with it, the one of median duration.
func healthyTwin(t tracewhy.Trace, baseline tracewhy.Cohort) (tracewhy.Trace, bool) {
	if baseline.Set() != t.Set() {
		return tracewhy.Trace{}, false
	}
	root := t.Root().Path()
	calls := map[tracewhy.PathID]bool{}
	for s := range t.Spans() {
		calls[s.Path().ID()] = true
	}
	type candidate struct {
		trace tracewhy.Trace
		alike int // how many of t's paths it has
	}
	var all []candidate
	for b := range baseline.Traces() {
		if b.Root().Path() != root || (tracewhy.OutcomeRule{}).Of(b) != tracewhy.OutcomeOK {
			continue
		}
		seen := map[tracewhy.PathID]bool{}
		for s := range b.Spans() {
			if id := s.Path().ID(); calls[id] {
				seen[id] = true
			}
		}
		all = append(all, candidate{b, len(seen)})
	}
	if len(all) == 0 {
		return tracewhy.Trace{}, false
	}
	most := slices.MaxFunc(all, func(a, b candidate) int { return cmp.Compare(a.alike, b.alike) }).alike
	all = slices.DeleteFunc(all, func(c candidate) bool { return c.alike < most })
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.trace.Root().Duration(), b.trace.Root().Duration()), cmp.Compare(a.trace.Index(), b.trace.Index()))
	})
	return all[len(all)/2].trace, true
}

// pointer returns what tells the spans of the culprit.
func pointer(c *rca.RootCause) func(tracewhy.Span) bool {
	return func(s tracewhy.Span) bool {
		if c.Edge != nil {
			p, ok := s.Parent()
			return ok && p.Service() == c.Edge.From && s.Service() == c.Edge.To
		}
		return s.Service() == c.Service && (c.Operation == "" || c.Operation == s.Operation() || c.Operation == s.Name())
	}
}
