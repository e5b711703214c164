package stats

import "math"

// Sum returns the sum of xs with an error of about one rounding, however long xs is, by Neumaier's
// compensated summation (ZAMM 54 (1974), doi:10.1002/zamm.19740540106). It depends on the order of xs in the
// last bit at most, unless partial sums overflow.
func Sum(xs []float64) float64 {
	var s summer
	for _, x := range xs {
		s.add(x)
	}
	return s.sum()
}

// Mean returns the arithmetic mean of xs, or NaN for none. For the means of heavy-tailed data see [Sample.Median].
func Mean(xs []float64) float64 { return Sum(xs) / float64(len(xs)) }

// Variance returns the unbiased variance of xs (the divisor is n-1), or NaN for fewer than two values. It
// takes a second pass, and so keeps its digits where the mean is large against the spread.
func Variance(xs []float64) float64 {
	if len(xs) < 2 {
		return math.NaN()
	}
	mean := Mean(xs)
	var squares, rest summer
	for _, x := range xs {
		d := x - mean
		squares.add(float64(d * d))
		rest.add(d) // zero but for the rounding of mean
	}
	n := float64(len(xs))
	r := rest.sum()
	return max((squares.sum()-float64(r*r)/n)/(n-1), 0)
}

// A summer is a compensated sum under way.
type summer struct{ total, lost float64 }

func (s *summer) add(x float64) {
	x = float64(x) // where add is inlined, x may be a product that would fuse with the sum
	t := s.total + x
	if math.Abs(s.total) >= math.Abs(x) {
		s.lost += (s.total - t) + x
	} else {
		s.lost += (x - t) + s.total
	}
	s.total = t
}

func (s *summer) sum() float64 {
	if sum := s.total + s.lost; !math.IsNaN(sum) {
		return sum
	}
	return s.total // infinite: then the compensation is not a number
}
