package compare

import (
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
)

// attributeNumbers is the ranges of a number, by which its cuts and trends are counted. A trace with several
// values is in the range of its largest for what is at or above a cut, and of its smallest for what is below.
type attributeNumbers struct {
	largest, smallest []bitset.Compact // traces, by range; the same where each has one value
	isSingle          bool
	cuts              []*attributeHypothesis

	rising, falling attributeTrend // of the largest values, and of the smallest
}

// attributeTrend is the mean and the standard deviation of the sum of the affected traces' ranges about their
// center, given how many traces of each stratum are affected.
type attributeTrend struct{ center, mean, sd float64 }

// buildCuts asks about a range of numbers: at or above a cut, below it, and whether there is a trend over
// the parts between cuts.
func (a *attributeTable) buildCuts(f int32, add func(tracewhy.Op, tracewhy.Value, bitset.Compact) *attributeHypothesis) {
	d := &a.fields[f]
	n, k := len(a.traces), len(d.ranges)
	sets := make([]bitset.Compact, k)
	total := 0
	for i, l := range d.ranges {
		sets[i] = a.levels[l].traces.Compact()
		total += sets[i].Len()
	}
	above, below := make([]bitset.Compact, k+1), make([]bitset.Compact, k+1) // of each cut
	above[k] = bitset.Of(n, nil)
	below[0] = above[k]
	for i := range k {
		below[i+1] = bitset.Union(n, below[i], sets[i])
	}
	for i := k - 1; i >= 0; i-- {
		above[i] = bitset.Union(n, above[i+1], sets[i])
	}
	numbers := &attributeNumbers{largest: sets, smallest: sets, isSingle: total == above[0].Len()}
	if !numbers.isSingle {
		numbers.largest, numbers.smallest = make([]bitset.Compact, k), make([]bitset.Compact, k)
		for i := range k {
			numbers.largest[i] = sets[i].Minus(above[i+1])
			numbers.smallest[i] = sets[i].Minus(below[i])
		}
	}
	for cut := 1; cut < k; cut++ {
		v := a.levels[d.ranges[cut]].value
		for _, h := range []*attributeHypothesis{add(tracewhy.OpAtLeast, v, above[cut]), add(tracewhy.OpLess, v, below[cut])} {
			h.isCut, h.numbers, h.cut = true, numbers, cut
			numbers.cuts = append(numbers.cuts, h)
		}
	}
	if k < minNumbers {
		return
	}
	numbers.rising, numbers.falling = a.moments(numbers.largest), a.moments(numbers.smallest)
	middle := k / 2
	v := a.levels[d.ranges[middle]].value
	for _, h := range []*attributeHypothesis{add(tracewhy.OpAtLeast, v, above[middle]), add(tracewhy.OpLess, v, below[middle])} {
		h.isCut, h.numbers, h.cut, h.trend = true, numbers, middle, "rising"
		if h.conditions[0].Op == tracewhy.OpLess {
			h.trend = "falling"
		}
	}
}

// moments computes what is expected of a trend over ranges.
func (a *attributeTable) moments(ranges []bitset.Compact) attributeTrend {
	counts := make([][]int, len(ranges)) // traces of each range, by stratum
	sum, with := 0, 0
	for i, set := range ranges {
		counts[i] = make([]int, a.strata)
		if a.strata == 1 {
			counts[i][0] = set.Len()
		} else {
			for trace := range set.All() {
				counts[i][a.stratum[trace]]++
			}
		}
		sum += i * set.Len()
		with += set.Len()
	}
	t := attributeTrend{center: float64(sum) / float64(max(1, with))}
	variance := 0.0
	for s, size := range a.sizes {
		sum, square := 0.0, 0.0
		for i := range counts {
			x := float64(i) - t.center
			sum += float64(x * float64(counts[i][s]))
			square += float64(x * x * float64(counts[i][s]))
		}
		affected, all := float64(size[inc]), float64(size[inc]+size[base])
		mean := sum / all
		t.mean += float64(affected * mean)
		if all > 1 {
			variance += float64(affected * (all - affected) / all / (all - 1) * (square - float64(sum*mean)))
		}
	}
	t.sd = math.Sqrt(max(variance, 0))
	return t
}

// trendOf returns what is expected of the hypothesis' trend.
func (h *attributeHypothesis) trendOf() attributeTrend {
	if h.trend == "rising" {
		return h.numbers.rising
	}
	return h.numbers.falling
}

// nameTrend makes the cut that tells most the condition of a trend.
func (a *attributeTable) nameTrend(h *attributeHypothesis) {
	smallest := 2.0
	for _, c := range h.numbers.cuts {
		if c.conditions[0].Op != h.conditions[0].Op {
			continue
		}
		if p := a.tail(c.set).P(c.set.LenAndSet(a.label)); p < smallest {
			smallest = p
			h.set, h.cut, h.conditions = c.set, c.cut, c.conditions[:1]
		}
	}
}
