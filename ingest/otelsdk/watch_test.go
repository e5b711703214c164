package otelsdk

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats"
)

func TestDurationBuckets(t *testing.T) {
	last := uint8(0)
	for d := time.Duration(0); d < 1<<62; d += 1 + d/50 {
		b := bucketOf(d)
		if b < last || b > last+1 {
			t.Fatalf("bucket %d of %d follows %d", b, d, last)
		}
		last = b
		limit := limitOf(b)
		if limit <= d || d >= 8 && float64(limit) > 1.25*float64(d)+1 || bucketOf(limit) != b+1 || bucketOf(limit-1) != b {
			t.Fatalf("%d is in bucket %d, which ends at %d", d, b, limit)
		}
	}
}

// quietWatch watches three transactions, of which nothing changes, for fifteen bins.
func quietWatch(rng *rand.Rand, cfg AlertConfig) *watch {
	w := newWatch(Config{Window: 15 * time.Second, Bin: time.Second, Alert: cfg}.withDefaults())
	for i, name := range []string{"a", "b", "c"} {
		for range 300 {
			d := time.Duration((5 + rng.ExpFloat64()) * float64(10*time.Millisecond))
			w.count(subject{Transaction, "s", name}, 100+rng.Int64N(15), rng.Float64() < 0.1*float64(i), d)
		}
	}
	return &w
}

// The probability of a false alarm is at most alpha in each look, whatever is noticeable.
func TestFalseAlarms(t *testing.T) {
	const worlds, alpha = 1000, 0.05
	alarms := 0
	for seed := range uint64(worlds) {
		w := quietWatch(rand.New(rand.NewPCG(seed, 1)), AlertConfig{Recent: 5 * time.Second, Alpha: alpha, MinFailed: 1e-9, MinSlow: 1e-9})
		if _, begins := w.look(115); begins {
			alarms++
		}
	}
	e := stats.ClopperPearson(float64(alarms), worlds, 0.95)
	t.Logf("%d alarms in %d looks (%.3f to %.3f)", alarms, worlds, e.Lo, e.Hi)
	if e.Lo > alpha || alarms == 0 {
		t.Errorf("%d false alarms in %d looks", alarms, worlds)
	}
}

// Operations whose names are as many as requests do not use up memory.
func TestSubjectsAreBounded(t *testing.T) {
	w := newWatch(Config{}.withDefaults())
	for i := range 10 * maxSubjects {
		w.count(subject{Transaction, "s", time.Duration(i).String()}, 1, false, 1)
	}
	if len(w.series) != maxSubjects {
		t.Errorf("%d are watched", len(w.series))
	}
	w.look(1000)
	if len(w.series) != 0 {
		t.Errorf("%d are watched after the window", len(w.series))
	}
}
