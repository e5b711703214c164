package scenario

// decoys records n things that people do to services at any time between two of the window, and that change nothing
// about how requests end. Deployments are real: new instances come.
func (d *draft) decoys(n int, among []*service, from, to int64) {
	for range n {
		if len(among) == 0 {
			return
		}
		s := pick(d.rng, among...)
		at := from + int64(float64(float64(to-from)*d.rng.Float64()))
		if at > 0 && !d.deployed(s) && chance(d.rng, 0.4) {
			d.rollOutAll(s, at)
			continue
		}
		d.adjust(s, at)
	}
}

// deployed reports whether a new version of the service is running, or will before the window ends.
func (d *draft) deployed(s *service) bool {
	for _, a := range d.fleet.later {
		if a.instance.service == s && a.place >= 0 {
			return true
		}
	}
	return d.touched[s]
}

// adjust records a change of a service that needs no new instances.
func (d *draft) adjust(s *service, at int64) {
	kind, text := "config", "log level raised to INFO"
	switch d.rng.IntN(4) {
	case 0:
		kind, text = "feature_flag", "flag new-receipt-layout on for 100 % of customers"
	case 1:
		text = "time-out of idle sessions set to 12 min"
	case 2:
		kind, text = "maintenance", "node image updated"
	}
	d.record(d.when.incident+at, kind, s.name, text)
}

// untouched returns the services with instances that nothing happened to, less one.
func (d *draft) untouched(except *service) []*service {
	var out []*service
	for _, s := range d.estate.services {
		if !s.silent() && s != except && !d.touched[s] {
			out = append(out, s)
		}
	}
	return out
}
