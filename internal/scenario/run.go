package scenario

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// How long things take that no service decides.
var (
	hostLeg      = latency{40 * microsecond, 0.4}
	zoneLeg      = latency{220 * microsecond, 0.4}
	regionLeg    = latency{9 * millisecond, 0.1}
	publishTime  = latency{900 * microsecond, 0.5}
	queueTime    = latency{14 * millisecond, 0.9}
	checkoutTime = latency{30 * microsecond, 0.5}
	refusalTime  = latency{600 * microsecond, 0.5}
	stallTime    = latency{140 * millisecond, 0.7} // of a garbage collection, a page fault, a neighbour
)

// stallShare is the share of executions that stall.
const stallShare = 0.0012

// A run is the simulation of one window.
type run struct {
	engine
	estate  *estate
	fleet   *fleet
	traffic *traffic
	fault   fault
	limits  map[*service]limit // of vendors
	seed    uint64
	start   int64 // of the window, in Unix time
	silent  bool  // whether to leave the spans out, and only see how the requests end

	near    [][][]*instance     // by service and region
	stores  map[*instance]*gate // to the store of its service
	vendors map[*instance]*gate
	due     map[*service]int64 // when the next call to a vendor conforms to its limit
	workers map[*instance]*pool
	busy    []int                         // by service: statements that a store works on
	answers map[*keyedCache]map[int]int64 // by customer: when the answer was written that a cache holds
	usage   usage
	results []result
	spans   recorder
}

// A result is how a request ended.
type result struct {
	entry    *entry
	at       int64 // when it came
	duration int64
	failed   bool
	harmed   int // the mode of failure that it met, counted from 1; 0 for none
}

// A usage says how many requests need what, on the way to their answer.
type usage struct {
	operations []int   // by operation: executions
	services   []int   // by service: requests
	calls      [][]int // by caller and callee: requests
}

// simulate runs a window to its end.
func (w *run) simulate() {
	w.prepare()
	w.results = make([]result, w.traffic.requests)
	arrivals := stats.NewRand(w.seed, stats.Key("arrivals"))
	number := 0
	var arrive func()
	arrive = func() {
		r := w.newRequest(number)
		w.engine.start(func(p *process) { w.serve(p, r) })
		if number++; number < w.traffic.requests {
			w.at(w.now+exponential(arrivals, w.traffic.gapAt(w.now)), arrive)
		}
	}
	w.at(exponential(arrivals, w.traffic.gapAt(0)), arrive)
	w.engine.run()
}

func (w *run) prepare() {
	n := len(w.estate.services)
	w.usage = usage{
		operations: make([]int, w.estate.numOperations),
		services:   make([]int, n),
		calls:      make([][]int, n),
	}
	w.near, w.stores, w.vendors = make([][][]*instance, n), map[*instance]*gate{}, map[*instance]*gate{}
	w.due = map[*service]int64{}
	w.busy, w.answers, w.workers = make([]int, n), map[*keyedCache]map[int]int64{}, map[*instance]*pool{}
	w.spans.window = w
	for i, s := range w.estate.services {
		w.usage.calls[i] = make([]int, n)
		w.reach(s)
		for _, in := range w.fleet.instances[i] {
			w.equip(in)
		}
	}
	w.expect()
}

// A frame is where code of a request runs: a process, an instance, a span.
type frame struct {
	p      *process
	req    *request
	rng    *stats.Rand
	at     *instance
	span   *tracewhy.SpanData
	aside  bool    // whether nobody waits for it
	pooled bool    // whether it holds a connection
	slow   float64 // how many times as long as usual work takes here
}

// branch returns the frame of a process beside this one, with random numbers of its own, so that none depend
// on which of the two is faster.
func (f frame) branch(p *process, rng *stats.Rand) frame {
	f.p, f.rng = p, rng
	return f
}

// split starts a stream of random numbers for a branch.
func (f frame) split() *stats.Rand { return stats.NewRand(f.rng.Uint64()) }

// serve handles a request from its arrival at the bank to the answer.
func (w *run) serve(p *process, r *request) {
	began := w.now
	op := r.entry.op
	f := frame{p: p, req: r, rng: r.rng, slow: 1}
	f.at = w.choose(f, op.service, r.dims[dimRegion])
	f.span = w.spans.root(f, op)
	w.count(f, nil, op)
	fail := w.perform(f, op)
	w.spans.decide(f, fail)
	w.spans.answer(f, op, fail)
	w.results[r.number] = result{r.entry, began, w.now - began, fail != nil && fail.status >= 500, r.harmed}
}

// perform does the work of an operation, within the span that is already open for it.
func (w *run) perform(f frame, op *operation) *failure {
	fails, rejects := chance(f.rng, op.errors), chance(f.rng, op.rejects)
	stall := int64(0)
	if !op.internal && chance(f.rng, stallShare) {
		stall = stallTime.draw(f.rng)
	}
	harm := w.fault.atWork(f, op, w.now)
	if harm.stretch > 1 {
		f.slow = float64(f.slow * harm.stretch)
	}
	f.work(op.own)
	f.p.sleep(stall + harm.delay)
	switch {
	case harm.fail != nil:
		return harm.fail
	case fails:
		return internalError(f.at.service, op)
	case rejects:
		return &failure{status: op.rejection, kind: "Rejected", message: "request refused", rejection: true}
	}
	holds := op.holds && !f.pooled
	if holds {
		if fail := w.acquire(f, w.stores[f.at]); fail != nil {
			return fail
		}
		f.pooled = true
	}
	fail := w.steps(f, op)
	if holds {
		w.release(f, op, w.stores[f.at])
	}
	if fail == nil {
		f.work(op.after)
	}
	return fail
}

// work lets the time pass that a piece of the instance's own work takes.
func (f frame) work(l latency) {
	if l.median > 0 {
		d := float64(float64(l.draw(f.rng)) * f.at.speed)
		f.p.sleep(int64(float64(d * f.slow)))
	}
}

// steps takes the operation's steps in order, and stops at the first failure of one that is not optional.
func (w *run) steps(f frame, op *operation) *failure {
	for i := 0; i < len(op.steps); {
		s := &op.steps[i]
		if s.group == 0 {
			i++
			if w.taken(f, s) {
				if fail := w.take(f, s); fail != nil {
					return fail
				}
			}
			continue
		}
		var bodies []func(*process)
		var fails []*failure
		for ; i < len(op.steps) && op.steps[i].group == s.group; i++ {
			if s := &op.steps[i]; w.taken(f, s) {
				k, rng := len(fails), f.split()
				fails = append(fails, nil)
				bodies = append(bodies, func(p *process) { fails[k] = w.take(f.branch(p, rng), s) })
			}
		}
		switch len(bodies) {
		case 0:
			continue
		case 1:
			bodies[0](f.p)
		default:
			f.p.await(0, bodies...)
		}
		for _, fail := range fails {
			if fail != nil {
				return fail
			}
		}
	}
	return nil
}

// taken reports whether the request takes a step.
func (w *run) taken(f frame, s *step) bool {
	return (s.when == nil || s.when(f.req)) && (s.share == 0 || chance(f.rng, s.share))
}

// take takes a step, as often as it repeats.
func (w *run) take(f frame, s *step) *failure {
	for range max(s.repeat, 1) {
		f.work(s.pause)
		if s.cache != nil {
			hit := chance(f.rng, s.hits)
			if s.keyed != nil {
				hit = w.finds(f, s)
			}
			w.attempt(f, &step{to: s.cache}, 0)
			if hit {
				continue
			}
		}
		switch fail := w.try(f, s); {
		case fail == nil && s.keyed != nil:
			w.keep(f, s)
		case fail != nil && !s.optional:
			return fail
		}
	}
	return nil
}

// try makes the step's call, and repeats it after failures that may pass, with a pause that doubles, or at once.
func (w *run) try(f frame, s *step) (fail *failure) {
	backoff := 20 * millisecond
	for n := range max(s.attempts, 1) {
		if n > 0 && !s.hasty {
			f.p.sleep(backoff + int64(float64(float64(backoff)*f.rng.Float64())))
			backoff *= 2
		}
		if fail = w.attempt(f, s, n); fail == nil || !fail.passing && !(s.hasty && fail.timeout) {
			break
		}
	}
	return fail
}

// attempt makes one call, in the way of the callee's technology.
func (w *run) attempt(f frame, s *step, n int) *failure {
	op := s.to
	switch {
	case op.internal:
		return w.inside(f, op)
	case op.service.tech == techQueue:
		w.send(f, op)
		return nil
	case op.service.silent():
		return w.query(f, s, n)
	}
	w.count(f, f.at.service, op)
	client := f
	client.span = w.spans.client(f, op, n)
	to := w.choose(f, op.service, f.at.host.region)
	w.spans.peer(client, to)
	if w.fault.refuses(f, to, w.now) {
		f.p.sleep(refusalTime.draw(f.rng))
		fail := &failure{status: 503, kind: "connection_refused", message: "connect: connection refused", passing: true}
		w.spans.reply(client, op, fail, false)
		return fail.seenBy(op)
	}
	if s.timeout == 0 {
		fail := w.remote(client, to, op)
		w.spans.reply(client, op, fail, true)
		return fail.seenBy(op)
	}
	var fail *failure
	rng := f.split()
	if !f.p.await(s.timeout, func(p *process) { fail = w.remote(client.branch(p, rng), to, op) }) {
		fail := &failure{status: 504, kind: "timeout", message: "deadline exceeded", timeout: true}
		w.spans.reply(client, op, fail, false)
		return fail.seenBy(op)
	}
	w.spans.reply(client, op, fail, true)
	return fail.seenBy(op)
}

// remote sends a call over the network, has it done, and brings the answer back.
func (w *run) remote(f frame, to *instance, op *operation) *failure {
	from := f.at
	f.p.sleep(w.leg(f, from, to))
	f.at, f.slow, f.pooled = to, 1, false
	fail := w.handle(f, op)
	back := w.fault.onReturn(f, op, w.now)
	f.p.sleep(w.leg(f, to, from) + back.delay)
	if back.fail != nil && fail == nil {
		return back.fail
	}
	return fail
}

// handle has a call done by the instance that it has come to, when it is its turn.
func (w *run) handle(f frame, op *operation) *failure {
	s := f.at.service
	if s.accepts {
		f.span = w.spans.server(f, op)
	}
	if s.workers > 0 {
		w.workers[f.at].acquire(f.p, 0)
		defer w.workers[f.at].release()
	}
	if !s.accepts {
		f.span = w.spans.server(f, op)
	}
	fail := w.perform(f, op)
	w.spans.answer(f, op, fail)
	return fail
}

// leg draws how long a message is on its way.
func (w *run) leg(f frame, from, to *instance) int64 {
	l := zoneLeg
	switch {
	case from.host.region != to.host.region:
		l = regionLeg
	case from.host == to.host:
		l = hostLeg
	}
	return l.draw(f.rng) + w.fault.onTheWay(f, from, to, w.now)
}

// inside runs a part of the same service's work under a span of its own.
func (w *run) inside(f frame, op *operation) *failure {
	w.count(f, f.at.service, op)
	f.span = w.spans.internal(f, op)
	fail := w.perform(f, op)
	w.spans.answer(f, op, fail)
	return fail
}

// send publishes a message, which is worked on when a consumer comes to it.
func (w *run) send(f frame, op *operation) {
	producer := f
	producer.span = w.spans.producer(f, op)
	f.p.sleep(publishTime.draw(f.rng))
	w.spans.sent(producer)
	rng := f.split()
	w.engine.start(func(p *process) {
		g := producer.branch(p, rng)
		p.sleep(queueTime.draw(rng))
		g.aside, g.slow, g.pooled = true, 1, false
		g.at = w.choose(g, op.service, f.at.host.region)
		g.span = w.spans.consumer(g, op)
		fail := w.perform(g, op)
		w.spans.answer(g, op, fail)
	})
}

// choose picks the instance that a call from a region reaches.
func (w *run) choose(f frame, s *service, region int) *instance {
	return pick(f.rng, w.near[s.index][region]...)
}

// count notes that a request needs an operation, on the way to its answer.
func (w *run) count(f frame, from *service, op *operation) {
	if !w.silent || f.aside {
		return
	}
	u := &w.usage
	u.operations[op.index]++
	to := op.service.index
	if f.req.first(to, to, len(u.services)) { // the diagonal counts requests whoever calls
		u.services[to]++
	}
	if from != nil && from.index != to && f.req.first(from.index, to, len(u.services)) {
		u.calls[from.index][to]++
	}
}

// first reports whether it is the first time that the request goes from one service to the other.
func (r *request) first(from, to, services int) bool {
	if r.seen == nil {
		r.seen = make([]uint64, services*services/64+1)
	}
	i := from*services + to
	word, bit := &r.seen[i/64], uint64(1)<<(i%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
