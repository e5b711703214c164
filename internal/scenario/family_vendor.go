package scenario

import (
	"github.com/tracewhy/tracewhy/internal/stats"
)

// More companies apply for loans than usual, and a bureau that is asked about each of them lets its customers call only
// so often. The limit is there all the time; what exceeds it is refused, or has to wait.
var vendorThrottling = Family{
	Name:    "vendor-throttling",
	Doc:     "a surge of loan applications exceeds the rate that a credit bureau allows; calls that leave the bank are tagged",
	least:   1200,
	spares:  []role{roleCommercial, roleCorporate},
	prepare: func(e *estate, r *stats.Rand) { e.lending(r, true) },
	shift:   func(d *draft) { d.surge(magnitude(d.rng, 2.2, 6)) },
	inject:  exceedRate,
}

// The same, where spans have only what instrumentation of clients records by itself.
var vendorThrottlingUntagged = Family{
	Name:    "vendor-throttling-untagged",
	Doc:     "a surge of loan applications exceeds the rate that a credit bureau allows; calls have no more than its address",
	least:   1200,
	spares:  []role{roleCommercial, roleCorporate},
	prepare: func(e *estate, r *stats.Rand) { e.lending(r, false) },
	shift:   func(d *draft) { d.surge(magnitude(d.rng, 2.2, 6)) },
	inject:  exceedRate,
}

// exceedRate gives the bureau a limit below the rate of the surge, and above that of other times.
func exceedRate(d *draft) {
	l, r := d.estate.desk, d.rng
	usual, surging := d.applications()
	rate := max(1.5*usual, float64(surging*between(r, 0.5, 0.9))/d.strength)
	x := limit{
		interval: int64(float64(second) / rate), burst: max(6, int64(float64(rate*between(r, 0.5, 3)))),
		status: 429, message: "too many requests", retryAfter: chance(r, 0.5),
	}
	isSudden := d.traffic.surge.from > 0 || d.traffic.surge.waves > 0
	switch {
	case isSudden && chance(r, 0.3): // who is slow all the time may be so for another reason
		x.queues = int64(magnitude(r, 1500, 5000)) * millisecond
		d.label.FaultType = "throttling by delay"
	case l.bureau.service.tech == techVendor && chance(r, 0.2):
		x.status, x.message, x.retryAfter = 503, "service unavailable", true
		d.label.FaultType = "throttling as unavailable"
	default:
		d.label.FaultType = "throttling"
	}
	d.limits = map[*service]limit{l.bureau.service: x}
	cause := l.blame()
	if chance(r, 0.7) {
		cause.ChangeID = d.trigger("feature_flag", l.entry.op.service, "campaign for equipment loans on")
	}
	d.label.Causes = []Cause{cause}
}

// A bureau takes longer than usual to answer, and all its answers are right.
var vendorSlow = Family{
	Name:    "vendor-slow",
	Doc:     "a credit bureau answers slowly, without an error, and whatever it is asked",
	least:   800,
	spares:  []role{roleCommercial, roleCorporate},
	prepare: func(e *estate, r *stats.Rand) { e.lending(r, chance(r, 0.5)) },
	shift: func(d *draft) { // more is asked at times, which makes no difference
		if chance(d.rng, 0.4) {
			d.apply(surge{times: between(d.rng, 1.3, 2.5), waves: d.wave()})
		}
	},
	inject: func(d *draft) {
		l, r := d.estate.desk, d.rng
		d.label.FaultType = "slow"
		if chance(r, 0.5) {
			stretch := 1 + float64(magnitude(r, 0.8, 4)*d.strength)
			d.fault.work = func(_ frame, op *operation) (h harm) {
				if op == l.bureau {
					h.stretch = stretch
				}
				return h
			}
		} else {
			share := between(r, 0.3, 1)
			delay := latency{int64(float64(magnitude(r, 300, 2500)*d.strength) * float64(millisecond)), 0.4}
			d.fault.work = func(f frame, op *operation) (h harm) {
				if op == l.bureau && chance(f.req.fault, share) {
					h.delay = delay.draw(f.req.fault)
				}
				return h
			}
		}
		d.begin()
		d.label.Causes = []Cause{l.blame()}
	},
}
