package scenario

// since returns when requests begin to be worse off because of the fault, not one alone but one after the other: the
// first of as many as that among twenty. It looks at the requests that count, and is 0 if there is no such time.
func (d *draft) since(
	healthy, faulty []result, enough int, counts func(result) bool, isWorse func(healthy, faulty result) bool,
) int64 {
	const among = 20
	var at []int64
	var worse []bool
	for i, x := range faulty {
		if counts(x) {
			at, worse = append(at, x.at), append(worse, isWorse(healthy[i], x))
		}
	}
	for i := range at {
		n := 0
		for k := i; k < min(i+among, len(at)); k++ {
			if worse[k] {
				n++
			}
		}
		if worse[i] && n >= enough {
			return d.when.incident + at[i]
		}
	}
	return 0
}

// failed reports whether a request fails only with the fault.
func failed(healthy, faulty result) bool { return faulty.failed && !healthy.failed }

// slowed reports whether a request takes clearly longer with the fault, or fails.
func slowed(healthy, faulty result) bool {
	return failed(healthy, faulty) || faulty.duration > healthy.duration+healthy.duration/2
}

// failing says of all requests when they begin to fail, if they do.
func (d *draft) failing(healthy, faulty []result) {
	if at := d.since(healthy, faulty, 3, func(result) bool { return true }, failed); at > 0 {
		d.label.SymptomNS = at
	}
}
