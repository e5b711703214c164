package compare

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// What an operation does depends on what it is asked for. Where more requests of a rare kind come, more
// executions take the branch that is theirs, and nothing is wrong. The kind of a request shows in what
// was known before the operation began: attributes of its callers, and what they had logged by then.
// A shift that goes away among requests that are alike in one of those is one of the mix, and is dropped.

const (
	minAlike   = 5    // traces of either side with, and without, a property for requests to be split by it
	maxSplits  = 500  // properties tried for one operation, the most even splits first
	mixP       = 0.05 // a shift with a larger p-value among alike requests is one of the mix
	minOverlap = 0.5  // of the smaller side must have a counterpart that is alike
)

// property numbers what a request may have: an attribute of the Set, or a word.
type property uint64

const wordProperty property = 1 << 40

// request is what was known before an operation began in one trace, and which shifts it shows.
type request struct {
	trace      int32
	properties []property // ascending
	exposed    []bool     // by hypothesis of the operation
}

// dropMix returns the hypotheses that a changed mix of requests does not explain, and counts the others.
func (c *comparison) dropMix(ctx context.Context, f *features, hyps []*hypothesis, workers int) ([]*hypothesis, int, error) {
	byOp := map[int32][]*hypothesis{}
	var ops []int32
	for _, h := range hyps {
		if byOp[h.op] == nil {
			ops = append(ops, h.op)
		}
		byOp[h.op] = append(byOp[h.op], h)
	}
	requests, err := c.requests(ctx, f, byOp)
	if err != nil {
		return nil, 0, err
	}
	err = parallel.For(ctx, workers, len(ops), func(i int) {
		c.splitByProperties(byOp[ops[i]], requests[ops[i]])
	})
	if err != nil {
		return nil, 0, err
	}
	kept := slices.DeleteFunc(slices.Clone(hyps), func(h *hypothesis) bool { return h.mix })
	return kept, len(hyps) - len(kept), nil
}

// requests collects, by operation, what was known before it began in each trace.
func (c *comparison) requests(ctx context.Context, f *features, byOp map[int32][]*hypothesis) (map[int32][]*request, error) {
	out := map[int32][]*request{}
	at := 0
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		first := at
		at += t.NumSpans()
		if c.share[i] == 0 {
			continue
		}
		for k := first; k < at; k++ {
			s := f.spans[k]
			op := f.opOf[s.Path().ID()]
			hyps := byOp[op]
			if len(hyps) == 0 {
				continue
			}
			var r *request
			if list := out[op]; len(list) > 0 && list[len(list)-1].trace == int32(i) {
				r = list[len(list)-1]
			} else {
				r = &request{trace: int32(i), exposed: make([]bool, len(hyps))}
				out[op] = append(out[op], r)
			}
			for j, h := range hyps {
				_, has := slices.BinarySearch(f.at(k), h.number)
				r.exposed[j] = r.exposed[j] || has == h.gained
			}
			r.properties = f.knownBefore(s, r.properties)
		}
	}
	for _, list := range out {
		for _, r := range list {
			slices.Sort(r.properties)
			r.properties = slices.Compact(r.properties)
		}
	}
	return out, nil
}

// knownBefore appends the properties of the request that the span is part of: the attributes of its
// callers, and the words of what they logged before it began.
func (f *features) knownBefore(s tracewhy.Span, dst []property) []property {
	start, _, _ := s.Interval()
	for a, ok := s.Parent(); ok; a, ok = a.Parent() {
		for id := range a.AttrIDs() {
			if !isConsequence(s.Trace().Set().AttrKey(id)) {
				dst = append(dst, property(id))
			}
		}
		for e := range a.Events() {
			if e.Time == 0 || int64(e.Time) >= start {
				continue
			}
			for _, kv := range e.Attributes {
				if kv.Value.Kind() == tracewhy.StringValue {
					for _, n := range f.wordsOf(kv) {
						dst = append(dst, wordProperty|property(n))
					}
				}
			}
		}
	}
	return dst
}

// isConsequence reports whether an attribute says how an operation ended rather than what it was asked.
func isConsequence(key string) bool {
	for _, prefix := range []string{"error", "exception.", "otel.status", "http.status_code", "http.response.", "rpc.grpc.status_code", "http.request.resend_count", "business.outcome"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// splitByProperties marks the hypotheses that go away among requests with, and without, some property.
func (c *comparison) splitByProperties(hyps []*hypothesis, requests []*request) {
	var n [2]int
	counts := map[property]*[2]int{}
	for _, r := range requests {
		side := c.side[r.trace]
		n[side]++
		for _, p := range r.properties {
			if counts[p] == nil {
				counts[p] = &[2]int{}
			}
			counts[p][side]++
		}
	}
	type split struct {
		property property
		even     int // the smallest of its four parts
	}
	var splits []split
	for p, x := range counts {
		if even := min(x[base], x[inc], n[base]-x[base], n[inc]-x[inc]); even >= minAlike {
			splits = append(splits, split{p, even})
		}
	}
	slices.SortFunc(splits, func(x, y split) int {
		return cmp.Or(cmp.Compare(y.even, x.even), cmp.Compare(x.property, y.property))
	})
	for _, s := range splits[:min(len(splits), maxSplits)] {
		for j, h := range hyps {
			if !h.mix {
				h.mix = c.goesAway(requests, j, s.property)
			}
		}
	}
}

// goesAway reports whether the shift is neither certain nor large among requests that are alike.
func (c *comparison) goesAway(requests []*request, j int, p property) bool {
	tables := make([]stats.Table, 2*len(c.strata))
	for _, r := range requests {
		at := 2 * c.stratum[r.trace]
		if _, has := slices.BinarySearch(r.properties, p); has {
			at++
		}
		t := &tables[at]
		switch {
		case c.side[r.trace] == inc && r.exposed[j]:
			t.A++
		case c.side[r.trace] == inc:
			t.B++
		case r.exposed[j]:
			t.C++
		default:
			t.D++
		}
	}
	var overlap, incident, baseline int
	for _, t := range tables {
		overlap += min(t.A+t.B, t.C+t.D)
		incident += t.A + t.B
		baseline += t.C + t.D
	}
	if float64(overlap) < minOverlap*float64(min(incident, baseline)) {
		return false
	}
	if q, _ := stats.FisherStratified(tables); q <= mixP {
		return false
	}
	rate := standardisedRates(tables)
	return rate[inc] <= 0 || 1-rate[base]/rate[inc] < minAttributable
}
