package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// A service works slowly for some seconds. Its callers give up before it answers and try again at once; it works on
// the calls that nobody waits for as on the others, so that it gets several times the calls of good times while it can
// serve not even twice as many. When its own trouble is over, it stays overloaded (a metastable failure: N. Bronson
// and others, 2021).
//
// The cause is the service that was slow: it was the first to go wrong, and its callers do what they did the day
// before. That they try again at once is why it does not end.
var retryStorm = Family{
	Name: "retry-storm",
	Doc:  "a service is slow for some seconds, and the attempts of its callers keep it overloaded from then on",
	size: func(n size) size {
		n.requests = max(2*n.requests, 800)
		return n
	},
	prepare: func(e *estate, r *stats.Rand) { e.impatient(r) },
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		op := e.places["overloaded"]
		s := op.service
		d.fault.begins = int64(float64(float64(d.when.length) * between(r, 0.15, 0.4)))
		lasts := min(float64(between(r, 12, 30)*float64(second))*d.strength, float64(float64(d.when.length)*0.2))
		d.fault.ends = d.fault.begins + int64(lasts)
		d.label.OnsetNS = d.when.incident + d.fault.begins
		stretch := between(r, 6, 15)
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op.service == s {
				h.stretch = stretch
			}
			return h
		}
		cause := Cause{Services: []string{s.name}, Operations: []string{op.name}, FaultDomain: "internal"}
		if op.clientName != op.name {
			cause.Operations = append(cause.Operations, op.clientName)
		}
		slices.Sort(cause.Operations)
		if chance(r, 0.7) {
			cause.ChangeID = d.trigger(pick(r, "config", "feature_flag"), s, pick(r,
				"model of the night loaded", "heap dump taken", "log level raised to DEBUG for a minute"))
		}
		d.label.FaultType = "retry-storm"
		d.label.Causes = []Cause{cause}
		d.decoys(1+r.IntN(3), d.untouched(s), 0, d.when.length)
	},
	observe: (*draft).failing,
}

// impatient makes a bank where the callers of one operation do not wait for long, and try again at once. Its service
// has as many workers as it needs, but not as many as it needs when all calls are made three times.
func (e *estate) impatient(r *stats.Rand) {
	demand := e.demand(r)
	var able []*operation
	var busiest *operation
	for _, op := range e.operations() {
		if op.internal || op.service.silent() || op.service.tech == techQueue || e.isEntry(op) {
			continue
		}
		if busiest == nil || demand[op.index] > demand[busiest.index] {
			busiest = op
		}
		if demand[op.index] >= e.rate/4 {
			able = append(able, op)
		}
	}
	op := busiest
	if len(able) > 0 {
		op = pick(r, able...)
	}
	e.mark("overloaded", op)
	s := op.service
	s.workers, s.accepts = 2+r.IntN(3), chance(r, 0.5)
	s.instances = len(e.regions) * (1 + r.IntN(2))
	for i := range e.regions { // all instances have as much to do, so that none is spared
		e.regions[i].share = 1
	}
	calls := demand[op.index] / float64(s.instances)
	takes := float64(between(r, 0.5, 0.6)*float64(s.workers)) / calls
	op.own = latency{int64(takes * float64(second)), 0.25}
	attempts, limit := 3+r.IntN(2), int64(float64(takes*between(r, 4, 6))*float64(second))
	for _, caller := range e.operations() {
		for i := range caller.steps {
			if x := &caller.steps[i]; x.to == op {
				x.attempts, x.timeout, x.hasty = attempts, limit, true
			}
		}
	}
}

// isEntry reports whether customers call an operation themselves.
func (e *estate) isEntry(op *operation) bool {
	return slices.ContainsFunc(e.entries, func(en *entry) bool { return en.op == op })
}
