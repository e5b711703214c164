package scenario

import (
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Connections to a bureau run out on our side: they are not given back, a setting allows fewer of them, or there are too
// few for a surge of loan applications. Whoever looks at calls to the bureau may blame it, but it answers as before.
var poolBeforeVendor = Family{
	Name:   "pool-before-vendor",
	Doc:    "loan processing runs out of its own connections to a credit bureau, which answers as before",
	least:  1200,
	spares: []role{roleCommercial, roleCorporate},
	prepare: func(e *estate, r *stats.Rand) {
		l := e.lending(r, chance(r, 0.5))
		l.service.channel = &channel{
			to: l.bureau.service, size: 6 + r.IntN(8),
			patience: int64(pick(r, 800, 1000, 1500, 2000, 3000)) * millisecond,
			waits:    pick(r, waitUnseen, waitBefore, waitWithin, waitPart),
			attrs:    []tracewhy.KeyValue{tracewhy.String("http.client.connection.pool.name", l.bureau.service.name)},
		}
	},
	shift: func(d *draft) {
		if !d.estate.desk.isHidden() && chance(d.rng, 0.35) {
			d.surge(between(d.rng, 4, 7))
		}
	},
	inject: func(d *draft) {
		l, r := d.estate.desk, d.rng
		s := l.service
		hold := float64(l.bureau.own.median) / float64(second)
		usual, surging := d.applications()
		n := float64(len(d.fleet.instances[s.index]))
		busy := usual * hold / n // connections of an instance, on average
		cause := Cause{Services: []string{s.name}, FaultDomain: "internal"}
		change := ""
		switch {
		case d.traffic.surge.times > 0:
			busiest := float64(surging*hold) / n
			size := max(1, math.Ceil(1.2*busy), math.Floor(float64(busiest*between(r, 0.6, 0.9))/d.strength))
			d.limits = map[*service]limit{s: {connections: int(size)}}
			d.label.FaultType = "load"
			if chance(r, 0.7) {
				cause.ChangeID = d.trigger("feature_flag", l.entry.op.service, "campaign for equipment loans on")
			}
		case !l.isHidden() && chance(r, 0.4):
			size := max(1, int(float64(busy*between(r, 0.7, 1.3))/d.strength))
			d.fault.narrow = func(*service) int { return size }
			d.beginBefore()
			d.label.FaultType, change = "setting", "client settings unified: fewer connections per route"
		default:
			lost := min(int64(between(r, 12, 30))*second, d.when.length/5)
			size := 2 + r.IntN(3)
			d.limits = map[*service]limit{s: {connections: size}}
			leak := min(1, offered(size, magnitude(r, 0.1, 0.4))/float64(usual/n*float64(lost)/float64(second))*d.strength)
			d.fault.leak = func(f frame, op *operation) int64 {
				if op == l.bureau && chance(f.req.fault, leak) {
					return lost
				}
				return 0
			}
			d.begin()
			d.label.FaultType, change = "leak", "client library of the bureau updated"
		}
		if change != "" && chance(r, 0.6) {
			cause.ChangeID = d.trigger("config", s, change)
		}
		if cause.Operations = []string{waitName}; !s.channel.hasSpans() {
			cause.Operations = append(d.callers(l.bureau), l.bureau.clientName)
		}
		d.label.Causes = []Cause{cause}
	},
}

// isHidden reports whether nothing but errors tells waits for a connection from slow answers of the bureau: only a fault
// that makes many of them end in vain can then be known.
func (l *lendingDesk) isHidden() bool { return l.service.channel.waits == waitPart }

// callers returns the names of the operations that call one.
func (d *draft) callers(op *operation) []string {
	var names []string
	for _, from := range d.estate.operations() {
		for _, s := range from.steps {
			if s.to == op {
				names = append(names, from.name)
				break
			}
		}
	}
	return names
}
