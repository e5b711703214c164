package timeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
)

// growingQueues finds services, and dependencies of one instance of a caller, at which more arrived than were done
// with. Of a caller and its callee only the callee is told: what is under way in it is under way in its callers.
func (r *ChangePointsResult) growingQueues(ctx context.Context, traces tracewhy.Cohort) ([]Cascade, error) {
	type grown struct {
		of *user
		q  Queue
	}
	var all []grown
	for _, kind := range [...]ResourceKind{ResourceService, ResourceDependency} {
		u := newUsers(kind)
		if err := u.read(ctx, traces); err != nil {
			return nil, err
		}
		if u.isWeighted {
			return nil, nil
		}
		users, _ := u.most(SeriesConfig{}.withDefaults())
		for _, of := range users {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for _, q := range queues(of.uses, r.Series) {
				all = append(all, grown{of, q})
			}
		}
	}
	calls := callsOf(traces.Set())
	// leadsTo reports whether what one waits for is the other.
	leadsTo := func(x, y userID) bool {
		switch {
		case x.kind == ResourceService && y.kind == ResourceService:
			return calls[[2]string{x.service, y.service}]
		case x.kind == ResourceService:
			return x.service == y.service
		}
		return x.kind == ResourceDependency && y.kind == ResourceService && x.name == y.service
	}
	var out []Cascade
	for i, g := range all {
		isCallers := slices.ContainsFunc(all, func(h grown) bool {
			return h.of != g.of && leadsTo(g.of.id, h.of.id) && h.q.Start <= g.q.Peak && g.q.Start <= h.q.Peak && 2*h.q.Most >= g.q.Most
		})
		if isCallers {
			continue
		}
		x := Resource{Kind: g.of.id.kind, Service: g.of.id.service, Instance: g.of.id.instance, Name: g.of.id.name}
		c := Cascade{Kind: CascadeQueue, Start: g.q.Start}
		c.Reason = fmt.Sprintf("more began in %s than ended: %d were under way instead of %d, and took %v instead of %v", &x, g.q.Most, g.q.Usual, quantity.Round(g.q.After), quantity.Round(g.q.Before))
		if g.q.Drained > 0 {
			c.Reason += fmt.Sprintf("; it was over %v later", time.Duration(g.q.Drained-all[i].q.Start))
		}
		for k, e := range r.Events {
			isOf := e.Subject.Kind == SubjectService && x.Kind == ResourceService && e.Subject.Service == x.Service ||
				e.Subject.Kind == SubjectDependency && x.Kind == ResourceDependency && e.Subject.Service == x.Name
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
