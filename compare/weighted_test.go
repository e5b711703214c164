package compare

import (
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
)

func TestEffective(t *testing.T) {
	var even, failing, all mass
	for range 10 {
		even.add(4)
	}
	if x, n := effective(3, 10, mass{}, even, math.Floor); x != 3 || n != 10 {
		t.Errorf("even weights: %d of %d, want 3 of 10", x, n)
	}
	for range 100 { // kept whole
		failing.add(1)
		all.add(1)
	}
	for range 32 {
		all.add(59.375)
	}
	// The weighted share is 100/2000. The variance is (0.95²·100 + 0.05²·32·59.375²)/2000² = 0.0000930725.
	if x, n := effective(100, 132, failing, all, math.Floor); x != 25 || n != 510 {
		t.Errorf("failures kept whole: %d of %d, want 25 of 510", x, n)
	}
	// Without any exposed it is Kish's size, 2000²/(100 + 32·59.375²) = 35.4.
	if x, n := effective(0, 132, mass{}, all, math.Ceil); x != 0 || n != 35 {
		t.Errorf("none exposed: %d of %d, want 0 of 35", x, n)
	}
}

// keepTails samples a window as tail sampling does: all traces that fail, and so many of the others.
func keepTails(spans []tracewhy.SpanData, others int) []tracewhy.SpanData {
	failed, seen := map[tracewhy.TraceID]bool{}, map[tracewhy.TraceID]int{}
	for _, s := range spans {
		failed[s.TraceID] = failed[s.TraceID] || s.Status == tracewhy.StatusError
	}
	healthy := 0
	for _, s := range spans {
		if _, ok := seen[s.TraceID]; !ok && !failed[s.TraceID] {
			seen[s.TraceID] = healthy
			healthy++
		}
	}
	var out []tracewhy.SpanData
	for _, s := range spans {
		s.Weight = 1
		if !failed[s.TraceID] {
			if seen[s.TraceID] >= others { // traces of a window do not depend on their order
				continue
			}
			s.Weight = max(1, float64(healthy)/float64(others))
		}
		out = append(out, s)
	}
	return out
}

// Windows of different size of which failures are kept and the rest is sampled fail as often as before,
// take as long, and do the same.
func TestTailSampledWindows(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	alarms, found := 0, 0
	const worlds = 20
	for seed := range uint64(worlds) {
		for _, share := range []float64{0.05, 0.3} {
			b, i := cohorts(t, keepTails(window(seed+1, "baseline", knobs{traces: 200, authFails: 0.05}), 32),
				keepTails(window(seed+1, "incident", knobs{traces: 2000, authFails: share}), 32))
			r, err := Operations(t.Context(), b, i, OperationsConfig{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range r.Symptoms {
				switch {
				case share == 0.05 && s.Significant:
					alarms++
					t.Logf("seed %d: %s, p %.4g", seed+1, s.Kind, s.P)
				case share == 0.3 && s.Significant && s.Kind == SymptomError:
					found++
				}
			}
		}
	}
	t.Logf("%d false alarms in %d quiet worlds; found %d of %d", alarms, worlds, found, worlds)
	if alarms > 1 || found < worlds-2 {
		t.Errorf("%d false alarms, want at most 1; found %d", alarms, found)
	}
}
