package depgraph

import (
	"cmp"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// minStratum is how many baseline traces a root operation needs for its incident traces to be compared.
const minStratum = 5

// balance weighs the traces of both sides so that both have the incident's mix of root operations and a
// total of 1: what differs only because the mix differs is no excess.
type balance struct {
	v       *view
	share   []float64 // by trace; 0 for one that is left out
	stratum []int     // by trace: its root operation and side
	traces  [2]int    // with a share
	sizes   [2]float64

	shares, squares []float64 // sums, by stratum
}

func newBalance(v *view) *balance {
	b := &balance{v: v, share: make([]float64, len(v.traces)), stratum: make([]int, len(v.traces))}
	roots := map[tracewhy.PathID]int{}
	var weight [][2]float64
	var count [][2]int
	for i, t := range v.traces {
		p := t.Root().Path().ID()
		k, ok := roots[p]
		if !ok {
			k = len(weight)
			roots[p], weight, count = k, append(weight, [2]float64{}), append(count, [2]int{})
		}
		b.stratum[i] = k
		if !b.isLeftOut(i) {
			weight[k][v.side[i]] += t.Weight()
			count[k][v.side[i]]++
		}
	}
	total := 0.0
	for k := range weight {
		if count[k][base] >= minStratum && count[k][inc] > 0 {
			total += weight[k][inc]
		}
	}
	for i, t := range v.traces {
		k, side := b.stratum[i], v.side[i]
		if !b.isLeftOut(i) && count[k][base] >= minStratum && count[k][inc] > 0 {
			b.share[i] = t.Weight() / total * (weight[k][inc] / weight[k][side])
			b.traces[side]++
			b.sizes[side] += float64(b.share[i] * b.share[i])
		}
		b.stratum[i] = 2*k + int(side)
	}
	b.shares, b.squares = make([]float64, 2*len(weight)), make([]float64, 2*len(weight))
	for i, s := range b.share {
		b.shares[b.stratum[i]] += s
		b.squares[b.stratum[i]] += float64(s * s)
	}
	for side := range b.sizes {
		b.sizes[side] = 1 / b.sizes[side] // the effective numbers of traces
	}
	return b
}

// isLeftOut reports whether a trace says nothing: one of a test, or a fragment.
func (b *balance) isLeftOut(i int) bool { return b.v.isTest[i] || b.v.traces[i].Missing().Root }

// amount is a number of some traces; others have 0.
type amount struct {
	trace int32
	value float64
}

// excess returns how much more of something a trace of the incident has than one of the baseline.
func (b *balance) excess(xs []amount) tracewhy.Estimate {
	value := 0.0
	for _, x := range xs {
		s := float64(b.share[x.trace] * x.value)
		if b.v.side[x.trace] == base {
			s = -s
		}
		value += s
	}
	half := 1.959964 * math.Sqrt(b.variance(xs))
	return tracewhy.Estimate{Value: value, Low: value - half, High: value + half}
}

// variance is that of the difference of the two weighted sums, by the deviations from the means of each
// root operation and side.
func (b *balance) variance(xs []amount) float64 {
	means, rest := make([]float64, len(b.shares)), slices.Clone(b.squares) // rest is of the traces that have 0
	for _, x := range xs {
		means[b.stratum[x.trace]] += float64(b.share[x.trace] * x.value)
	}
	for k, share := range b.shares {
		if share > 0 {
			means[k] /= share
		}
	}
	v := 0.0
	for _, x := range xs {
		k, s := b.stratum[x.trace], b.share[x.trace]
		d := s * (x.value - means[k])
		v += float64(d * d)
		rest[k] -= float64(s * s)
	}
	for k, mean := range means {
		v += float64(max(0, rest[k]) * float64(mean*mean))
	}
	return v
}

// sum adds up lists of amounts, which are in the order of traces.
func sum(lists ...[]amount) []amount {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(x, y amount) int { return cmp.Compare(x.trace, y.trace) })
	out := all[:0]
	for _, x := range all {
		if n := len(out); n > 0 && out[n-1].trace == x.trace {
			out[n-1].value += x.value
			continue
		}
		out = append(out, x)
	}
	return out
}

// shareOf estimates which share of the excess of the whole is that of a part.
func (b *balance) shareOf(part, whole []amount) tracewhy.Estimate {
	all := b.excess(whole).Value
	r := b.excess(part).Value / all
	minus := make([]amount, len(whole))
	for i, x := range whole {
		minus[i] = amount{x.trace, -r * x.value}
	}
	half := 1.959964 * math.Sqrt(b.variance(sum(part, minus))) / all
	return tracewhy.Estimate{Value: r, Low: max(0, r-half), High: min(1, r+half)}
}

// more estimates by how much a share of traces grew, with an interval that holds for few.
func (b *balance) more(xs []amount) tracewhy.Estimate {
	var p [2]float64
	for _, x := range xs {
		p[b.v.side[x.trace]] += float64(b.share[x.trace] * x.value)
	}
	n1, n2 := b.sizes[inc], b.sizes[base]
	return estimate(stats.ProportionDifference(min(1, p[inc])*n1, n1, min(1, p[base])*n2, n2, level))
}
