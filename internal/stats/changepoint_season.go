package stats

import (
	"math"
	"slices"
)

// deseasonalised returns the series without the pattern that repeats after a number of steps: of measurements
// the usual value at each phase is subtracted, and the sizes of counts are multiplied by what is usual at the
// phase. What is usual is the median over the periods, of each beside what is usual in the period, so that a
// change is not taken for a pattern. at are the places of the observations in a series of n steps.
//
// Shares become rates for each trial, whose level a pattern can multiply: they then count as more spread than
// they are, unless they are small.
func (s ChangeSeries) deseasonalised(at []int, n, season int) ChangeSeries {
	periods := 0
	if season > 1 {
		periods = n / season
	}
	if periods < 3 || s.Model == MeanVarianceChange {
		return s
	}
	// Neighbouring phases are taken together, so that there is enough in each to tell a pattern from chance.
	blocks := mostBlocks
	if s.Model != MeanChange {
		blocks = int(min(Sum(s.Values)/(eventsOfBlock*float64(periods)), mostBlocks))
		if blocks < fewestBlocks {
			return s
		}
	}
	width := (season + blocks - 1) / blocks
	blocks = (season + width - 1) / width
	type total struct{ values, sizes float64 }
	cells := make([]total, (n/season+1)*blocks) // by period and block
	whole := make([]total, n/season+1)          // by period
	for i, place := range at {
		p, b := place/season, place%season/width
		for _, t := range []*total{&cells[p*blocks+b], &whole[p]} {
			t.values += s.Values[i]
			t.sizes += s.Sizes[i]
		}
	}
	pattern := make([]float64, blocks)
	for b := range pattern {
		var seen []float64
		for p := range n/season + 1 {
			cell := cells[p*blocks+b]
			if cell.sizes == 0 {
				continue
			}
			// The last period may be a small part of one.
			usual := whole[p]
			if p > 0 && n-p*season < season/2 {
				usual = whole[p-1]
			}
			switch value := cell.values / cell.sizes; {
			case s.Model == MeanChange:
				seen = append(seen, value-usual.values/usual.sizes)
			case usual.values > 0:
				seen = append(seen, value/(usual.values/usual.sizes))
			}
		}
		pattern[b] = NewSample(seen).Median()
	}
	out := ChangeSeries{Model: s.Model, Values: slices.Clone(s.Values), Sizes: slices.Clone(s.Sizes)}
	if s.Model == ShareChange {
		if !isPattern(pattern) {
			return s
		}
		out.Model = RateChange
	}
	const least = 0.05 // of what is usual: where nothing ever happens one event must not be everything
	for i, place := range at {
		switch usual := pattern[place%season/width]; {
		case s.Model == MeanChange && !math.IsNaN(usual):
			out.Values[i] -= usual
		case s.Model != MeanChange:
			if !(usual >= least) {
				usual = least
			}
			out.Sizes[i] *= usual
		}
	}
	return out
}

const (
	mostBlocks    = 24
	fewestBlocks  = 4
	eventsOfBlock = 20 // in each period
)

// isPattern reports whether shares differ by enough between phases to be allowed for.
func isPattern(pattern []float64) bool {
	s := NewSample(pattern)
	return s.Quantile(0.9) > 1.5*max(s.Quantile(0.1), 0.2)
}
