package stats

import (
	"sync"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// costs are what segments of a series cost: minus twice the log-likelihood of the best level, up to a constant
// for the whole series and, for measurements, in units of their squared spread.
type costs struct {
	model                ChangeModel
	sums, sizes, squares []float64 // of the first i observations
	leastVariance        float64
	entropy              []float64 // k·log k of the first whole numbers, which most counts are
}

func newCosts(s ChangeSeries) *costs {
	n := len(s.Values)
	c := &costs{model: s.Model, sums: make([]float64, n+1), sizes: make([]float64, n+1), squares: make([]float64, n+1)}
	var sizes summer
	for i, size := range s.Sizes {
		sizes.add(size)
		c.sizes[i+1] = sizes.sum()
	}
	c.fill(s.Values)
	if c.isCount() {
		c.entropy = entropies()
	}
	return c
}

// replica returns costs of the same sizes, whose values are yet to be filled in.
func (c *costs) replica() *costs {
	n := len(c.sizes)
	return &costs{model: c.model, sums: make([]float64, n), sizes: c.sizes, squares: make([]float64, n), entropy: c.entropy}
}

func (c *costs) isCount() bool { return c.model == RateChange || c.model == ShareChange }

// maxTable is how many logarithms are kept.
const maxTable = 1 << 14

// entropies returns k·log k of the first whole numbers k. It is only read.
var entropies = sync.OnceValue(func() []float64 {
	table := make([]float64, maxTable)
	for k := range table {
		table[k] = xLogX(float64(k))
	}
	return table
})

func xLogX(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return float64(x * special.Log(x))
}

func (c *costs) xLogX(x float64) float64 {
	if k := int(x); uint(k) < uint(len(c.entropy)) && float64(k) == x {
		return c.entropy[k]
	}
	return xLogX(x)
}

// fill replaces the values.
func (c *costs) fill(values []float64) {
	if c.isCount() {
		var sum summer
		for i, v := range values {
			sum.add(v)
			c.sums[i+1] = sum.sum()
		}
		return
	}
	var sum, square summer
	for i, v := range values {
		sum.add(v)
		square.add(float64(v * v))
		c.sums[i+1], c.squares[i+1] = sum.sum(), square.sum()
	}
	if n := float64(len(values)); c.model == MeanVarianceChange {
		// Where observations are equal, or nearly, a segment would cost minus infinity.
		mean := sum.sum() / n
		c.leastVariance = max(1e-4*(square.sum()/n-float64(mean*mean)), 1e-12)
	}
}

// cost returns the cost of the segment of observations from, …, to-1.
func (c *costs) cost(from, to int) float64 {
	sum := c.sums[to] - c.sums[from]
	switch c.model {
	case RateChange:
		return c.rateCost(sum, c.ofSize(from, to))
	case ShareChange:
		return c.shareCost(sum, c.sizes[to]-c.sizes[from], c.ofSize(from, to))
	case MeanVarianceChange:
		return c.varianceCost(from, to)
	}
	return c.meanCost(from, to)
}

// ofSize returns the part of the cost of counts that the sizes of a segment decide, whatever the counts are.
func (c *costs) ofSize(from, to int) float64 {
	size := c.sizes[to] - c.sizes[from]
	if c.model == RateChange {
		return c.xLogX(size) / size
	}
	return c.xLogX(size)
}

func (c *costs) rateCost(sum, ofSize float64) float64 {
	return -2 * (c.xLogX(sum) - float64(sum*ofSize))
}

func (c *costs) shareCost(sum, trials, ofSize float64) float64 {
	return -2 * (c.xLogX(sum) + c.xLogX(trials-sum) - ofSize)
}

func (c *costs) meanCost(from, to int) float64 {
	sum := c.sums[to] - c.sums[from]
	return max(c.squares[to]-c.squares[from]-float64(sum*sum)/float64(to-from), 0)
}

func (c *costs) varianceCost(from, to int) float64 {
	n := float64(to - from)
	return float64(n * special.Log(max(c.meanCost(from, to)/n, c.leastVariance)))
}

// A run is segments of which each begins, or ends, or both, one observation after the last.
type run struct {
	from, to, n        int
	fromMoves, toMoves int       // 0 or 1
	ofSize             []float64 // of counts, by segment, or nil if that was not kept
}

// keep makes the costs of the run's segments quicker for series of the same sizes.
func (r run) keep(c *costs) run {
	if c.isCount() {
		r.ofSize = make([]float64, r.n)
		for i := range r.ofSize {
			r.ofSize[i] = c.ofSize(r.segment(i))
		}
	}
	return r
}

func (r *run) segment(i int) (from, to int) { return r.from + i*r.fromMoves, r.to + i*r.toMoves }

// costs appends the costs of the segments to dst[:0].
func (r *run) costs(dst []float64, c *costs) []float64 {
	dst = dst[:0]
	switch {
	case r.ofSize == nil:
		for i := range r.n {
			dst = append(dst, c.cost(r.segment(i)))
		}
	case c.model == RateChange:
		for i, ofSize := range r.ofSize {
			from, to := r.segment(i)
			dst = append(dst, c.rateCost(c.sums[to]-c.sums[from], ofSize))
		}
	default:
		for i, ofSize := range r.ofSize {
			from, to := r.segment(i)
			dst = append(dst, c.shareCost(c.sums[to]-c.sums[from], c.sizes[to]-c.sizes[from], ofSize))
		}
	}
	return dst
}

// gain returns how much less two segments cost than one.
func (c *costs) gain(from, k, to int) float64 {
	return c.cost(from, to) - c.cost(from, k) - c.cost(k, to)
}

// level returns the mean, rate or share of a segment.
func (c *costs) level(from, to int) float64 {
	return (c.sums[to] - c.sums[from]) / (c.sizes[to] - c.sizes[from])
}
