package depgraph

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// A part says what a stretch of time went into.
type part uint8

const (
	partOwn      part = iota // work of a service
	partWait                 // a service's wait for a connection, a worker or a lock of its own, before asking
	partConnect              // looking up, connecting, handshakes
	partWire                 // between the two sides: network, and the queue before the other side's span
	partRemote               // the other side, and the network where that side has no span
	partBackoff              // between a failed attempt and the next
	partBefore               // a service's own time just before a call: work, or a wait that has no span
	partRejected             // of failures: the other side says that the request is wrong
)

var partNames = [...]string{"own work", "wait for a pool", "connect", "network", "the other side", "wait between attempts", "before a call", "rejected request"}

func (p part) String() string { return partNames[p] }

// place is a part of an entity: the service whose work or wait it is, or what is called.
type place struct {
	entity int32
	part   part
}

// clock sorts the critical paths of traces into places.
type clock struct {
	v        *view
	sections []tracewhy.Section
	spent    map[place]int64
	failedAt map[int64]int32 // the calls that failed, by their end
	startAt  map[int64]int32 // and all, by their start
}

func newClock(v *view) *clock {
	return &clock{v: v, spent: map[place]int64{}, failedAt: map[int64]int32{}, startAt: map[int64]int32{}}
}

// read returns where the time of a trace went. Drag is that of the calls' outermost spans.
func (c *clock) read(trace int32, seats []seat, calls []call) []stretch {
	t := c.v.traces[trace]
	clear(c.spent)
	clear(c.failedAt)
	clear(c.startAt)
	for i := range calls {
		if start, end, ok := calls[i].span.Interval(); ok {
			c.startAt[start] = int32(i)
			if calls[i].ending.has(endFailed) {
				c.failedAt[end] = int32(i)
			}
		}
	}
	root := t.Root()
	first := root.Index()
	c.sections = root.AppendCriticalPath(c.sections[:0])
	for _, s := range c.sections {
		c.spent[c.placeOf(s, &seats[s.Span.Index()-first], calls)] += s.End - s.Start
	}
	drag := map[int32]int64{}
	if len(calls) > 0 {
		slacks := t.Slacks()
		for i := range calls {
			if d := slacks[calls[i].span.Index()-first].Drag; d > 0 {
				drag[calls[i].to] += int64(d)
			}
		}
	}
	for e := range drag {
		c.spent[place{e, partRemote}] += 0 // a place for it
	}
	out := make([]stretch, 0, len(c.spent))
	for p, ns := range c.spent {
		s := stretch{trace: trace, entity: p.entity, part: p.part, time: ns}
		if p.part == partRemote {
			s.drag = drag[p.entity]
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y stretch) int { return cmp.Or(cmp.Compare(x.entity, y.entity), cmp.Compare(x.part, y.part)) })
	return out
}

func (c *clock) placeOf(s tracewhy.Section, x *seat, calls []call) place {
	own := c.v.serviceOf(s.Span)
	if c.v.entities[own].class.Domain == DomainExternal {
		return place{own, partRemote}
	}
	if x.call < 0 || x.role == roleNone {
		if x.role == roleWait {
			return place{own, partWait}
		}
		if a, ok := c.failedAt[s.Start]; ok {
			if b, ok := c.startAt[s.End]; ok && calls[a].to == calls[b].to {
				return place{calls[a].to, partBackoff}
			}
		}
		if b, ok := c.startAt[s.End]; ok && calls[b].from == own {
			return place{own, partBefore}
		}
		return place{own, partOwn}
	}
	call := &calls[x.call]
	switch {
	case x.role == roleWait:
		return place{own, partWait}
	case x.role == roleInside:
		return place{own, partOwn}
	case x.role == roleConnect:
		return place{call.to, partConnect}
	case x.role == roleCall && x.tries && s.Start < call.firstTry:
		return place{own, partWait}
	case x.tries && call.retried:
		return place{call.to, partBackoff}
	case x.tries:
		return place{own, partOwn}
	case x.answered && s.Span.Kind() != tracewhy.KindProducer:
		return place{call.to, partWire}
	}
	return place{call.to, partRemote}
}

// failure is where a failed trace's error began.
type failure struct {
	trace int32
	place
	ending ending
}

// origin returns where the failure of a trace began, if its error says so.
func (c *clock) origin(trace int32, seats []seat, calls []call) failure {
	t := c.v.traces[trace]
	s := t.Root()
	hop, ok := t.ErrorOrigin()
	if ok {
		s = hop.Span
	}
	own := c.v.serviceOf(s)
	x := &seats[s.Index()-t.Root().Index()]
	f := failure{trace, place{own, partOwn}, endingOf(s)}
	switch {
	case c.v.entities[own].class.Domain == DomainExternal:
		f.part = partRemote
	case x.role == roleWait || f.ending.has(endNoSlot):
		f.part = partWait
	case x.call < 0 || x.role == roleNone || x.role == roleInside:
	default:
		f.place = place{calls[x.call].to, partRemote}
		f.ending |= calls[x.call].ending
		switch {
		case x.role == roleConnect || f.ending.has(endUnreachable):
			f.part = partConnect
		case f.ending.has(endRejected) && !f.ending.has(endThrottled):
			f.part = partRejected
		case ok && hop.Rule == tracewhy.RuleRemoteHealthy:
			f.part = partWire
		}
	}
	return f
}
