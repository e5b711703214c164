package capacity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy/internal/quantity"
)

const (
	fewestWaits    = 20   // executions that waited, for a limit
	shareAtLimit   = 0.8  // of the time in which something waited, as many were under way as the limit is
	shareOfLevel   = 0.05 // of that time, a level matters
	leastOdds      = 5    // of being at the limit, while something waits and otherwise
	shareAboveMost = 0.02 // of that time, more may be under way than the limit
)

const sampledReason = "not estimable: traces were sampled, so that not all that was under way is seen"

// A limit need not hold all the time: it is looked for in halves, quarters and eighths as well. There are many of
// those, and so more must wait.
const (
	mostParts    = 8
	fewestInPart = 50
	shareInPart  = 0.25 // of the executions of a part, where they wait within their own time
)

// limit estimates how many can be under way at once, and says which uses and which waits that is about.
func (x *user) limit(isWeighted bool) (l Limit, uses, waits []use) {
	if isWeighted {
		return x.stateLimit(Limit{Reason: sampledReason}), x.uses, x.waiting
	}
	pauses := make([][]use, len(usualShares))
	for i, share := range usualShares {
		pauses[i] = x.delays(share)
	}
	starts, ends := edges(x.uses)
	if len(starts) == 0 { // all waited in vain
		starts, ends = edges(x.waiting)
	}
	n := len(starts)
	first := Limit{Waits: -1}
	for parts := 1; parts <= mostParts; parts *= 2 {
		for part := range parts {
			from, to := starts[part*n/parts], starts[min((part+1)*n/parts, n-1)]
			if part+1 == parts {
				to = ends[n-1]
			}
			found, of, waited := x.limitWithin(from, to, pauses)
			isClear := parts == 1 || found.Waits >= fewestInPart && (!found.Within || float64(found.Waits) >= float64(shareInPart*float64(n/parts)))
			if found.N > 0 && isClear && (l.N == 0 || found.Waits > l.Waits) {
				l, uses, waits = found, of, waited
			}
			if first.Waits < 0 {
				first = found
			}
		}
		if l.N > 0 || n/parts < 2*fewestInPart {
			break
		}
	}
	if l.N == 0 {
		l, uses, waits = first, x.uses, nil
	}
	if x.id.kind == Pool {
		return x.stateLimit(l), uses, x.waiting
	}
	return l, uses, waits
}

// limitWithin estimates the limit in a part of the time.
func (x *user) limitWithin(from, to int64, pauses [][]use) (l Limit, uses, waits []use) {
	uses = x.uses
	for _, p := range pauses {
		waits = within(p, from, to)
		if l = plateauOf(within(x.uses, from, to), waits); l.N == 0 && len(x.holds) > 0 {
			if held := plateauOf(within(x.holds, from, to), waits); held.N > 0 {
				l, uses = held, x.holds
			}
		}
		if l.N > 0 {
			break
		}
	}
	if l.N == 0 && x.id.kind != Pool && 2*x.own > x.took {
		inside, waited := serversOf(within(x.uses, from, to), nil)
		if inside.N > 0 || l.Waits < fewestWaits {
			l, waits = inside, waited
		}
	}
	l.Start, l.End = from, to
	return l, uses, waits
}

// within returns the uses that were under way at some time, in their order.
func within(uses []use, from, to int64) []use {
	n := 0
	for _, u := range uses {
		if u.start < to && u.end > from {
			n++
		}
	}
	if n == len(uses) {
		return uses
	}
	out := make([]use, 0, n)
	for _, u := range uses {
		if u.start < to && u.end > from {
			out = append(out, u)
		}
	}
	return out
}

// stateLimit adds what spans say of the limit.
func (x *user) stateLimit(l Limit) Limit {
	switch {
	case x.stated == 0:
	case l.N == 0:
		l.Reason = fmt.Sprintf("spans name a limit of %d; from what was under way it is %s", x.stated, l.Reason)
		l.N, l.Low, l.High, l.Stated = x.stated, x.stated, x.stated, true
	case l.N != x.stated:
		l.Reason += fmt.Sprintf(", although spans name a limit of %d", x.stated)
	}
	return l
}

// plateauOf estimates the limit as how many were under way whenever something waited.
func plateauOf(uses, waits []use) Limit {
	l := Limit{Waits: len(waits)}
	if len(waits) < fewestWaits {
		l.Reason = fmt.Sprintf("not estimable: %d executions waited for long, and %d are needed", len(waits), fewestWaits)
		return l
	}
	whenWaiting, otherwise := levels(uses, waits)
	total := sumOf(whenWaiting)
	if total == 0 {
		l.Reason = "not estimable: waits took no time"
		return l
	}
	most, least := 0, -1
	for n, took := range whenWaiting {
		if float64(took) >= float64(shareOfLevel*float64(total)) {
			most = n
			if least < 0 {
				least = n
			}
		}
	}
	at := float64(whenWaiting[most]) / float64(total)
	above := float64(sumOf(whenWaiting[most+1:])) / float64(total)
	usual := 0.0
	if all := sumOf(otherwise); all > 0 && most < len(otherwise) {
		usual = float64(sumOf(otherwise[most:])) / float64(all)
	}
	switch {
	case most == 0:
		l.Reason = "not estimable: while executions waited none was under way: what they waited for is not recorded"
	case at < shareAtLimit || above > shareAboveMost:
		l.Reason = fmt.Sprintf("not estimable: while executions waited between %d and %d were under way: the rest is not recorded, or they waited for something else",
			max(least, 0), most)
	case usual*(1-at) > at*(1-usual)/leastOdds:
		l.Reason = fmt.Sprintf("not estimable: %d were under way as often when none waited", most)
	default:
		l.N, l.Low, l.High = most, most, len(whenWaiting)-1
		for l.High > most && whenWaiting[l.High] == 0 {
			l.High--
		}
		if least < most {
			l.Low = least
		}
		l.Reason = fmt.Sprintf("%d were under way in %s of the time in which others waited, and in %s of the rest", most, quantity.Percent(at), quantity.Percent(usual))
	}
	return l
}

// levels returns for how long how many were under way, while something waited and otherwise.
func levels(uses, waits []use) (whenWaiting, otherwise []int64) {
	type edge struct {
		at   int64
		kind int // in which order edges of one moment come
	}
	edges := make([]edge, 0, 2*len(uses)+2*len(waits))
	for _, u := range uses {
		edges = append(edges, edge{u.end, 0}, edge{u.start, 2})
	}
	for _, w := range waits {
		edges = append(edges, edge{w.end, 1}, edge{w.start, 3})
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.kind, y.kind)) })
	under, waiting := 0, 0
	for i, e := range edges {
		switch e.kind {
		case 0:
			under--
		case 1:
			waiting--
		case 2:
			under++
		case 3:
			waiting++
		}
		if i+1 == len(edges) {
			break
		}
		into := &otherwise
		if waiting > 0 {
			into = &whenWaiting
		}
		level := max(under, 0) // what took no time ends before it begins
		for len(*into) <= level {
			*into = append(*into, 0)
		}
		(*into)[level] += edges[i+1].at - e.at
	}
	return whenWaiting, otherwise
}

func sumOf(xs []int64) int64 {
	sum := int64(0)
	for _, x := range xs {
		sum += x
	}
	return sum
}
