package cluster

import (
	"context"
	"testing"

	"github.com/tracewhy/tracewhy/cluster/learn"
)

// seeds is how many worlds of a kind are made: the shares below are of those.
const seeds = 20

// Three modes of settlement failures, 8 % of all traces in sum, are found as three.
func TestThreeModes(t *testing.T) {
	right := 0
	for seed := range uint64(seeds) {
		w := settlements(seed, "incident", 1500, 0.08, failsFX, failsBatch, failsProtocol)
		c := failing(w.set(), "incident")
		r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		truth, found := w.labels(c, r)
		a, err := learn.Agree(truth, found)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Modes) == 3 && a.ARI >= 0.95 {
			right++
			continue
		}
		t.Logf("seed %d: %d traces, %d modes, %d noise, ARI %.3f, p %.3f, %v", seed, c.Len(), len(r.Modes), r.Noise.Len(), a.ARI, r.P, r.Warnings)
		for _, m := range r.Modes {
			t.Logf("  %d %s %s %q stable %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability)
		}
	}
	t.Logf("three modes in %d of %d worlds", right, seeds)
	if right < seeds*9/10 {
		t.Errorf("three modes in %d of %d worlds", right, seeds)
	}
}

// One mode stays one, whatever else differs between its traces.
func TestOneMode(t *testing.T) {
	for _, way := range []int{failsFX, failsBatch, failsProtocol} {
		one := 0
		for seed := range uint64(seeds) {
			w := settlements(seed, "incident", 1500, 0.08, way)
			c := failing(w.set(), "incident")
			r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Modes) == 1 && r.Noise.Len() <= 2 {
				one++
				continue
			}
			t.Logf("way %d, seed %d: %d traces, %d modes, %d noise, p %.3f", way, seed, c.Len(), len(r.Modes), r.Noise.Len(), r.P)
			for _, m := range r.Modes {
				t.Logf("  %d %s %s %q stable %.2f separate %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability, m.Separation)
			}
		}
		t.Logf("way %d: one mode in %d of %d worlds", way, one, seeds)
		if one < seeds*95/100 {
			t.Errorf("way %d: one mode in %d of %d worlds", way, one, seeds)
		}
	}
}

// Traces of which no two fail alike are noise, and do not disturb the modes.
func TestNoise(t *testing.T) {
	right := 0
	for seed := range uint64(seeds) {
		w := settlements(seed, "incident", 3000, 0.09, failsFX, failsBatch, failsProtocol, failsFX, failsBatch, failsProtocol, failsFX, failsBatch, failsProtocol, failsOddly)
		c := failing(w.set(), "incident")
		r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		truth, found := w.labels(c, r)
		a, err := learn.Agree(truth, found)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Modes) == 3 && a.ARI >= 0.95 {
			right++
			continue
		}
		odd, kept := 0, 0
		for i := range truth {
			if truth[i] == failsOddly {
				odd++
				if found[i] >= 0 {
					kept++
				}
			}
		}
		t.Logf("seed %d: %d traces, %d modes, %d noise of %d (%d kept), ARI %.3f, p %.3f", seed, c.Len(), len(r.Modes), r.Noise.Len(), odd, kept, a.ARI, r.P)
		for _, m := range r.Modes {
			t.Logf("  %d %s %s %q stable %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability)
		}
	}
	t.Logf("three modes beside noise in %d of %d worlds", right, seeds)
	if right < seeds*9/10 {
		t.Errorf("three modes beside noise in %d of %d worlds", right, seeds)
	}
}
