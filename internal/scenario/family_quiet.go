package scenario

// Nothing is wrong, but nothing is ever quite the same either.
var quiet = Family{
	Name:   "quiet",
	Doc:    "no fault; only the deployments, changes and fluctuations that every case has",
	Quiet:  true,
	inject: func(*draft) {},
}

// More customers come, and want other things. How each kind of request ends does not change.
var quietMix = Family{
	Name:  "quiet-mix",
	Doc:   "no fault, but more traffic with another mix of operations and attributes",
	Quiet: true,
	inject: func(d *draft) {
		t := d.traffic
		more := between(d.rng, 1.2, 2)
		t.requests = int(float64(float64(t.requests) * more))
		t.gap = int64(float64(t.gap) / more)
		vary(d.rng, t.entries, 0.8)
		for _, dim := range inert {
			vary(d.rng, t.dims[dim].shares, 0.5)
		}
	},
}
