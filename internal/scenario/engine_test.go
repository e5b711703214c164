package scenario

import (
	"math"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy/internal/stats"
)

func TestEngineOrdersByTime(t *testing.T) {
	var e engine
	var log []int64
	for _, d := range []int64{30, 10, 20, 10} {
		e.start(func(p *process) {
			p.sleep(d)
			log = append(log, e.now)
			p.sleep(d)
			log = append(log, e.now)
		})
	}
	e.run()
	if want := []int64{10, 10, 20, 20, 20, 30, 40, 60}; !slices.Equal(log, want) {
		t.Errorf("woke at %d, want %d", log, want)
	}
}

func TestAwait(t *testing.T) {
	tests := []struct {
		why   string
		limit int64
		ended bool
		at    int64
	}{
		{"no limit: the slowest decides", 0, true, 50},
		{"a limit after all have ended does nothing", 60, true, 50},
		{"a limit before leaves the slow one to go on alone", 20, false, 20},
	}
	for _, test := range tests {
		var e engine
		slow := int64(0)
		e.start(func(p *process) {
			ended := p.await(test.limit,
				func(q *process) { q.sleep(10) },
				func(q *process) { q.sleep(50); slow = e.now },
			)
			if ended != test.ended || e.now != test.at {
				t.Errorf("%s: ended is %v at %d, want %v at %d", test.why, ended, e.now, test.ended, test.at)
			}
			p.sleep(5) // a late event of the wait must not end this one early
			if e.now != test.at+5 {
				t.Errorf("%s: slept until %d, want %d", test.why, e.now, test.at+5)
			}
		})
		e.run()
		if slow != 50 {
			t.Errorf("%s: the slow branch ended at %d, want 50", test.why, slow)
		}
	}
}

func TestPoolIsFair(t *testing.T) {
	var e engine
	r := &pool{engine: &e, free: 1}
	var served []int
	for i := range 4 {
		e.start(func(p *process) {
			p.sleep(int64(i))
			limit := int64(1000)
			if i == 1 {
				limit = 5 // gives up before its turn
			}
			if r.acquire(p, limit) {
				served = append(served, i)
				p.sleep(100)
				r.release()
			}
		})
	}
	e.run()
	if want := []int{0, 2, 3}; !slices.Equal(served, want) {
		t.Errorf("served %d, want %d", served, want)
	}
	if r.free != 1 {
		t.Errorf("%d connections are free at the end, want 1", r.free)
	}
}

// TestPoolFollowsErlang compares the pool with what A. K. Erlang's formulas say of Poisson arrivals that hold a
// connection for an exponential time.
func TestPoolFollowsErlang(t *testing.T) {
	const n, arrivals, hold = 3, 30_000, 1_000_000
	simulate := func(load float64, patience int64) (turnedAway, meanWait float64) {
		var e engine
		r := &pool{engine: &e, free: n}
		random := stats.NewRand(1, stats.Key("erlang"))
		lost, waited, at := 0, int64(0), int64(0)
		for range arrivals {
			at += exponential(random, int64(hold/load))
			d := exponential(random, hold)
			e.at(at, func() {
				e.start(func(p *process) {
					came := e.now
					if !r.acquire(p, patience) {
						lost++
						return
					}
					waited += e.now - came
					p.sleep(d)
					r.release()
				})
			})
		}
		e.run()
		return float64(lost) / arrivals, float64(waited) / arrivals
	}
	// B(3, 2) = 4/19 of those who don't wait.
	if got, want := first(simulate(2, 1)), 4.0/19; math.Abs(got-want) > 0.01 {
		t.Errorf("without patience %.4f are turned away, want %.4f", got, want)
	}
	if got := offered(n, 4.0/19); math.Abs(got-2) > 1e-9 {
		t.Errorf("offered(3, 4/19) = %v, want 2", got)
	}
	// C(3, 2) = 4/9 wait, for hold/(3-2) on average.
	if _, got := simulate(2, math.MaxInt64/2); math.Abs(got/hold-4.0/9) > 0.03 {
		t.Errorf("the mean wait is %.4f holds, want %.4f", got/hold, 4.0/9)
	}
}

func first(a, _ float64) float64 { return a }
