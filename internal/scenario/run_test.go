package scenario

import (
	"math"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// small is a size for tests that need many cases.
var small = size{250, 150 * millisecond}

// TestSpansDoNotMatter: what happens does not depend on whether spans record it, so that a silent run shows what a
// fault does.
func TestSpansDoNotMatter(t *testing.T) {
	for _, f := range []Family{badVersion, poolExhaustion} {
		_, incident, d := windows(f, 5, small, false)
		again := &run{estate: d.estate, fleet: d.fleet, traffic: d.traffic, fault: d.fault, seed: incident.seed, silent: true}
		again.simulate()
		if !slices.Equal(incident.results, again.results) {
			t.Errorf("%s: requests end differently without spans", f.Name)
		}
	}
}

// TestFaultTouchesNothingElse: a fault that never strikes leaves every request as it was.
func TestFaultTouchesNothingElse(t *testing.T) {
	baseline, _, _ := windows(quiet, 6, small, true)
	again := &run{
		estate: baseline.estate, fleet: baseline.fleet, traffic: baseline.traffic, seed: baseline.seed, silent: true,
		fault: fault{
			work: func(f frame, _ *operation) harm { f.req.fault.Uint64(); return harm{} },
			way:  func(f frame, _, _ *instance) int64 { f.req.fault.Uint64(); return 0 },
		},
	}
	again.simulate()
	if !slices.Equal(baseline.results, again.results) {
		t.Error("requests end differently under a fault that does nothing")
	}
}

// TestQuietIsQuiet: in the quiet families each kind of request takes as long, and fails as often, in both windows.
func TestQuietIsQuiet(t *testing.T) {
	const seeds, level = 24, 0.05
	const most = 6 // P(X > 6) < 0.001 for X binomial (24, 0.05)
	for _, f := range []Family{quiet, quietMix} {
		slow, failing := 0, 0
		for seed := range uint64(seeds) {
			baseline, incident, _ := windows(f, 1000+seed, small, true)
			var strata []stats.RankStratum
			var failures stats.Table
			for _, en := range baseline.estate.entries {
				before, k1 := durations(baseline.results, en)
				after, k2 := durations(incident.results, en)
				if len(before) > 0 && len(after) > 0 {
					strata = append(strata, stats.RankStratum{X: stats.NewSample(after), Y: stats.NewSample(before)})
				}
				failures.A, failures.B = failures.A+k2, failures.B+len(after)-k2
				failures.C, failures.D = failures.C+k1, failures.D+len(before)-k1
			}
			if stats.VanElteren(strata, stats.TwoSided).P < level {
				slow++
			}
			if failures.Fisher(stats.TwoSided) < level {
				failing++
			}
		}
		if slow > most || failing > most {
			t.Errorf("%s: at level %v, %d of %d cases differ in duration and %d in failures", f.Name, level, slow, seeds, failing)
		}
	}
}

// durations returns how long the requests to an entry took, in milliseconds, and how many failed.
func durations(rs []result, en *entry) (ms []float64, failed int) {
	for _, r := range rs {
		if r.entry == en {
			ms = append(ms, float64(r.duration)/float64(millisecond))
			if r.failed {
				failed++
			}
		}
	}
	return ms, failed
}

// TestFailureRates: good times are good, and a leaking pool fails about 15 % of the card authorisations.
func TestFailureRates(t *testing.T) {
	const seeds = 12
	var shares []float64
	for seed := range uint64(seeds) {
		baseline, incident, d := windows(poolExhaustion, 100+seed, size{600, 150 * millisecond}, true)
		failed := 0
		for _, r := range baseline.results {
			if r.failed {
				failed++
			}
		}
		if share := float64(failed) / float64(len(baseline.results)); share > 0.06 {
			t.Errorf("seed %d: %.3f of all requests fail in good times", 100+seed, share)
		}
		all, k := durations(incident.results, d.estate.entries[0])
		share := float64(k) / float64(len(all))
		if share < 0.03 || share > 0.6 {
			t.Errorf("seed %d: %.3f of the authorisations fail", 100+seed, share)
		}
		shares = append(shares, share)
	}
	if mean := stats.Mean(shares); math.Abs(mean-0.17) > 0.07 {
		t.Errorf("on average %.3f of the authorisations fail, want about 0.17", mean)
	}
}

// TestFaultsAreVisible: nearly every fault can be seen, and they range from hardly to plainly.
func TestFaultsAreVisible(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const seeds = 4
	for _, f := range Families() {
		if f.Quiet {
			continue
		}
		var scores []float64
		for seed := range uint64(seeds) {
			_, incident, d := windows(f, 200+seed, small, true)
			healthy := &run{estate: d.estate, fleet: d.fleet, traffic: d.traffic, seed: incident.seed, silent: true}
			healthy.simulate()
			failures, slowness := visibility(healthy.results, incident.results, f.apart)
			scores = append(scores, max(failures/visibleFailures, slowness/visibleSlowness))
		}
		slices.Sort(scores)
		plainly := 1.5
		if f.apart || f.Name == canary.Name {
			plainly = 1.2 // it is among few by intent
		}
		if scores[0] < 1 || scores[seeds-1] < plainly {
			t.Errorf("%s: visibility from %.2f to %.2f of what is needed", f.Name, scores[0], scores[seeds-1])
		}
	}
}
