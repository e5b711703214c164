package stats

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestAgainstGonum compares what gonum has as well with it, on heavy-tailed samples.
func TestAgainstGonum(t *testing.T) {
	for _, n := range []int{2, 3, 10, 1000} {
		r := NewRand(1, uint64(n))
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = math.Exp(3 * distuv.UnitNormal.Quantile(0.001+0.998*r.Float64()))
		}
		approx(t, "mean", Mean(xs), stat.Mean(xs, nil), 1e-12)
		approx(t, "variance", Variance(xs), stat.Variance(xs, nil), 1e-10)
		sorted := slices.Clone(xs)
		slices.Sort(sorted)
		// gonum's interpolation is type 4 of Hyndman and Fan (1996), and ours type 7: the ends are the same.
		s := NewSample(xs)
		approx(t, "least", s.Quantile(0), stat.Quantile(0, stat.LinInterp, sorted, nil), 0)
		approx(t, "greatest", s.Quantile(1), stat.Quantile(1, stat.LinInterp, sorted, nil), 0)
	}
	for _, k := range []float64{0, 1, 7, 59, 60} {
		const n, level = 60.0, 0.95
		e := ClopperPearson(k, n, level)
		low, high := 0.0, 1.0
		if k > 0 {
			low = mathext.InvRegIncBeta(k, n-k+1, (1-level)/2)
		}
		if k < n {
			high = mathext.InvRegIncBeta(k+1, n-k, 1-(1-level)/2)
		}
		approx(t, "Clopper and Pearson, low", e.Lo, low, 1e-8)
		approx(t, "Clopper and Pearson, high", e.Hi, high, 1e-8)
	}
}
