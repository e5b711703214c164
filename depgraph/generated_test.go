package depgraph_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
)

var generated = flag.Int("worlds", 1, "how many generated cases of each family to judge; if more than 1, of those without vendors as well")

// TestGeneratedIncidents judges cases of banks whose cause is known: those of vendors and of what stands before them have to
// be told apart, and all others are never a vendor's fault. One of each is a test of the whole; -worlds 100 is a
// measurement, which it prints with -v.
func TestGeneratedIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, f := range scenario.Families() {
		t.Run(f.Name, func(t *testing.T) {
			about := strings.Contains(f.Name, "vendor")
			if *generated == 1 && !about {
				t.Skip("no vendor has a part in it: judged with -worlds 2 or more")
			}
			var domain, vendor, throttled, triggered tally
			domains := map[depgraph.Domain]int{}
			for seed := range uint64(*generated) {
				c := scenario.Generate(f, seed+1)
				r := judge(t, setOf(t, c), depgraph.Config{})
				domains[r.Domain]++
				var want scenario.Cause
				if len(c.Label.Causes) > 0 {
					want = c.Label.Causes[0]
				}
				isVendors := want.FaultDomain == string(depgraph.DomainExternal)
				right := r.Domain != depgraph.DomainExternal
				if about {
					right = string(r.Domain) == want.FaultDomain
				}
				domain.add(right)
				if isVendors {
					right = vendor.add(slices.Contains(want.Services, r.Vendor)) && right
				}
				if strings.HasPrefix(c.Label.FaultType, "throttling") {
					right = throttled.add(r.Throttling != nil) && right
					right = triggered.add(r.Trigger == depgraph.DomainInternal) && right
				} else if isVendors {
					right = triggered.add(r.Trigger == depgraph.DomainExternal) && right
				}
				if !right {
					t.Logf("%s (%s of %v): %s (trigger %s) %s: %s\n%+v\n%+v", c.Name, c.Label.FaultType, want.Services, r.Domain, r.Trigger,
						r.Name, r.Reason, r.Places[:min(4, len(r.Places))], r.Throttling)
				}
			}
			t.Logf("%s: domain right in %s, vendor in %s, throttling in %s, trigger in %s; %v", f.Name, domain, vendor, throttled, triggered, domains)
			for _, k := range []tally{domain, vendor, throttled, triggered} {
				if e := k.share(); e.Hi < 0.95 || *generated <= 3 && k.right < k.of {
					t.Errorf("right in %s", k)
				}
			}
		})
	}
}

// setOf returns the Set of a case.
func setOf(t *testing.T, c scenario.Case) *tracewhy.Set {
	t.Helper()
	var b tracewhy.Builder
	for _, list := range [...][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for i := range list {
			b.Add(&list[i])
		}
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// tally counts how often something is right.
type tally struct{ right, of int }

func (k *tally) add(isRight bool) bool {
	k.of++
	if isRight {
		k.right++
	}
	return isRight
}

func (k tally) share() stats.Estimate {
	if k.of == 0 {
		return stats.Estimate{Value: 1, Lo: 0, Hi: 1}
	}
	return stats.ClopperPearson(float64(k.right), float64(k.of), 0.95)
}

func (k tally) String() string {
	if k.of == 0 {
		return "none of 0"
	}
	e := k.share()
	return fmt.Sprintf("%d of %d (%.3f to %.3f)", k.right, k.of, e.Lo, e.Hi)
}
