package special

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestDistributions compares with gonum, an implementation of others. Where a tail is small gonum subtracts
// from one, so that its error there is absolute.
func TestDistributions(t *testing.T) {
	binomial := distuv.Binomial{N: 400, P: 0.3}
	for _, test := range []struct {
		name      string
		got, want func(float64) float64
		lo, hi    float64
		tolerance float64
	}{
		{"NormalCDF", NormalCDF, distuv.UnitNormal.CDF, -8, 8, 1e-14},
		{"NormalQuantile", NormalQuantile, distuv.UnitNormal.Quantile, 1e-12, 1 - 1e-12, 1e-12},
		{"Beta", func(x float64) float64 { return Beta(3.5, 40, x) }, func(x float64) float64 { return mathext.RegIncBeta(3.5, 40, x) }, 0, 1, 1e-12},
		{"Beta of a half", func(x float64) float64 { return Beta(0.5, 0.5, x) }, func(x float64) float64 { return mathext.RegIncBeta(0.5, 0.5, x) }, 0, 1, 1e-12},
		{"BetaQuantile", func(p float64) float64 { return BetaQuantile(3.5, 40, p) }, func(p float64) float64 { return mathext.InvRegIncBeta(3.5, 40, p) }, 1e-9, 0.999, 1e-9},
		{"GammaP", func(x float64) float64 { return GammaP(7.5, x) }, func(x float64) float64 { return mathext.GammaIncReg(7.5, x) }, 0, 60, 1e-12},
		{"GammaQ", func(x float64) float64 { return GammaQ(7.5, x) }, func(x float64) float64 { return mathext.GammaIncRegComp(7.5, x) }, 0, 60, 1e-11},
		{"ChiSquareTail", func(x float64) float64 { return ChiSquareTail(x, 5) }, distuv.ChiSquared{K: 5}.Survival, 0, 60, 1e-11},
		{"StudentTail", func(x float64) float64 { return StudentTail(x, 7.5) }, distuv.StudentsT{Sigma: 1, Nu: 7.5}.Survival, -10, 10, 1e-9},
		{"FTail", func(x float64) float64 { return FTail(x, 3, 44) }, distuv.F{D1: 3, D2: 44}.Survival, 0, 10, 1e-9},
		{"BinomialCDF", func(x float64) float64 { return BinomialCDF(int(x), 400, 0.3) }, func(x float64) float64 { return binomial.CDF(math.Floor(x)) }, 60, 200, 1e-11},
		{"BinomialMass", func(x float64) float64 { return BinomialMass(math.Floor(x), 400, 0.3) }, func(x float64) float64 { return binomial.Prob(math.Floor(x)) }, 0, 400, 1e-11},
	} {
		compared := 0
		for _, x := range arguments(test.lo, test.hi) {
			got, want := test.got(x), test.want(x)
			if math.IsNaN(want) {
				continue
			}
			compared++
			if !(math.Abs(got-want) <= test.tolerance*math.Abs(want)+1e-15) {
				t.Errorf("%s(%v) is %.17g, and %.17g by gonum", test.name, x, got, want)
				break
			}
		}
		if compared < 100 {
			t.Errorf("%s: gonum knows the value at %d places only", test.name, compared)
		}
	}
}
