package depgraph_test

import (
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/stats"
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
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
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
		{"slow while a third more is asked", busy, window{every: 75, traces: 2000, bureauSlow: 60}, external, unknown, "CreditBureau", "CreditBureau", "slow answers"},
		{"a slow ledger, and hardly more failures than by chance", window{}, window{ledgerSlow: 30, bureauFail: 0.012}, internal, internal, "", "ledger", "slow work"},
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

// One of two calls side by side begins late, and is waited for although it takes no longer.
func TestTimeThatMovedOntoThePath(t *testing.T) {
	var spans []tracewhy.SpanData
	for n := range 400 {
		r := stats.NewRand(1, stats.Key("moved"), uint64(n))
		at, late, source := float64(n*1000), 0.0, "baseline"
		if n >= 200 {
			late, source = 150, "incident"
		}
		id := tracewhy.TraceID{14: byte(n >> 8), 15: byte(n)}
		work := func(ms float64) float64 { return ms * (0.8 + 0.4*r.Float64()) }
		span := func(number byte, name, host string, start, length float64) {
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: tracewhy.KindServer, Source: source,
				Start: uint64((at + start + 1) * 1e6), End: uint64((at + start + length + 1) * 1e6),
				Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "loans")}},
			}
			if number > 1 {
				s.Kind, s.ParentSpanID = tracewhy.KindClient, tracewhy.SpanID{7: 1}
				s.Attributes = []tracewhy.KeyValue{tracewhy.String("server.address", host)}
			}
			spans = append(spans, s)
		}
		wait, bureau, screening := work(5)+late, work(200), work(250)
		span(1, "apply", "", 0, max(wait+bureau, 5+screening)+5)
		span(2, "POST", "api.creditbureau.com", wait, bureau)
		span(3, "POST", "api.screening.com", 5, screening)
	}
	r := judge(t, tracewhy.SetOf(spans...), depgraph.Config{})
	if r.Domain != depgraph.DomainInternal || r.Name != "loans" {
		t.Errorf("%s %s, %s: %+v", r.Domain, r.Name, r.Reason, r.Places)
	}
}

// Few customers ask for a loan, and what the bureau adds to their time is lost in how long all others take.
func TestSlowVendorOfFew(t *testing.T) {
	for _, slow := range []float64{0, 150} {
		var spans []tracewhy.SpanData
		for n := range 3000 {
			r := stats.NewRand(2, stats.Key("few"), uint64(n))
			at, source := float64(n*1000), "baseline"
			if n >= 1500 {
				source = "incident"
			}
			add := func(number byte, service, name string, kind tracewhy.Kind, length float64, attrs ...tracewhy.KeyValue) {
				s := tracewhy.SpanData{
					TraceID: tracewhy.TraceID{14: byte(n >> 8), 15: byte(n)}, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: kind, Source: source,
					Start: uint64((at + 1) * 1e6), End: uint64((at + length + 1) * 1e6), Attributes: attrs,
					Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service)}},
				}
				if number > 1 {
					s.ParentSpanID = tracewhy.SpanID{7: number - 1}
				}
				spans = append(spans, s)
			}
			if n%30 > 0 {
				add(1, "accounts", "statement", tracewhy.KindServer, 3000*r.Float64()*r.Float64()*r.Float64())
				continue
			}
			took := 100 + 100*r.Float64()
			if source == "incident" {
				took += slow
			}
			add(1, "loans", "apply", tracewhy.KindServer, took+5)
			add(2, "loans", "POST", tracewhy.KindClient, took, tracewhy.String("server.address", "api.creditbureau.com"))
		}
		r := judge(t, tracewhy.SetOf(spans...), depgraph.Config{})
		want := depgraph.DomainUndetermined
		if slow > 0 {
			want = depgraph.DomainExternal
		}
		if r.Domain != want {
			t.Errorf("%v ms more: %s %s, %s: %s %+v", slow, r.Domain, r.Name, r.Reason, r.Excess, r.Places)
		}
	}
}
