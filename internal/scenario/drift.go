package scenario

import (
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// drift draws what is different in the window of the incident for no bad reason: services are deployed, scaled
// and configured, customers update their phones, and traffic is never the same twice. Nothing of it changes how
// requests end.
func drift(r *stats.Rand, e *estate, spared []role, before *fleet, usual *traffic, when schedule) *draft {
	d := &draft{
		rng: r, estate: e, fleet: before.clone(), traffic: usual.clone(), when: when, touched: map[*service]bool{},
	}
	var live []*service
	for _, s := range e.services {
		if !s.silent() && !slices.Contains(spared, s.role) {
			live = append(live, s)
		}
	}
	shuffle(r, live)
	for range 1 + r.IntN(3) {
		s := live[0]
		live = live[1:]
		d.touched[s] = true
		d.deploy(s, len(d.fleet.instances[s.index]), d.earlier())
	}
	if chance(r, 0.4) { // one on its way
		s := live[0]
		live = live[1:]
		d.touched[s] = true
		d.deploy(s, max(1, len(d.fleet.instances[s.index])/2), d.earlier())
	}
	if chance(r, 0.4) {
		s := live[0]
		live = live[1:]
		d.touched[s] = true
		d.scale(s)
	}
	for range r.IntN(4) { // an instance moved, or died and came back
		s := pick(r, live...)
		list := d.fleet.instances[s.index]
		i := r.IntN(len(list))
		d.fleet.replace(r, s, i, list[i].version)
	}
	for range 1 + r.IntN(3) {
		s := pick(r, live...)
		kind, text := "config", "log level raised to INFO"
		switch r.IntN(4) {
		case 0:
			kind, text = "feature_flag", "flag new-receipt-layout on for 100 % of customers"
		case 1:
			text = "rotated credentials"
		case 2:
			kind, text = "maintenance", "node image updated"
		}
		at := when.incident - int64(between(r, 0, 360))*minute
		if chance(r, 0.4) {
			at = when.incident + int64(float64(float64(when.length)*between(r, 0, 0.9)))
		}
		d.record(at, kind, s.name, text)
	}
	t := d.traffic
	t.gap = int64(float64(float64(t.gap) * between(r, 0.8, 1.15)))
	vary(r, t.entries, 0.12)
	for _, dim := range inert {
		vary(r, t.dims[dim].shares, 0.06)
	}
	t.adopt(between(r, 0.05, 0.3))
	return d
}

// earlier draws a moment before the incident, after the baseline if that came first.
func (d *draft) earlier() int64 {
	lo := max(d.when.incident-6*hour, d.when.baseline+d.when.length)
	if lo > d.when.incident {
		lo = d.when.incident - 6*hour
	}
	return lo + int64(float64(float64(d.when.incident-lo)*between(d.rng, 0.05, 0.95)))
}

// undone records the end of a change that a later baseline does not have.
func (d *draft) undone(kind, service, description string) {
	if d.when.baseline > d.when.incident {
		end := d.when.incident + d.when.length
		at := end + int64(float64(float64(d.when.baseline-end)*between(d.rng, 0.1, 0.9)))
		d.record(at, kind, service, description)
	}
}

// deploy replaces the first n instances of a service by ones of its next version, and returns the change's id.
func (d *draft) deploy(s *service, n int, at int64) string {
	old, next := s.versionName(0), s.versionName(1)
	all := len(d.fleet.instances[s.index])
	for i := range n {
		d.fleet.replace(d.rng, s, i, next)
	}
	text := "deployed " + next + " over " + old
	if n < all {
		text = fmt.Sprintf("deployed %s to %d of %d instances", next, n, all)
	}
	d.undone("deployment", s.name, "rolled back to "+old)
	return d.record(at, "deployment", s.name, text)
}

// scale starts another instance of a service, beside one that it has: calls must not get shorter by it.
func (d *draft) scale(s *service) {
	list := d.fleet.instances[s.index]
	n := len(list)
	d.fleet.add(d.rng, s, list[d.rng.IntN(n)].host.region)
	d.undone("scaling", s.name, fmt.Sprintf("scaled from %d to %d instances", n+1, n))
	d.record(d.earlier(), "scaling", s.name, fmt.Sprintf("scaled from %d to %d instances", n, n+1))
}

// adopt moves a share of the customers to the newest version of their app.
func (t *traffic) adopt(share float64) {
	shares := t.dims[dimApp].shares
	newest := len(shares) - 1
	for i := range newest {
		moved := float64(shares[i] * share)
		shares[i] -= moved
		shares[newest] += moved
	}
}
