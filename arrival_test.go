package tracewhy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// arrivals makes spans of many traces, some of one id for many requests, with all that goes wrong.
func arrivals(g *gen) []SpanData {
	spans := g.spans(1 + g.choose(40))
	if g.choose(2) == 0 {
		return spans
	}
	for i, s := range requests(maxEntries + g.choose(20)) {
		s.TraceID, s.Resource = TraceID{15: 2}, serviceA
		if i%2 == 0 {
			s.Source = pick(g, "incident", "baseline")
			s.End += uint64(g.choose(3)) * 7e9
		} else if g.choose(4) == 0 { // an orphan, or a child of another
			s.ParentSpanID = pick(g, sid(99), num8(-i), num8(g.choose(30)))
		}
		if g.choose(40) == 0 {
			s.Links = []Link{{TraceID: TraceID{15: 2}, SpanID: num8(g.choose(40))}}
		}
		spans = append(spans, s)
	}
	return spans
}

// pending is what an exporter sends of a span while it runs.
func pending(s SpanData) SpanData {
	s.End, s.Status, s.Events, s.Links = 0, StatusUnset, nil, nil
	s.Attributes = s.Attributes[:len(s.Attributes)/2]
	return s
}

// copied has a resource and scope of its own, as in a batch of its own.
func copied(s SpanData) SpanData {
	if s.Resource != nil {
		r := *s.Resource
		s.Resource = &r
	}
	if s.Scope != nil {
		scope := *s.Scope
		s.Scope = &scope
	}
	return s
}

// How spans arrive is no property of what they record: in which order, in which batches, how often, and
// how many reports came before the last. It shows in the counts of duplicates only.
func TestArrivalDoesNotShow(t *testing.T) {
	split := 0
	for seed := range uint64(300) {
		g := randomGen(seed)
		rng := rand.New(rand.NewPCG(seed, 9))
		spans := arrivals(g)
		once := SetOf(spans...)
		split += counts(once)[ProblemMegaTrace]
		var again, early []SpanData
		for _, s := range spans {
			if rng.IntN(3) == 0 {
				again = append(again, copied(s))
			}
			if s.End > 0 && rng.IntN(3) == 0 { // else it is pending itself
				early = append(early, pending(copied(s)))
			}
		}
		batches := func(spans []SpanData) []SpanData { // batches in any order, each with resources of its own
			spans = slices.Clone(spans)
			var list [][]SpanData
			for len(spans) > 0 {
				n := 1 + rng.IntN(len(spans))
				list = append(list, spans[:n])
				spans = spans[n:]
			}
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			out := slices.Concat(list...)
			for i := range out {
				out[i] = copied(out[i])
			}
			return out
		}
		for name, arrived := range map[string][]SpanData{
			"another order":                      shuffled(spans, seed),
			"batches":                            batches(spans),
			"some batches twice":                 slices.Concat(batches(spans), batches(again)),
			"pending reports first":              slices.Concat(early, spans),
			"pending reports last":               slices.Concat(spans, early),
			"all of that, in batches":            batches(slices.Concat(spans, early, again)),
			"all of that, in no order, repeated": shuffled(slices.Concat(spans, early, again, early), seed),
		} {
			got := SetOf(arrived...)
			requireAccounted(t, got, len(arrived))
			want, have := contentsOf(once), contentsOf(got)
			if len(arrived) > len(spans) {
				// These count what arrived.
				want.Accounting, have.Accounting, want.Problems, have.Problems = Accounting{}, Accounting{}, nil, nil
			}
			requireEqual(t, fmt.Sprintf("seed %d, %s", seed, name), want, have)
		}
		requireTrees(t, once)
		requireSameAgain(t, once)
	}
	if split < 50 {
		t.Errorf("%d traces were split: the spans are too tame", split)
	}
}
