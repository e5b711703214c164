package sample_test

import (
	"flag"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/sample"
)

var worlds = flag.Int("worlds", 1, "how many generated cases of each family to sample")

// strong are families whose incidents a small sample shows: of faint ones, and of those of a whole night, it does not
// have enough.
var strong = []string{
	"bad-instance", "bad-version", "mortgage-stall", "network-latency", "pool-exhaustion", "serialization",
	"settlement-modes", "traffic-mix", "vendor-throttling",
}

// A sample of an incident has the same first cause as the incident, or another true one if there are several. With 8 traces a stratum, in place of 16,
// there are incidents of which a sample is too small to say anything.
func TestSampleHasTheSameCause(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, name := range strong {
		for seed := range uint64(*worlds) {
			set, c := incident(t, name, seed+1)
			s := of(sample.Config{PerStratum: 16, Bin: 1 << 62}, slices.Collect(set.Traces())...)
			sampled, err := s.Set(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d of %d traces, %d bytes", c.Name, sampled.NumTraces(), set.NumTraces(), s.Bytes())
			if 4*sampled.NumTraces() > 3*set.NumTraces() {
				t.Errorf("%s: %d of %d traces is no sample", c.Name, sampled.NumTraces(), set.NumTraces())
			}
			first := func(set *tracewhy.Set) string {
				r, err := rca.Investigate(t.Context(), set.Source("baseline"), set.Source("incident"), rca.Config{})
				if err != nil {
					t.Fatal(err)
				}
				if len(r.RootCauses) == 0 {
					return ""
				}
				return r.RootCauses[0].Service
			}
			var truth []string
			for _, cause := range c.Label.Causes {
				truth = append(truth, cause.Services...)
			}
			got, want := first(sampled), first(set)
			if len(c.Label.Causes) == 1 && got != want || !slices.Contains(truth, got) || !slices.Contains(truth, want) {
				t.Errorf("%s: %q is the first cause of the sample, %q of the whole, the truth is %q", c.Name, got, want, truth)
			}
		}
	}
}
