package compare

import "math"

// mass is the sum of the weights of some traces, that of their squares, and the least and the largest.
type mass struct{ sum, squares, least, most float64 }

func (m *mass) add(w float64) {
	if m.sum == 0 {
		m.least = w
	}
	m.sum += w
	m.squares += float64(w * w)
	m.least, m.most = min(m.least, w), max(m.most, w)
}

// uneven says whether the weights differ, so that counts of traces say nothing of shares.
func (m mass) uneven() bool { return m.least != m.most }

// effective returns the counts that stand for a weighted share in an exact test: x of n traces, whose
// weights are with, of all. They have the weighted share, and the size at which a simple random sample
// would estimate it with the same variance (E. L. Korn and B. I. Graubard, 1998). The variance is that of
// Poisson sampling, so that traces kept with certainty count in full; it is too large where a fixed number
// was drawn. Where none or all of the traces are exposed that variance is no guide, and the size is
// L. Kish's. round makes the number exposed whole, towards no difference.
func effective(x, n int, with, all mass, round func(float64) float64) (int, int) {
	if !all.uneven() {
		return x, n
	}
	share, size := with.sum/all.sum, all.sum*all.sum/all.squares
	if x > 0 && x < n {
		miss := 1 - share
		variance := float64(miss*miss)*with.squares + float64(share*share)*max(0, all.squares-with.squares)
		size = share * miss * all.sum * all.sum / variance
	}
	size = max(1, math.Floor(min(size, all.sum)))
	return int(min(size, max(0, round(share*size)))), int(size)
}

// weightedTwoSample is [comparison.twoSample] for traces whose weights differ: it compares weighted means,
// by the linearised variance of a ratio (J. Hájek's estimator; T. Lumley and A. J. Scott, 2013, for ranks).
func (c *comparison) weightedTwoSample(xs []traceValue, all [2]mass) (difference, se float64) {
	var mean [2]float64
	for _, x := range xs {
		side := c.side[x.trace]
		mean[side] += c.traces[x.trace].Weight() * x.value / all[side].sum
	}
	variance := 0.0
	for _, x := range xs {
		side := c.side[x.trace]
		d := c.traces[x.trace].Weight() * (x.value - mean[side]) / all[side].sum
		variance += float64(d * d)
	}
	return mean[inc] - mean[base], math.Sqrt(variance)
}
