package rca

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// An operationName is a service's operation, whoever calls it.
type operationName struct{ service, operation string }

// An exposure says who of the incident was at risk of a fault, and whom it hit. Those who never came near
// the culprit say nothing about whom it hits: what tells them apart is which requests need it.
type exposure struct {
	affected tracewhy.Cohort // whose excess the fault explains
	spared   tracewhy.Cohort // passed the culprit as well, and came to no harm by it
	before   tracewhy.Cohort // passed the culprit in the baseline
	// elsewhere are those of the same root operations as the affected that did not pass the culprit.
	elsewhere tracewhy.Cohort
	// chance is the share of the exposed that counts as affected without any fault.
	chance float64
	site   *site
}

// A site is where a fault is, as call paths.
type site struct {
	service  string
	culprits []bool // by path: executions of the culprit
	entries  []bool // by path: requests to it, which a trace that is exposed has
	zones    []zone // by path
}

// A zone says how spans of a path lie to the culprit. What is recorded in an earlier zone was known
// earlier, and is rather why the fault hits than what it does.
type zone uint8

const (
	zoneRoot     zone = iota // the request as it came in
	zoneAncestor             // on its way to the culprit
	zoneCulprit              // the culprit itself
	zoneBeside               // elsewhere in the trace, before the culprit or after
	zoneBelow                // called by the culprit
)

// siteOf finds the paths of the culprits: of a service's operations, and of calls, which are known by their
// path alone, since calls of many things have one name. A request to an operation is what its service was
// asked to do: a span inside of that may be there only because of the fault. A request to a call is the call.
func siteOf(set *tracewhy.Set, service string, operations map[operationName]bool, calls map[tracewhy.PathID]bool) *site {
	n := set.NumPaths()
	x := &site{service: service, culprits: make([]bool, n), zones: make([]zone, n), entries: make([]bool, n)}
	entries := map[operationName]bool{}
	for p := range set.Paths() {
		if !operations[operationName{p.Service(), p.Operation()}] {
			continue
		}
		x.culprits[p.ID()] = true
		entry := p
		for {
			above, ok := entry.Parent()
			if !ok || above.Service() != p.Service() {
				break
			}
			entry = above
		}
		entries[operationName{entry.Service(), entry.Operation()}] = true
	}
	for id := range calls {
		x.culprits[id] = true
	}
	for p := range set.Paths() {
		x.entries[p.ID()] = entries[operationName{p.Service(), p.Operation()}] || calls[p.ID()]
		above, hasParent := p.Parent()
		switch {
		case x.culprits[p.ID()]:
			x.zones[p.ID()] = zoneCulprit
		case hasParent && (x.zones[above.ID()] == zoneCulprit || x.zones[above.ID()] == zoneBelow):
			x.zones[p.ID()] = zoneBelow
		default:
			x.zones[p.ID()] = zoneBeside
		}
	}
	for p := range set.Paths() {
		if !x.culprits[p.ID()] {
			continue
		}
		chain := p.Chain()
		for i, q := range chain[:len(chain)-1] {
			z := zoneAncestor
			if i == 0 {
				z = zoneRoot
			}
			x.zones[q.ID()] = min(x.zones[q.ID()], z)
		}
	}
	return x
}

// exposed reports whether the trace passes the culprit.
func (x *site) exposed(t tracewhy.Trace) bool {
	for s := range t.Spans() {
		if x.entries[s.Path().ID()] {
			return true
		}
	}
	return false
}

// minPart is the share of a cause's evidence from which on a place or an operation counts for who is affected:
// the rest is mostly noise, which would count everybody as affected.
const minPart = 0.1

// exposure says who was at risk of the cause, by its leading evidence; by another, if that is of few traces.
func (c *cause) exposure() *exposure {
	best := c.exposureBy(c.leading())
	for _, kind := range []compare.SymptomKind{compare.SymptomError, compare.SymptomLatency, compare.SymptomStructure} {
		if best.affected.Len() >= testable {
			break
		}
		if x := c.exposureBy(kind); x.affected.Len() > best.affected.Len() {
			best = x
		}
	}
	return best
}

func (c *cause) exposureBy(kind compare.SymptomKind) *exposure {
	set := c.incident.Set()
	operations, calls := map[operationName]bool{}, map[tracewhy.PathID]bool{}
	affected := c.incident.Minus(c.incident)
	touched := affected // by the fault in any way: who is so in another way than this is neither affected nor spared
	x := &exposure{}
	before, after := 0, 0
	for _, f := range c.failures {
		before += f.Traces[0]
		after += f.Traces[1]
	}
	for _, f := range c.failures {
		touched = touched.Or(f.Affected)
		if kind != compare.SymptomError || float64(f.Traces[1]) < minPart*float64(after) {
			continue
		}
		affected = affected.Or(f.Affected)
		if f.Peer == "" {
			operations[operationName{f.Service, f.Operation}] = true
			continue
		}
		for t := range f.Affected.Traces() {
			if hop, ok := t.ErrorOrigin(); ok {
				calls[hop.Span.Path().ID()] = true
			}
		}
	}
	for _, t := range c.slower.places {
		if !t.Moved {
			continue
		}
		touched = touched.Or(t.Affected)
		if kind != compare.SymptomLatency || certainExcess(t) < minPart*c.slower.excess {
			continue
		}
		affected = affected.Or(t.Affected)
		x.chance += 0.05 // what Timing.Affected has of a place that did not change
		for _, o := range t.Operations {
			switch {
			case o.Excess < minPart*t.Excess.Value:
			case t.Callee != "":
				calls[o.Path.ID()] = true
			default:
				operations[operationName{o.Path.Service(), o.Path.Operation()}] = true
			}
		}
	}
	if c.structure != nil {
		touched = touched.Or(c.structure.Affected)
		if kind == compare.SymptomStructure {
			affected = affected.Or(c.structure.Affected)
			for _, h := range c.structure.Shifts {
				operations[operationName{h.Service, h.Operation}] = true
			}
		}
	}
	if kind == compare.SymptomError {
		x.chance = float64(before) / float64(max(1, c.ops.Traces[0]))
	}
	x.site = siteOf(set, c.service, operations, calls)
	x.affected = affected.Select(x.site.exposed)
	x.spared = c.incident.Minus(touched).Select(x.site.exposed)
	x.before = c.baseline.Select(x.site.exposed)
	roots := rootsOf(x.affected)
	x.elsewhere = c.incident.Minus(touched).Minus(x.spared).Select(func(t tracewhy.Trace) bool { return roots[t.Root().Path().ID()] })
	return x
}

// rootsOf returns the root operations of the cohort's traces.
func rootsOf(c tracewhy.Cohort) map[tracewhy.PathID]bool {
	roots := map[tracewhy.PathID]bool{}
	for t := range c.Traces() {
		roots[t.Root().Path().ID()] = true
	}
	return roots
}
