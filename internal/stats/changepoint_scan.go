package stats

import "github.com/tracewhy/tracewhy/internal/stats/special"

// A detector looks for changes in one series and in replicates of it.
type detector struct {
	series     ChangeSeries
	minSegment int
	costs      *costs
	rate       float64 // the level of the whole: of counts, for each unit of their size

	// What is looked at: where one change, or the earlier of two, can be, the segments before and from there on,
	// and intervals between two changes of some lengths, from the earliest on.
	heads, tails run
	intervals    []run

	head, tail, middle []float64 // what they cost in the last series
	fit                fitting
}

func newDetector(s ChangeSeries, minSegment int) *detector {
	d := &detector{series: s, minSegment: minSegment, costs: newCosts(s)}
	n := len(s.Values)
	places := n - 2*minSegment + 1
	d.heads = run{to: minSegment, n: places, toMoves: 1}.keep(d.costs)
	d.tails = run{from: minSegment, to: n, n: places, fromMoves: 1}.keep(d.costs)
	for l := minSegment; l <= n-2*minSegment; l = max(l+1, l*3/2) {
		d.intervals = append(d.intervals, run{from: minSegment, to: minSegment + l, n: places - l, fromMoves: 1, toMoves: 1}.keep(d.costs))
	}
	d.rate = d.costs.level(0, n)
	return d
}

// replica returns a detector for series of the same sizes as d's, and other values.
func (d *detector) replica(values []float64) *detector {
	return &detector{
		series:     ChangeSeries{Model: d.series.Model, Values: values, Sizes: d.series.Sizes},
		minSegment: d.minSegment, costs: d.costs.replica(), rate: d.rate,
		heads: d.heads, tails: d.tails, intervals: d.intervals,
	}
}

// secondGain is what a second change gains at least, in squared standard deviations, to count.
const secondGain = 20

// scan returns the largest gain for each change that one change, or an interval between two, makes, and where the
// two changes are that gain most together, or the one where there is no room for two: what remains between and
// beside them is the noise. Each length of an interval that is looked at is half as long again as the last; its
// ends are then moved to where they gain most.
func (d *detector) scan(values []float64) (gain float64, changes []int) {
	c, n, m := d.costs, len(values), d.minSegment
	c.fill(values)
	whole := c.cost(0, n)
	d.head, d.tail = d.heads.costs(d.head, c), d.tails.costs(d.tail, c)
	head, tail := d.head, d.tail // by place, from minSegment on
	single := 0
	for k, before := range head {
		if g := whole - before - tail[k]; g > gain {
			gain, single = g, k+m
		}
	}
	pair, from, to := 0.0, 0, 0
	look := func(r run) {
		d.middle = r.costs(d.middle, c)
		for i, between := range d.middle {
			first, last := r.segment(i)
			if g := whole - head[first-m] - tail[last-m] - between; g > pair {
				pair, from, to = g, first, last
			}
		}
	}
	for _, r := range d.intervals {
		look(r)
	}
	if to > 0 {
		look(run{from: from, to: from + m, n: n - m - (from + m) + 1, toMoves: 1})
		look(run{from: m, to: to, n: to - m - m + 1, fromMoves: 1})
	}
	// A second change that gains less than chance does is left to the noise.
	second := 1.0
	if d.series.Model == MeanChange {
		second = (whole - pair) / float64(n)
	}
	changes = []int{single}
	if pair/2 > gain || pair-gain > float64(secondGain*second) {
		changes = []int{from, to}
	}
	if gain = max(gain, pair/2); gain <= 0 {
		return 0, nil
	}
	return gain, changes
}

// statistic makes a test statistic of a gain: twice the logarithm of a likelihood ratio, whose tail is nearly
// exponential although the spread is estimated too.
func (d *detector) statistic(gain float64, a changeNoise) float64 {
	switch d.series.Model {
	case MeanVarianceChange:
		return gain
	case MeanChange:
		n := float64(len(d.series.Values))
		return float64(n * special.Log1p(gain/max(a.scale, 1e-12)/n))
	}
	return gain / max(a.scale, 1)
}

// gainOf is the inverse of statistic, in units of the noise's scale.
func (d *detector) gainOf(statistic float64) float64 {
	if d.series.Model != MeanChange {
		return statistic
	}
	n := float64(len(d.series.Values))
	return float64(n * special.Expm1(statistic/n))
}
