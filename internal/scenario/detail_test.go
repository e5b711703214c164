package scenario

import (
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestDetails: what a journey records is on its root and on inner spans alike, is left out by some requests on all
// of them, and is a list at some banks and text at others.
func TestDetails(t *testing.T) {
	kinds := map[tracewhy.ValueKind]int{}
	for seed := range uint64(6) {
		_, incident, d := windows(mortgageStall, 340+seed, small, false)
		e := d.estate
		formats, employment := e.key("document.formats"), e.key("applicant.employment")
		last := e.entries[len(e.entries)-1]
		value := func(r *record, key string) (tracewhy.Value, bool) {
			for _, a := range r.Attributes {
				if a.Key == key {
					return a.Value, true
				}
			}
			return tracewhy.Value{}, false
		}
		roots := map[tracewhy.TraceID]*record{}
		missing := 0
		for _, r := range incident.records() {
			if !r.ParentSpanID.IsZero() || r.Name != last.op.name {
				continue
			}
			roots[r.TraceID] = r
			v, ok := value(r, formats)
			if !ok {
				t.Fatalf("seed %d: a root without %s", 340+seed, formats)
			}
			kinds[v.Kind()]++
			if _, ok := value(r, employment); !ok {
				missing++
			}
		}
		if share := float64(missing) / float64(len(roots)); math.Abs(share-0.1) > 0.04 {
			t.Errorf("seed %d: %.3f of the requests leave out %s, want 0.1", 340+seed, share, employment)
		}
		inner := 0
		for _, r := range incident.records() {
			if r.Name != e.places["render"].name {
				continue
			}
			inner++
			got, _ := value(r, formats)
			if want, _ := value(roots[r.TraceID], formats); !got.Equal(want) {
				t.Fatalf("seed %d: %s is %v on an inner span, %v on the root", 340+seed, formats, got, want)
			}
		}
		if inner < len(roots)*9/10 {
			t.Errorf("seed %d: %d inner spans of %d traces", 340+seed, inner, len(roots))
		}
	}
	if kinds[tracewhy.ArrayValue] == 0 || kinds[tracewhy.StringValue] == 0 || len(kinds) != 2 {
		t.Errorf("formats are %v", kinds)
	}
}

// TestRush: more requests come for some of the time, and nothing else decides which those are.
func TestRush(t *testing.T) {
	x := rush{period: 10, lasts: 3, times: 2}
	for at, want := range map[int64]bool{0: false, 6: false, 7: true, 9: true, 10: false, 17: true} {
		if x.on(at) != want {
			t.Errorf("at %d: %v", at, !want)
		}
	}
	if (rush{}).on(5) {
		t.Error("there is a rush where there is none")
	}
	flow := traffic{gap: 1000, rush: x}
	if flow.gapAt(6) != 1000 || flow.gapAt(7) != 500 {
		t.Errorf("gaps of %d and %d", flow.gapAt(6), flow.gapAt(7))
	}
	_, incident, d := windows(settlementModes, 350, small, true)
	high, last := 0, d.estate.entries[len(d.estate.entries)-1]
	all := 0
	for _, r := range incident.results {
		if r.entry == last {
			all++
			if d.estate.rush.on(r.at) {
				high++
			}
		}
	}
	if share := float64(high) / float64(all); math.Abs(share-0.305) > 0.06 { // 2×18 of 2×18+82
		t.Errorf("%.3f of the settlements come in a rush, want 0.305", share)
	}
}
