package special

import "math"

// ChiSquareTail returns the probability that a chi-square variable with df degrees of freedom exceeds x.
func ChiSquareTail(x, df float64) float64 {
	if x <= 0 && df > 0 {
		return 1
	}
	return GammaQ(df/2, x/2)
}

// StudentTail returns the probability that Student's t with df degrees of freedom exceeds t.
func StudentTail(t, df float64) float64 {
	if math.IsNaN(t) || !(df > 0) {
		return math.NaN()
	}
	if math.IsInf(df, 1) {
		return NormalCDF(-t)
	}
	t2 := float64(t * t)
	if math.IsInf(t2, 1) {
		return indicator(t < 0)
	}
	inside := t2 / (df + t2) // 1 - df/(df+t²), without its cancellation
	_, tail := incompleteBeta(0.5, df/2, inside, df/(df+t2))
	if t < 0 {
		return 1 - float64(tail/2)
	}
	return tail / 2
}

// FTail returns the probability that an F variable with df1 and df2 degrees of freedom exceeds f.
func FTail(f, df1, df2 float64) float64 {
	if math.IsNaN(f) || !(df1 > 0 && df2 > 0) {
		return math.NaN()
	}
	if f <= 0 {
		return 1
	}
	x := float64(df1 * f)
	if math.IsInf(x, 1) {
		return 0
	}
	_, tail := incompleteBeta(df1/2, df2/2, x/(df2+x), df2/(df2+x))
	return tail
}

// BinomialCDF returns the probability of at most k successes in n trials of probability p.
func BinomialCDF(k, n int, p float64) float64 {
	switch {
	case n < 0 || !(p >= 0 && p <= 1):
		return math.NaN()
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	_, tail := incompleteBeta(float64(k)+1, float64(n)-float64(k), p, 1-p)
	return tail
}
