package capacity_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// The limit is that of the queue, however the wait is recorded; and where there is none, there is none.
func TestLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for name, service := range map[string]func(*rand.Rand) float64{"exponential": exponential, "lognormal": lognormal, "constant": constant} {
		for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan, waitForHold, nothingWaits, shared} {
			for _, servers := range []int{1, 3, 8} {
				kind := capacity.Dependency
				if as == waitSpan || as == waitForHold {
					kind = capacity.Pool
				}
				q := queue{servers: servers, load: 0.85, as: as, service: service}
				if as == shared {
					q.servers = 1
				}
				l := find(t, q.resources(t, uint64(servers), 1500), kind).Limit
				want := servers
				if as >= nothingWaits {
					want = 0
				}
				if as == waitWithin && servers == 8 && l.N == 0 {
					continue // nearly all waited
				}
				if l.N != want && (as != waitWithin || servers < 8) || l.Low > want || l.High < want {
					t.Errorf("%s, %v, %d: %+v", name, as, servers, l)
				}
			}
		}
	}
}

// Of pools of any size, in which more or less waits, the limit is right wherever it is said to be known; and it is
// where much waits.
func TestLimitOfPools(t *testing.T) {
	services := []func(*rand.Rand) float64{exponential, lognormal, constant}
	n := 10 * *worlds
	for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan, waitForHold} {
		known, near, covered := 0, 0, 0
		for seed := range uint64(n) {
			r := rand.New(rand.NewPCG(seed, 9))
			q := queue{servers: 1 + r.IntN(12), load: 0.8 + 0.25*r.Float64(), as: as, service: services[r.IntN(3)]}
			kind := capacity.Dependency
			if as == waitSpan || as == waitForHold {
				kind = capacity.Pool
			}
			l := find(t, q.resources(t, seed, 600), kind).Limit
			if l.N == 0 {
				continue
			}
			known++
			if d := l.N - q.servers; 5*max(d, -d) <= q.servers {
				near++
			}
			if l.Low <= q.servers && q.servers <= l.High {
				covered++
			}
		}
		t.Logf("%v: of %d pools the limit of %d is known, %d within a fifth and %d within its interval", as, n, known, near, covered)
		if 20*near < 19*known || 20*covered < 18*known || as != waitWithin && 10*known < 9*n {
			t.Errorf("%v: of %d pools the limit of %d is known, %d within a fifth and %d within its interval", as, n, known, near, covered)
		}
	}
}
