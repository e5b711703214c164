package scenario

import (
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestSettlementModes: about 8 % of the settlements fail, in three modes, each where its label says and under its
// conditions.
func TestSettlementModes(t *testing.T) {
	const seeds = 6
	mean := 0.0
	for seed := range uint64(seeds) {
		_, incident, d := windows(settlementModes, 300+seed, small, false)
		roots, failed := 0, 0
		for _, r := range incident.results {
			if r.entry.op.service.role == roleTrading {
				roots++
				if r.failed {
					failed++
				}
			}
		}
		mean += float64(failed) / float64(roots) / seeds
		if len(d.label.Modes) != 3 || len(d.label.Causes) != 3 {
			t.Fatalf("%d modes, %d causes", len(d.label.Modes), len(d.label.Causes))
		}
		for _, m := range d.label.Modes {
			if m.Traces < 8 {
				t.Errorf("seed %d: only %d settlements fail at %s", 300+seed, m.Traces, m.Service)
			}
			meeting, thrown := explained(incident, m.Conditions, m.Operation)
			if thrown < m.Traces || meeting < thrown {
				t.Errorf("seed %d: %d of %d failures at %s under %v, %d counted", 300+seed, meeting, thrown, m.Operation, m.Conditions, m.Traces)
			}
		}
	}
	if math.Abs(mean-0.085) > 0.015 {
		t.Errorf("%.3f of the settlements fail, want about 0.08", mean)
	}
}

// explained counts the spans of an operation that failed with an exception of their own that is not one of good
// times, and those of which the trace's root meets the conditions.
func explained(w *run, conditions map[string]string, operation string) (meeting, thrown int) {
	roots := map[tracewhy.TraceID]*record{}
	for _, r := range w.records() {
		if r.ParentSpanID.IsZero() {
			roots[r.TraceID] = r
		}
	}
	usual := map[string]bool{}
	for _, x := range exceptions {
		usual[x[0]] = true
	}
	for _, r := range w.records() {
		if r.Name != operation || len(r.Events) == 0 || usual[r.Events[0].Attributes[0].Value.Str()] {
			continue
		}
		thrown++
		if meets(roots[r.TraceID], conditions) {
			meeting++
		}
	}
	return meeting, thrown
}

// meets reports whether a span has all the attributes; one of several values separated by commas has each of them.
func meets(r *record, conditions map[string]string) bool {
	for key, value := range conditions {
		found := false
		for _, a := range r.Attributes {
			found = found || a.Key == key && a.Value.String() == value
		}
		if !found {
			return false
		}
	}
	return true
}
