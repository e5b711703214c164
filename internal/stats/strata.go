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
