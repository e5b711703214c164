package report

import (
	"cmp"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/rca"
)

// Exemplars returns a trace that shows the first cause of r, of those that its evidence names, and a
// healthy one to lay beside it: those that Text draws. There is none if cfg has no cohorts, or if they
// have no such trace.
func Exemplars(r *rca.Report, cfg Config) []tracewhy.Trace {
	if len(r.RootCauses) == 0 {
		return nil
	}
	t, ok := exemplarOf(&r.RootCauses[0], cfg.Incident)
	if !ok {
		return nil
	}
	if twin, ok := compare.Twin(t, cfg.Baseline); ok {
		return []tracewhy.Trace{t, twin}
	}
	return []tracewhy.Trace{t}
}

// exemplars draws the exemplars.
func (p *printer) exemplars(r *rca.Report, cfg Config) {
	var list []drawing
	for i, t := range Exemplars(r, cfg) {
		title := "failing"
		switch {
		case i > 0:
			title = "healthy"
		case (tracewhy.OutcomeRule{}).Of(t) == tracewhy.OutcomeOK:
			title = "affected"
		}
		list = append(list, drawing{title, t, pointer(&r.RootCauses[0])})
	}
	if len(list) > 0 {
		p.blank()
		p.waterfalls(cfg.rows(), list)
	}
}

// exemplarOf returns, of the traces of the cohort that the cause's evidence names, the one that shows it
// most: where the culprit failed, if it is an error or a wait in vain, and took the longest. What is missing or done
// differently is not a matter of time, so there it is the first.
func exemplarOf(c *rca.RootCause, incident tracewhy.Cohort) (tracewhy.Trace, bool) {
	if incident.Set() == nil {
		return tracewhy.Trace{}, false
	}
	var best tracewhy.Trace
	var most showing
	for _, e := range c.Evidence {
		for _, text := range e.TraceIDs {
			id, err := tracewhy.ParseTraceID(text)
			if err != nil {
				continue
			}
			t, ok := incident.Set().Lookup(id)
			if !ok || !incident.Has(t) {
				continue
			}
			if s := showingOf(c, t); best.IsZero() || s.compare(most) > 0 {
				best, most = t, s
			}
		}
	}
	return best, !best.IsZero()
}

// showing is how much of a cause a trace shows.
type showing struct {
	failed bool
	took   time.Duration
}

func showingOf(c *rca.RootCause, t tracewhy.Trace) showing {
	var s showing
	if c.Kind == "absence" || c.Kind == "structure" {
		return s
	}
	isCulprit := pointer(c)
	for x := range t.Spans() {
		if !isCulprit(x) {
			continue
		}
		s.failed = s.failed || (c.Kind == "error" || c.Kind == "wait") && x.Failed()
		if c.Edge != nil && x.Service() == c.Edge.To { // the time between the two is the caller's
			x, _ = x.Parent()
		}
		s.took += max(0, x.Duration())
	}
	return s
}

func (s showing) compare(o showing) int {
	if s.failed != o.failed {
		if s.failed {
			return 1
		}
		return -1
	}
	return cmp.Compare(s.took, o.took)
}

// pointer returns what tells the spans of the culprit: of calls to what has no spans those of the caller.
func pointer(c *rca.RootCause) func(tracewhy.Span) bool {
	return func(s tracewhy.Span) bool {
		if c.Edge != nil {
			p, ok := s.Parent()
			return ok && p.Service() == c.Edge.From && s.Service() == c.Edge.To ||
				s.Service() == c.Edge.From && !s.HasChildren() && (s.Operation() == c.Operation || s.Name() == c.Operation)
		}
		return s.Service() == c.Service && (c.Operation == "" || c.Operation == s.Operation() || c.Operation == s.Name())
	}
}
