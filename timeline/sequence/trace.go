package sequence

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/timeline"
)

// The most that [OfTrace] draws: calls by default, and participants.
const (
	defaultCallsDrawn = 40
	mostParticipants  = 12
)

// OfTrace draws a trace: its services, and what they call that has no spans, in the order of their first call.
// A call and the span of its other side are one message, that lasts as long as for a caller who waits; what a service does
// within itself is a message to itself. Calls of one path that follow each other are drawn once, in a loop: the
// first that failed, or the longest. What overlaps in time is parallel.
//
// At most limit calls are drawn, or 40 if it is 0, and 12 participants: the calls that the trace waited for longest,
// then those that failed, with those that led to them. [Diagram.Cut] says how many are left out. It takes time in
// O(n log n) for n spans.
func OfTrace(t tracewhy.Trace, limit int) *Diagram {
	if limit <= 0 {
		limit = defaultCallsDrawn
	}
	d := &sequencer{limit: limit}
	d.collect(t)
	d.choose()
	d.out.Title = "Trace " + t.ID().String()
	if n := len(d.calls) - d.chosen; n > 0 {
		all := map[string]bool{}
		for _, c := range d.calls {
			all[c.to] = true
		}
		d.out.Cut = fmt.Sprintf("left out: %d of %s", n, quantity.Count(len(d.calls), "call"))
		if n := len(all) - len(d.place); n > 0 {
			d.out.Cut += ", and " + quantity.Count(n, "participant")
		}
	}
	d.draw()
	return &d.out
}

// traceCall is a call of a trace: a span, and that of its other side if it has one.
type traceCall struct {
	span, remote tracewhy.Span // remote is the zero Span where there is none
	parent       int           // the call that it is made in; -1 for roots
	to           string        // the participant
	run          callRun
	critical     time.Duration // of both spans
	isDrawn      bool
}

func (c *traceCall) failed() bool { return c.span.Failed() || !c.remote.IsZero() && c.remote.Failed() }

// isAsync reports whether its caller did not wait for it.
func (c *traceCall) isAsync() bool {
	return c.span.IsAsync() || c.span.Kind() == tracewhy.KindProducer || !c.remote.IsZero() && c.remote.IsAsync()
}

// name returns what was called, as the other side has it.
func (c *traceCall) name() string {
	if !c.remote.IsZero() && c.remote.Name() != "" {
		return c.remote.Name()
	}
	return c.span.Name()
}

// lasted returns how long it took, for a text: for the caller, or the other side if that did not wait.
func (c *traceCall) lasted() string {
	d := c.span.Duration()
	if c.isAsync() && !c.remote.IsZero() {
		d = c.remote.Duration()
	}
	if d >= 0 {
		return quantity.Duration(d)
	}
	return "unknown time"
}

// failure returns what is said of a failure.
func (c *traceCall) failure() string {
	message := c.span.StatusMessage()
	if message == "" && !c.remote.IsZero() {
		message = c.remote.StatusMessage()
	}
	if message == "" {
		message = "failed"
	}
	return "✗ " + message
}

// sequencer draws the calls of a trace.
type sequencer struct {
	calls  []traceCall // a call comes after the one that it is made in
	limit  int
	chosen int            // how many are drawn
	place  map[string]int // the participants that are drawn
	out    Diagram
}

// collect makes calls of the spans.
func (d *sequencer) collect(t tracewhy.Trace) {
	rows := timeline.Waterfall(t)
	if len(rows) == 0 {
		return
	}
	first := rows[0].Span.Index()
	type work struct {
		run    callRun
		parent int
	}
	var stack []work
	for root := range t.Roots() {
		stack = append(stack, work{newCallRun([]tracewhy.Span{root}), -1})
	}
	slices.Reverse(stack)
	for len(stack) > 0 {
		w := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		s := w.run.drawn
		c := traceCall{span: s, parent: w.parent, to: s.Service(), run: w.run, critical: rows[s.Index()-first].CriticalTime()}
		inner := s
		if other, ok := otherSide(s); ok {
			c.remote, c.to, inner = other, other.Service(), other
			c.critical += rows[other.Index()-first].CriticalTime()
		} else if isOutgoing(s) && !s.HasChildren() {
			// It may be that others of its path show whom it did not reach.
			c.to = cmp.Or(w.run.service, calledPeer(s), c.to)
		}
		for _, run := range slices.Backward(callRuns(inner)) {
			stack = append(stack, work{run, len(d.calls)})
		}
		d.calls = append(d.calls, c)
	}
}

func isOutgoing(s tracewhy.Span) bool {
	return s.Kind() == tracewhy.KindClient || s.Kind() == tracewhy.KindProducer
}

// otherSide returns the span of the service that a call went to.
func otherSide(s tracewhy.Span) (tracewhy.Span, bool) {
	var other tracewhy.Span
	if !isOutgoing(s) {
		return other, false
	}
	n := 0
	for child := range s.Children() {
		other = child
		if n++; n > 1 {
			break
		}
	}
	return other, n == 1 && other.Service() != s.Service()
}

// choose decides which calls are drawn: roots, then the most important ones. A call brings those that lead to it;
// where these are too many, one that matters comes alone.
func (d *sequencer) choose() {
	order := make([]int, len(d.calls))
	total := time.Duration(0)
	for i := range order {
		order[i] = i
		total += d.calls[i].critical
	}
	rank := func(c *traceCall) int {
		switch {
		case c.critical >= total/10 && total > 0:
			return 0
		case c.run.failures > 0 || c.failed():
			return 1
		}
		return 2
	}
	if len(order) > 1 { // the first is the primary root
		slices.SortFunc(order[1:], func(i, j int) int {
			x, y := &d.calls[i], &d.calls[j]
			return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(y.critical, x.critical), cmp.Compare(y.span.Duration(), x.span.Duration()), cmp.Compare(i, j))
		})
	}
	names := map[string]bool{} // of participants
	for _, i := range order {
		if d.chosen >= d.limit {
			break
		}
		var chain []int
		added := map[string]bool{}
		for j := i; j >= 0 && !d.calls[j].isDrawn; j = d.calls[j].parent {
			chain = append(chain, j)
			if to := d.calls[j].to; !names[to] {
				added[to] = true
			}
			if len(chain) > d.limit {
				break
			}
		}
		if d.chosen+len(chain) > d.limit || len(names)+len(added) > mostParticipants {
			to := d.calls[i].to
			if rank(&d.calls[i]) > 1 || !names[to] && len(names) >= mostParticipants {
				continue
			}
			chain = []int{i}
		}
		for _, j := range chain {
			d.calls[j].isDrawn = true
			names[d.calls[j].to] = true
			d.chosen++
		}
	}
	d.place = map[string]int{}
	for i := range d.calls {
		if to := d.calls[i].to; d.calls[i].isDrawn {
			if _, ok := d.place[to]; !ok {
				d.place[to] = len(d.out.Participants)
				d.out.Participants = append(d.out.Participants, to)
			}
		}
	}
}
