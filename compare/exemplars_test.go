package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

func TestExemplars(t *testing.T) {
	normal := site{traces: 40, items: func(*stats.Rand) int { return 2 }}
	odd := site{traces: 1, items: func(*stats.Rand) int { return 30 }, noUser: 1}
	failed := site{traces: 1, fails: 1}
	var spans []tracewhy.SpanData
	for seed, w := range []site{normal, odd, failed} {
		spans = append(spans, w.window(uint64(seed), "incident")...)
	}
	spans = append(spans, normal.window(3, "baseline")...)
	var want string
	for round := range 3 {
		set := tracewhy.SetOf(spans...)
		list, err := Exemplars(context.Background(), set.Source("incident"), ExemplarsConfig{Workers: 1 + round})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range list {
			got += fmt.Sprintln(e.Role, e.Outcome, e.Trace.NumSpans(), e.Twin.NumSpans(), e.Twin.Source())
			if e.Distance < 0 || e.Distance > 1 || e.Mean < 0 || e.Mean > 1 || (e.Role == ExemplarMedoid) != (e.Distance == 0) {
				t.Errorf("%s %s: distance %v, mean %v", e.Role, e.TraceID, e.Distance, e.Mean)
			}
		}
		// All normal traces are alike, so that there is no third on the boundary.
		if names := "medoid ok 8 8 baseline\nboundary failed 4 8 baseline\nboundary slow 63 8 baseline\n"; got != names {
			t.Errorf("got\n%swant\n%s", got, names)
		}
		b, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Errorf("round %d differs", round)
		}
		slices.Reverse(spans)
	}
}

func TestExemplarsOfLittle(t *testing.T) {
	set := tracewhy.SetOf(site{traces: 1000}.window(1, "incident")...)
	list, err := Exemplars(context.Background(), set.All(), ExemplarsConfig{Boundary: 1})
	if err != nil || len(list) != 2 || !list[0].Twin.IsZero() {
		t.Errorf("without a baseline: %v %v", list, err)
	}
	one := set.Select(func(t tracewhy.Trace) bool { return t.Index() == 0 })
	if list, err = Exemplars(context.Background(), one, ExemplarsConfig{}); err != nil || len(list) != 1 {
		t.Errorf("of one: %v %v", list, err)
	}
	if _, err := Exemplars(context.Background(), tracewhy.Cohort{}, ExemplarsConfig{}); err != ErrCohorts {
		t.Errorf("of none: %v", err)
	}
	other := tracewhy.SetOf(site{traces: 1}.window(1, "incident")...)
	if _, err := Exemplars(context.Background(), one, ExemplarsConfig{Baseline: other.All()}); err != ErrCohorts {
		t.Errorf("of two Sets: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Exemplars(ctx, one, ExemplarsConfig{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// Distances are those of a semimetric: symmetric, from 0 to 1, and 0 for a trace and itself.
func TestTraceDistance(t *testing.T) {
	set := tracewhy.SetOf(slices.Concat(
		site{traces: 6, swapped: 0.5, serial: 0.5}.window(1, "a"), site{traces: 4, fails: 0.5, retries: 2}.window(2, "b"),
		[]tracewhy.SpanData{{TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{1}, Name: "no end"}},
	)...)
	var profiles []traceProfile
	for x := range set.Traces() {
		profiles = append(profiles, profileOf(x))
	}
	for i := range profiles {
		for j := range profiles {
			d := profiles[i].distance(&profiles[j])
			if d != profiles[j].distance(&profiles[i]) || d < 0 || d > 1 || i == j && d != 0 {
				t.Errorf("%d and %d: %v", i, j, d)
			}
		}
	}
}
