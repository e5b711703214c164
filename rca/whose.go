package rca

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// estate knows whose things are, and whose fault the incident is by the way of package depgraph, which partitions
// the excess by what the time went into rather than by suspects.
type estate struct {
	*depgraph.Assessment
	things   map[string]thing // by name; only looked up
	services map[string]bool  // that have spans; only looked up
}

// thing is a service, or something that services call.
type thing struct {
	class         depgraph.Class
	vendor, owner string
}

func newEstate(ctx context.Context, baseline, incident tracewhy.Cohort, cfg depgraph.Config) (*estate, error) {
	a, err := depgraph.Assess(ctx, baseline, incident, cfg)
	if err != nil {
		return nil, err
	}
	e := &estate{a, map[string]thing{}, map[string]bool{}}
	for p := range incident.Set().Paths() {
		e.services[p.Service()] = true
	}
	for _, c := range a.Scorecards.Cards {
		if _, ok := e.things[c.Name]; !ok {
			e.things[c.Name] = thing{c.Class, c.Vendor, c.Owner}
		}
	}
	for _, d := range a.Influence.Dependencies { // what nobody calls has no card
		if _, ok := e.things[d.Name]; !ok {
			e.things[d.Name] = thing{d.Class, d.Vendor, d.Owner}
		}
	}
	return e, nil
}

// settle gives the slowness of an edge to a vendor, which both sides own alike, to the side that the verdict on the
// incident names: that took apart what calls are made of, and reads what their errors say of waits. Calls that fail
// for want of a connection were never made.
func (e *estate) settle(byName map[string]*suspect) {
	v := e.FaultDomain
	named := byName[v.Name]
	if v.Domain == depgraph.DomainInternal && e.services[v.Name] {
		if named == nil {
			named = &suspect{service: v.Name}
			byName[v.Name] = named
		}
		for _, d := range slices.Sorted(maps.Keys(byName)) {
			if e.isExternal(d) {
				named.takeFailures(byName[d])
			}
		}
	}
	if v.Domain != depgraph.DomainInternal && v.Domain != depgraph.DomainExternal || named == nil || len(named.slower.places) == 0 {
		return
	}
	for _, t := range named.slower.places {
		other := t.Callee
		if other == v.Name {
			other = t.Service
		}
		rival := byName[other]
		if other == "" || other == v.Name || rival == nil || rival.slower.score <= named.slower.score ||
			e.isExternal(other) == e.isExternal(v.Name) || !slices.Contains(rival.slower.places, t) {
			continue
		}
		named.slower.score = rival.slower.score
		rival.slower.score *= overloaded
		return
	}
}

// takeFailures takes over the failures of calls that a service made to another.
func (s *suspect) takeFailures(from *suspect) {
	kept := from.failures[:0]
	for _, f := range from.failures {
		if f.Service != s.service || f.Peer != from.service || !waitsForPool(f) {
			kept = append(kept, f)
			continue
		}
		own := *f
		own.Peer = ""
		s.failures = append(s.failures, &own)
		s.failing += max(0, f.Share.Value)
		from.failing -= max(0, f.Share.Value)
	}
	from.failures = kept
	from.failing = max(0, from.failing)
	slices.SortStableFunc(s.failures, func(x, y *compare.FailureOrigin) int { return stats.Compare(y.Share.Value, x.Share.Value) })
}

func (e *estate) isExternal(name string) bool {
	return e.things[name].class.Domain == depgraph.DomainExternal
}

// judges reports whether the verdict on the incident is one on this cause.
func (e *estate) judges(r *RootCause) bool {
	v := e.FaultDomain
	return v.Domain != depgraph.DomainUndetermined && v.Name != "" && (v.Name == r.Service || v.Vendor == r.Service)
}

// attribute says whose a cause is: by the verdict on the incident where that names it, and else by what it is. What
// lies between a service and a vendor is nobody's alone.
func (e *estate) attribute(r *RootCause) {
	x, known := e.things[r.Service]
	r.Owner = x.owner
	r.FaultDomain = string(depgraph.DomainUndetermined)
	if known && x.class.Domain != depgraph.DomainUnclassified {
		r.FaultDomain = string(x.class.Domain)
	}
	isExternal := x.class.Domain == depgraph.DomainExternal
	if isExternal {
		r.Vendor = cmp.Or(x.vendor, r.Service)
	}
	if !e.judges(r) {
		return
	}
	v := e.FaultDomain
	r.FaultDomain, r.Owner = string(v.Domain), cmp.Or(v.Owner, r.Owner)
	if v.Domain == depgraph.DomainInternal {
		if r.Kind == "network" && v.Mechanism == depgraph.MechanismPoolWait {
			r.Kind, r.Mechanism = "wait", poolExhaustion
		}
		return
	}
	if isExternal {
		e.describeVendor(r)
	}
	r.Evidence = append(r.Evidence, Evidence{
		Claim: fmt.Sprintf("the share of what became worse that is %s", v.Domain),
		Unit:  UnitShare, Interval: intervalOf(v.Shares[v.Domain]), Q: Unknown(),
	})
	for _, other := range [...]depgraph.Domain{depgraph.DomainInternal, depgraph.DomainBoundary, depgraph.DomainExternal} {
		if share := v.Shares[other]; other != v.Domain {
			r.RuledOut = append(r.RuledOut, RuledOut{
				Hypothesis: fmt.Sprintf("the fault is %s", domainText(other)),
				Because:    fmt.Sprintf("%s of what became worse is there", percent(share.Value)),
			})
		}
	}
}

// isAskedTooMuch reports whether a cause throttles, and is asked for more than before.
func (e *estate) isAskedTooMuch(r *RootCause) bool {
	t := e.FaultDomain.Throttling
	return t != nil && !t.Lowered && e.judges(r) && t.Offered[1] > 1.2*t.Offered[0]
}

func domainText(d depgraph.Domain) string {
	switch d {
	case depgraph.DomainInternal:
		return "our own"
	case depgraph.DomainBoundary:
		return "of the way to the vendor"
	}
	return "a vendor's"
}

// describeVendor says how a vendor fails: calls to it have no other side that would show it.
func (e *estate) describeVendor(r *RootCause) {
	v := e.FaultDomain
	switch t := v.Throttling; {
	case t != nil && v.Trigger == depgraph.DomainInternal:
		r.Kind = "throttling"
		r.Mechanism = fmt.Sprintf("throttling: it answers about %.3g calls a second, and %.3g were made on average, %.3g before", t.Limit.Value, t.Offered[1], t.Offered[0])
	case t != nil && t.Lowered:
		r.Kind, r.Mechanism = "throttling", fmt.Sprintf("throttling: its limit was lowered to about %.3g calls a second", t.Limit.Value)
	case t != nil:
		r.Kind, r.Mechanism = "throttling", "throttling"
	case v.Mechanism == depgraph.MechanismTimeouts:
		r.Kind, r.Mechanism = "latency", "calls to it time out"
	case v.Mechanism == depgraph.MechanismSlowAnswers:
		r.Kind, r.Mechanism = "latency", "slow answers"
	case v.Mechanism == depgraph.MechanismErrors && r.Kind == "absence":
		r.Kind, r.Mechanism = "error", "it answers with errors"
	}
}

// dependencies lists the scorecards of what services call that is no service of our own, what became worse first and then
// what is external.
func (e *estate) dependencies() []Dependency {
	influence := map[string]Number{} // only looked up
	for _, d := range e.Influence.Dependencies {
		influence[d.Name] = Number(d.OnPath.Value)
	}
	var out []Dependency
	for _, c := range e.Scorecards.Cards {
		if c.Synthetic || c.Class.Domain != depgraph.DomainExternal && e.services[c.Name] {
			continue
		}
		calls := &c.Incident
		d := Dependency{
			Name: c.Name, Vendor: c.Vendor, External: c.Class.Domain == depgraph.DomainExternal, Grade: string(c.Grade), Calls: calls.Calls,
			ErrorRate: Number(calls.Errors.Value), ThrottleRate: Number(calls.Throttled.Value), TimeoutRate: Number(calls.TimedOut.Value),
			P95: Number(calls.P95.Value), Influence: Unknown(),
		}
		if x, ok := influence[c.Name]; ok {
			d.Influence = x
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(x, y Dependency) int { return cmp.Compare(trouble(x), trouble(y)) })
	return out
}

// trouble orders dependencies by whether one wants to know of them in an incident.
func trouble(d Dependency) int {
	switch depgraph.Grade(d.Grade) {
	case depgraph.GradeFailing:
		return 0
	case depgraph.GradeDegraded:
		return 1
	}
	return 2
}
