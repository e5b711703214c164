package baseline

import (
	"math"
	"testing"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// histograms draws two of them, and the values as far as bins tell them apart.
func histograms(seed uint64, n, m int, factor float64) (a, b Histogram, xs, ys []float64) {
	var ca, cb counter
	for i := range n + m {
		v := 1e6 * math.Exp(1.5*stats.NewRand(seed, uint64(i)).Float64())
		if i < n {
			ca.add(int64(v))
			xs = append(xs, float64(binOf(int64(v))))
		} else {
			cb.add(int64(v * factor))
			ys = append(ys, float64(binOf(int64(v*factor))))
		}
	}
	return ca.histogram(), cb.histogram(), xs, ys
}

// The test and the estimate on histograms are those on the values that the bins stand for.
func TestRankTestIsThatOfValues(t *testing.T) {
	for seed, size := range [][2]int{{4, 5}, {10, 40}, {30, 30}, {100, 7}, {200, 300}, {1, 80}} {
		for _, factor := range []float64{1, 1.2, 3} {
			a, b, xs, ys := histograms(uint64(seed), size[0], size[1], factor)
			x, y := stats.NewSample(xs), stats.NewSample(ys)
			want := stats.MannWhitney(x, y, stats.TwoSided)
			got, smallest := rankTest(a, b)
			near := 0.01
			if size[0]*size[1] <= exactPairs || !want.Exact {
				near = 1e-9
			}
			if math.Abs(got-want.P) > near {
				t.Errorf("%v, factor %v: p is %v, and of the values %v", size, factor, got, want.P)
			}
			if smallest > got+1e-12 {
				t.Errorf("%v: p is %v, and could not be below %v", size, got, smallest)
			}
			shift := stats.Shift(y, x, 0.95)
			e := ratio(a, b)
			if bins := perOctave * math.Log2(e.Value); math.Abs(bins-shift.Value) > 0.51 {
				t.Errorf("%v: shifted by %v bins, and not %v", size, bins, shift.Value)
			}
			low, high := perOctave*math.Log2(e.Low), perOctave*math.Log2(e.High)
			if min(size[0], size[1]) > 4 && (math.Abs(low-shift.Lo) > 2.5 || math.Abs(high-shift.Hi) > 2.5) {
				t.Errorf("%v: between %v and %v bins, and not %v and %v", size, low, high, shift.Lo, shift.Hi)
			}
		}
	}
}

// Counts near the limit do not overflow.
func TestRankTestOfHugeCounts(t *testing.T) {
	a, b := Histogram{{1, maxCount / 2}, {700, maxCount / 2}}, Histogram{{1, maxCount / 4}, {700, maxCount / 2}}
	p, smallest := rankTest(a, b)
	e := ratio(a, b)
	for _, x := range []float64{p, smallest, e.Value, e.Low, e.High} {
		if math.IsNaN(x) {
			t.Errorf("p %v, smallest %v, %v", p, smallest, e)
		}
	}
	if p > 1e-9 {
		t.Errorf("p is %v", p)
	}
}

func TestBins(t *testing.T) {
	before := int64(-1)
	for v := int64(0); v >= 0 && v < math.MaxInt64/2; v += 1 + v/40 {
		bin := binOf(v)
		if bin < before || bin > lastBin {
			t.Fatalf("%d is in bin %d, after %d", v, bin, before)
		}
		if v > 0 && math.Abs(binValue(bin)/float64(v)-1) > 0.0109 {
			t.Fatalf("%d is in bin %d, of %v", v, bin, binValue(bin))
		}
		before = bin
	}
	if bin := binOf(math.MaxInt64); bin != lastBin {
		t.Errorf("the largest number is in bin %d", bin)
	}
	for bin := int64(1); bin < 200; bin++ {
		if from := int64(math.Ceil(binStart(bin))); from < int64(math.Ceil(binStart(bin+1))) && binOf(from) != bin {
			t.Errorf("bin %d begins at %d, which is in %d", bin, from, binOf(from))
		}
	}
}

func TestTemplateFits(t *testing.T) {
	for _, x := range []struct {
		template, name string
		fits           bool
	}{
		{"GET /users/{id}", "GET /users/7", true},
		{"GET /users/{id}", "GET /users/", false},
		{"GET /users/{id}/orders/{id}", "GET /users/7/orders/8", true},
		{"GET /users/{id}/orders/{id}", "GET /users/7/carts/8", false},
		{"SELECT ? FROM a", "SELECT 1 FROM a", true},
		{"SELECT ? FROM a", "SELECT 1 FROM b", false},
		{"{id}{id}", "x", false},
		{"{id}{id}", "xy", true},
		{"a{id}a", "a", false},
		{"worker-{id}", "job-7", false},
	} {
		if fits(x.template, x.name) != x.fits {
			t.Errorf("%q, %q: want %v", x.template, x.name, x.fits)
		}
	}
}
