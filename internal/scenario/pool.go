package scenario

// A pool is a fixed number of connections, or of workers, handed out in the order of arrival.
type pool struct {
	engine *engine
	free   int
	queue  []*waiter
}

type waiter struct {
	process *process
	wait    int
	granted bool
	gone    bool
}

// acquire waits for a connection for as long as the limit, or any time if that is 0, and reports whether it got one.
func (r *pool) acquire(p *process, limit int64) bool {
	if r.free > 0 {
		r.free--
		return true
	}
	w := &waiter{process: p, wait: p.wait}
	r.queue = append(r.queue, w)
	if limit > 0 {
		r.engine.wake(p, p.wait, r.engine.now+limit)
	}
	p.park()
	w.gone = true
	return w.granted
}

// release gives a connection to whoever waits longest, or back to the pool.
func (r *pool) release() {
	for len(r.queue) > 0 {
		w := r.queue[0]
		r.queue = r.queue[1:]
		if !w.gone {
			w.granted = true
			r.engine.wake(w.process, w.wait, r.engine.now)
			return
		}
	}
	r.free++
}
