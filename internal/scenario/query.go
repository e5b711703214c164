package scenario

import "github.com/tracewhy/tracewhy"

// query calls a store or a vendor, which sends no spans.
func (w *run) query(f frame, s *step, n int) *failure {
	op := s.to
	w.count(f, f.at.service, op)
	g := w.gateTo(f, op)
	if g != nil && !g.inCall {
		if fail := w.acquire(f, g); fail != nil {
			return fail
		}
	}
	client := f
	client.span = w.spans.client(f, op, n)
	if g != nil && g.inCall {
		if fail := w.acquire(client, g); fail != nil {
			w.spans.reply(client, op, fail, false)
			return fail
		}
	}
	harm := w.fault.atWork(f, op, w.now)
	d := zoneLeg.draw(f.rng) + op.own.draw(f.rng) + harm.delay
	if harm.stretch > 1 {
		d = int64(float64(float64(d) * harm.stretch))
	}
	busy := &w.busy[op.service.index]
	*busy++
	if n := op.service.capacity; n > 0 && *busy > n {
		d = int64(float64(d) * (float64(*busy) / float64(n)))
	}
	d += zoneLeg.draw(f.rng)
	fail := harm.fail
	if chance(f.rng, op.errors) && fail == nil {
		fail = storeError(op)
	}
	if l, ok := w.limits[op.service]; ok {
		switch wait, isOver := w.admit(op.service, l); {
		case isOver:
			d, fail = zoneLeg.draw(f.req.fault)+refusalTime.draw(f.req.fault), l.refusal(op)
		default:
			d += wait
		}
	}
	if s.timeout > 0 && d > s.timeout {
		d, fail = s.timeout, &failure{status: 504, kind: "timeout", message: "deadline exceeded", timeout: true}
	}
	f.p.sleep(d)
	*busy--
	w.spans.reply(client, op, fail, true)
	if g != nil {
		w.release(f, op, g)
	}
	return fail.seenBy(op)
}

// A gate is a pool of connections of an instance, and how requests wait there.
type gate struct {
	pool
	patience int64
	hasSpans bool // whether a wait is recorded
	inCall   bool // whether that is within the span of the call
	attrs    []tracewhy.KeyValue
	inVain   func(*service) *failure
}

// openGates gives an instance its connections to its service's store, and to a vendor.
func (w *run) openGates(in *instance) {
	s := in.service
	w.stores[in] = &gate{pool{engine: &w.engine, free: s.connections}, s.patience, s.recordsWaits, false, s.waitAttrs, poolTimeout}
	if c := s.channel; c != nil {
		size := c.size
		if l, ok := w.limits[s]; ok {
			size = l.connections
		}
		if w.fault.narrow != nil {
			size = w.fault.narrow(s)
		}
		w.vendors[in] = &gate{pool{engine: &w.engine, free: size}, c.patience, c.hasSpans(), c.inCall(), c.attrs, channelTimeout}
	}
}

// gateTo returns where a request waits for a connection before it calls a store or a vendor, or nil if it needs none of
// its own.
func (w *run) gateTo(f frame, op *operation) *gate {
	s := f.at.service
	switch {
	case op.service.tech == techSQL && s.connections > 0 && !f.pooled:
		return w.stores[f.at]
	case s.channel != nil && s.channel.to == op.service:
		return w.vendors[f.at]
	}
	return nil
}

// acquire waits for a connection.
func (w *run) acquire(f frame, g *gate) *failure {
	wait := f
	if g.hasSpans {
		wait.span = w.spans.wait(f, g.attrs)
	}
	f.p.sleep(checkoutTime.draw(f.rng))
	var fail *failure
	if !g.pool.acquire(f.p, g.patience) {
		fail = g.inVain(f.at.service)
	}
	if g.hasSpans {
		w.spans.answer(wait, nil, fail)
	}
	return fail
}

// release gives the connection back, unless the fault is that it isn't.
func (w *run) release(f frame, op *operation, g *gate) {
	if lost := w.fault.leaks(f, op, w.now); lost > 0 {
		w.at(w.now+lost, g.pool.release)
		return
	}
	g.pool.release()
}
