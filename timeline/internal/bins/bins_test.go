package bins_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

// at returns traces that begin so many seconds after [tracetext.Epoch].
func at(seconds ...int) tracewhy.Cohort {
	var texts []string
	for _, s := range seconds {
		texts = append(texts, fmt.Sprintf("trace x\na/x %d+1", 1000*s))
	}
	return tracetext.Set(strings.Join(texts, "\n")).All()
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestLayOut(t *testing.T) {
	for _, tc := range []struct {
		why      string
		traces   tracewhy.Cohort
		cfg      bins.Config
		length   time.Duration
		n        int
		recorded int
		warnings string
	}{
		{"one trace", at(5), bins.Config{}, time.Millisecond, 1, 1, ""},
		{"a trace a second", at(upTo(100)...), bins.Config{}, 5 * time.Second, 20, 20, ""},
		{"a given length", at(0, 10, 20, 30, 40, 50, 60), bins.Config{Length: 10 * time.Second}, 10 * time.Second, 7, 7, ""},
		{"a hole", at(0, 1, 2, 3, 1000, 1001, 1002), bins.Config{Length: time.Second}, time.Second, 7, 7, ""},
		{"a clock that was never set", at(0, 10, 20, 30, 40, 50, 1_000_000_000), bins.Config{Length: 10 * time.Second, End: tracetext.Epoch + 61e9}, 10 * time.Second, 7, 7, ""},
		{"too many", at(upTo(21)...), bins.Config{Length: time.Millisecond}, 5 * time.Millisecond, 4001, 21, "timeline_unrecorded 3980"},
	} {
		b, warnings, ok := bins.LayOut(tc.traces, tc.cfg)
		if !ok {
			t.Errorf("%s: no bins", tc.why)
			continue
		}
		var got []string
		for _, w := range warnings {
			got = append(got, fmt.Sprintf("%s %d", w.Code, w.Count))
		}
		if b.Length != tc.length || len(b.Starts) != tc.n || b.Recorded() != tc.recorded || strings.Join(got, ", ") != tc.warnings {
			t.Errorf("%s: %d bins of %v, %d of them recorded, %q", tc.why, len(b.Starts), b.Length, b.Recorded(), got)
		}
	}
	if _, _, ok := bins.LayOut(tracetext.Set("a/x ?+?").All(), bins.Config{}); ok {
		t.Error("bins of a trace whose time is not known")
	}
	if _, _, ok := bins.LayOut(at(1, 2, 3), bins.Config{Start: tracetext.Epoch + 4e9}); ok {
		t.Error("bins of a time without traces")
	}
}

// A moment is in the bin that holds it, and only where something was recorded.
func TestOf(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var seconds []int
	for range 50 {
		seconds = append(seconds, r.IntN(100)+5000*r.IntN(2))
	}
	b, _, _ := bins.LayOut(at(seconds...), bins.Config{Length: 7 * time.Second})
	for _, s := range seconds {
		moment := tracetext.Epoch + int64(s)*1e9
		i, ok := b.Of(moment)
		if !ok || moment < b.Starts[i] || moment >= b.Starts[i]+int64(b.Length) {
			t.Errorf("%d s is in %d, %v", s, i, ok)
		}
	}
	for _, moment := range []int64{math.MinInt64, 0, b.Starts[0] - 1, tracetext.Epoch + 2000e9, math.MaxInt64} {
		if i, ok := b.Of(moment); ok {
			t.Errorf("%d is in bin %d", moment, i)
		}
	}
}

// Moments that lie far from all others are left out, and no others.
func TestWithoutStray(t *testing.T) {
	var starts []int64
	for i := range int64(1000) {
		starts = append(starts, tracetext.Epoch+i*1e9)
	}
	if got := bins.WithoutStray(starts); len(got) != len(starts) {
		t.Errorf("%d of %d are near", len(got), len(starts))
	}
	strayed := append(append([]int64{0, 1}, starts...), math.MaxInt64)
	if got := bins.WithoutStray(strayed); len(got) != len(starts) || got[0] != starts[0] {
		t.Errorf("%d of %d are near", len(got), len(strayed))
	}
}
