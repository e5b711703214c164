package quantity_test

import (
	"math"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 calls", 1: "1 call", 2: "2 calls", 1000: "1000 calls"} {
		if got := quantity.Count(n, "call"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", -999: "-999", -1234567: "-1,234,567"} {
		if got := quantity.Grouped(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.0067: "0.67 %", 0.05: "5 %", 0.0994: "9.9 %", 0.0996: "10 %", 0.31: "31 %", 1: "100 %"} {
		if got := quantity.Percent(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999: "999ns", 1234567: "1.23ms", 59*time.Second + 960*time.Millisecond: "1m",
		time.Minute + 400*time.Millisecond: "1m", 130 * time.Second: "2m10s", time.Hour: "1h",
		90*time.Minute + time.Second: "1h30m", 2*time.Hour - time.Second: "2h", 100 * time.Hour: "100h",
	} {
		if got := quantity.Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestRound(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 0, 999: 999, 1234: 1230, 1235: 1240, 1999999: 2000000, -5: -5, math.MaxInt64: 9220000000000000000,
	} {
		if got := quantity.Round(d); got != want {
			t.Errorf("%d: %d, want %d", d, got, want)
		}
	}
}
