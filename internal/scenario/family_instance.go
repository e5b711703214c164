package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// One instance of a service goes bad: a failing disk, a noisy neighbour, a cache that does not warm up.
var badInstance = Family{
	Name: "bad-instance",
	Doc:  "one instance of one service is slow, fails, or cannot be reached",
	inject: func(d *draft) {
		s := d.culprit(2)
		all := d.fleet.instances[s.index]
		i := d.rng.IntN(len(all))
		if chance(d.rng, 0.3) { // it is a new one
			d.fleet.replace(d.rng, s, i, all[i].version)
		}
		bad := d.fleet.instances[s.index][i]
		cause := d.blame(s)
		cause.Conditions = map[string]string{"service.instance.id": bad.name}
		d.begin()
		if chance(d.rng, 0.3) {
			cause.ChangeID = d.trigger("maintenance", s, "node "+bad.host.name+" returned to service after a hardware check")
		}
		d.label.FaultType = d.spoil(s, func(in *instance) bool { return in == bad }, true)
		if d.label.FaultType == "unreachable" {
			cause.Conditions = nil // it leaves no spans, so that those of its callers have to do
			cause.Operations = append(cause.Operations, d.calls(s)...)
		}
		d.label.Causes = []Cause{cause}
	},
}

// A new version goes bad before it is everywhere.
var badVersion = Family{
	Name: "bad-version",
	Doc:  "a new version of one service, on some of its instances, is slow or fails",
	inject: func(d *draft) {
		s := d.culprit(3)
		n := min(2, len(d.fleet.instances[s.index])-1)
		if chance(d.rng, 0.3) {
			n = 1
		}
		d.beginBefore()
		cause := d.blame(s)
		cause.ChangeID = d.deploy(s, n, d.label.OnsetNS)
		next := s.versionName(1)
		cause.Conditions = map[string]string{"service.version": next}
		d.label.FaultType = d.spoil(s, func(in *instance) bool { return in.version == next }, false)
		d.label.Causes = []Cause{cause}
	},
}

// culprit draws a service with at least that many instances that enough requests need, and that nothing else
// happened to; if there is none, it is the busiest.
func (d *draft) culprit(instances int) *service {
	var able []*service
	var busiest *service
	for _, s := range d.estate.services {
		if s.silent() || s.tech == techQueue {
			continue
		}
		n := d.usage.services[s.index]
		if busiest == nil || n > d.usage.services[busiest.index] {
			busiest = s
		}
		if d.needed(n) && !d.touched[s] && len(d.fleet.instances[s.index]) >= instances {
			able = append(able, s)
		}
	}
	if len(able) == 0 {
		return busiest
	}
	return pick(d.rng, able...)
}

// needed reports whether so many requests are enough for a fault to be seen.
func (d *draft) needed(requests int) bool { return requests*20 >= d.traffic.requests }

// blame returns the cause that names a service and all that it does.
func (d *draft) blame(s *service) Cause {
	c := Cause{Services: []string{s.name}, FaultDomain: "internal"}
	for _, op := range d.estate.operations() {
		if op.service == s {
			c.Operations = append(c.Operations, op.name)
		}
	}
	slices.Sort(c.Operations)
	c.Operations = slices.Compact(c.Operations)
	return c
}

// calls returns the names of the spans of who calls a service, where they differ from the service's own.
func (d *draft) calls(s *service) []string {
	var names []string
	for _, op := range d.estate.operations() {
		if op.service == s && !op.internal && op.clientName != op.name && !slices.Contains(names, op.clientName) {
			names = append(names, op.clientName)
		}
	}
	return names
}

// spoil makes some instances of a service slow or unreliable, and returns in which way.
func (d *draft) spoil(s *service, bad func(*instance) bool, reachable bool) string {
	r := d.rng
	share := between(r, 0.15, 1)
	switch x := r.Float64(); {
	case x < 0.3:
		delay := latency{int64(float64(magnitude(r, 15, 600)*d.strength) * float64(millisecond)), 0.35}
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op.service == s && !op.internal && bad(f.at) && chance(f.req.fault, share) {
				h.delay = delay.draw(f.req.fault)
			}
			return h
		}
		return "slow"
	case x < 0.5:
		stretch := 1 + float64(magnitude(r, 1, 20)*d.strength)
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op.service == s && !op.internal && bad(f.at) {
				h.stretch = stretch
			}
			return h
		}
		return "cpu"
	case x < 0.9 || !reachable:
		share = min(1, float64(magnitude(r, 0.04, 1)*d.strength))
		late := latency{int64(pick(r, 0, 0, 300, 900)) * millisecond, 0.2}
		what := r.Uint64()
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op.service == s && !op.internal && bad(f.at) && chance(f.req.fault, share) {
				h.delay, h.fail = late.draw(f.req.fault), defect(stats.NewRand(what), s, op)
			}
			return h
		}
		return "errors"
	}
	share = min(1, float64(share*d.strength))
	d.fault.refuse = func(f frame, to *instance) bool { return bad(to) && chance(f.req.fault, share) }
	return "unreachable"
}
