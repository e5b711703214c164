package capacity_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// An operation becomes slower since its load grows and it waits, or since its work takes longer.
func TestSlowdown(t *testing.T) {
	usual := queue{servers: 2, load: 0.2, service: lognormal}
	for _, test := range []struct {
		name      string
		as        recordedAs
		operation string
		load      float64
		slower    float64
		want      capacity.Growth
	}{
		{"a lock", waitWithin, "SELECT accounts", 0.9, 1, capacity.GrowthWait},
		{"a lock that nearly all wait for", waitWithin, "SELECT accounts", 0.98, 1, capacity.GrowthWait},
		{"a pool", waitBefore, "GET /accounts", 0.9, 1, capacity.GrowthWait},
		{"a pool with spans", waitSpan, "GET /accounts", 0.9, 1, capacity.GrowthWait},
		{"behind a pool", waitSpan, "SELECT accounts", 0.9, 1, capacity.GrowthUnknown},
		{"more work", waitWithin, "SELECT accounts", 0.25, 2, capacity.GrowthWork},
		{"more work of callees", nothingWaits, "GET /accounts", 0.4, 2, capacity.GrowthUnknown},
		{"nothing", nothingWaits, "GET /accounts", 0.25, 1, capacity.GrowthUnknown},
		{"a busy processor", shared, "SELECT accounts", 0.45, 1, capacity.GrowthUnknown},
	} {
		before, after := usual, usual
		before.as, after.as = test.as, test.as
		after.load = test.load
		after.service = func(r *rand.Rand) float64 { return test.slower * lognormal(r) }
		spans := before.spans(1, 1000)
		for _, s := range after.spans(2, 1000) {
			s.TraceID[1] = 1
			s.Start, s.End = s.Start+uint64(time.Hour), s.End+uint64(time.Hour)
			spans = append(spans, s)
		}
		set := tracewhy.SetOf(spans...)
		incident := set.Select(func(t tracewhy.Trace) bool { return t.ID()[1] == 1 })
		r, err := capacity.Slowdown(context.Background(), set.All().Minus(incident), incident, pathOf(t, set, test.operation))
		if err != nil {
			t.Fatal(err)
		}
		if r.Growth != test.want || r.Growth == capacity.GrowthWait && (r.Limit.N != 2 || r.Waited < (r.After-r.Before)/2 || r.Waited > r.After) {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
}

func pathOf(t *testing.T, set *tracewhy.Set, operation string) tracewhy.Path {
	t.Helper()
	for p := range set.Paths() {
		if p.Operation() == operation {
			return p
		}
	}
	t.Fatalf("no path of %s", operation)
	return tracewhy.Path{}
}

// Operations that wait for connections are not said to work more, and those that work more are not said to wait.
func TestSlowdownScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for family, never := range map[string]capacity.Growth{
		"pool-exhaustion": capacity.GrowthWork, "bad-instance": capacity.GrowthWait, "bad-version": capacity.GrowthWait,
	} {
		if *worlds == 1 && family == "bad-version" {
			continue
		}
		f, ok := scenario.Lookup(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		kinds := map[capacity.Growth]int{}
		for seed := range uint64(*worlds) {
			c := scenario.Generate(f, seed)
			isOf := map[tracewhy.TraceID]bool{}
			for i := range c.Incident {
				c.Incident[i].TraceID[0] ^= 0x80 // both windows have traces of the same numbers
				isOf[c.Incident[i].TraceID] = true
			}
			set := tracewhy.SetOf(slices.Concat(c.Baseline, c.Incident)...)
			incident := set.Select(func(t tracewhy.Trace) bool { return isOf[t.ID()] })
			for p := range set.Paths() {
				cause := c.Label.Causes[0]
				if !slices.Contains(cause.Services, p.Service()) || !slices.Contains(cause.Operations, p.Operation()) {
					continue
				}
				r, err := capacity.Slowdown(context.Background(), set.All().Minus(incident), incident, p)
				if errors.Is(err, capacity.ErrNoTraces) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if kinds[r.Growth]++; r.Growth == never {
					t.Errorf("%s: %v: %+v", c.Name, p, r)
				}
			}
		}
		t.Logf("%s: %v", family, kinds)
	}
}
