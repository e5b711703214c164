package special

import "math"

// Beta returns the regularised incomplete beta function: the probability that a beta variable with
// parameters a, b > 0 is at most x. Its relative error is below 1e-12 for a and b up to 1e6; from
// about 1e9 on it may be NaN.
//
// The continued fraction is NIST DLMF 8.17.22.
func Beta(a, b, x float64) float64 {
	lower, upper := incompleteBeta(a, b, x, 1-x)
	if upper < lower {
		return 1 - upper
	}
	return lower
}

// incompleteBeta returns both tails at x = 1-y. The smaller one has full relative accuracy.
func incompleteBeta(a, b, x, y float64) (lower, upper float64) {
	switch {
	case !(a > 0 && b > 0) || !(x >= 0 && y >= 0) || math.IsInf(a, 1) || math.IsInf(b, 1):
		return math.NaN(), math.NaN()
	case x == 0:
		return 0, 1
	case y == 0:
		return 1, 0
	case x > (a+1)/(a+b+2): // the fraction converges fast on the other side
		upper = betaFraction(b, a, y, x)
		return 1 - upper, upper
	}
	lower = betaFraction(a, b, x, y)
	return lower, 1 - lower
}

func betaFraction(a, b, x, y float64) float64 {
	n := a + b
	front := float64(binomialMass(a, b, x, y) * (b / n)) // xᵃyᵇ/(a·B(a, b))
	fraction := lentz(func(i int) (numerator, denominator float64) {
		if i == 0 {
			return 1, 1
		}
		m := float64(i / 2)
		if i%2 == 0 {
			return m / (a + float64(2*m) - 1) * ((b - m) / (a + float64(2*m))) * x, 1
		}
		return -((a + m) / (a + float64(2*m)) * ((a + b + m) / (a + float64(2*m) + 1)) * x), 1
	})
	return min(max(float64(front*fraction), 0), 1)
}

// BetaQuantile returns the x for which Beta(a, b, x) is p, to the last few places, or NaN for p outside [0, 1].
func BetaQuantile(a, b, p float64) float64 {
	switch {
	case !(a > 0 && b > 0) || !(p >= 0 && p <= 1) || math.IsInf(a, 1) || math.IsInf(b, 1):
		return math.NaN()
	case p == 0:
		return 0
	case p == 1:
		return 1
	}
	// Bisect between the bits of 0 and 1: positive floats are ordered as their bits are, so 62 steps reach
	// the last place for a quantile of any size.
	lo, hi := uint64(0), math.Float64bits(1)
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if Beta(a, b, math.Float64frombits(mid)) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Float64frombits(hi)
}
