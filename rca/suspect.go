package rca

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A suspect is a service, or a peer without spans, and what would vanish without its fault. The three
// shares have one unit, the share of the incident: of its traces that fail or are changed because of the
// suspect, and of its time that is excess because of it.
type suspect struct {
	service string
	failing float64 // share of traces
	changed float64 // share of traces
	slower  explanation

	failures   []*compare.FailureOrigin
	structure  *compare.StructureOrigin
	unanswered bool
	relieved   bool // of its slowness, by who calls it more often
}

func (s *suspect) score() float64 { return s.failing + s.changed + s.slower.score }

// explanation is how a fault of a service would make traces slower.
type explanation struct {
	mechanism mechanism
	// excess is the time that it explains, in milliseconds per trace; consistency the share of the places
	// that such a fault slows down which did become slower.
	excess, consistency float64
	score               float64
	places              []*compare.Timing // the ones that it explains, the largest excess first
	load                overload          // of overloading
}

// mechanism is what kind of fault slows down which places.
type mechanism uint8

const (
	ownWork     mechanism = iota // the service's own work
	incoming                     // every call to it, outside its spans
	oneEdge                      // calls to it from one caller
	outgoing                     // every call that it makes, outside the callees' spans
	everyCall                    // both, as a fault of its network does
	starvation                   // its own work and every call, as a lack of CPU does
	isMechanism                  // how many there are

	// overloading slows down something else by calling it more often.
	overloading = isMechanism
)

// role is how a place belongs to a service: as its own work, as a call to it or as a call that it makes.
type role uint8

const (
	roleOwn role = 1 << iota
	roleIn
	roleOut
)

func roleOf(service string, t *compare.Timing) role {
	switch {
	case t.Service == service && t.Callee == "":
		return roleOwn
	case t.Service == service:
		return roleOut
	case t.Callee == service:
		return roleIn
	}
	return 0
}

// slows returns the roles of the places that a fault by mechanism m slows down.
func (m mechanism) slows() role {
	return [...]role{ownWork: roleOwn, incoming: roleIn, oneEdge: roleIn, outgoing: roleOut,
		everyCall: roleIn | roleOut, starvation: roleOwn | roleIn | roleOut}[m]
}

// prior is what an explanation counts for beside others that explain as much. That calls from one caller
// alone became slower needs a fault on the way between the two, where the callee is looked for first: a
// rarer thing than a fault of the callee, which slows down all its callers. And a caller whose only call
// became slower is a rarer cause still.
func (m mechanism) prior(places float64) float64 {
	switch {
	case m == oneEdge:
		return 0.6
	case m == outgoing && places < 2:
		return 0.4
	case m == outgoing:
		return 0.8
	}
	return 1
}

// testable is how many executions a place needs on either side to show that it did not become slower.
const testable = 5

// explain finds the mechanism that explains most of what became slower, given what did not: a fault of
// the service's network cannot leave half of its calls as fast as before. The square of the share that
// did become slower is the probability that two of the places drawn at random agree with the mechanism.
// duration is the mean duration of the incident's traces, in milliseconds.
func explain(service string, timings []*compare.Timing, duration float64) explanation {
	var best explanation
	for m := range isMechanism {
		e := explanation{mechanism: m}
		var places, moved float64
		var seen, slower role
		for _, t := range timings {
			r := roleOf(service, t)
			if r&m.slows() == 0 || !t.Moved && (t.Executions[0] < testable || t.Executions[1] < testable) {
				continue
			}
			if m == oneEdge && (!t.Moved || moved > 0) { // timings come with the largest excess first
				continue
			}
			places++
			seen |= r
			if t.Moved {
				moved++
				slower |= r
			}
			if x := certainExcess(t); x > 0 {
				e.excess += x
				e.places = append(e.places, t)
			}
		}
		switch {
		case moved == 0,
			m == everyCall && seen != roleIn|roleOut,
			m == starvation && slower&roleOwn == 0:
			continue
		}
		e.consistency = moved / places
		e.score = e.excess / duration * e.consistency * e.consistency * m.prior(places)
		if stats.Compare(e.score, best.score) > 0 {
			best = e
		}
	}
	return best
}

// certainExcess is a place's excess less its standard error, so that what a few extreme traces bring
// about counts for little.
func certainExcess(t *compare.Timing) float64 {
	return t.Excess.Value - (t.Excess.High-t.Excess.Low)/(2*1.96)
}

// unexplainedBy is the share of the traces with another structure whose failure did not begin in another service:
// what a caller does differently once a call has failed, or was given up, is a consequence.
func unexplainedBy(failures []compare.FailureOrigin, o *compare.StructureOrigin) float64 {
	n, explained := o.Affected.Len(), 0
	for _, f := range failures {
		if f.Q <= maxQ && cmp.Or(f.Peer, f.Service) != o.Service {
			explained += o.Affected.LenAnd(f.Affected)
		}
	}
	if n == 0 {
		return 0
	}
	return 1 - float64(explained)/float64(n)
}

// suspects collects and ranks everything that may be at fault.
func suspects(ops *compare.OperationsResult, e *estate) []*suspect {
	byName := map[string]*suspect{}
	get := func(service string) *suspect {
		s := byName[service]
		if s == nil {
			s = &suspect{service: service}
			byName[service] = s
		}
		return s
	}
	for i := range ops.Failures {
		f := &ops.Failures[i]
		s := get(f.Service)
		if f.Peer != "" {
			s = get(f.Peer)
		}
		s.failing += max(0, f.Share.Value)
		s.failures = append(s.failures, f)
	}
	for i := range ops.Structures {
		o := &ops.Structures[i]
		s := get(o.Service)
		s.changed, s.structure, s.unanswered = max(0, o.Share.Value)*unexplainedBy(ops.Failures, o), o, o.Unanswered
	}
	timings := map[string][]*compare.Timing{}
	duration := 0.0
	for i := range ops.Timings {
		t := &ops.Timings[i]
		timings[t.Service] = append(timings[t.Service], t)
		if t.Callee != "" && t.Callee != t.Service {
			timings[t.Callee] = append(timings[t.Callee], t)
		}
	}
	for _, s := range ops.Symptoms {
		if s.Kind == compare.SymptomLatency {
			duration = s.Incident
		}
	}
	if duration > 0 {
		for service, list := range timings {
			get(service).slower = explain(service, list, duration)
		}
	}
	blameLoad(ops, byName)
	e.settle(byName)
	var all []*suspect
	for _, s := range byName {
		if s.score() > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y *suspect) int {
		return cmp.Or(stats.Compare(y.score(), x.score()), cmp.Compare(x.service, y.service))
	})
	return all
}
