package depgraph_test

import (
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
)

func judge(t testing.TB, set *tracewhy.Set, cfg depgraph.Config) *depgraph.FaultDomainResult {
	t.Helper()
	r, err := depgraph.FaultDomain(context.Background(), set.Source("baseline"), set.Source("incident"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFaultDomain(t *testing.T) {
	const (
		internal, external = depgraph.DomainInternal, depgraph.DomainExternal
		boundary, unknown  = depgraph.DomainBoundary, depgraph.DomainUndetermined
	)
	busy := window{every: 100, traces: 1500}
	const seeds = 2
	for _, c := range []struct {
		name                          string
		normal, broken                window
		domain, trigger               depgraph.Domain
		vendor, dependency, mechanism string
	}{
		{"nothing", window{}, window{}, unknown, unknown, "", "", ""},
		{"slow vendor", window{}, window{bureauSlow: 60}, external, external, "CreditBureau", "CreditBureau", "slow answers"},
		{"slow vendor, untagged", window{untagged: true}, window{untagged: true, bureauSlow: 60}, external, external, "api.creditbureau.com", "api.creditbureau.com", "slow answers"},
		{"slow peer of nobody", window{nameless: true}, window{nameless: true, bureauSlow: 60}, unknown, unknown, "", "bureau", "slow answers"},
		{"failing vendor", window{}, window{bureauFail: 0.2}, external, external, "CreditBureau", "CreditBureau", "errors"},
		{"our pool, with spans", window{poolSpan: true}, window{poolSpan: true, pool: 80}, internal, internal, "", "loans", "wait for a pool"},
		{"our pool, without", window{}, window{pool: 80}, internal, internal, "", "loans", "work, or a wait without a span, before a call"},
		{"our pool runs out", window{poolSpan: true}, window{poolSpan: true, poolFail: 0.2}, internal, internal, "", "loans", "wait for a pool"},
		{"our pool runs out because the vendor is slow", window{poolSpan: true}, window{poolSpan: true, pool: 200, bureauSlow: 100}, external, external, "CreditBureau", "CreditBureau", "wait for a pool"},
		{"slow ledger", window{}, window{ledgerSlow: 30}, internal, internal, "", "ledger", "slow work"},
		{"slow connections", window{connect: 2}, window{connect: 80}, boundary, boundary, "CreditBureau", "CreditBureau", "connect"},
		{"refused connections", window{}, window{refuse: 0.2}, boundary, boundary, "CreditBureau", "CreditBureau", "connect"},
		{"rejected requests", window{}, window{reject: 0.2}, boundary, boundary, "CreditBureau", "CreditBureau", "rejected request"},
		{"one of our pods", window{}, window{bureauSlow: 150, onlyPod: true}, boundary, boundary, "CreditBureau", "CreditBureau", "slow answers"},
		{"all vendors at once", window{vendors: 4}, window{vendors: 4, bureauSlow: 40}, boundary, boundary, "", "", "slow answers"},
		{"throttled at our peak", busy, window{every: 100, traces: 1500, peak: 4, limit: 20}, external, internal, "CreditBureau", "CreditBureau", "throttling"},
		{"throttled at our peak, untagged", window{every: 100, traces: 1500, untagged: true}, window{every: 100, traces: 1500, peak: 4, limit: 20, untagged: true}, external, internal, "api.creditbureau.com", "api.creditbureau.com", "throttling"},
		{"throttled and retried", busy, window{every: 100, traces: 1500, peak: 4, limit: 20, retries: 3}, external, internal, "CreditBureau", "CreditBureau", "throttling"},
		{"their limit lowered", busy, window{every: 100, traces: 1500, limit: 7}, external, external, "CreditBureau", "CreditBureau", "throttling"},
		{"few traces", window{}, window{traces: 4, bureauFail: 1}, unknown, unknown, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			right := 0
			for seed := range uint64(seeds) {
				r := judge(t, worlds(t, seed, c.normal, c.broken), depgraph.Config{})
				if r.Domain == c.domain && r.Trigger == c.trigger && r.Vendor == c.vendor && r.Name == c.dependency && r.Mechanism == c.mechanism {
					right++
					continue
				}
				t.Logf("seed %d: %s (trigger %s) %s: %s, %s\n%+v\n%+v\n%+v", seed, r.Domain, r.Trigger, r.Name, r.Mechanism, r.Reason, r.Shares, r.Places, r.Throttling)
			}
			if right < seeds {
				t.Errorf("right for %d of %d seeds", right, seeds)
			}
		})
	}
}
