package scenario

import (
	"container/heap"
	"iter"
)

// An engine is the clock of a discrete-event simulation. Its processes are coroutines of one goroutine, so that
// a request is plain code that sleeps and waits, and the order of all that happens is total: by time, then by
// what was scheduled first.
type engine struct {
	now    int64 // nanoseconds since the window began
	events eventHeap
	serial int
	idle   []*process // whose coroutines are free for another body
}

// An event resumes a process, if that still waits where it waited when the event was scheduled, or runs a
// function.
type event struct {
	at     int64
	serial int
	who    *process
	wait   int
	run    func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].serial < h[j].serial
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (e *engine) schedule(ev event) {
	e.serial++
	ev.serial = e.serial
	heap.Push(&e.events, ev)
}

// at runs a function at a time that is not past.
func (e *engine) at(t int64, run func()) { e.schedule(event{at: t, run: run}) }

// wake resumes a process that waits for the wait-th time, at time t.
func (e *engine) wake(p *process, wait int, t int64) { e.schedule(event{at: t, who: p, wait: wait}) }

// run lets time pass until nothing is left to happen. Every wait ends: one for a pool has a limit, and one for
// other processes ends with them.
func (e *engine) run() {
	for len(e.events) > 0 {
		ev := heap.Pop(&e.events).(event)
		switch {
		case ev.run != nil:
			e.now = ev.at
			ev.run()
		case ev.who.wait == ev.wait:
			e.now = ev.at
			ev.who.resume()
		}
	}
	for _, p := range e.idle {
		p.stop()
	}
	e.idle = nil
}

// A process is something that goes on while time passes: a request, or a branch of one.
type process struct {
	engine *engine
	body   func(*process)
	wait   int // how often it has waited, which tells an event of now from one of an earlier wait

	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

// start runs body as a process of its own, from the present moment on.
func (e *engine) start(body func(*process)) {
	var p *process
	if n := len(e.idle); n > 0 {
		p, e.idle = e.idle[n-1], e.idle[:n-1]
	} else {
		p = &process{engine: e}
		p.resume, p.stop = iter.Pull(p.loop)
	}
	p.body = body
	e.wake(p, p.wait, e.now)
}

// loop runs one body after another, since a coroutine costs more to make than to switch to.
func (p *process) loop(yield func(struct{}) bool) {
	p.yield = yield
	for alive := true; alive; {
		p.body(p)
		p.wait++
		p.engine.idle = append(p.engine.idle, p)
		alive = yield(struct{}{})
	}
}

// park waits for the event that wakes the process.
func (p *process) park() {
	p.yield(struct{}{})
	p.wait++
}

// sleep lets d nanoseconds pass.
func (p *process) sleep(d int64) {
	e := p.engine
	t := e.now + max(d, 0)
	if len(e.events) == 0 || e.events[0].at > t {
		e.now = t // nothing else happens meanwhile
		return
	}
	e.wake(p, p.wait, t)
	p.park()
}

// await runs the bodies side by side and waits until all have ended, or until the limit has passed if it is
// positive. It reports whether they have ended; those that have not go on.
func (p *process) await(limit int64, bodies ...func(*process)) bool {
	e, wait, left := p.engine, p.wait, len(bodies)
	for _, body := range bodies {
		e.start(func(q *process) {
			body(q)
			if left--; left == 0 {
				e.wake(p, wait, e.now)
			}
		})
	}
	if limit > 0 {
		e.wake(p, wait, e.now+limit)
	}
	p.park()
	return left == 0
}

// A pool is a fixed number of connections, handed out in the order of arrival.
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

// acquire waits for a connection for as long as the limit, and reports whether it got one.
func (r *pool) acquire(p *process, limit int64) bool {
	if r.free > 0 {
		r.free--
		return true
	}
	w := &waiter{process: p, wait: p.wait}
	r.queue = append(r.queue, w)
	r.engine.wake(p, p.wait, r.engine.now+limit)
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
