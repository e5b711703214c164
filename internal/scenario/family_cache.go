package scenario

import "github.com/tracewhy/tracewhy/internal/stats"

// The cache of what is known about customers is flushed, or all that it holds expires at once, since the job that
// renews it was stopped hours before. Then each request asks the database, which was never made for that: it works on
// few statements at a time, and the others slow it down and wait. What has been read once is in the cache again, so
// that the calls become fewer.
//
// The cause is the cache, or the service whose cache it is; naming the database is not right, since it does what it
// always did, with more to do.
var cacheExpiry = Family{
	Name:   "cache-expiry",
	Doc:    "a cache loses what it holds at once, and the database behind it cannot serve all that come",
	spares: []role{roleProfile},
	size: func(n size) size {
		n.requests = max(2*n.requests, 800)
		return n
	},
	prepare: func(e *estate, r *stats.Rand) { e.expensiveProfiles(r) },
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		query, lookup := e.places["profile query"], e.places["profile lookup"]
		s := e.places["profile"].service
		d.fault.begins = int64(float64(float64(d.when.length) * between(r, 0.15, 0.45)))
		d.label.OnsetNS = d.when.incident + d.fault.begins
		lost := min(1, float64(between(r, 0.75, 1)*d.strength))
		salt := r.Uint64()
		d.fault.forget = func(op *operation, customer int) bool {
			return op == lookup && chance(stats.NewRand(salt, uint64(customer)), lost)
		}
		cause := Cause{
			Services: []string{s.name, lookup.service.name}, Operations: []string{lookup.name, query.name},
			FaultDomain: "internal",
		}
		if d.label.FaultType = pick(r, "flush", "expiry"); d.label.FaultType == "flush" {
			cause.ChangeID = d.record(d.label.OnsetNS-int64(between(r, 0, 3))*second, "maintenance", lookup.service.name,
				"failed over to the replica, which was empty")
		} else {
			cause.ChangeID = d.record(d.label.OnsetNS-int64(between(r, 60, 300))*minute, "config", s.name,
				"job that renews the cache moved to another schedule")
		}
		d.label.Causes = []Cause{cause}
		d.decoys(1+r.IntN(3), d.untouched(s), 0, d.when.length)
	},
	observe: (*draft).failing,
}

// expensiveProfiles makes a bank where what is known about a customer takes long to find, and is cached.
func (e *estate) expensiveProfiles(r *stats.Rand) {
	b := e.extend(r)
	s := e.find(roleProfile)
	for _, op := range e.operations() {
		if op.service != s || op.internal {
			continue
		}
		for i := range op.steps {
			if x := &op.steps[i]; x.cache != nil && x.to.service.tech == techSQL {
				e.mark("profile", op)
				e.mark("profile query", x.to)
				e.mark("profile lookup", x.cache)
				x.keyed = &keyedCache{ttl: 24 * hour, first: -12 * hour, over: 11 * hour, absent: between(r, 0.03, 0.07)}
			}
		}
	}
	e.customers = 800 + r.IntN(2000)
	query := e.places["profile query"]
	query.service.capacity = 1 + r.IntN(2)
	b.connect(s, 3+r.IntN(4))
	// All together, the calls are more than it can serve; those of customers that the cache does not know are few.
	calls := e.demand(r)[e.places["profile"].index]
	takes := float64(between(r, 1.5, 2.5)*float64(query.service.capacity)) / calls
	query.own = latency{int64(takes * float64(second)), 0.25}
}

// demand returns how often each operation is executed in a second, at the rate that the bank is planned for.
func (e *estate) demand(r *stats.Rand) []float64 {
	const requests = 500
	trial := &run{
		estate: e, fleet: newFleet(e, r), traffic: newTraffic(e, r, requests, int64(float64(second)/e.rate)),
		seed: r.Uint64(), silent: true,
	}
	trial.simulate()
	out := make([]float64, e.numOperations)
	for i, n := range trial.usage.operations {
		out[i] = float64(float64(n)/requests) * e.rate
	}
	return out
}
