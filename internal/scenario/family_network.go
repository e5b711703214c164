package scenario

import "slices"

// The way between two services gets longer: a failing link, a new firewall rule, packets that are lost.
var networkLatency = Family{
	Name: "network-latency",
	Doc:  "messages from one service to another are late, whichever instances talk",
	inject: func(d *draft) {
		r := d.rng
		e := d.edge()
		kind, share := "delay", 1.0
		delay := latency{int64(float64(magnitude(r, 5, 300)*d.strength) * float64(millisecond)), 0.25}
		if chance(r, 0.3) { // a lost packet costs a timeout of TCP
			kind, share = "loss", min(1, float64(magnitude(r, 0.05, 0.6)*d.strength))
			delay = latency{210 * millisecond, 0.05}
		}
		ways := pick(r, 1, 2, 3) // out, back, or both
		d.fault.way = func(f frame, from, to *instance) int64 {
			out, back := from.service == e.from && to.service == e.to, from.service == e.to && to.service == e.from
			if (out && ways&1 != 0 || back && ways&2 != 0) && chance(f.req.fault, share) {
				return delay.draw(f.req.fault)
			}
			return 0
		}
		d.begin()
		cause := Cause{Services: []string{e.to.name}, FaultDomain: "internal"}
		for _, op := range d.estate.operations() {
			for _, s := range op.steps {
				if op.service == e.from && s.to.service == e.to {
					cause.Operations = append(cause.Operations, s.to.name, s.to.clientName)
				}
			}
		}
		slices.Sort(cause.Operations)
		cause.Operations = slices.Compact(cause.Operations)
		if chance(r, 0.4) {
			cause.ChangeID = d.trigger("config", e.to, "network policy of "+e.to.name+" updated")
		}
		d.label.FaultType = kind
		d.label.Notes = "Edge from " + e.from.name + " to " + e.to.name + "."
		d.label.Causes = []Cause{cause}
	},
}

// An edge is what one service calls another over.
type edge struct{ from, to *service }

// edge draws one that enough requests take, between services that nothing else happened to; if there is none, it
// is the busiest.
func (d *draft) edge() edge {
	var able []edge
	var busiest edge
	most := -1
	for _, from := range d.estate.services {
		for _, to := range d.estate.services {
			n := d.usage.calls[from.index][to.index]
			if from == to || to.silent() || to.tech == techQueue {
				continue
			}
			if n > most {
				busiest, most = edge{from, to}, n
			}
			if d.needed(n) && !d.touched[from] && !d.touched[to] {
				able = append(able, edge{from, to})
			}
		}
	}
	if len(able) == 0 {
		return busiest
	}
	return pick(d.rng, able...)
}
