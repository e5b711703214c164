package stats

import "math"

// deseasonalised returns the series without the pattern that repeats after a number of steps: of measurements
// the median at each phase is subtracted, and of counts the sizes are multiplied by what is usual at the phase,
// in both cases beside the median of the same period, so that a change is not taken for a pattern. at are the
// places of the observations in a series of n steps.
func (s ChangeSeries) deseasonalised(at []int, n, season int) ChangeSeries {
	periods := 0
	if season > 1 {
		periods = n / season
	}
	if periods < 3 || s.Model == ShareChange || s.Model == MeanVarianceChange {
		return s
	}
	level := make([][]float64, periods+1)
	value := func(i int) float64 {
		if s.Model == RateChange {
			return s.Values[i] / s.Sizes[i]
		}
		return s.Values[i]
	}
	for i, place := range at {
		level[place/season] = append(level[place/season], value(i))
	}
	usual := make([]float64, len(level)) // by period
	for p, l := range level {
		usual[p] = NewSample(l).Median()
		if s.Model == RateChange {
			usual[p] = Mean(l) // the median of rare events is 0
		}
	}
	if len(level[periods]) < season/2 {
		usual[periods] = usual[periods-1] // too little of a period to say what is usual in it
	}
	seen := make([][]float64, season)
	for i, place := range at {
		phase, u := place%season, usual[place/season]
		switch {
		case s.Model == MeanChange:
			seen[phase] = append(seen[phase], value(i)-u)
		case u > 0:
			seen[phase] = append(seen[phase], value(i)/u)
		}
	}
	pattern := make([]float64, season)
	for phase, v := range seen {
		pattern[phase] = NewSample(v).Median()
		if s.Model == RateChange && (math.IsNaN(pattern[phase]) || pattern[phase] < 0.05) {
			pattern[phase] = 0.05
		}
	}
	out := ChangeSeries{Model: s.Model, Values: append([]float64(nil), s.Values...), Sizes: append([]float64(nil), s.Sizes...)}
	for i, place := range at {
		if s.Model == RateChange {
			out.Sizes[i] *= pattern[place%season]
		} else {
			out.Values[i] -= pattern[place%season]
		}
	}
	return out
}
