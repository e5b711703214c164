package epoch_test

import (
	"math"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

func TestDistance(t *testing.T) {
	for _, tc := range []struct{ x, y, want int64 }{
		{3, 10, 7}, {10, 3, 7}, {-3, 4, 7}, {5, 5, 0},
		{math.MinInt64, math.MaxInt64, math.MaxInt64}, {math.MaxInt64, -1, math.MaxInt64}, {math.MinInt64, 0, math.MaxInt64},
	} {
		if got := epoch.Distance(tc.x, tc.y); got != tc.want {
			t.Errorf("of %d and %d: %d, want %d", tc.x, tc.y, got, tc.want)
		}
	}
}

func TestAdd(t *testing.T) {
	for _, tc := range []struct{ x, by, want int64 }{
		{3, 4, 7}, {3, -4, -1}, {math.MaxInt64, 1, math.MaxInt64}, {math.MinInt64, -1, math.MinInt64}, {math.MinInt64, math.MaxInt64, -1},
	} {
		if got := epoch.Add(tc.x, tc.by); got != tc.want {
			t.Errorf("%d and %d: %d, want %d", tc.x, tc.by, got, tc.want)
		}
	}
}

func TestMod(t *testing.T) {
	for _, tc := range []struct{ x, period, want int64 }{{7, 5, 2}, {-1, 5, 4}, {-5, 5, 0}, {0, 5, 0}, {math.MinInt64, 10, 2}} {
		if got := epoch.Mod(tc.x, tc.period); got != tc.want {
			t.Errorf("%d of %d: %d, want %d", tc.x, tc.period, got, tc.want)
		}
	}
}

func TestRoundUp(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: time.Millisecond, time.Millisecond: time.Millisecond, 3 * time.Millisecond: 5 * time.Millisecond, 6 * time.Second: 10 * time.Second,
		11 * time.Second: 15 * time.Second, 61 * time.Second: 2 * time.Minute, 4 * time.Hour: 6 * time.Hour, 13 * time.Hour: 24 * time.Hour,
		25 * time.Hour: 48 * time.Hour,
	} {
		if got := epoch.RoundUp(d); got != want {
			t.Errorf("%v: %v, want %v", d, got, want)
		}
	}
}
