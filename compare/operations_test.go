package compare

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

func TestSymptoms(t *testing.T) {
	for _, c := range []struct {
		name   string
		broken knobs
		want   string
	}{
		{"nothing", knobs{}, ""},
		{"slow store", knobs{storeWork: 20}, " latency"},
		{"slow network", knobs{toStore: 10}, " latency"},
		{"failing auth", knobs{authFails: 0.1}, " error structure"},
		{"store down", knobs{storeDown: 0.2}, " error structure"},
		{"early return", knobs{apiStops: 0.2}, " structure"},
		{"half the traffic", knobs{traces: 150}, ""},
		{"another mix of root operations", knobs{adminShare: 0.6}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := compareWorlds(t, 1, knobs{adminShare: 0.1}, c.broken)
			if c.broken.adminShare == 0 {
				c.broken.adminShare = 0.1
			}
			if got := significant(r); got != c.want {
				t.Errorf("significant:%s, want%s\n%+v", got, c.want, r.Symptoms)
			}
			if r.Changed() != (c.want != "") {
				t.Errorf("Changed() = %v", r.Changed())
			}
		})
	}
}

// timingOf returns the timing of a place.
func timingOf(t *testing.T, r *OperationsResult, service, callee string) Timing {
	t.Helper()
	for _, x := range r.Timings {
		if x.Service == service && x.Callee == callee {
			return x
		}
	}
	t.Fatalf("no timing of %q to %q", service, callee)
	return Timing{}
}

func TestTimingBlamesThePlace(t *testing.T) {
	for _, c := range []struct {
		name            string
		broken          knobs
		service, callee string
		want            float64
	}{
		{"own work", knobs{storeWork: 20}, "store", "", 20},
		{"edge", knobs{toStore: 10}, "api", "store", 10 * 0.7}, // 0.7 of the traces go through api
	} {
		t.Run(c.name, func(t *testing.T) {
			r := compareWorlds(t, 2, knobs{}, c.broken)
			got := timingOf(t, r, c.service, c.callee)
			if e := got.Excess; e.Low > c.want*1.1 || e.High < c.want*0.9 || !(e.Low > c.want/2) {
				t.Errorf("excess %v, want about %v", e, c.want)
			}
			if !got.Moved || got.Delta < 0.9 || got.Q > 1e-6 {
				t.Errorf("the place counts as unmoved: %+v", got)
			}
			if r.Timings[0].Service != c.service || r.Timings[0].Callee != c.callee {
				t.Errorf("first is %s to %q", r.Timings[0].Service, r.Timings[0].Callee)
			}
			for _, x := range r.Timings {
				isEdge := c.callee != "" && x.Callee == c.callee // job's edge to the store is slower as well
				if x.Moved && !isEdge && (x.Service != c.service || x.Callee != c.callee) {
					t.Errorf("%s to %q moved: %+v", x.Service, x.Callee, x)
				}
			}
		})
	}
}

func TestExcessesAddUp(t *testing.T) {
	r := compareWorlds(t, 3, knobs{}, knobs{storeWork: 5, toStore: 2, traces: 200})
	sum := 0.0
	for _, x := range r.Timings {
		if x.Excess.IsKnown() {
			sum += x.Excess.Value
		}
		part := 0.0
		for _, o := range x.Operations {
			part += o.Excess
		}
		if math.Abs(part-x.Excess.Value) > 1e-9 {
			t.Errorf("%s to %q: operations add up to %v, the place has %v", x.Service, x.Callee, part, x.Excess.Value)
		}
	}
	for _, s := range r.Symptoms {
		if s.Kind == SymptomLatency && math.Abs(s.Excess.Value-sum) > 1e-9 {
			t.Errorf("places add up to %v ms, the symptom has %v", sum, s.Excess.Value)
		}
		if s.Kind == SymptomLatency && math.Abs(s.Baseline+s.Excess.Value-s.Incident) > 1e-9 {
			t.Errorf("baseline %v + excess %v is not incident %v", s.Baseline, s.Excess.Value, s.Incident)
		}
	}
}

func TestFailuresArePartitionedByOrigin(t *testing.T) {
	r := compareWorlds(t, 4, knobs{authFails: 0.02}, knobs{authFails: 0.2})
	if len(r.Failures) != 1 {
		t.Fatalf("origins: %+v", r.Failures)
	}
	f := r.Failures[0]
	if f.Service != "auth" || f.Operation != "check" || f.Peer != "" {
		t.Errorf("origin %s %s %q, want auth check", f.Service, f.Operation, f.Peer)
	}
	if f.Affected.Len() != f.Traces[1] || f.Traces[1] < 40 || f.Share.Low > 0.18 || f.Share.High < 0.18 || f.Q > 1e-6 {
		t.Errorf("%+v", f)
	}
}

func TestUnansweredCallsAreTheCallees(t *testing.T) {
	r := compareWorlds(t, 5, knobs{}, knobs{storeDown: 0.3})
	if f := r.Failures[0]; f.Peer != "store" {
		t.Errorf("failures are blamed on %q of %s %s", f.Peer, f.Service, f.Operation)
	}
	o := r.Structures[0]
	if o.Service != "store" || !o.Unanswered || o.Share.Low > 0.3 || o.Share.High < 0.25 {
		t.Errorf("changed traces are blamed on %s (unanswered: %v, share %v)", o.Service, o.Unanswered, o.Share)
	}
}

// Where one caller stops after a call, its own code or the answer may be why; where all of its callers
// do, it is the answer.
func TestStoppingIsTheCalleesWhereAllCallersStop(t *testing.T) {
	part := func(broken knobs) (auth, callers float64) {
		for _, o := range compareWorlds(t, 6, knobs{}, broken).Structures {
			if o.Service == "auth" {
				auth = o.Share.Value
			} else {
				callers += max(0, o.Share.Value)
			}
		}
		return auth, callers
	}
	if auth, callers := part(knobs{apiStops: 0.4, jobStops: 0.4}); auth < 0.3 || callers > 0.05 {
		t.Errorf("both callers stop: auth has %.2f, its callers %.2f", auth, callers)
	}
	if auth, callers := part(knobs{apiStops: 0.4}); auth > callers {
		t.Errorf("one of two callers stops: auth has %.2f, its callers %.2f", auth, callers)
	}
}

func TestResultDependsOnTheTracesAlone(t *testing.T) {
	baseline, incident := window(7, "baseline", knobs{traces: 120}), window(7, "incident", knobs{traces: 100, storeWork: 10, authFails: 0.1})
	b, i := cohorts(t, baseline, incident)
	want, err := Operations(context.Background(), b, i, OperationsConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{2, 8} {
		got, err := Operations(context.Background(), b, i, OperationsConfig{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers give another result", workers)
		}
	}
}

func TestScalingTimeScalesExcess(t *testing.T) {
	broken := knobs{storeWork: 20}
	once := compareWorlds(t, 8, knobs{}, broken)
	broken.scale = 4
	scaled := compareWorlds(t, 8, knobs{scale: 4}, broken)
	for k, x := range once.Timings {
		y := scaled.Timings[k]
		if x.Service != y.Service || x.Callee != y.Callee || math.Abs(y.Excess.Value-4*x.Excess.Value) > 1e-4 || math.Abs(x.Delta-y.Delta) > 1e-3 {
			t.Errorf("%s to %q: excess %v, scaled by 4: %s to %q %v", x.Service, x.Callee, x.Excess, y.Service, y.Callee, y.Excess)
		}
	}
}

func TestRenamingServicesRenamesPlaces(t *testing.T) {
	rename := func(s string) string { return "zz-" + s }
	broken := knobs{toStore: 10, authFails: 0.1}
	plain := compareWorlds(t, 9, knobs{}, broken)
	broken.name = rename
	renamed := compareWorlds(t, 9, knobs{name: rename}, broken)
	for k, x := range plain.Timings {
		y := renamed.Timings[k]
		callee := x.Callee
		if callee != "" {
			callee = rename(callee)
		}
		if rename(x.Service) != y.Service || callee != y.Callee || x.Excess != y.Excess || x.Q != y.Q {
			t.Errorf("%s to %q becomes %s to %q", x.Service, x.Callee, y.Service, y.Callee)
		}
	}
	if rename(plain.Failures[0].Service) != renamed.Failures[0].Service {
		t.Errorf("failures: %s becomes %s", plain.Failures[0].Service, renamed.Failures[0].Service)
	}
}

// With nothing changed, something is found in at most alpha of the comparisons. Pure chance decides how many
// of 200 those are; more than 18 would have a probability of 0.5 % at the nominal rate of 5 %.
func TestFalseAlarms(t *testing.T) {
	alarms := 0
	for seed := range uint64(200) {
		r := compareWorlds(t, 1000+seed, knobs{traces: 60, authFails: 0.03}, knobs{traces: 80, authFails: 0.03})
		if r.Changed() {
			alarms++
		}
	}
	if alarms > 18 {
		t.Errorf("%d of 200 comparisons of equal windows find something", alarms)
	}
}

func TestCohortsThatCannotBeCompared(t *testing.T) {
	b, i := cohorts(t, window(1, "baseline", knobs{traces: 10}), window(1, "incident", knobs{traces: 10}))
	other, _ := cohorts(t, window(2, "baseline", knobs{traces: 10}), nil)
	for name, pair := range map[string][2]tracewhy.Cohort{
		"zero":           {},
		"no baseline":    {b.Minus(b), i},
		"no incident":    {b, i.Minus(i)},
		"two sets":       {other, i},
		"one in another": {i, i},
	} {
		if _, err := Operations(context.Background(), pair[0], pair[1], OperationsConfig{}); !errors.Is(err, ErrCohorts) {
			t.Errorf("%s: error %v, want ErrCohorts", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Operations(ctx, b, i, OperationsConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestUnmatchedRootsAreCounted(t *testing.T) {
	r := compareWorlds(t, 11, knobs{}, knobs{adminShare: 0.2, storeWork: 20})
	found := 0
	for _, w := range r.Warnings {
		if w.Code == WarningUnmatchedRoot {
			found = w.Count
		}
	}
	if found < 40 || found > 80 {
		t.Errorf("%d traces of the incident are said to have no baseline, want about 60", found)
	}
	if e := timingOf(t, r, "store", "").Excess; e.Low > 20 || e.High < 19 {
		t.Errorf("excess %v, want about 20", e)
	}
}

// More requests of a kind for which the store does more are no change of the store, if their kind shows.
func TestChangedRequestsAreNoChangeOfStructure(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		r := compareWorlds(t, 12, knobs{goldShare: 0.1, hidePlan: hidden}, knobs{goldShare: 0.5, hidePlan: hidden})
		mix := 0
		for _, w := range r.Warnings {
			if w.Code == WarningRequestMix {
				mix = w.Count
			}
		}
		if want := map[bool]string{false: "", true: " structure"}[hidden]; significant(r) != want || (mix > 0) == hidden {
			t.Errorf("hidden: %v: significant:%s, want%s; %d shifts are explained by the mix", hidden, significant(r), want, mix)
		}
	}
}

func TestAdjustDiscreteLeavesOutWhatCannotBeRejected(t *testing.T) {
	// Two hypotheses can reach alpha/2, and 98 can't reach anything: they cost the two nothing.
	hyps := []*hypothesis{
		{StructureShift: StructureShift{P: 0.02}, smallest: 0.001},
		{StructureShift: StructureShift{P: 0.04}, smallest: 0.002},
	}
	for range 98 {
		hyps = append(hyps, &hypothesis{StructureShift: StructureShift{P: 0.3}, smallest: 0.3})
	}
	adjustDiscrete(hyps, 0.05)
	if hyps[0].Q != 0.04 || hyps[1].Q != 0.04 || hyps[2].Q != 1 {
		t.Errorf("q-values %v, %v and %v, want 0.04, 0.04 and 1", hyps[0].Q, hyps[1].Q, hyps[2].Q)
	}
	ps := []float64{0.02, 0.04}
	if q := stats.BenjaminiHochberg(ps); q[0] != hyps[0].Q {
		t.Errorf("Benjamini and Hochberg over the two give %v", q)
	}
}

func BenchmarkOperations(b *testing.B) {
	base, inc := cohorts(b, window(1, "baseline", knobs{traces: 3000}), window(1, "incident", knobs{traces: 3000, storeWork: 10}))
	spans := base.NumSpans() + inc.NumSpans()
	for b.Loop() {
		if _, err := Operations(context.Background(), base, inc, OperationsConfig{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(spans), "ns/span")
}
