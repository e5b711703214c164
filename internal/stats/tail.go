package stats

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A ConditionalTail is [FisherStratified] for every total A that tables with the same margins can have.
// Relabelling keeps the margins, so that a permutation test looks its p-values up here.
type ConditionalTail struct {
	first    int       // the total of p[0]; below it the p-value is 1
	p        []float64 // by total, from first on
	smallest float64
}

const (
	maxTailWork = 1 << 16 // steps of a convolution, beyond which the normal approximation is used
	tailDigits  = 1e-60   // masses below this share of the largest are left out
)

// NewConditionalTail returns the tail for the margins of the given tables. It is exact for one stratum, and
// for several where that takes few steps; else it is the one-sided Cochran–Mantel–Haenszel test with a
// continuity correction.
func NewConditionalTail(strata []Table) *ConditionalTail {
	t := &ConditionalTail{smallest: 1}
	var informative []hypergeometric
	work, span, mean, variance, highest := 0.0, 1.0, 0.0, 0.0, 0.0
	for _, s := range strata {
		if !s.valid() {
			continue
		}
		h := newHypergeometric(s.margins())
		t.first += int(h.lo)
		highest += h.hi
		if h.lo == h.hi {
			mean += h.lo
			continue
		}
		informative = append(informative, h)
		t.smallest = float64(t.smallest * h.mass(h.hi))
		work += float64(span * (h.hi - h.lo + 1))
		span += h.hi - h.lo
		n := h.row1 + h.row2
		share := h.col1 / n
		mean += float64(h.row1 * share)
		variance += float64(h.row1 * (h.row2 / (n - 1)) * share * (1 - share))
	}
	switch {
	case len(informative) == 0:
	case len(informative) > 1 && work > maxTailWork:
		sd := math.Sqrt(variance)
		t.first = int(math.Ceil(mean))
		last := min(int(highest), int(mean+float64(16*sd))+1)
		for a := t.first; a <= last; a++ {
			t.p = append(t.p, special.NormalCDF(-(float64(a)-0.5-mean)/sd))
		}
	default:
		masses := []float64{1}
		for _, h := range informative {
			_, m := h.masses()
			next := make([]float64, len(masses)+len(m)-1)
			for i, x := range masses {
				for j, y := range m {
					next[i+j] += float64(x * y)
				}
			}
			masses = next
		}
		t.sum(masses)
	}
	return t
}

// sum turns masses, from t.first on, into upper tails, and leaves out what no test will reach.
func (t *ConditionalTail) sum(masses []float64) {
	most := 0.0
	for _, m := range masses {
		most = max(most, m)
	}
	from, to := 0, len(masses)
	for from < to && masses[from] < most*tailDigits {
		from++
	}
	for to > from && masses[to-1] < most*tailDigits {
		to--
	}
	t.p = masses[from:to:to]
	sum := 0.0
	for i := len(t.p) - 1; i >= 0; i-- {
		sum += t.p[i]
		t.p[i] = min(sum, 1)
	}
	t.first += from
}

// P returns the p-value of a total. Beyond the tail's digits it is the smallest that was kept.
func (t *ConditionalTail) P(total int) float64 {
	if total < t.first || len(t.p) == 0 {
		return 1
	}
	return t.p[min(total-t.first, len(t.p)-1)]
}

// Smallest returns the smallest p-value that any tables with these margins attain.
func (t *ConditionalTail) Smallest() float64 { return t.smallest }

// RiskDifferenceStratified returns the pooled difference of A/(A+B) and C/(C+D): the weights of S. Greenland
// and J. Robins (1985, doi:10.2307/2530643), and Newcombe's interval at the effective sizes of the weighted
// rows. It is undefined if no stratum has both rows.
func RiskDifferenceStratified(strata []Table, level float64) Estimate {
	var weight, p1, p2, s1, s2 summer
	for _, t := range strata {
		row1, row2, _ := t.margins()
		if !t.valid() || row1 == 0 || row2 == 0 {
			continue
		}
		w := row1 / (row1 + row2) * row2
		weight.add(w)
		p1.add(w * (float64(t.A) / row1))
		p2.add(w * (float64(t.C) / row2))
		s1.add(w / row1 * w)
		s2.add(w / row2 * w)
	}
	total := weight.sum()
	if total == 0 {
		return undefined()
	}
	n1, n2 := total/s1.sum()*total, total/s2.sum()*total
	k1, k2 := p1.sum()/total*n1, p2.sum()/total*n2
	return ProportionDifference(min(k1, n1), n1, min(k2, n2), n2, level)
}

// Leading returns in how many of the relabellings added so far the most extreme hypothesis was reached.
// Adjusted p-values of the others come from at least as many.
func (s *StepDown) Leading() int {
	if len(s.extreme) == 0 {
		return 0
	}
	return s.extreme[0]
}

// AdjustedAfter is [StepDown.Adjusted] after the first n of random relabellings: where the most extreme
// hypothesis can no longer be rejected, the rest need not be drawn (J. Besag and P. Clifford, 1991,
// doi:10.1093/biomet/78.2.301).
func (s *StepDown) AdjustedAfter(n int) []float64 { return s.Adjusted(&Relabellings{n: n}) }
