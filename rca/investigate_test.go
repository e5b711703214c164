package rca_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

var worlds = flag.Int("worlds", 1, "how many generated cases of each family to investigate")

// build returns the cohorts of a generated case, its spans added in the order of shuffle.
func build(t *testing.T, c scenario.Case, shuffle *rand.Rand) (baseline, incident tracewhy.Cohort) {
	t.Helper()
	var spans []*tracewhy.SpanData
	for source, list := range map[string][]tracewhy.SpanData{"baseline": c.Baseline, "incident": c.Incident} {
		for i := range list {
			list[i].Source = source
			spans = append(spans, &list[i])
		}
	}
	if shuffle != nil {
		shuffle.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	}
	var b tracewhy.Builder
	for _, s := range spans {
		b.Add(s)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set.Source("baseline"), set.Source("incident")
}

// TestGeneratedIncidents investigates cases whose cause is known, and whom it hits. A few of each family are a test of the
// whole; -worlds 100, or 1000 for the quiet ones, is a measurement, which it prints with -v.
func TestGeneratedIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, f := range scenario.Families() {
		t.Run(f.Name, func(t *testing.T) {
			right, alarms := 0, 0
			var conditions checkConditions
			var whose checkWhose
			for seed := range uint64(*worlds) {
				c := scenario.Generate(f, seed+1)
				baseline, incident := build(t, c, nil)
				r, err := rca.Investigate(t.Context(), baseline, incident, rca.Config{Changes: changesOf(t, c)})
				if err != nil {
					t.Fatal(err)
				}
				if r.Verdict != rca.VerdictNoIncident {
					alarms++
				}
				conditions.add(t, c, r)
				whose.add(t, c, r)
				if len(r.RootCauses) > 0 && slices.ContainsFunc(c.Label.Causes, func(l scenario.Cause) bool { return slices.Contains(l.Services, r.RootCauses[0].Service) }) {
					right++
				} else if !f.Quiet {
					t.Logf("%s seed %d (%s of %v): verdict %s", f.Name, seed+1, c.Label.FaultType, c.Label.Causes[0].Services, r.Verdict)
				}
				// That something changed while nothing explains it is an answer as well.
				if n := len(r.RootCauses); r.Verdict == rca.VerdictNoIncident && n > 0 || r.Verdict == rca.VerdictIncident && n == 0 {
					t.Errorf("seed %d: verdict %s with %d causes", seed+1, r.Verdict, len(r.RootCauses))
				}
			}
			n := float64(*worlds)
			if f.Quiet {
				e := stats.ClopperPearson(float64(alarms), n, 0.95)
				t.Logf("%s: something found in %d of %d (%.3f to %.3f)", f.Name, alarms, *worlds, e.Lo, e.Hi)
				if e.Lo > 0.064 || *worlds <= 3 && alarms > 0 {
					t.Errorf("something found in %d of %d quiet worlds", alarms, *worlds)
				}
				return
			}
			conditions.finish(t, f)
			whose.finish(t, f)
			e := stats.ClopperPearson(float64(right), n, 0.95)
			t.Logf("%s: right first in %d of %d (%.3f to %.3f)", f.Name, right, *worlds, e.Lo, e.Hi)
			if e.Hi < 0.95 || *worlds <= 3 && right < *worlds {
				t.Errorf("right first in %d of %d", right, *worlds)
			}
		})
	}
}

func TestReportIsTheSameForAnyOrderAndWorkers(t *testing.T) {
	f, ok := scenario.Lookup("pool-exhaustion")
	if !ok {
		t.Fatal("no such family")
	}
	c := scenario.Generate(f, 1)
	var want []byte
	for i, workers := range []int{1, 2, 8, 1, 2} {
		baseline, incident := build(t, c, rand.New(rand.NewPCG(1, uint64(i))))
		r, err := rca.Investigate(t.Context(), baseline, incident, rca.Config{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
		} else if string(got) != string(want) {
			t.Errorf("shuffle %d with %d workers gives another report:\n%s\nand not\n%s", i, workers, got, want)
		}
	}
}

func TestInvestigateErrors(t *testing.T) {
	if _, err := rca.Investigate(t.Context(), tracewhy.Cohort{}, tracewhy.Cohort{}, rca.Config{}); !errors.Is(err, compare.ErrCohorts) {
		t.Errorf("no cohorts: error %v", err)
	}
	f, _ := scenario.Lookup("quiet")
	baseline, incident := build(t, scenario.Generate(f, 1), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rca.Investigate(ctx, baseline, incident, rca.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// The windows of a pool that runs out of connections, as the generator of the tests draws them.
func ExampleInvestigate() {
	f, _ := scenario.Lookup("pool-exhaustion")
	c := scenario.Generate(f, 1)
	var b tracewhy.Builder
	for _, w := range []struct {
		source string
		spans  []tracewhy.SpanData
	}{{"baseline", c.Baseline}, {"incident", c.Incident}} {
		for _, s := range w.spans {
			s.Source = w.source
			b.Add(&s)
		}
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := rca.Investigate(context.Background(), set.Source("baseline"), set.Source("incident"), rca.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := r.RootCauses[0]
	fmt.Println(r.Verdict, first.Service, first.Kind)
	fmt.Println(first.Service == c.Label.Causes[0].Services[0])
	// Output:
	// incident fraud-check-app wait
	// true
}

// investigate compares the sources "incident" and "baseline" of a set.
func investigate(t *testing.T, set *tracewhy.Set, cfg rca.Config) *rca.Report {
	t.Helper()
	r, err := rca.Investigate(t.Context(), set.Source("baseline"), set.Source("incident"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
