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
type profile struct {
	trace tracewhy.Trace
	place place
	path  tracewhy.PathID
	rule  string
	what  failureText
	// calls are the numbers of the calls that were made around the origin, sorted.
	calls []uint32
	// times are the parts of the critical path, sorted by place.
	times []timePart
	size  int // 8 times the binary logarithm of the duration in microseconds
}

// place is where a failure began.
type place struct{ service, operation, peer string }

// failureText is how it failed, with everything left out that differs from case to case.
type failureText struct {
	kind    string // type of error, or code
	message string
	words   []string // of the message, sorted
}

// timePart is a part of a critical path: of all of it, so many 65536ths.
type timePart struct {
	where uint32
	share int32
}

// The facets of a profile, and what each counts for. Where a failure began and how it failed make a mode;
// what was called around it, and where time went, tell modes apart that fail alike.
const (
	facetPlace = iota
	facetError
	facetCalls
	facetTimes
	facets
)

var facetWeight = [facets]float64{0.3, 0.3, 0.2, 0.2}

// A profiler makes profiles of traces whose calls and places it numbers.
type profiler struct {
	calls  map[callKey]uint32
	places map[timeKey]uint32
}

// callKey is a call that was made around the origin.
type callKey struct {
	caller, callee place
	failed         bool
	times          uint8 // the binary logarithm of how often it was made, rounded up
}

// timeKey is where a part of the critical path is spent.
type timeKey struct {
	place
	part uint8
}

// The parts of a span that a section of the critical path can be.
const (
	partWhole  = iota // of a span that calls nothing
	partBefore        // before its first call
	partBetween
	partAfter
)

func newProfiler() *profiler {
	return &profiler{calls: map[callKey]uint32{}, places: map[timeKey]uint32{}}
}

// clone returns a profiler with the same numbers: a result can be asked by several goroutines at once.
func (p *profiler) clone() *profiler {
	return &profiler{calls: maps.Clone(p.calls), places: maps.Clone(p.places)}
}

// slowRule is the rule where no error began: the origin is the largest part of the critical path.
const slowRule = "its root did not fail, and most of the critical path is its own"

// profile returns the profile of a trace.
func (p *profiler) profile(t tracewhy.Trace) profile {
	out := profile{trace: t, size: logSize(int64(t.Duration()) / 1000)}
	sections := t.CriticalPath()
	var origin tracewhy.Span
	if hop, ok := t.ErrorOrigin(); ok {
		origin, out.rule = hop.Span, string(hop.Rule)
		out.place = placeOf(origin)
		if hop.Rule == tracewhy.RuleNoRemoteSide {
			out.place.peer, _ = origin.Peer()
		}
		out.what = textOf(speaker(t, origin))
	} else {
		origin, out.rule = slowest(t, sections), slowRule
		out.place = placeOf(origin)
	}
	out.path = origin.Path().ID()
	out.calls = p.callsAround(origin)
	out.times = p.timesOf(sections)
	return out
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

// callsAround returns the calls of the origin and of the three callers above it: not those of the whole
// trace, where a mode that is met on many ways would fall apart.
func (p *profiler) callsAround(origin tracewhy.Span) []uint32 {
	type call struct {
		callee place
		failed bool
	}
	var out []uint32
	at := origin
	for range 4 {
		counts := map[call]int{}
		var order []call
		for c := range at.Children() {
			k := call{placeOf(c), c.Failed()}
			if counts[k] == 0 {
				order = append(order, k)
			}
			counts[k]++
		}
		for _, k := range order {
			out = append(out, number(p.calls, callKey{placeOf(at), k.callee, k.failed, uint8(bits.Len(uint(counts[k] - 1)))}))
		}
		parent, ok := at.Parent()
		if !ok {
			break
		}
		at = parent
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// timesOf returns where the critical path was spent.
func (p *profiler) timesOf(sections []tracewhy.Section) []timePart {
	spent := map[uint32]int64{}
	var order []uint32
	total := int64(0)
	for _, s := range sections {
		key := timeKey{placeOf(s.Span), partWhole}
		if start, end, _ := s.Span.Interval(); s.Span.HasChildren() {
			switch {
			case s.Start == start:
				key.part = partBefore
			case s.End == end:
				key.part = partAfter
			default:
				key.part = partBetween
			}
		}
		n := number(p.places, key)
		if _, ok := spent[n]; !ok {
			order = append(order, n)
		}
		spent[n] += int64(s.Duration())
		total += int64(s.Duration())
	}
	if total <= 0 {
		return nil
	}
	slices.Sort(order)
	out := make([]timePart, len(order))
	for i, n := range order {
		out[i] = timePart{n, int32(float64(spent[n]) / float64(total) * 65536)}
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
	case facetPlace:
		return placesApart(a.place, b.place)
	case facetError:
		return a.what.apart(b.what, a.rule == b.rule)
	case facetCalls:
		return 1 - alike(a.calls, b.calls)
	}
	return a.timesApart(b)
}

// placesApart is less than 1 for places of one service.
func placesApart(a, b place) float64 {
	switch {
	case a == b:
		return 0
	case a.service != b.service:
		return 1
	case a.operation == b.operation:
		return 0.5
	}
	return 0.75
}

// apart is less than 1 where messages have words in common. How the origin was told counts little: it
// depends on which spans were kept.
func (f failureText) apart(g failureText, sameRule bool) float64 {
	d := 0.0
	if f.kind != g.kind {
		d += 0.45
	}
	if f.message != g.message {
		d += float64(0.45 * (1 - alike(f.words, g.words)))
	}
	if !sameRule {
		d += 0.1
	}
	return d
}

// timesApart is half by where time was spent, and half by how long it was: 1 for a factor of 64.
func (a *profile) timesApart(b *profile) float64 {
	shared, i, j := int32(0), 0, 0
	for i < len(a.times) && j < len(b.times) {
		switch cmp.Compare(a.times[i].where, b.times[j].where) {
		case -1:
			i++
		case 1:
			j++
		default:
			shared += min(a.times[i].share, b.times[j].share)
			i++
			j++
		}
	}
	elsewhere := 1 - float64(shared)/65536
	if len(a.times) == 0 && len(b.times) == 0 {
		elsewhere = 0
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
