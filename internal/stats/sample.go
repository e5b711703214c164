package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A Sample is a set of independent observations in ascending order. The zero Sample is empty.
//
// An observation may be +Inf: a timeout, of which only is known that it is longer than the others. Ranks and
// quantiles then stay right, and means don't.
type Sample struct {
	values []float64 // ascending, without NaN and negative zero
	nan    int
}

// NewSample returns the sample of a copy of xs. It leaves NaNs out, and counts them.
func NewSample(xs []float64) Sample {
	s := Sample{values: make([]float64, 0, len(xs))}
	for _, x := range xs {
		if math.IsNaN(x) {
			s.nan++
			continue
		}
		s.values = append(s.values, x+0) // -0 + 0 = 0
	}
	slices.Sort(s.values)
	return s
}

// N returns how many observations there are.
func (s Sample) N() int { return len(s.values) }

// NaN returns how many NaNs were left out.
func (s Sample) NaN() int { return s.nan }

// Values returns the observations in ascending order. They must not be changed.
func (s Sample) Values() []float64 { return s.values }

// Quantile returns the p-quantile by linear interpolation between observations: type 7 of Hyndman and Fan
// (doi:10.1080/00031305.1996.10473566), the default of R and NumPy. It is NaN for an empty sample or a p
// outside [0, 1].
func (s Sample) Quantile(p float64) float64 {
	if len(s.values) == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	h := float64(float64(len(s.values)-1) * p)
	i := int(h)
	frac := h - float64(i)
	if frac == 0 || s.values[i] == s.values[i+1] {
		return s.values[i]
	}
	lo, hi := s.values[i], s.values[i+1]
	switch {
	case math.IsInf(lo, -1):
		return lo
	case math.IsInf(hi-lo, 1): // hi is infinite, or the difference overflows
		return float64(lo*(1-frac)) + float64(hi*frac)
	}
	return lo + float64(frac*(hi-lo))
}

// Median returns the middle observation, or the mean of the middle two.
func (s Sample) Median() float64 { return s.Quantile(0.5) }

// ObservedQuantile returns the smallest observation that at least a share p of the sample does not exceed:
// type 1 of Hyndman and Fan. Unlike [Sample.Quantile] it is always a value that occurred, so that there is a
// trace to show for it.
func (s Sample) ObservedQuantile(p float64) float64 {
	if len(s.values) == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	n := float64(len(s.values))
	rank := math.Ceil(n * p * (1 - 1e-12)) // 100·0.07 is 7.000000000000001, whose rank is 7
	return s.values[int(min(max(rank, 1), n))-1]
}

// QuantileInterval returns [Sample.Quantile] with the confidence interval between two observations whose
// ranks the binomial distribution gives (G. J. Hahn and W. Q. Meeker, Statistical Intervals, 1991,
// doi:10.1002/9780470316771). It assumes nothing but independent observations, and covers at least level.
//
// Too small a sample leaves a side infinite: see [QuantileSampleSize].
func (s Sample) QuantileInterval(p, level float64) Estimate {
	if len(s.values) == 0 || !(p > 0 && p < 1) || !validLevel(level) {
		return undefined()
	}
	lo, hi, reached := quantileRanks(len(s.values), p, level)
	e := Estimate{Value: s.Quantile(p), Lo: math.Inf(-1), Hi: math.Inf(1), Level: reached}
	if lo > 0 {
		e.Lo = s.values[lo-1]
	}
	if hi <= len(s.values) {
		e.Hi = s.values[hi-1]
	}
	return e
}

// quantileRanks returns the ranks, counted from 1, of the observations that bound the p-quantile: lo is 0,
// or hi is n+1, where none does.
func quantileRanks(n int, p, level float64) (lo, hi int, reached float64) {
	tail := (1 - level) / 2
	// lo is the largest rank with P(X < lo) <= tail, and hi the smallest with P(X >= hi) <= tail, for X binomial.
	lo = countTrue(n, func(r int) bool { return special.BinomialCDF(r-1, n, p) <= tail })
	hi = n + 1 - countTrue(n, func(r int) bool { return special.BinomialCDF(r-1, n, 1-p) <= tail })
	missed := special.BinomialCDF(n-hi, n, 1-p) // P(X >= hi)
	if lo > 0 {
		missed += special.BinomialCDF(lo-1, n, p)
	}
	return lo, hi, 1 - missed
}

// countTrue returns how many of 1, 2, …, n satisfy ok, which is true up to some number and false from there.
func countTrue(n int, ok func(int) bool) int {
	lo, hi := 0, n+1 // ok(lo), !ok(hi)
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; ok(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// QuantileSampleSize returns the smallest number of observations for which [Sample.QuantileInterval] bounds
// the p-quantile on both sides: 6 for the median at level 0.95, 72 for p = 0.95, and 368 for p = 0.99. It
// returns 0 if no number does.
func QuantileSampleSize(p, level float64) int {
	if !(p > 0 && p < 1) || !validLevel(level) {
		return 0
	}
	far := special.Log(max(p, 1-p)) // the side that is harder to bound
	tail := special.Log((1 - level) / 2)
	n := math.Ceil(tail/far - 1e-9)
	if !(n < math.MaxInt32) {
		return 0
	}
	return max(int(n), 1)
}

// MAD returns the median absolute deviation from the median, in the unit of the observations. For normal
// data 1.4826 times it estimates the standard deviation.
func (s Sample) MAD() float64 {
	median := s.Median()
	deviations := make([]float64, len(s.values))
	for i, x := range s.values {
		if x != median { // Inf - Inf is no deviation
			deviations[i] = math.Abs(x - median)
		}
	}
	return NewSample(deviations).Median()
}

// WeightedQuantile returns the smallest of xs such that the observations up to it have at least a share p of
// the total weight; with equal weights that is [Sample.ObservedQuantile]. Observations that are NaN, or whose
// weight is not positive and finite, are left out; NaN if none is left, or if the lengths differ.
func WeightedQuantile(xs, weights []float64, p float64) float64 {
	if len(xs) != len(weights) || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	order := make([]int, 0, len(xs))
	for i, x := range xs {
		if w := weights[i]; !math.IsNaN(x) && w > 0 && !math.IsInf(w, 0) {
			order = append(order, i)
		}
	}
	// By value, then by weight: the result doesn't depend on the order of the arguments.
	slices.SortFunc(order, func(i, j int) int {
		if xs[i] != xs[j] {
			if xs[i] < xs[j] {
				return -1
			}
			return 1
		}
		if weights[i] < weights[j] {
			return -1
		} else if weights[i] > weights[j] {
			return 1
		}
		return 0
	})
	var total summer
	for _, i := range order {
		total.add(weights[i])
	}
	target := p * total.sum()
	var sum summer
	for _, i := range order {
		sum.add(weights[i])
		if sum.sum() >= target*(1-1e-12) {
			return xs[i]
		}
	}
	return math.NaN()
}
