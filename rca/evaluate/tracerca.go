package evaluate

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The parameters of TraceRCA, with the defaults of its paper, except for the last two.
const (
	traceRCAUseful   = 0.1 // δ_fs: how much a feature's mean severity must grow to be looked at
	traceRCAAbnormal = 1.0 // δ_ad: from how many standard deviations on an invocation is abnormal
	traceRCASupport  = 0.1 // δ_spt: the least share of abnormal traces that a set of services must be in
	traceRCASets     = 100 // k: how many sets of services are looked at

	traceRCALeastSD = 0.1     // of a feature, as in the authors' program; the paper gives no floor
	traceRCAMaxSets = 1 << 16 // how many sets are enumerated at most
)

// rankByTraceRCA is TraceRCA (Li et al., IWQoS 2021, section III). An invocation belongs to a pair of
// calling and called service. For each feature f of a pair, the baseline gives μ and σ, and an
// invocation's severity is α = |v-μ|/σ. The feature is looked at if the mean of α is more than a tenth
// larger in the incident than in the baseline, and an invocation with α > 1 in such a feature is
// abnormal, and so is its trace. For a set S of services, X the traces that pass through all of S, and
// Y the abnormal traces, the Jaccard index is JI(S) = |X∩Y|/|X∪Y|. Among the 100 sets of largest JI
// that are in a tenth of the abnormal traces, the score of a service is the largest JI(S)·IS, where IS
// is, over the traces of X, the difference between how many have an abnormal invocation of the service
// and how many have one by it.
//
// Departures. The features are the latency in milliseconds and whether the call failed
// ([tracewhy.Span.Failed]): a trace has no CPU or memory metrics. An invocation is a span whose parent
// is of another service, or a root, which is an invocation by nobody; a call that never reached a span
// of its own is not seen. σ is at least 0.1, as in the authors' program. A pair that the baseline does
// not have has no history and is never abnormal, also as there. Of sets that are in the same traces only
// the largest counts, for it has the same JI and IS and holds the others, so that the limit of 100
// reaches further than in the paper; at most 65,536 sets are enumerated.
func rankByTraceRCA(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	history, err := c.pairHistory(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	kinds, err := c.traceKinds(ctx, incident, history)
	if err != nil {
		return nil, err
	}
	sets, err := suspiciousSets(ctx, kinds, len(c.services))
	if err != nil {
		return nil, err
	}
	scores := slices.Repeat([]float64{math.NaN()}, len(c.services))
	for _, set := range sets {
		for service := range set.services.All() {
			var in, out int
			for k := range set.kinds.All() {
				in += kinds[k].called[service]
				out += kinds[k].calling[service]
			}
			if s := positive(set.jaccard * math.Abs(float64(in-out))); !(scores[service] >= s) && !math.IsNaN(s) {
				scores[service] = s
			}
		}
	}
	return c.answer(scores, slices.Repeat([]float64{math.NaN()}, len(c.operations))), nil
}

// pair is a calling and a called service; the caller of a root is noCaller.
type pair struct{ caller, callee int }

const noCaller = -1

// The features of an invocation.
const (
	featureLatency = iota
	featureFailure
	numFeatures
)

// features returns the invocation's features, NaN where one is not known.
func features(s tracewhy.Span) [numFeatures]float64 {
	f := [numFeatures]float64{math.NaN(), 0}
	if d := s.Duration(); d >= 0 {
		f[featureLatency] = float64(d) / 1e6
	}
	if s.Failed() {
		f[featureFailure] = 1
	}
	return f
}

// feature is one feature of one pair: what it is in the baseline, and whether it is looked at.
type feature struct {
	n             float64
	mean, sd      float64
	before, after float64 // the sum of severities in each cohort
	nAfter        float64
	useful        bool
}

func (f *feature) severity(v float64) float64 { return math.Abs(v-f.mean) / f.sd }

// invocations calls visit for each invocation of the trace.
func (c *catalog) invocations(t tracewhy.Trace, visit func(pair, tracewhy.Span)) {
	for s := range t.Spans() {
		callee := c.service(s)
		parent, ok := s.Parent()
		if !ok {
			visit(pair{noCaller, callee}, s)
		} else if caller := c.service(parent); caller != callee {
			visit(pair{caller, callee}, s)
		}
	}
}

// pairHistory returns the features of each pair of the baseline.
func (c *catalog) pairHistory(ctx context.Context, baseline, incident tracewhy.Cohort) (map[pair]*[numFeatures]feature, error) {
	history := map[pair]*[numFeatures]feature{}
	// over calls add for each known value of a feature in the cohort.
	over := func(cohort tracewhy.Cohort, add func(*feature, float64)) error {
		return eachTrace(ctx, cohort, func(t tracewhy.Trace) {
			c.invocations(t, func(p pair, s tracewhy.Span) {
				h := history[p]
				if h == nil {
					h = new([numFeatures]feature)
					history[p] = h
				}
				for i, v := range features(s) {
					if !math.IsNaN(v) {
						add(&h[i], v)
					}
				}
			})
		})
	}
	// Each pair is on its own from here on, so that the order of the map does not matter.
	if err := over(baseline, func(f *feature, v float64) { f.n++; f.mean += v }); err != nil {
		return nil, err
	}
	for _, h := range history {
		for i := range h {
			h[i].mean /= h[i].n
		}
	}
	if err := over(baseline, func(f *feature, v float64) { f.sd += float64((v - f.mean) * (v - f.mean)) }); err != nil {
		return nil, err
	}
	for _, h := range history {
		for i := range h {
			h[i].sd = max(math.Sqrt(h[i].sd/h[i].n), traceRCALeastSD)
		}
	}
	if err := over(baseline, func(f *feature, v float64) { f.before += f.severity(v) }); err != nil {
		return nil, err
	}
	err := over(incident, func(f *feature, v float64) {
		if f.n > 0 {
			f.nAfter++
			f.after += f.severity(v)
		}
	})
	for _, h := range history {
		for i := range h {
			f := &h[i]
			before, after := f.before/f.n, f.after/f.nAfter // NaN where there is none
			f.useful = after-before > float64(traceRCAUseful*before)
		}
	}
	return history, err
}

// traceKind is the traces that pass through the same services.
type traceKind struct {
	services         bitset.Set
	traces, abnormal int
	// How many of the traces have an abnormal invocation of a service, and by it.
	called, calling []int
}

func (c *catalog) traceKinds(ctx context.Context, cohort tracewhy.Cohort, history map[pair]*[numFeatures]feature) ([]*traceKind, error) {
	n := len(c.services)
	var kinds []*traceKind
	byKey := map[string]*traceKind{}
	key := make([]byte, (n+7)/8)
	err := eachTrace(ctx, cohort, func(t tracewhy.Trace) {
		services, called, calling := bitset.New(n), bitset.New(n), bitset.New(n)
		abnormal := false
		clear(key)
		c.invocations(t, func(p pair, s tracewhy.Span) {
			services.Add(p.callee)
			key[p.callee/8] |= 1 << (p.callee % 8)
			for i, v := range features(s) {
				f := &history[p][i]
				if !f.useful || !(f.severity(v) > traceRCAAbnormal) {
					continue
				}
				abnormal = true
				called.Add(p.callee)
				if p.caller != noCaller {
					calling.Add(p.caller)
				}
			}
		})
		kind := byKey[string(key)]
		if kind == nil {
			kind = &traceKind{services: services, called: make([]int, n), calling: make([]int, n)}
			byKey[string(key)] = kind
			kinds = append(kinds, kind)
		}
		kind.traces++
		if abnormal {
			kind.abnormal++
		}
		for s := range called.All() {
			kind.called[s]++
		}
		for s := range calling.All() {
			kind.calling[s]++
		}
	})
	return kinds, err
}

// serviceSet is a set of services with the kinds of traces that pass through all of them.
type serviceSet struct {
	services, kinds bitset.Set
	last            int // the service that was added last
	jaccard         float64
}

// suspiciousSets returns the sets of services with the largest Jaccard index, of those that enough of
// the abnormal traces pass through.
//
// Only closed sets are enumerated, those that no service can be added to without losing traces, each
// once: S. O. Kuznetsov's Close-by-One (1993), with a stack.
func suspiciousSets(ctx context.Context, kinds []*traceKind, numServices int) ([]serviceSet, error) {
	with := make([]bitset.Set, numServices) // by service: the kinds that pass through it
	for s := range with {
		with[s] = bitset.New(len(kinds))
	}
	abnormal := 0
	all := bitset.New(len(kinds))
	for k, kind := range kinds {
		abnormal += kind.abnormal
		all.Add(k)
		for s := range kind.services.All() {
			with[s].Add(k)
		}
	}
	if abnormal == 0 {
		return nil, nil
	}
	// closed returns the services that all the kinds pass through, and the Jaccard index; false if
	// too few abnormal traces do.
	closed := func(in bitset.Set, last int) (serviceSet, bool) {
		var traces, bad int
		for k := range in.All() {
			traces += kinds[k].traces
			bad += kinds[k].abnormal
		}
		if float64(bad) < traceRCASupport*float64(abnormal) {
			return serviceSet{}, false
		}
		set := serviceSet{bitset.New(numServices), in, last, float64(bad) / float64(traces+abnormal-bad)}
		n := in.Len()
		for s := range with {
			if with[s].LenAnd(in) == n {
				set.services.Add(s)
			}
		}
		return set, true
	}

	var found []serviceSet
	start, _ := closed(all, -1)
	for stack := []serviceSet{start}; len(stack) > 0 && len(found) < traceRCAMaxSets; {
		set := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if set.services.Len() > 0 {
			found = append(found, set)
		}
		for s := set.last + 1; s < numServices; s++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if set.services.Has(s) {
				continue
			}
			next, ok := closed(set.kinds.And(with[s]), s)
			// A set is reached from the one prefix of it that has the same services below s.
			if ok && sameBelow(set.services, next.services, s) {
				stack = append(stack, next)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b serviceSet) int { return stats.Compare(b.jaccard, a.jaccard) })
	return found[:min(len(found), traceRCASets)], nil
}

// sameBelow reports whether b, a superset of a, has nothing below n that a has not.
func sameBelow(a, b bitset.Set, n int) bool {
	for i := range b.Minus(a).All() {
		return i >= n
	}
	return true
}
