package scenario

import "iter"

// An engine is the clock of a discrete-event simulation. Its processes are coroutines of one goroutine, so that
// a request is plain code that sleeps and waits, and the order of all that happens is total: by time, then by
// what was scheduled first.
type engine struct {
	now    int64 // nanoseconds since the window began
	agenda agenda
	events []event // by slot
	free   []int32 // slots
	serial uint32
	idle   []*process // whose coroutines are free for another body
}

// An event resumes a process, if that still waits where it waited when the event was scheduled, or runs a
// function.
type event struct {
	who  *process
	wait int
	run  func()
}

func (e *engine) schedule(at int64, ev event) {
	var slot int32
	if n := len(e.free); n > 0 {
		slot, e.free = e.free[n-1], e.free[:n-1]
		e.events[slot] = ev
	} else {
		slot = int32(len(e.events))
		e.events = append(e.events, ev)
	}
	e.serial++
	e.agenda.push(appointment{at, e.serial, slot})
}

// at runs a function at a time that is not past.
func (e *engine) at(t int64, run func()) { e.schedule(t, event{run: run}) }

// wake resumes a process that waits for the wait-th time, at time t.
func (e *engine) wake(p *process, wait int, t int64) { e.schedule(t, event{who: p, wait: wait}) }

// run lets time pass until nothing is left to happen. Every wait ends: one for a pool has a limit, or ends when
// those before have done their work, and one for other processes ends with them.
func (e *engine) run() {
	for len(e.agenda) > 0 {
		next := e.agenda.pop()
		ev := e.events[next.slot]
		e.events[next.slot] = event{}
		e.free = append(e.free, next.slot)
		switch {
		case ev.run != nil:
			e.now = next.at
			ev.run()
		case ev.who.wait == ev.wait:
			e.now = next.at
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
	if len(e.agenda) == 0 || e.agenda[0].at > t {
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

// An agenda is a binary heap of appointments. It holds no pointers, so that the garbage collector has no part in
// moving them about.
type agenda []appointment

type appointment struct {
	at     int64
	serial uint32
	slot   int32
}

func (a appointment) before(b appointment) bool {
	return a.at < b.at || a.at == b.at && a.serial < b.serial
}

func (a *agenda) push(x appointment) {
	h := append(*a, x)
	i := len(h) - 1
	for i > 0 && x.before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = x
	*a = h
}

func (a *agenda) pop() appointment {
	h := *a
	first, x := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*a = h
	i := 0
	for 2*i+1 < len(h) {
		child := 2*i + 1
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = x
	}
	return first
}
