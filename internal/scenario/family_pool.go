package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// Connections to the fraud service's database are not given back. Each is lost until a watchdog closes it, so
// that at some rate of loss requests begin to wait, and then to fail. All of it follows from the queue: the
// fault only loses connections.
var poolExhaustion = Family{
	Name:   "pool-exhaustion",
	Doc:    "the fraud service leaks database connections until card authorisations wait for one in vain",
	spares: []role{roleFraud},
	prepare: func(e *estate, r *stats.Rand) {
		s := e.find(roleFraud)
		s.connections = 3 + r.IntN(4)
		s.recordsWaits = chance(r, 0.5)
		s.patience = int64(pick(r, 800, 1000, 1500, 2000)) * millisecond
	},
	inject: func(d *draft) {
		s, r := d.estate.find(roleFraud), d.rng
		uses := 0
		for _, op := range d.estate.operations() {
			if op.service != s {
				continue
			}
			if n := d.statements(op); n > 0 {
				uses += d.usage.operations[op.index] * n
			}
		}
		lost := min(int64(between(r, 12, 30))*second, d.when.length/5) // many times within the window
		failing := magnitude(r, 0.08, 0.3)
		rate := float64(uses) / float64(d.when.length) / float64(len(d.fleet.instances[s.index]))
		leak := min(1, offered(s.connections, failing)/float64(rate*float64(lost))*d.strength)
		d.fault.leak = func(f frame, op *operation) int64 {
			if f.at.service == s && chance(f.req.fault, leak) {
				return lost
			}
			return 0
		}
		d.begin()
		cause := Cause{Services: []string{s.name}, FaultDomain: "internal"}
		d.label.FaultType = "wait-without-span"
		if s.recordsWaits {
			cause.Operations, d.label.FaultType = []string{waitName}, "wait-with-span"
		} else {
			for _, op := range d.estate.operations() {
				if op.service == s && d.statements(op) > 0 {
					cause.Operations = append(cause.Operations, op.name)
				}
			}
			slices.Sort(cause.Operations)
		}
		if chance(r, 0.6) {
			cause.ChangeID = d.trigger("config", s, "rule set updated: velocity rules read the card history twice")
		}
		d.label.Causes = []Cause{cause}
	},
}

// statements returns how often an execution of the operation takes a connection, its parts not counted.
func (d *draft) statements(op *operation) int {
	n := 0
	for _, s := range op.steps {
		if s.to.service.tech == techSQL {
			n++
		}
	}
	if op.holds {
		return min(n, 1)
	}
	return n
}

// offered returns the load, in connections, that n servers turn away a share of: the inverse of A. K. Erlang's
// B formula (1917).
func offered(n int, share float64) float64 {
	lo, hi := 0.0, float64(n)*10
	for range 50 {
		load := (lo + hi) / 2
		blocked := 1.0
		for k := 1; k <= n; k++ {
			blocked = float64(load*blocked) / (float64(k) + float64(load*blocked))
		}
		if blocked < share {
			lo = load
		} else {
			hi = load
		}
	}
	return lo
}
