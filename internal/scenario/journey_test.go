package scenario

import (
	"math"
	"slices"
	"strings"
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

// TestMortgageStall: about 12 % of the applications stall, those with both formats at high volume and hardly any
// others, although nothing of the fault asks for the two together.
func TestMortgageStall(t *testing.T) {
	const seeds = 6
	mean := 0.0
	kinds := map[string]bool{}
	for seed := range uint64(seeds) {
		_, incident, d := windows(mortgageStall, 310+seed, small, true)
		e := d.estate
		formats, isHigh := e.values("document.formats"), e.is("volume.period", "high")
		of := e.of("document.formats")
		counts := map[[3]bool][2]int{} // by PDF, TIFF and volume: applications, and those harmed
		all, harmed := 0, 0
		for number, x := range incident.results {
			if x.entry != e.entries[len(e.entries)-1] || x.at < d.fault.begins {
				continue
			}
			q := incident.asked(number)
			has := func(format string) bool { return slices.Contains(strings.Split(formats[q.dims[of]], ","), format) }
			key := [3]bool{has("pdf"), has("tiff"), isHigh(q)}
			c := counts[key]
			c[0]++
			all++
			if x.harmed > 0 {
				c[1]++
				harmed++
			}
			counts[key] = c
		}
		for key, c := range counts {
			share := float64(c[1]) / float64(c[0])
			if key == [3]bool{true, true, true} {
				if share < 0.95 {
					t.Errorf("seed %d: only %d of %d with both at high volume stall", 310+seed, c[1], c[0])
				}
			} else if c[0] > 20 && share > 0.08 {
				t.Errorf("seed %d: %d of %d with %v stall", 310+seed, c[1], c[0], key)
			}
		}
		mean += float64(harmed) / float64(all) / seeds
		kinds[d.label.FaultType] = true
	}
	if math.Abs(mean-0.12) > 0.02 {
		t.Errorf("%.3f of the applications stall, want about 0.12", mean)
	}
	if len(kinds) != 2 {
		t.Errorf("only %v", kinds)
	}
}

// TestSerialization: calls break at the caller although the callee's spans end well, for one family of contracts,
// on all pairs of instances alike.
func TestSerialization(t *testing.T) {
	for seed := range uint64(4) {
		_, incident, d := windows(serialization, 320+seed, small, false)
		surface := d.estate.places["surface"]
		is := d.estate.is("contract.family", "path-dependent")
		byID := map[tracewhy.SpanID]*record{}
		for _, r := range incident.records() {
			byID[r.SpanID] = r
		}
		broken, wrong := 0, 0
		peers := map[string]int{}
		for _, r := range incident.records() {
			client := byID[r.ParentSpanID]
			if r.Name != surface.name || r.at.service != surface.service || r.Kind != tracewhy.KindServer || client == nil {
				continue
			}
			if client.Status == tracewhy.StatusError && r.Status != tracewhy.StatusError && client.End > r.End {
				broken++
				peers[r.at.name]++
			}
		}
		for number, x := range incident.results {
			if x.harmed > 0 && !is(incident.asked(number)) {
				wrong++
			}
		}
		if broken < 20 || wrong > 0 || len(peers) < 2 {
			t.Errorf("seed %d: %d calls broke after their work at %d instances, %d requests of other contracts",
				320+seed, broken, len(peers), wrong)
		}
	}
}

// TestTrafficMix: what rises is the segment that always failed, and it fails as before; the fault is among few.
func TestTrafficMix(t *testing.T) {
	for seed := range uint64(3) {
		baseline, incident, d := windows(trafficMix, 330+seed, small, true)
		batch := d.estate.is("payment.batch", "true")
		type count struct{ all, failed float64 }
		tell := func(w *run) (files, rest count, batches float64) {
			for number, x := range w.results {
				c := &rest
				if x.entry.op == d.estate.places["files"] {
					c = &files
				}
				c.all++
				if x.failed {
					c.failed++
				}
				if batch(w.asked(number)) {
					batches++
				}
			}
			return files, rest, batches / float64(len(w.results))
		}
		before, _, few := tell(baseline)
		after, rest, many := tell(incident)
		if many < 2*few || 2*after.failed < 3*rest.failed {
			t.Errorf("seed %d: batches %.3f then %.3f, %.0f files fail and %.0f others", 330+seed, few, many, after.failed, rest.failed)
		}
		if a, b := before.failed/before.all, after.failed/after.all; math.Abs(a-b) > 0.1 {
			t.Errorf("seed %d: %.3f of the files fail, then %.3f", 330+seed, a, b)
		}
	}
}

// asked returns a request of a window that is over, as it came.
func (w *run) asked(number int) *request {
	w.now = w.results[number].at
	return w.newRequest(number)
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

// meets reports whether a span has all the attributes.
func meets(r *record, conditions map[string]string) bool {
	for key, value := range conditions {
		if !slices.ContainsFunc(r.Attributes, func(a tracewhy.KeyValue) bool {
			return a.Key == key && a.Value.String() == value
		}) {
			return false
		}
	}
	return true
}
