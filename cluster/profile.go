package cluster

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// A profile is what a trace's failure looks like, in four facets. Distances of a facet are from 0 to 1.
//
// All but the path is seen from the origin: an error that is met on many ways, from many callers, is one.
type profile struct {
	trace tracewhy.Trace
	lacks bool // spans: what the trace shows of the origin may not be it
	place place
	// culprit is what failed: the service that the origin is of; or where a call was not answered its peer,
	// or the service that other calls of the path reach, whoever called it.
	culprit string
	path    tracewhy.PathID // of the origin
	rule    string
	what    failureText
	calls   []uint32         // the numbers of what the origin called, and about how often, sorted
	times   [timeParts]int32 // where the critical path was spent, in 65536ths
	size    int              // 8 times the binary logarithm of the origin's duration in microseconds
}

// place is where a failure began.
type place struct{ service, operation, peer string }

// failureText is how it failed, with everything left out that differs from case to case.
type failureText struct {
	kind    string // type of error, or code
	message string
	words   []string // of the message, sorted
}

// The facets of a profile, and what each counts for where profiles are compared as a whole.
const (
	facetOrigin    = iota // the service that failed, or the peer that it called, and what the error says
	facetOperation        // of the origin
	facetCalls
	facetTimes
	facets
)

var facetWeight = [facets]float64{0.6, 0.1, 0.15, 0.15}

// A profiler makes profiles of the traces of a Set, whose calls it numbers.
type profiler struct {
	calls map[callKey]uint32
	// callee is the one service that calls of a path reach, "" where they reach none or several. A failed
	// call without its remote side may have lost that span.
	callee []string
}

// callKey is something that the origin called.
type callKey struct {
	callee place
	failed bool
	times  uint8 // the binary logarithm, rounded up
}

// The parts of a critical path, as seen from the origin.
const (
	partAboveBefore = iota // before the origin began
	partOwnBefore          // the origin's own, before its first call
	partOwnBetween
	partOwnAfter
	partOwn   // all of an origin that calls nothing
	partBelow // of what the origin called
	partAboveAfter
	partBeside // of others, while the origin ran
	timeParts
)

func newProfiler(set *tracewhy.Set) *profiler {
	p := &profiler{calls: map[callKey]uint32{}, callee: make([]string, set.NumPaths())}
	several := make([]bool, set.NumPaths())
	for path := range set.Paths() {
		caller, ok := path.Parent()
		if !ok || path.Service() == caller.Service() {
			continue
		}
		switch id := caller.ID(); p.callee[id] {
		case "", path.Service():
			p.callee[id] = path.Service()
		default:
			several[id] = true
		}
	}
	for id, yes := range several {
		if yes {
			p.callee[id] = ""
		}
	}
	return p
}

// clone returns a profiler with the same numbers: a result can be asked by several goroutines at once.
func (p *profiler) clone() *profiler { return &profiler{maps.Clone(p.calls), p.callee} }

// slowRule is the rule where no error began: the origin is the largest part of the critical path.
const slowRule = "its root did not fail, and most of the critical path is its own"

// profile returns the profile of a trace.
func (p *profiler) profile(t tracewhy.Trace) profile {
	out := profile{trace: t, lacks: t.Completeness() < 1}
	sections := t.CriticalPath()
	var origin tracewhy.Span
	if hop, ok := t.ErrorOrigin(); ok {
		origin, out.rule = hop.Span, string(hop.Rule)
		out.place = placeOf(origin)
		if hop.Rule == tracewhy.RuleNoRemoteSide {
			out.place.peer, _ = origin.Peer()
			out.culprit = cmp.Or(p.callee[origin.Path().ID()], prefixed("peer ", out.place.peer))
		}
		out.what = textOf(speaker(t, origin))
	} else {
		origin, out.rule = slowest(t, sections), slowRule
		out.place = placeOf(origin)
	}
	out.culprit = cmp.Or(out.culprit, out.place.service)
	out.path = origin.Path().ID()
	out.calls = p.callsOf(origin)
	out.times = timesOf(origin, sections)
	out.size = logSize(int64(origin.Duration()) / 1000)
	return out
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func placeOf(s tracewhy.Span) place { return place{service: s.Service(), operation: s.Operation()} }

// slowest returns the first span of the path that has most of the critical path, or the root.
func slowest(t tracewhy.Trace, sections []tracewhy.Section) tracewhy.Span {
	own, first := map[tracewhy.PathID]int64{}, map[tracewhy.PathID]tracewhy.Span{}
	best := t.Root()
	most := int64(0)
	for _, s := range sections {
		id := s.Span.Path().ID()
		if _, ok := first[id]; !ok {
			first[id] = s.Span
		}
		own[id] += int64(s.Duration())
		if n := own[id]; n > most {
			best, most = first[id], n
		}
	}
	return best
}

// speaker returns the span that says how the trace failed: the origin, or where that did not fail itself
// the last span that ran out of time because of it, or else the root.
func speaker(t tracewhy.Trace, origin tracewhy.Span) tracewhy.Span {
	if origin.Failed() {
		return origin
	}
	out := t.Root()
	for _, h := range t.ErrorHops() {
		if h.Role == tracewhy.RoleDeadline && h.Origin == origin && h.Span.Failed() {
			out = h.Span
		}
	}
	return out
}

// The attributes that say what kind of error it was, the first that is there.
var kindKeys = []string{"error.type", "exception.type", "rpc.response.status_code", "rpc.grpc.status_code", "http.response.status_code", "http.status_code", "db.response.status_code"}

// textOf reads how a span failed.
func textOf(s tracewhy.Span) failureText {
	var f failureText
	message := s.StatusMessage()
	for e := range s.Events() {
		if e.Name != "exception" {
			continue
		}
		for _, kv := range e.Attributes {
			switch kv.Key {
			case "exception.type":
				f.kind = kv.Value.Str()
			case "exception.message":
				if message == "" {
					message = kv.Value.Str()
				}
			}
		}
	}
	for _, key := range kindKeys {
		if v, ok := s.Attr(key); ok && f.kind == "" {
			f.kind = v.String()
		}
	}
	f.message = template(message)
	f.words = strings.Fields(f.message)
	slices.Sort(f.words)
	f.words = slices.Compact(f.words)
	return f
}

// callsOf returns what the origin called. How often its callers tried again is left out: that is what they
// make of a failure, and depends on how much time they have left.
func (p *profiler) callsOf(origin tracewhy.Span) []uint32 {
	counts := map[callKey]int{}
	var order []callKey
	for c := range origin.Children() {
		k := callKey{callee: placeOf(c), failed: c.Failed()}
		if counts[k] == 0 {
			order = append(order, k)
		}
		counts[k]++
	}
	out := make([]uint32, len(order))
	for i, k := range order {
		n := counts[k]
		k.times = uint8(bits.Len(uint(n - 1)))
		out[i] = number(p.calls, k)
	}
	slices.Sort(out)
	return out
}

// timesOf returns where the critical path was spent.
func timesOf(origin tracewhy.Span, sections []tracewhy.Section) [timeParts]int32 {
	var spent [timeParts]int64
	total := int64(0)
	start, end, known := origin.Interval()
	for _, s := range sections {
		part := partBeside
		switch {
		case s.Span == origin && !origin.HasChildren():
			part = partOwn
		case s.Span == origin && s.Start == start:
			part = partOwnBefore
		case s.Span == origin && s.End == end:
			part = partOwnAfter
		case s.Span == origin:
			part = partOwnBetween
		case origin.IsAncestorOf(s.Span):
			part = partBelow
		case known && s.End <= start:
			part = partAboveBefore
		case known && s.Start >= end:
			part = partAboveAfter
		}
		spent[part] += int64(s.Duration())
		total += int64(s.Duration())
	}
	var out [timeParts]int32
	if total > 0 {
		for part, n := range spent {
			out[part] = int32(float64(n) / float64(total) * 65536)
		}
	}
	return out
}

// number returns the number of a key, a new one if it has none.
func number[K comparable](of map[K]uint32, key K) uint32 {
	n, ok := of[key]
	if !ok {
		n = uint32(len(of))
		of[key] = n
	}
	return n
}

// logSize returns 8 times the binary logarithm of n, exact at powers of 2 and linear in between, and 0 for
// what is below 1.
func logSize(n int64) int {
	if n < 1 {
		return 0
	}
	power := bits.Len64(uint64(n)) - 1
	rest := uint64(n) << (63 - power) >> 60 & 7
	return 8*power + int(rest)
}

// apart returns the distance of two profiles in a facet.
func apart(facet int, a, b *profile) float64 {
	switch facet {
	case facetOrigin:
		if a.culprit != b.culprit {
			return 1
		}
		return a.what.apart(b.what)
	case facetOperation:
		if a.place.operation != b.place.operation {
			return 1
		}
		return 0
	case facetCalls:
		return 1 - alike(a.calls, b.calls)
	}
	return a.timesApart(b)
}

// apart is the share of words that only one of two messages has; but a half for different kinds of error
// that say the same, and 1 for different kinds that say nothing.
func (f failureText) apart(g failureText) float64 {
	d := 0.0
	if f.kind != g.kind {
		d = 0.5
		if f.message == "" && g.message == "" {
			d = 1
		}
	}
	if f.message != g.message {
		d = max(d, 1-alike(f.words, g.words))
	}
	return d
}

// timesApart is half by where time was spent, and half by how long the origin took: 1 for a factor of 64.
func (a *profile) timesApart(b *profile) float64 {
	shared, some := int32(0), int32(0)
	for part := range a.times {
		shared += min(a.times[part], b.times[part])
		some += a.times[part] + b.times[part]
	}
	elsewhere := 0.0
	if some > 0 {
		elsewhere = 1 - float64(shared)/65536
	}
	longer := a.size - b.size
	return elsewhere/2 + float64(min(max(longer, -longer), 48))/96
}

// alike is the share of what either sorted list has that both have (P. Jaccard, 1901), or 1 for empty ones.
func alike[T cmp.Ordered](a, b []T) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch cmp.Compare(a[i], b[j]) {
		case -1:
			i++
		case 1:
			j++
		default:
			both++
			i++
			j++
		}
	}
	either := len(a) + len(b) - both
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}

// distance returns the weighted distance of two profiles.
func distance(a, b *profile) float64 {
	d := 0.0
	for f := range facets {
		d += float64(facetWeight[f] * apart(f, a, b))
	}
	return d
}
