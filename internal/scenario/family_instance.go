package scenario

// One instance of a service goes bad: a failing disk, a noisy neighbour, a cache that does not warm up.
var badInstance = Family{
	Name: "bad-instance",
	Doc:  "one instance of one service is slow, fails, or cannot be reached",
	inject: func(d *draft) bool {
		s := d.culprit(2)
		if s == nil {
			return false
		}
		all := d.fleet.instances[s.index]
		i := d.rng.IntN(len(all))
		if chance(d.rng, 0.3) { // it is a new one
			d.fleet.replace(d.rng, s, i, all[i].version)
		}
		bad := d.fleet.instances[s.index][i]
		cause := d.blame(s)
		cause.Conditions = map[string]string{"service.instance.id": bad.name}
		at := d.begin()
		if chance(d.rng, 0.3) {
			cause.ChangeID = d.record(at, "maintenance", s.name, "node "+bad.host.name+" returned to service after a hardware check")
		}
		d.label.FaultType = d.spoil(s, func(in *instance) bool { return in == bad }, true)
		if d.label.FaultType == "unreachable" {
			cause.Conditions = nil // it leaves no spans
		}
		d.label.Causes = []Cause{cause}
		return true
	},
}

// A new version goes bad before it is everywhere.
var badVersion = Family{
	Name: "bad-version",
	Doc:  "a new version of one service, on some of its instances, is slow or fails",
	inject: func(d *draft) bool {
		s := d.culprit(3)
		if s == nil {
			return false
		}
		d.begin()
		n := 2
		if chance(d.rng, 0.3) {
			n = 1
		}
		at := min(d.label.OnsetNS, d.when.incident) // instances that the window has not seen before
		d.fault.begins, d.label.OnsetNS = 0, at
		cause := d.blame(s)
		cause.ChangeID = d.deploy(s, n, at-int64(between(d.rng, 5, 60))*second)
		next := s.versionName(1)
		cause.Conditions = map[string]string{"service.version": next}
		d.label.FaultType = d.spoil(s, func(in *instance) bool { return in.version == next }, false)
		d.label.Causes = []Cause{cause}
		return true
	},
}

// culprit draws a service with at least that many instances which enough requests need, and which nothing else
// happened to.
func (d *draft) culprit(instances int) *service {
	var able []*service
	for _, s := range d.estate.services {
		if !s.silent() && s.tech != techQueue && !d.touched[s] && d.needed(d.usage.services[s.index]) &&
			len(d.fleet.instances[s.index]) >= instances {
			able = append(able, s)
		}
	}
	if len(able) == 0 {
		return nil
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
	return c
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
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op.service == s && !op.internal && bad(f.at) && chance(f.req.fault, share) {
				h.delay, h.fail = late.draw(f.req.fault), internalError(s, op)
			}
			return h
		}
		return "errors"
	}
	share = min(1, float64(share*d.strength))
	d.fault.refuse = func(f frame, to *instance) bool { return bad(to) && chance(f.req.fault, share) }
	return "unreachable"
}
