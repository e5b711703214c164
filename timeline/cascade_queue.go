package timeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// growingQueues finds services, and dependencies of one instance of a caller, at which more arrived than were done
// with. Of a caller and its callee only the callee is told: what is under way in it is under way in its callers.
func (r *ChangePointsResult) growingQueues(ctx context.Context, traces tracewhy.Cohort, cfg SeriesConfig) ([]Cascade, error) {
	resources, err := capacity.Queues(ctx, traces, capacity.ResourcesConfig{
		Bin: cfg.Bin, Start: cfg.Start, End: cfg.End, Kinds: []capacity.Kind{capacity.Service, capacity.Dependency},
	})
	if err != nil {
		return nil, err
	}
	type grown struct {
		of *capacity.Resource
		q  capacity.Queue
	}
	var all []grown
	for i := range resources {
		for _, q := range resources[i].Queues {
			all = append(all, grown{&resources[i], q})
		}
	}
	calls := callsOf(traces.Set())
	// leadsTo reports whether what one waits for is the other.
	leadsTo := func(x, y *capacity.Resource) bool {
		switch {
		case x.Kind == capacity.Service && y.Kind == capacity.Service:
			return calls[[2]string{x.Service, y.Service}]
		case x.Kind == capacity.Service:
			return x.Service == y.Service
		}
		return x.Kind == capacity.Dependency && y.Kind == capacity.Service && x.Name == y.Service
	}
	var out []Cascade
	for i, g := range all {
		isCallers := slices.ContainsFunc(all, func(h grown) bool {
			return h.of != g.of && leadsTo(g.of, h.of) && h.q.Start <= g.q.Peak && g.q.Start <= h.q.Peak && 2*h.q.Most >= g.q.Most
		})
		if isCallers {
			continue
		}
		x := g.of
		c := Cascade{Kind: CascadeQueue, Start: g.q.Start}
		c.Reason = fmt.Sprintf("more began in %s than ended: %d were under way instead of %d, and took %v instead of %v", x, g.q.Most, g.q.Usual, quantity.Round(g.q.After), quantity.Round(g.q.Before))
		if g.q.Drained > 0 {
			c.Reason += fmt.Sprintf("; it was over %v later", time.Duration(g.q.Drained-all[i].q.Start))
		}
		for k, e := range r.Events {
			isOf := e.Subject.Kind == SubjectService && x.Kind == capacity.Service && e.Subject.Service == x.Service ||
				e.Subject.Kind == SubjectDependency && x.Kind == capacity.Dependency && e.Subject.Service == x.Name
			if isOf && e.IsWorse() && e.First <= g.q.Peak && e.Last >= g.q.Start-int64(r.Series.Bin) {
				c.Events = append(c.Events, k)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// callsOf returns which services call which.
func callsOf(set *tracewhy.Set) map[[2]string]bool {
	calls := map[[2]string]bool{} // caller and callee; only looked up
	for p := range set.Paths() {
		if parent, ok := p.Parent(); ok && parent.Service() != p.Service() {
			calls[[2]string{parent.Service(), p.Service()}] = true
		}
	}
	return calls
}
