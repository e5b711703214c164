package depgraph

import "github.com/tracewhy/tracewhy"

// role is what a span does for a call.
type role uint8

const (
	roleNone    role = iota // nothing: it works for its own service
	roleCall                // the outermost calling span
	roleAttempt             // a calling span below it, for the same target
	roleConnect
	roleWait   // within a call, or just before one
	roleInside // anything else below a call that is not remote
)

// seat is a span's place among the calls of its trace.
type seat struct {
	call     int32 // of the trace, or -1
	role     role
	answered bool  // it calls, and there is a span of the other side below it
	tries    bool  // it calls, and there are attempts below it
	last     int32 // the place of its latest child, or 0
	wait     int64 // how long it took, where it waits for a pool
}

// reader finds the calls of traces, one trace at a time.
type reader struct {
	cfg   *Config
	peers []peer
	known map[peer]int32

	// of the trace
	seats []seat
	calls []call
	names []peer  // by call, all that its spans say
	outer []int32 // by call: the place of its outermost span
}

func newReader(cfg *Config) *reader { return &reader{cfg: cfg, known: map[peer]int32{}} }

// read finds the calls and seats of a trace, in the order of its spans.
func (r *reader) read(t tracewhy.Trace) {
	r.seats, r.calls, r.names, r.outer = r.seats[:0], r.calls[:0], r.names[:0], r.outer[:0]
	first := -1
	for s := range t.Spans() {
		if first < 0 {
			first = s.Index()
		}
		p, hasParent := s.Parent()
		if !hasParent {
			r.seats = append(r.seats, r.alone(s))
			continue
		}
		n := len(r.calls)
		above := &r.seats[p.Index()-first]
		switch {
		case s.IsRemote() || s.Service() != p.Service():
			r.enter(s, p, above)
			x := seat{call: -1}
			if !standsForItself(s) {
				x = r.alone(s)
			}
			r.seats = append(r.seats, x)
		case above.call >= 0 && above.role != roleNone:
			r.seats = append(r.seats, r.below(s, above))
		default:
			r.seats = append(r.seats, r.alone(s))
		}
		r.noteWait(s, n, p.Index()-first)
	}
	r.finish()
}

// noteWait notes how long a span waits for a pool, and that a call begins right after such a wait; n is
// how many calls there were before the span.
func (r *reader) noteWait(s tracewhy.Span, n, parent int) {
	at := len(r.seats) - 1
	x, above := &r.seats[at], &r.seats[parent]
	if x.role == roleWait && above.role != roleWait {
		x.wait = max(0, int64(s.Duration()))
		if x.call >= 0 {
			r.calls[x.call].wait += x.wait
		}
	}
	if len(r.calls) > n && x.role == roleCall && above.last > 0 && r.seats[above.last].call < 0 {
		r.calls[x.call].before = r.seats[above.last].wait
	}
	above.last = int32(at)
}

// standsForItself reports whether a calling span by which a service is entered calls nothing: some programs
// record a store in its own name, with the kind of those who call it.
func standsForItself(s tracewhy.Span) bool {
	name, _ := s.Peer()
	return !s.HasChildren() && (name == "" || name == s.Service())
}

// alone seats a span that is not part of a call above it.
func (r *reader) alone(s tracewhy.Span) seat {
	switch {
	case isCalling(s):
		return r.open(s)
	case s.Kind() != tracewhy.KindServer && isPoolWait(s):
		return seat{call: -1, role: roleWait}
	}
	return seat{call: -1}
}

func (r *reader) open(s tracewhy.Span) seat {
	r.calls = append(r.calls, call{span: s, attempts: 1, ending: endingOf(s)})
	r.names = append(r.names, r.cfg.peerOf(s, ""))
	r.outer = append(r.outer, int32(len(r.seats)))
	if c := &r.calls[len(r.calls)-1]; c.ending.has(endThrottled) {
		c.refused = 1
	}
	return seat{call: int32(len(r.calls) - 1), role: roleCall}
}

// enter notes that a span is the other side of its parent, or of the call that the parent is part of.
func (r *reader) enter(s, parent tracewhy.Span, above *seat) {
	if above.call < 0 || above.role == roleNone {
		r.calls = append(r.calls, call{span: s, remote: s, isDirect: true, attempts: 1, ending: endingOf(s)})
		r.names = append(r.names, peer{rule: r.cfg.ruleFor(parent, s.Service())})
		r.outer = append(r.outer, -1)
		return
	}
	above.answered = true
	if c := &r.calls[above.call]; c.remote.IsZero() {
		c.remote = s
		if r.names[above.call].rule == 0 {
			r.names[above.call].rule = r.cfg.ruleFor(c.span, s.Service())
		}
	}
}

// below seats a span of the same service under a call. A calling span there is an attempt at the same
// call, unless it names something else: clients wrap each other.
func (r *reader) below(s tracewhy.Span, above *seat) seat {
	if above.role == roleConnect || above.role == roleWait {
		return seat{call: above.call, role: above.role}
	}
	if !isCalling(s) {
		switch {
		case isConnect(s):
			return seat{call: above.call, role: roleConnect}
		case isPoolWait(s):
			return seat{call: above.call, role: roleWait}
		}
		return seat{call: above.call, role: roleInside}
	}
	outer, inner := &r.names[above.call], r.cfg.peerOf(s, "")
	if isOther := inner.vendor != "" && inner.vendor != outer.vendor; isOther && outer.isTagged() ||
		!outer.isTagged() && outer.name != "" && inner.name != "" && outer.name != inner.name {
		return r.open(s)
	}
	outer.adopt(inner)
	c := &r.calls[above.call]
	if top := &r.seats[r.outer[above.call]]; !top.tries {
		top.tries, c.attempts, c.refused = true, 0, 0
		c.firstTry, _, _ = s.Interval()
	}
	above.tries = true
	c.attempts++
	end := endingOf(s)
	if end.has(endThrottled) {
		c.refused++
		c.ending |= endThrottled
	}
	if end.has(endFailed) {
		c.retried = true
		if c.ending.has(endFailed) {
			c.ending |= end &^ endThrottled
		}
	}
	return seat{call: above.call, role: roleAttempt}
}

// adopt takes over what the outer span of a call does not say itself.
func (p *peer) adopt(inner peer) {
	if p.name == "" {
		p.name, p.key = inner.name, inner.key
	}
	for _, x := range [...]struct {
		to   *string
		from string
	}{
		{&p.host, inner.host}, {&p.kind, inner.kind}, {&p.vendor, inner.vendor}, {&p.category, inner.category},
		{&p.criticality, inner.criticality}, {&p.owner, inner.owner},
	} {
		if *x.to == "" {
			*x.to = x.from
		}
	}
	p.isStore, p.isQueue, p.isRPC = p.isStore || inner.isStore, p.isQueue || inner.isQueue, p.isRPC || inner.isRPC
	if p.rule == 0 {
		p.rule = inner.rule
	}
}

// ruleFor returns the number of the first rule for a call to a service, from 1, or 0.
func (c *Config) ruleFor(calling tracewhy.Span, service string) int {
	for i := range c.Rules {
		if r := &c.Rules[i]; r.Name != "" && (r.Call == nil || r.Call.Matches(calling)) && r.matches(service) {
			return i + 1
		}
	}
	return 0
}

// finish numbers what the calls say of their peers.
func (r *reader) finish() {
	for i := range r.calls {
		c := &r.calls[i]
		id, ok := r.known[r.names[i]]
		if !ok {
			id = int32(len(r.peers))
			r.peers = append(r.peers, r.names[i])
			r.known[r.names[i]] = id
		}
		c.peer = id
	}
}
