package scenario

import (
	"math"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestNoise: a Set of a case has the problems that the way of the spans makes, a little of each, and no others.
func TestNoise(t *testing.T) {
	shares := map[string]float64{ // at most, of the spans
		tracewhy.ProblemDuplicateSpan: 0.03,
		tracewhy.ProblemOrphan:        0.02,
		tracewhy.ProblemNoRoot:        0.004,
		tracewhy.ProblemOutsideParent: 0.4,
	}
	seen := map[string]bool{}
	for seed := range uint64(4) {
		c := generate(quiet, 40+seed, small)
		s := build(t, c)
		a := s.Accounting()
		if a.In != len(c.Baseline)+len(c.Incident) || a.Quarantined != 0 || a.Kept+a.Merged != a.In {
			t.Errorf("%s: %+v for %d spans", c.Name, a, len(c.Baseline)+len(c.Incident))
		}
		for _, p := range s.Problems() {
			seen[p.Code] = true
			if most, ok := shares[p.Code]; !ok || float64(p.Count) > most*float64(a.Kept) {
				t.Errorf("%s: %s: %d of %d spans", c.Name, p.Code, p.Count, a.Kept)
			}
		}
		if n := s.NumTraces(); math.Abs(float64(n-2*small.requests)) > 4 {
			t.Errorf("%s: %d traces of %d requests", c.Name, n, 2*small.requests)
		}
	}
	if len(seen) != len(shares) {
		t.Errorf("saw %d kinds of problems, want %d", len(seen), len(shares))
	}
}

// TestSpansSurvive: what comes out of a Set is what went in.
func TestSpansSurvive(t *testing.T) {
	c := generate(badVersion, 8, small)
	s := build(t, c)
	checked := 0
	for i := range c.Incident {
		want := &c.Incident[i]
		tr, ok := s.Lookup(want.TraceID)
		if !ok {
			t.Fatalf("no trace %s", want.TraceID)
		}
		sp, ok := tr.Find(want.SpanID)
		if !ok {
			t.Fatalf("no span %s of trace %s", want.SpanID, want.TraceID)
		}
		got := sp.Data()
		if got.Name != want.Name || got.Kind != want.Kind || got.Start != want.Start || got.End != want.End ||
			got.Status != want.Status || got.ParentSpanID != want.ParentSpanID || got.Source != "incident" ||
			!slices.EqualFunc(got.Attributes, want.Attributes, sameAttribute) ||
			!slices.EqualFunc(got.Resource.Attributes, want.Resource.Attributes, sameAttribute) ||
			len(got.Events) != len(want.Events) {
			t.Fatalf("span %s of trace %s is %+v, want %+v", want.SpanID, want.TraceID, got, *want)
		}
		checked++
	}
	if checked < 10*small.requests {
		t.Errorf("only %d spans", checked)
	}
}

func sameAttribute(a, b tracewhy.KeyValue) bool { return a.Key == b.Key && a.Value.Equal(b.Value) }

// TestSpansArriveOutOfOrder: children come before their parents, and some spans come late.
func TestSpansArriveOutOfOrder(t *testing.T) {
	c := generate(quiet, 9, small)
	place := map[tracewhy.SpanID]int{}
	for i := range c.Incident {
		place[c.Incident[i].SpanID] = i
	}
	before, after := 0, 0
	for i := range c.Incident {
		switch parent, ok := place[c.Incident[i].ParentSpanID]; {
		case ok && parent < i:
			before++
		case ok:
			after++
		}
	}
	if before*20 < after || after*20 < before {
		t.Errorf("%d spans come after their parents, %d before", before, after)
	}
	late := 0
	newest := uint64(0)
	for i := range c.Incident {
		end := c.Incident[i].End
		newest = max(newest, end)
		if newest-end > uint64(10*second) {
			late++
		}
	}
	if late == 0 {
		t.Error("no span is late")
	}
}

// TestClocksDiffer: hosts date the same moment differently, by a constant and a drift.
func TestClocksDiffer(t *testing.T) {
	h := host{offset: 5_000, drift: 20_000}
	if got, want := h.clock(10*second)-10*second, int64(5_000+10*20_000); got != want {
		t.Errorf("after 10 s the clock is %d ns off, want %d", got, want)
	}
	offsets := map[int64]bool{}
	for _, h := range newEstate(1).hosts {
		offsets[h.offset] = true
	}
	if len(offsets) < 6 {
		t.Errorf("%d different clocks", len(offsets))
	}
}
