package stats

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A Table is a 2×2 table of counts. Its rows are two groups, such as the failing and the healthy traces, and
// its columns say whether a condition holds:
//
//	          holds  doesn't
//	failing     A       B
//	healthy     C       D
//
// A table with a negative count, or with more than 2^40 observations, has NaN for every answer.
type Table struct{ A, B, C, D int }

// maxTotal is the largest total of a table: a tail of the hypergeometric distribution then has at most a few
// million terms that matter.
const maxTotal = 1 << 40

// margins returns the row totals and the first column's total.
func (t Table) margins() (row1, row2, col1 float64) {
	a, b, c, d := t.cells()
	return a + b, c + d, a + c
}

func (t Table) cells() (a, b, c, d float64) {
	return float64(t.A), float64(t.B), float64(t.C), float64(t.D)
}

func (t Table) total() float64 {
	row1, row2, _ := t.margins()
	return row1 + row2
}

func (t Table) valid() bool {
	return t.A >= 0 && t.B >= 0 && t.C >= 0 && t.D >= 0 && t.total() <= maxTotal
}

// OddsRatio returns the odds ratio AD/BC with 0.5 added to each cell (J. B. S. Haldane, 1956,
// doi:10.1111/j.1469-1809.1955.tb01285.x) and B. Woolf's interval (1955,
// doi:10.1111/j.1469-1809.1955.tb01348.x). It survives sampling that depends on the outcome, such as keeping
// every error and 1 % of the rest, which rates and their differences don't. With empty cells it is shrunk
// toward 1, and its interval is wide but finite; with an empty row it is undefined.
func (t Table) OddsRatio(level float64) Estimate {
	row1, row2, _ := t.margins()
	if !t.valid() || row1 == 0 || row2 == 0 || !validLevel(level) {
		return undefined()
	}
	a, b, c, d := t.cells()
	a, b, c, d = a+0.5, b+0.5, c+0.5, d+0.5
	ratio := float64(a / b * (d / c))
	factor := special.Exp(criticalValue(level) * math.Sqrt(1/a+1/b+1/c+1/d))
	return Estimate{Value: ratio, Lo: ratio / factor, Hi: float64(ratio * factor), Level: level}
}

// RiskDifference returns A/(A+B) - C/(C+D) as [ProportionDifference] does.
func (t Table) RiskDifference(level float64) Estimate {
	row1, row2, _ := t.margins()
	if !t.valid() {
		return undefined()
	}
	return ProportionDifference(float64(t.A), row1, float64(t.C), row2, level)
}

// Fisher returns the p-value of R. A. Fisher's exact test of independence, given the margins (1935,
// doi:10.2307/2342435): Greater says that the condition is more frequent in the first row. The two-sided
// p-value sums the tables that are at most as probable as t, to within a factor 1+1e-7, as R does.
//
// The p-values of small tables are discrete, and the test conservative: see [Table.FisherMidP].
func (t Table) Fisher(alt Alternative) float64 {
	p, _ := t.fisher(alt)
	return p
}

// FisherMidP returns [Table.Fisher] less half the probability of t itself (H. O. Lancaster, 1961,
// doi:10.1080/01621459.1961.10482105). It rejects at its nominal rate on average, and for some margins more often.
func (t Table) FisherMidP(alt Alternative) float64 {
	p, mass := t.fisher(alt)
	return max(p-float64(mass/2), 0)
}

func (t Table) fisher(alt Alternative) (p, mass float64) {
	if !t.valid() {
		return math.NaN(), math.NaN()
	}
	h := newHypergeometric(t.margins())
	x := float64(t.A)
	switch alt {
	case Greater:
		p = h.atLeast(x)
	case Less:
		p = h.atMost(x)
	default:
		p = h.asExtreme(x)
	}
	return min(p, 1), h.mass(x)
}

// SmallestP returns the smallest p-value of [Table.Fisher] that any table with t's margins attains
// (R. E. Tarone, 1990, doi:10.2307/2531456). A hypothesis for which it exceeds the significance level can't be
// rejected, whatever the data, and needs no share of the level.
func (t Table) SmallestP(alt Alternative) float64 {
	if !t.valid() {
		return math.NaN()
	}
	h := newHypergeometric(t.margins())
	switch alt {
	case Greater:
		return h.atLeast(h.hi)
	case Less:
		return h.atMost(h.lo)
	default:
		return min(h.asExtreme(h.lo), h.asExtreme(h.hi))
	}
}

// FisherByCount returns the p-values of [Table.Fisher] for Greater, or Less, of every table with t's margins:
// p[i] is that of A = first+i. Relabelling keeps the margins, so that a permutation test looks its p-values up
// here. They equal those of Fisher to 12 digits. It returns nil for TwoSided, and for over 2^24 tables.
func (t Table) FisherByCount(alt Alternative) (first int, p []float64) {
	if !t.valid() || alt == TwoSided {
		return 0, nil
	}
	h := newHypergeometric(t.margins())
	if h.hi-h.lo >= 1<<24 {
		return 0, nil
	}
	first, last := int(h.lo), int(h.hi)
	p = make([]float64, last-first+1)
	mode := int(h.mode)
	p[mode-first] = h.mass(h.mode)
	for x := mode; x < last; x++ {
		p[x+1-first] = float64(p[x-first] * h.ratio(float64(x)))
	}
	for x := mode; x > first; x-- {
		p[x-1-first] = p[x-first] / h.ratio(float64(x-1))
	}
	// Sum each tail from its far end, so that small values are added first.
	lower := make([]float64, len(p))
	sum := 0.0
	for i, mass := range p {
		sum += mass
		lower[i] = min(sum, 1)
	}
	sum = 0
	for i := len(p) - 1; i >= 0; i-- {
		sum += p[i]
		p[i] = min(sum, 1)
	}
	if alt == Less {
		p, lower = lower, p
	}
	// What is more than half is known better from the other tail.
	for i := range p {
		rest := 0.0
		switch {
		case alt == Greater && i > 0:
			rest = lower[i-1]
		case alt == Less && i < len(p)-1:
			rest = lower[i+1]
		}
		if rest < 0.5 {
			p[i] = 1 - rest
		}
	}
	return first, p
}

// A hypergeometric is the distribution of A in a table with given margins.
type hypergeometric struct {
	row1, row2, col1 float64
	lo, hi, mode     float64
}

func newHypergeometric(row1, row2, col1 float64) hypergeometric {
	h := hypergeometric{row1: row1, row2: row2, col1: col1, lo: max(0, col1-row2), hi: min(row1, col1)}
	mode := math.Floor((row1 + 1) / (row1 + row2 + 2) * (col1 + 1))
	h.mode = min(max(mode, h.lo), h.hi)
	return h
}

func (h hypergeometric) mass(x float64) float64 {
	return special.HypergeometricMass(x, h.col1, h.row1+h.row2-h.col1, h.row1)
}

// ratio returns mass(x+1)/mass(x), for x in [lo, hi).
func (h hypergeometric) ratio(x float64) float64 {
	return float64((h.row1 - x) / (x + 1) * ((h.col1 - x) / (h.row2 - h.col1 + x + 1)))
}

// atLeast returns P(X >= x). On the far side of the mode it sums the terms, which fall from there.
func (h hypergeometric) atLeast(x float64) float64 {
	switch {
	case x <= h.lo:
		return 1
	case x > h.hi:
		return 0
	case x <= h.mode:
		return 1 - h.atMost(x-1)
	}
	sum := h.mass(x)
	for term := sum; x < h.hi && term > sum*negligible; x++ {
		term = float64(term * h.ratio(x))
		sum += term
	}
	return sum
}

// atMost returns P(X <= x).
func (h hypergeometric) atMost(x float64) float64 {
	switch {
	case x >= h.hi:
		return 1
	case x < h.lo:
		return 0
	case x > h.mode:
		return 1 - h.atLeast(x+1)
	}
	sum := h.mass(x)
	for term := sum; x > h.lo && term > sum*negligible; x-- {
		term /= h.ratio(x - 1)
		sum += term
	}
	return sum
}

// negligible is the share of a sum below which its next, smaller, terms don't change it.
const negligible = 1.0 / (1 << 60)

// asExtreme returns the probability of all values that are at most as probable as x.
func (h hypergeometric) asExtreme(x float64) float64 {
	limit := h.mass(x) * (1 + 1e-7)
	if h.mass(h.mode) <= limit {
		return 1
	}
	if x > h.mode {
		n := countTrue(int(h.mode-h.lo), func(i int) bool { return h.mass(h.lo+float64(i)-1) <= limit })
		return h.atLeast(x) + h.atMost(h.lo+float64(n)-1)
	}
	n := countTrue(int(h.hi-h.mode), func(i int) bool { return h.mass(h.hi-float64(i)+1) <= limit })
	return h.atMost(x) + h.atLeast(h.hi-float64(n)+1)
}
