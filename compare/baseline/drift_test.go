package baseline_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

var worlds = flag.Int("worlds", 12, "how many pairs of days to compare; 200 is a measurement")

// sharp tolerates nothing: what is a drift is for the tests alone to say.
var sharp = baseline.Config{MinRatio: 1 + 1e-9, MinFailures: 1e-9, MinDifference: 1e-9}

// Where nothing changed, few comparisons find a drift. Executions of one trace depend on each other in these days:
// all that happens in it has one pace.
func TestStationaryDaysDoNotDrift(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, now  knobs
		mayNotBeTold bool
	}{
		{"alike", knobs{traces: 120, fails: 0.1, checks: 0.1, skips: 0.05, lost: 0.05}, knobs{traces: 120, fails: 0.1, checks: 0.1, skips: 0.05, lost: 0.05}, false},
		{"a week and an hour", knobs{traces: 600, fails: 0.03, checks: 0.02}, knobs{traces: 60, fails: 0.03, checks: 0.02}, false},
		{"another mix of requests", knobs{traces: 200, fails: 0.05}, knobs{traces: 200, fails: 0.05, carts: 0.7}, false},
		{"few", knobs{traces: 25, fails: 0.1, checks: 0.3}, knobs{traces: 8, fails: 0.1, checks: 0.3}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.now.day = 1
			verdicts := map[baseline.Verdict]int{}
			for seed := range uint64(*worlds) {
				c := compare(t, tt.before.take(t, seed, baseline.Config{}), tt.now.take(t, seed, baseline.Config{}), sharp)
				verdicts[c.Verdict]++
			}
			alarms := verdicts[baseline.Drifted]
			e := stats.ClopperPearson(float64(alarms), float64(*worlds), 0.95)
			t.Logf("%d of %d drifted (%.3f to %.3f): %v", alarms, *worlds, e.Lo, e.Hi, verdicts)
			if e.Lo > 0.05 || *worlds >= 200 && e.Value > 0.064 {
				t.Errorf("%d false alarms in %d", alarms, *worlds)
			}
			if told := verdicts[baseline.Representative]; (told == 0) != tt.mayNotBeTold {
				t.Errorf("%v", verdicts)
			}
		})
	}
}

// Tests take traces to be independent. Where they are not, or days differ, the thresholds have to make up for it: they do,
// unless a trace is nearly as slow as the one before.
func TestThresholdsAllowForDependence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		k     knobs
		alarm float64 // at most this share
	}{
		{"traces remember a little", knobs{memory: 0.3}, 0.05},
		{"traces remember", knobs{memory: 0.6}, 0.05},
		{"traces remember nearly all", knobs{memory: 0.9}, 0.2}, // a known failure
		{"days differ by up to 10 %", knobs{daily: 0.1}, 0.05},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.k.traces = 400
			alarms := [2]int{}
			for seed := range uint64(*worlds) {
				now := tt.k
				now.day = 1
				a, b := tt.k.take(t, seed, baseline.Config{}), now.take(t, seed, baseline.Config{})
				for i, cfg := range []baseline.Config{{}, sharp} {
					if compare(t, a, b, cfg).Verdict == baseline.Drifted {
						alarms[i]++
					}
				}
			}
			t.Logf("of %d, %d drifted, and without thresholds %d", *worlds, alarms[0], alarms[1])
			if e := stats.ClopperPearson(float64(alarms[0]), float64(*worlds), 0.95); e.Lo > tt.alarm {
				t.Errorf("%d false alarms in %d", alarms[0], *worlds)
			}
		})
	}
}

// What changed is seen, and named, on every of a few seeds.
func TestDriftsAreSeen(t *testing.T) {
	normal := knobs{traces: 200, fails: 0.02}
	for _, tt := range []struct {
		name string
		now  knobs
		kind baseline.Kind
		path string
		what string // the Name
	}{
		{"doubled latency", knobs{slow: 2}, baseline.KindDuration, "shop POST /pay > ledger book", ""},
		{"halved latency", knobs{slow: 0.5}, baseline.KindDuration, "shop POST /pay > ledger book", ""},
		{"new operation", knobs{checks: 1}, baseline.KindOperation, "shop POST /pay > fraud check", ""},
		{"new operation at times", knobs{checks: 0.2}, baseline.KindOperation, "shop POST /pay > fraud check", ""},
		{"call left out", knobs{skips: 0.5}, baseline.KindOperation, "shop POST /pay > ledger book", ""},
		{"failures", knobs{fails: 0.3}, baseline.KindFailures, "shop POST /pay", ""},
		{"called twice as often", knobs{twice: 1}, baseline.KindRepetition, "shop POST /pay > ledger book", ""},
		{"another vendor", knobs{vendor: "amex"}, baseline.KindPeer, "shop POST /pay > cards charge > cards POST", "amex"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(5) {
				now := tt.now
				now.traces, now.day = 200, 1
				c := compare(t, normal.take(t, seed, baseline.Config{}), now.take(t, seed, baseline.Config{}), baseline.Config{})
				found := slices.ContainsFunc(c.Changes, func(x baseline.Change) bool {
					return x.Drift && x.Kind == tt.kind && strings.Join(x.Path, " > ") == tt.path && x.Name == tt.what
				})
				if c.Verdict != baseline.Drifted || !found {
					t.Fatalf("seed %d: %s, %s: %s", seed, c.Verdict, c.Reason, encode(t, c.Changes))
				}
			}
		})
	}
}

// Changes of version, instance and traffic are told, and are no drift.
func TestContextIsNoDrift(t *testing.T) {
	c := compare(t, knobs{traces: 200}.take(t, 1, baseline.Config{}), knobs{traces: 200, day: 1, version: "2.0", carts: 0.6}.take(t, 1, baseline.Config{}), baseline.Config{})
	if c.Verdict != baseline.Representative {
		t.Fatalf("%s: %s", c.Verdict, c.Reason)
	}
	var got []string
	for _, x := range c.Changes {
		got = append(got, string(x.Kind)+" "+strings.Join(x.Path, " ")+" "+x.Name)
	}
	want := []string{"version cards 1.0", "version cards 2.0", "traffic shop GET /cart ", "traffic shop POST /pay "}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d, string(encode(t, c.Changes)))
	}
}

// What is sure and too small to matter is reported, and no drift.
func TestSmallChangesAreTolerated(t *testing.T) {
	a, b := knobs{traces: 3000}.take(t, 1, baseline.Config{}), knobs{traces: 3000, day: 1, slow: 1.1}.take(t, 1, baseline.Config{})
	c := compare(t, a, b, baseline.Config{})
	x := c.Changes[0]
	if c.Verdict != baseline.Representative || x.Kind != baseline.KindDuration || x.Adjusted > 0.001 || x.Drift {
		t.Errorf("%s: %s", c.Verdict, x.String())
	}
	if x.Effect.Low > 1.1 || x.Effect.High < 1.1 {
		t.Errorf("the factor is 1.1: %s", x.String())
	}
	if c := compare(t, a, b, baseline.Config{MinRatio: 1.05}); c.Verdict != baseline.Drifted {
		t.Errorf("with a lower threshold: %s", c.Verdict)
	}
}

// The interval of a factor covers it as often as it says.
func TestFactorIntervals(t *testing.T) {
	covered, n := 0, 0
	for seed := range uint64(*worlds) {
		a, b := knobs{traces: 80}.take(t, seed, baseline.Config{}), knobs{traces: 80, day: 1, slow: 1.7}.take(t, seed, baseline.Config{})
		for _, x := range compare(t, a, b, baseline.Config{}).Changes {
			if x.Kind == baseline.KindDuration && x.Operation == "book" {
				n++
				if x.Effect.Low <= 1.7 && x.Effect.High >= 1.7 {
					covered++
				}
			}
		}
	}
	if e := stats.ClopperPearson(float64(covered), float64(n), 0.95); e.Hi < 0.95 || n < *worlds*9/10 {
		t.Errorf("%d of %d cover it", covered, n)
	}
}

// Exchanging the two sides turns every change round.
func TestDiffIsSymmetric(t *testing.T) {
	a, b := knobs{traces: 150, fails: 0.1}.take(t, 1, baseline.Config{}), knobs{traces: 100, day: 1, slow: 1.6, checks: 0.5, vendor: "amex"}.take(t, 1, baseline.Config{})
	there, back := compare(t, a, b, baseline.Config{}), compare(t, b, a, baseline.Config{})
	if len(there.Changes) < 5 {
		t.Fatalf("only %d changes", len(there.Changes))
	}
	find := func(x baseline.Change) (baseline.Change, bool) {
		for _, y := range back.Changes {
			if x.Kind == y.Kind && slices.Equal(x.Path, y.Path) && x.Name == y.Name {
				return y, true
			}
		}
		return baseline.Change{}, false
	}
	for _, x := range there.Changes {
		y, ok := find(x)
		if !ok || math.Abs(x.P-y.P) > 1e-9 || x.Before != y.After || x.Drift != y.Drift {
			t.Errorf("%s\nturned round: %s", x.String(), y.String())
		}
	}
}

// Other names of services and operations change nothing but names.
func TestNamesDoNotMatter(t *testing.T) {
	changes := func(name func(string) string) []string {
		var sides []*baseline.Snapshot
		for day, k := range []knobs{{traces: 150, fails: 0.1}, {traces: 150, slow: 1.6, checks: 0.5, vendor: "amex", version: "2.0"}} {
			k.day = day
			spans := k.spans(1)
			seen := map[*tracewhy.Resource]bool{}
			for i := range spans {
				spans[i].Name = name(spans[i].Name)
				if r := spans[i].Resource; !seen[r] {
					seen[r] = true
					for j, kv := range r.Attributes {
						if kv.Key == "service.name" {
							r.Attributes[j] = tracewhy.String(kv.Key, name(kv.Value.Str()))
						}
					}
				}
			}
			sides = append(sides, take(t, tracewhy.SetOf(spans...).All(), baseline.Config{}))
		}
		var out []string
		for _, x := range compare(t, sides[0], sides[1], baseline.Config{}).Changes {
			out = append(out, strings.ReplaceAll(strings.Join(x.Path, " > ")+" "+x.String(), "z#", ""))
		}
		slices.Sort(out)
		return out
	}
	want := changes(func(s string) string { return s })
	got := changes(func(s string) string { return "z#" + s })
	if d := cmp.Diff(want, got); d != "" || len(want) < 5 {
		t.Errorf("%d changes: %s", len(want), d)
	}
}

// Weights that depend on the outcome change the share of failures, and not whether it changed.
func TestSampledFailures(t *testing.T) {
	// Of 1000 requests 50 fail. All of those are kept, and one in ten of the others.
	day := func(day int) []tracewhy.SpanData {
		failed := knobs{traces: 50, day: 2 * day, fails: 1, carts: 1e-9, weight: 1}.spans(1)
		return append(failed, knobs{traces: 95, day: 2*day + 1, carts: 1e-9, weight: 10}.spans(1)...)
	}
	whole := take(t, tracewhy.SetOf(append(knobs{traces: 50, fails: 1, carts: 1e-9}.spans(2), knobs{traces: 950, day: 1, carts: 1e-9}.spans(2)...)...).All(), baseline.Config{})
	sampled := take(t, tracewhy.SetOf(day(3)...).All(), baseline.Config{})
	c := compare(t, whole, sampled, baseline.Config{})
	for _, x := range c.Changes {
		if x.Kind == baseline.KindFailures && x.Operation == "POST /pay" {
			t.Errorf("failures of requests changed: %s", x.String())
		}
	}
	if !hasWarning(c, baseline.WarningWeighted) {
		t.Errorf("warnings: %v", c.Warnings)
	}
}

func hasWarning(c *baseline.Comparison, code string) bool {
	return slices.ContainsFunc(c.Warnings, func(w tracewhy.Warning) bool { return w.Code == code })
}

func TestWarnings(t *testing.T) {
	normal := knobs{traces: 200}.take(t, 1, baseline.Config{})
	later := func(k knobs, hours int) *baseline.Snapshot {
		k.day, k.traces = 1, 200
		spans := k.spans(1)
		for i := range spans {
			spans[i].Start += uint64(hours) * uint64(time.Hour)
			spans[i].End += uint64(hours) * uint64(time.Hour)
		}
		return take(t, tracewhy.SetOf(spans...).All(), baseline.Config{})
	}
	tests := []struct {
		code    string
		now     *baseline.Snapshot
		cfg     baseline.Config
		verdict baseline.Verdict
	}{
		{"", later(knobs{}, 0), baseline.Config{Now: epoch.AddDate(0, 0, 28)}, baseline.Representative},
		{baseline.WarningOld, later(knobs{}, 0), baseline.Config{Now: epoch.AddDate(0, 0, 29)}, baseline.Representative},
		{baseline.WarningHours, later(knobs{}, 5), baseline.Config{}, baseline.CannotTell},
		{baseline.WarningIncomplete, later(knobs{lost: 0.9, carts: 1e-9}, 0), baseline.Config{}, baseline.CannotTell},
		{baseline.WarningOverlap, knobs{traces: 200}.take(t, 2, baseline.Config{}), baseline.Config{}, baseline.Representative},
	}
	for _, tt := range tests {
		c := compare(t, normal, tt.now, tt.cfg)
		if c.Verdict != tt.verdict || (len(c.Warnings) > 0) != (tt.code != "") || tt.code != "" && !hasWarning(c, tt.code) {
			t.Errorf("%s: %s, %s, %v, %s", tt.code, c.Verdict, c.Reason, c.Warnings, encode(t, c.Changes))
		}
	}
	rule := baseline.Config{Outcome: tracewhy.OutcomeRule{AbandonedKey: "left"}}
	if c := compare(t, normal, knobs{traces: 200, day: 1, fails: 0.5}.take(t, 1, rule), baseline.Config{}); !hasWarning(c, baseline.WarningOutcome) {
		t.Errorf("two rules: %v", c.Warnings)
	}
}

// A name is taken for a template where a Set has many like it. It is then neither new nor gone, and a third
// of what is executed is not compared.
func TestTemplatesAreNotCompared(t *testing.T) {
	day := func(day, workers int, other string) *baseline.Snapshot {
		var text strings.Builder
		for i := range 300 {
			fmt.Fprintf(&text, "trace %d-%d at=%ds\nshop/GET / 0+100 server\n  shop/worker-%d 10+20\n  %s 40+20\n", day, i, day*86400+i, i%workers, other)
		}
		return take(t, tracetext.Set(text.String()).All(), baseline.Config{})
	}
	many, few := day(0, 30, "shop/store"), day(1, 3, "shop/store")
	if len(many.Operations) != 3 || len(few.Operations) != 5 {
		t.Fatalf("%d and %d operations", len(many.Operations), len(few.Operations))
	}
	for _, sides := range [][2]*baseline.Snapshot{{many, few}, {few, many}} {
		if c := compare(t, sides[0], sides[1], baseline.Config{}); c.Verdict != baseline.CannotTell || len(c.Changes) > 0 || !hasWarning(c, baseline.WarningNames) {
			t.Errorf("%s, %v: %s", c.Verdict, c.Warnings, encode(t, c.Changes))
		}
	}
	// What has nothing to do with templates is new all the same.
	if c := compare(t, many, day(1, 3, "shop/keep"), baseline.Config{}); c.Verdict != baseline.Drifted || c.Changes[0].Kind != baseline.KindOperation {
		t.Errorf("%s: %s", c.Verdict, encode(t, c.Changes))
	}
}

func TestDriftOfCohort(t *testing.T) {
	normal := knobs{traces: 200}.take(t, 1, baseline.Config{})
	c, err := baseline.Drift(context.Background(), normal, knobs{traces: 200, day: 1, slow: 2}.cohort(1), baseline.Config{})
	if err != nil || c.Verdict != baseline.Drifted {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := baseline.Drift(context.Background(), normal, tracewhy.Cohort{}, baseline.Config{}); err != baseline.ErrEmpty {
		t.Errorf("of nothing: %v", err)
	}
}
