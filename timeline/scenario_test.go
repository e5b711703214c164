package timeline_test

import (
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline"
)

// TestHours looks for when an incident of hours began to be seen and to be felt, in the recording of the whole night.
// One night is a test; -worlds 100 is a measurement, which it prints with -v.
func TestHours(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const bins = 1 // how far an estimate is from the bin that it should be, at most
	symptoms, precursors, known := 0, 0, 0
	f, _ := scenario.Lookup("index-change")
	for seed := range uint64(*worlds) {
		c := scenario.Generate(f, seed+1)
		r := changePointsOf(t, c)
		off, ok := symptomOff(r, c)
		if ok && max(off, -off) <= bins {
			symptoms++
		} else {
			t.Logf("seed %d: the symptom is %d bins off (found: %v)", seed+1, off, ok)
		}
		e, ok := firstOf(r, c)
		switch off := binsFrom(r, c.Label.PrecursorNS, e.Time); {
		case !ok:
			t.Logf("seed %d: no precursor", seed+1)
			continue
		case max(off, -off) <= bins:
			precursors++
		default:
			t.Logf("seed %d: the first precursor is %d bins off: %v", seed+1, off, e)
		}
		if e.First <= c.Label.PrecursorNS && c.Label.PrecursorNS < e.Last {
			known++
		}
	}
	report(t, "symptom within one bin", symptoms, 0.9)
	report(t, "first precursor within one bin", precursors, 0.9)
	report(t, "first precursor within its interval", known, 0.9)
}

// TestOnsets looks for when incidents of minutes began, which the bins are about as long as.
func TestOnsets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, name := range []string{"cache-expiry", "canary", "retry-storm"} {
		t.Run(name, func(t *testing.T) {
			found, near, known := 0, 0, 0
			f, _ := scenario.Lookup(name)
			for seed := range uint64(*worlds) {
				c := scenario.Generate(f, seed+1)
				r := changePointsOf(t, c)
				off, ok := symptomOff(r, c)
				if !ok {
					t.Logf("seed %d: no symptom; %s", seed+1, c.Label.Notes)
					continue
				}
				found++
				if max(off, -off) <= 1 {
					near++
				}
				if e := r.Events[r.Symptom]; e.First <= c.Label.SymptomNS && c.Label.SymptomNS < e.Last {
					known++
				} else {
					t.Logf("seed %d: %d bins of %v off: %v", seed+1, off, r.Series.Bin, e)
				}
			}
			report(t, "symptom found", found, 0.5)
			t.Logf("of %d found, %d within one bin and %d within their interval", found, near, known)
		})
	}
}

// changePointsOf finds the change points of a case's incident, of what a report tells the history of.
func changePointsOf(t *testing.T, c scenario.Case) *timeline.ChangePointsResult {
	t.Helper()
	var b tracewhy.Builder
	for i := range c.Incident {
		b.Add(&c.Incident[i])
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := timeline.ChangePoints(t.Context(), set.All(), timeline.ChangePointsConfig{Series: timeline.SeriesConfig{
		Kinds: []timeline.SubjectKind{timeline.SubjectTransactions, timeline.SubjectService, timeline.SubjectDependency},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// symptomOff returns how many bins the symptom is later than it should be.
func symptomOff(r *timeline.ChangePointsResult, c scenario.Case) (int, bool) {
	if r.Symptom < 0 {
		return 0, false
	}
	return binsFrom(r, c.Label.SymptomNS, r.Events[r.Symptom].Time), true
}

// binsFrom returns how many bins lie between that of a moment and that of an event.
func binsFrom(r *timeline.ChangePointsResult, truth, at int64) int {
	bin := int64(r.Series.Bin)
	return int((at - (truth - truth%bin)) / bin)
}

// firstOf returns the first precursor in what the cause names: the calls that others make of it became slow.
func firstOf(r *timeline.ChangePointsResult, c scenario.Case) (timeline.Event, bool) {
	for _, e := range r.Precursors() {
		if e.IsWorse() && slices.Contains(c.Label.Causes[0].Services, e.Subject.Service) && e.Subject.Kind != timeline.SubjectTransactions {
			return e, true
		}
	}
	return timeline.Event{}, false
}

// report prints a share of the worlds, and fails if it is certainly less than it should be.
func report(t *testing.T, what string, n int, least float64) {
	t.Helper()
	e := stats.ClopperPearson(float64(n), float64(*worlds), 0.95)
	t.Logf("%s: %d of %d (%.2f to %.2f)", what, n, *worlds, e.Lo, e.Hi)
	if e.Hi < least || *worlds == 1 && n == 0 {
		t.Errorf("%s: %d of %d", what, n, *worlds)
	}
}
