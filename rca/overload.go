package rca

import (
	"github.com/tracewhy/tracewhy/compare"
)

const (
	// moreOften is how many times as often a call has to be made by executions of its caller to overload what is called.
	moreOften = 1.5
	// overloaded is what the slowness of something counts for that is called so much more often: it mostly follows.
	overloaded = 0.3
)

// overload is that a service calls another so much more often that all calls to it become slower: its cache no longer
// answers, or a change made it ask for things one by one.
type overload struct {
	callee string
	shift  *compare.StructureShift // of the caller
}

// blameLoad moves the slowness of what is called more often than before to the caller that does. A call that is made
// again because it failed is no such load.
func blameLoad(ops *compare.OperationsResult, byName map[string]*suspect) {
	type move struct {
		from, to *suspect
		cause    overload
	}
	var moves []move
	for i := range ops.Shifts {
		shift := &ops.Shifts[i]
		service, operation := shift.NowCalls()
		caller := byName[shift.Service]
		if operation == "" || caller == nil || shift.Q > maxQ || shift.Rate[1] < moreOften*shift.Rate[0] {
			continue
		}
		for j := range ops.Timings {
			t := &ops.Timings[j]
			if t.Service != shift.Service || t.Callee == "" || t.Callee == shift.Service || t.Peer != (service == "") || service != "" && t.Callee != service {
				continue
			}
			callee := byName[t.Callee]
			if callee == nil || callee.slower.score <= caller.slower.score/2 || !isCalled(t, operation) {
				continue
			}
			if load(ops, t.Callee) < moreOften {
				continue
			}
			moves = append(moves, move{callee, caller, overload{t.Callee, shift}})
		}
	}
	for _, m := range moves {
		if m.from.slower.mechanism == overloading || m.from.relieved {
			continue // another shift has explained it
		}
		e := m.from.slower
		e.mechanism, e.load = overloading, m.cause
		m.to.slower = e
		m.from.slower.score *= overloaded
		m.from.relieved = true
	}
}

// isCalled reports whether an edge has calls of an operation.
func isCalled(t *compare.Timing, operation string) bool {
	for _, o := range t.Operations {
		if o.Path.Operation() == operation {
			return true
		}
	}
	return false
}

// load returns how many times as many calls a trace of the incident makes to something.
func load(ops *compare.OperationsResult, callee string) float64 {
	var calls [2]float64
	for _, t := range ops.Timings {
		if t.Callee == callee {
			for side, n := range t.Executions {
				calls[side] += float64(n) / float64(ops.Traces[side])
			}
		}
	}
	return calls[1] / calls[0]
}
