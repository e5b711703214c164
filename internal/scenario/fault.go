package scenario

// A fault is what is wrong during a window. Each hook is asked where it could do harm, and nil means that
// nothing is wrong there. Hooks draw random numbers from the request's stream for faults only, so that the
// same window without the fault has the same requests.
type fault struct {
	begins int64 // nanoseconds since the window began
	ends   int64 // of what is wrong with work, where it passes; 0: it stays

	work   func(f frame, op *operation) harm
	way    func(f frame, from, to *instance) int64 // a delay of a message
	refuse func(f frame, to *instance) bool
	leak   func(f frame, op *operation) int64         // how long a connection is lost; 0: it is given back
	garble func(f frame, op *operation) harm          // what happens to the answer of a call once its work is done
	forget func(lookup *operation, customer int) bool // whether a cache loses what it holds of a customer as the fault begins
	narrow func(s *service) int                       // how many connections to a vendor an instance has, from the start
}

// A harm is what a fault does to one execution of an operation.
type harm struct {
	delay   int64
	stretch float64 // the factor on all work; 0 means 1
	fail    *failure
}

func (x *fault) atWork(f frame, op *operation, now int64) harm {
	if x.work == nil || now < x.begins || x.ends > 0 && now >= x.ends {
		return harm{}
	}
	return x.work(f, op)
}

func (x *fault) onTheWay(f frame, from, to *instance, now int64) int64 {
	if x.way == nil || now < x.begins {
		return 0
	}
	return x.way(f, from, to)
}

func (x *fault) refuses(f frame, to *instance, now int64) bool {
	return x.refuse != nil && now >= x.begins && x.refuse(f, to)
}

func (x *fault) leaks(f frame, op *operation, now int64) int64 {
	if x.leak == nil || now < x.begins {
		return 0
	}
	return x.leak(f, op)
}

// forgets reports whether a cache has lost what was written of a customer at a time.
func (x *fault) forgets(lookup *operation, customer int, written, now int64) bool {
	return x.forget != nil && now >= x.begins && written < x.begins && x.forget(lookup, customer)
}

func (x *fault) onReturn(f frame, op *operation, now int64) harm {
	if x.garble == nil || now < x.begins {
		return harm{}
	}
	return x.garble(f, op)
}
