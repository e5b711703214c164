package stats

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A StratifiedTable is what the tables of several strata say together. See [MantelHaenszel].
type StratifiedTable struct {
	// OddsRatio is the common odds ratio of N. Mantel and W. Haenszel (1959, doi:10.1093/jnci/22.4.719), with
	// the interval of J. Robins, N. Breslow, and S. Greenland (1986, doi:10.2307/2531052).
	OddsRatio Estimate

	// ChiSquare is the Cochran–Mantel–Haenszel statistic, of one degree of freedom, for the hypothesis that
	// the odds ratio is 1 in every stratum, and P its p-value. The corrected ones have R's continuity
	// correction: nearer to the exact test, and conservative.
	ChiSquare, P                   float64
	CorrectedChiSquare, CorrectedP float64

	// Heterogeneity is the statistic of N. E. Breslow and N. E. Day (1980, IARC Scientific Publications 32)
	// for the hypothesis that the odds ratio is the same in every stratum, and HeterogeneityP its p-value, of
	// Informative-1 degrees of freedom. It is NaN for fewer than two informative strata. Known failure: it
	// needs expected counts of about 5 in each cell.
	Heterogeneity, HeterogeneityP float64

	Informative int // how many strata have both rows and both columns
}

// MantelHaenszel compares two groups within strata, such as operations, and pools the comparisons. What
// differs only because the strata's shares differ between the groups (Simpson's paradox, a changed traffic
// mix) vanishes. Where the heterogeneity is significant, the common odds ratio describes no stratum.
func MantelHaenszel(strata []Table, level float64) StratifiedTable {
	nan := math.NaN()
	none := StratifiedTable{undefined(), nan, nan, nan, nan, nan, nan, 0}
	var observed, expected, variance summer
	var r, s, pr, psqr, qs summer
	var informative []Table
	for _, t := range strata {
		if !t.valid() {
			return none
		}
		row1, row2, col1 := t.margins()
		n := row1 + row2
		col2 := n - col1
		if row1 == 0 || row2 == 0 || col1 == 0 || col2 == 0 {
			continue
		}
		informative = append(informative, t)
		a, b, c, d := t.cells()
		observed.add(a)
		expected.add(row1 / n * col1)
		variance.add(row1 / n * (row2 / n) * col1 * (col2 / (n - 1)))
		ri, si := a*(d/n), b*(c/n)
		p, q := (a+d)/n, (b+c)/n
		r.add(ri)
		s.add(si)
		pr.add(p * ri)
		psqr.add(float64(p*si) + float64(q*ri))
		qs.add(q * si)
	}
	if len(informative) == 0 || !validLevel(level) {
		return none
	}
	result := none
	result.Informative = len(informative)
	difference := math.Abs(observed.sum() - expected.sum())
	square := func(x float64) float64 { return x * x / variance.sum() }
	result.ChiSquare = square(difference)
	result.P = special.ChiSquareTail(result.ChiSquare, 1)
	result.CorrectedChiSquare = square(max(difference-0.5, 0))
	result.CorrectedP = special.ChiSquareTail(result.CorrectedChiSquare, 1)

	sumR, sumS := r.sum(), s.sum()
	switch {
	case sumR > 0 && sumS > 0:
		ratio := sumR / sumS
		logVariance := pr.sum()/(2*sumR*sumR) + psqr.sum()/(2*sumR*sumS) + qs.sum()/(2*sumS*sumS)
		factor := special.Exp(criticalValue(level) * math.Sqrt(logVariance))
		result.OddsRatio = Estimate{Value: ratio, Lo: ratio / factor, Hi: float64(ratio * factor), Level: level}
		result.Heterogeneity, result.HeterogeneityP = breslowDay(informative, ratio)
	case sumR > 0 || sumS > 0: // an empty cell in every stratum: only the direction is known
		result.OddsRatio = Estimate{Value: sumR / sumS, Lo: 0, Hi: math.Inf(1), Level: level}
	}
	return result
}

// breslowDay compares each stratum with what it would be if its odds ratio were the common one.
func breslowDay(strata []Table, ratio float64) (statistic, p float64) {
	if len(strata) < 2 {
		return math.NaN(), math.NaN()
	}
	var sum summer
	for _, t := range strata {
		row1, row2, col1 := t.margins()
		// a solves a·(row2-col1+a) = ratio·(row1-a)·(col1-a): (ratio-1)a² - h·a + ratio·row1·col1 = 0.
		h := float64(ratio*(row1+col1)) + row2 - col1
		root := math.Sqrt(max(float64(h*h)-float64(4*(ratio-1)*ratio*row1*col1), 0))
		var a float64
		if h > 0 { // of the two forms of the root, the one without cancellation
			a = 2 * ratio * row1 * col1 / (h + root)
		} else {
			a = (h - root) / (2 * (ratio - 1))
		}
		variance := 1 / (1/a + 1/(row1-a) + 1/(col1-a) + 1/(row2-col1+a))
		d := float64(t.A) - a
		sum.add(d * d / variance)
	}
	statistic = sum.sum()
	return statistic, special.ChiSquareTail(statistic, float64(len(strata)-1))
}

// maxConvolution bounds the work of [FisherStratified]: beyond it the normal approximation is good.
const maxConvolution = 1 << 21

// FisherStratified is [Table.Fisher] with the alternative Greater within strata: the probability, given all
// margins and no association in any stratum, of a total A at least as large as the observed one (the exact
// conditional test of K. J. Gart, 1970, doi:10.1093/biomet/57.3.471). Where the distribution of the total is
// too long to convolve, it is the one-sided Cochran–Mantel–Haenszel test with a continuity correction.
// smallest is the smallest p-value that any tables with these margins attain. Both are 1 if no stratum has
// both rows and both columns.
func FisherStratified(strata []Table) (p, smallest float64) {
	var informative []hypergeometric
	observed, work, span := 0.0, 1.0, 1.0
	for _, t := range strata {
		if !t.valid() {
			return math.NaN(), math.NaN()
		}
		h := newHypergeometric(t.margins())
		if h.lo == h.hi {
			continue
		}
		informative = append(informative, h)
		observed += float64(t.A) - h.lo
		work += span * (h.hi - h.lo + 1)
		span += h.hi - h.lo
	}
	if len(informative) == 0 {
		return 1, 1
	}
	smallest = 1
	for _, h := range informative {
		smallest = float64(smallest * h.mass(h.hi))
	}
	if len(informative) == 1 {
		h := informative[0]
		return min(h.atLeast(observed+h.lo), 1), smallest
	}
	if work > maxConvolution {
		m := MantelHaenszel(strata, 0.95)
		p := m.CorrectedP / 2
		if m.OddsRatio.Value < 1 {
			p = 1 - p
		}
		return p, smallest
	}
	dist := []float64{1}
	for _, h := range informative {
		_, masses := h.masses()
		next := make([]float64, len(dist)+len(masses)-1)
		for i, a := range dist {
			for j, b := range masses {
				next[i+j] += float64(a * b)
			}
		}
		dist = next
	}
	for i := len(dist) - 1; i >= int(observed); i-- {
		p += dist[i]
	}
	return min(p, 1), smallest
}

// masses returns the probabilities of all values, from lo on.
func (h hypergeometric) masses() (lo int, p []float64) {
	p = make([]float64, int(h.hi-h.lo)+1)
	mode := int(h.mode - h.lo)
	p[mode] = h.mass(h.mode)
	for i := mode; i < len(p)-1; i++ {
		p[i+1] = float64(p[i] * h.ratio(h.lo+float64(i)))
	}
	for i := mode; i > 0; i-- {
		p[i-1] = p[i] / h.ratio(h.lo+float64(i-1))
	}
	return int(h.lo), p
}
