package tracewhy_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// The facts of a trace are checked against these slow definitions of them: recursive, quadratic, and
// moment by moment.

// node is a span as the definitions see it. Times are small whole numbers.
type node struct {
	span       tracewhy.Span
	start, end int64
	timed      bool
	kids       []*node // those of untimed children in place of them
}

const tick = 1_000_000 // of the random traces' times, in nanoseconds

func nodeOf(s tracewhy.Span) *node {
	d := s.Data()
	n := &node{span: s, start: (int64(d.Start) - tracetext.Epoch) / tick, end: (int64(d.End) - tracetext.Epoch) / tick}
	n.timed = d.Start != 0 && d.End != 0 && n.start <= n.end
	for child := range s.Children() {
		if k := nodeOf(child); k.timed {
			n.kids = append(n.kids, k)
		} else {
			n.kids = append(n.kids, k.kids...)
		}
	}
	return n
}

// wait is a child that its parent waited for, as the parent sees it.
type wait struct {
	*node
	from, to int64
}

// waits lists the children that n waited for between two moments.
func (n *node) waits(from, to int64) []wait {
	var ws []wait
	for _, k := range n.kids {
		isMessage := k.span.Kind() == tracewhy.KindProducer || k.span.Kind() == tracewhy.KindConsumer
		if isMessage && k.end > n.end {
			continue
		}
		w := wait{k, max(k.start, from), min(k.end, to)}
		if w.from < w.to || k.start == k.end && w.from == w.to {
			ws = append(ws, w)
		}
	}
	return ws
}

// ownerAt returns the span that the end of n was waiting for at a moment, with n cut to [from, to).
func (n *node) ownerAt(at, from, to int64) tracewhy.Span {
	var best *wait
	for _, k := range n.waits(from, to) {
		if k.from == k.to {
			continue
		}
		if best == nil || k.to > best.to || k.to == best.to && (k.from > best.from || k.from == best.from && k.span.Index() < best.span.Index()) {
			best = &k
		}
	}
	switch {
	case best == nil || at >= best.to:
		return n.span
	case at >= best.from:
		return best.ownerAt(at, best.from, best.to)
	default:
		return n.ownerAtBefore(at, from, best.from, to)
	}
}

// ownerAtBefore is ownerAt for a moment before a child that n waited for had started at limit.
func (n *node) ownerAtBefore(at, from, limit, to int64) tracewhy.Span {
	var best *wait
	for _, k := range n.waits(from, to) {
		if k.from == k.to || k.to > limit {
			continue
		}
		if best == nil || k.to > best.to || k.to == best.to && (k.from > best.from || k.from == best.from && k.span.Index() < best.span.Index()) {
			best = &k
		}
	}
	switch {
	case best == nil || at >= best.to:
		return n.span
	case at >= best.from:
		return best.ownerAt(at, best.from, best.to)
	default:
		return n.ownerAtBefore(at, from, best.from, to)
	}
}

// lengthWith returns how long n, cut to [from, to), would take if one span took another time: every
// child starts, and n ends, when all children that had ended by then have ended, after as much own work
// as was recorded since the last of them.
func (n *node) lengthWith(other tracewhy.Span, length, from, to int64) int64 {
	if n.span == other {
		return length
	}
	kids := n.waits(from, to)
	var startOf func(event wait) int64 // since the start of n
	startOf = func(event wait) int64 {
		base, moved := from, int64(0)
		for _, k := range kids {
			if k.to > event.from || k.from == k.to && event.from == event.to && k.to == event.from && event.node != nil {
				continue
			}
			base, moved = max(base, k.to), max(moved, startOf(k)+k.lengthWith(other, length, k.from, k.to))
		}
		return moved + event.from - base
	}
	return startOf(wait{nil, to, to})
}

// randomTraces makes traces of up to 8 spans with all that the definitions have to decide: ties, spans
// that take no time, overlap, outlive or precede their parents, lose theirs, or have no known interval.
func randomTraces(seed uint64, n int) *tracewhy.Set {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b tracewhy.Builder
	for i := range n {
		spans := 1 + rng.IntN(8)
		span := 4 + rng.Int64N(12) // short ones have ties
		messages, gaps := rng.IntN(3) == 0, rng.IntN(4) == 0
		for j := range spans {
			start := rng.Int64N(span)
			end := start + rng.Int64N(span-start+1)
			d := tracewhy.SpanData{TraceID: tracetext.TraceID(i + 1), SpanID: tracetext.SpanID(j + 1), Name: string(rune('a' + j))}
			if j == 0 {
				start, end = 1, span-rng.Int64N(3)
			} else {
				d.ParentSpanID = tracetext.SpanID(1 + rng.IntN(j))
				if rng.IntN(30) == 0 {
					d.ParentSpanID = tracetext.SpanID(99)
				}
			}
			if messages {
				d.Kind = tracewhy.Kind(rng.IntN(6))
			}
			d.Start, d.End = uint64(tracetext.Epoch+start*tick), uint64(tracetext.Epoch+end*tick)
			if gaps {
				switch rng.IntN(8) {
				case 0:
					d.Start = 0
				case 1:
					d.End = 0
				case 2:
					d.Start, d.End = d.End, d.Start
				}
			}
			b.Add(&d)
		}
	}
	s, err := b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	return s
}

// eachRandomTrace runs a test on n thousand random traces, a tenth of that with -short.
func eachRandomTrace(t *testing.T, n uint64, test func(*testing.T, tracewhy.Trace)) {
	t.Helper()
	batch := 1000
	if testing.Short() {
		batch /= 10
	}
	for seed := range n {
		for tr := range randomTraces(seed, batch).Traces() {
			test(t, tr)
			if t.Failed() {
				t.Fatalf("seed %d, trace %v:\n%s", seed, tr.ID(), tracetext.Format(tr))
			}
		}
	}
}
