package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A RankTest is the result of a test on ranks.
type RankTest struct {
	// U is how many pairs of an x and a y have x > y, counting ties as half; over several strata it is the
	// weighted sum.
	U float64
	// Delta is N. Cliff's delta (1993, doi:10.1037/0033-2909.114.3.494), P(x > y) - P(x < y): from -1 to 1,
	// and 0 for no difference.
	Delta float64
	P     float64
	// Exact says that P is from the exact permutation distribution, ties included. Otherwise it is from the
	// normal approximation, corrected for ties.
	Exact bool
}

// MannWhitney tests whether the values of x tend to be larger (Greater), smaller, or either, than those of y:
// H. B. Mann and D. R. Whitney (1947, doi:10.1214/aoms/1177730491). The hypothesis is that both samples come
// from one distribution; unequal spread alone can make it reject.
//
// The null distribution is exact up to about 40 against 40 values or 3 against 1000, and else normal, with a
// continuity correction. The smallest two-sided p-value is 0.1 for 3 against 3, 0.029 for 4 against 4, and
// 0.008 for 5 against 5.
func MannWhitney(x, y Sample, alt Alternative) RankTest {
	if x.N() == 0 || y.N() == 0 {
		return RankTest{U: math.NaN(), Delta: math.NaN(), P: math.NaN()}
	}
	c := comparePairs(x.values, y.values)
	n, m := float64(x.N()), float64(y.N())
	pairs := float64(n * m)
	t := RankTest{U: float64(c.twiceU / 2), Delta: c.twiceU/pairs - 1}
	if null, ok := newRankNull(x.N(), y.N(), c.ties); ok {
		t.P, t.Exact = null.p(c.twiceU, alt), true
		return t
	}
	t.P = normalP(t.U-float64(pairs/2), math.Sqrt(c.variance(n, m)), 0.5, alt)
	return t
}

// A RankStratum is the two samples of one stratum.
type RankStratum struct{ X, Y Sample }

// VanElteren is [MannWhitney] within strata, such as operations, so that a changed mix of them is no
// difference: P. H. van Elteren's test (1960, Bull. Int. Stat. Inst. 37:351–361), which weights a stratum of N
// values by 1/(N+1). P is from the normal approximation, without a continuity correction: known failure, fewer
// than about 10 values in all on either side. Strata with an empty side are left out.
func VanElteren(strata []RankStratum, alt Alternative) RankTest {
	var u, deviation, pairs, variance summer
	for _, s := range strata {
		n, m := float64(s.X.N()), float64(s.Y.N())
		if n == 0 || m == 0 {
			continue
		}
		c := comparePairs(s.X.values, s.Y.values)
		w := 1 / (n + m + 1)
		u.add(w * c.twiceU / 2)
		deviation.add(w * (c.twiceU - float64(n*m)) / 2)
		pairs.add(w * n * m / 2)
		variance.add(w * w * c.variance(n, m))
	}
	if pairs.sum() == 0 {
		return RankTest{U: math.NaN(), Delta: math.NaN(), P: math.NaN()}
	}
	return RankTest{
		U:     u.sum(),
		Delta: deviation.sum() / pairs.sum(),
		P:     normalP(deviation.sum(), math.Sqrt(variance.sum()), 0, alt),
	}
}

// normalP returns the p-value of a deviation with standard deviation sd, moved toward 0 by correction.
func normalP(deviation, sd, correction float64, alt Alternative) float64 {
	if sd == 0 {
		return 1 // all values are tied
	}
	switch alt {
	case Greater:
		return special.NormalCDF(-(deviation - correction) / sd)
	case Less:
		return special.NormalCDF((deviation + correction) / sd)
	default:
		return min(special.NormalCDF(-max(math.Abs(deviation)-correction, 0)/sd)*2, 1)
	}
}

// pairComparison is what the ranks of two samples say.
type pairComparison struct {
	twiceU float64 // a whole number: 2·#(x > y) + #(x = y)
	ties   []int   // how many values, of both samples, each distinct value has, in ascending order
}

func comparePairs(x, y []float64) pairComparison {
	var c pairComparison
	for i, j := 0, 0; i < len(x) || j < len(y); {
		below := j // how many y are smaller
		var v float64
		if j == len(y) || (i < len(x) && x[i] < y[j]) {
			v = x[i]
		} else {
			v = y[j]
		}
		i0 := i
		for i < len(x) && x[i] == v {
			i++
		}
		for j < len(y) && y[j] == v {
			j++
		}
		c.twiceU += float64(float64(i-i0) * float64(below+j))
		c.ties = append(c.ties, i-i0+j-below)
	}
	return c
}

// variance returns the variance of U under the null hypothesis, given the ties.
func (c pairComparison) variance(n, m float64) float64 {
	total := n + m
	var ties summer
	for _, t := range c.ties {
		if t > 1 {
			t := float64(t)
			ties.add(t * (t - 1) * (t + 1))
		}
	}
	return max(n*m/12*(total+1-ties.sum()/(total*(total-1))), 0)
}

// A rankNull is the exact distribution of 2U over all ways to choose which values are x's.
type rankNull struct {
	ways    []float64 // ways[u·unit] for the smaller sample as x
	unit    int       // 2 without ties, when 2U is even
	total   float64
	swapped bool // y is the smaller sample
}

// exactWork bounds the steps to compute an exact null distribution: some 20 ms.
const exactWork = 1 << 24

// newRankNull counts, value by value in ascending order, in how many ways i of the values so far are x's and
// have a given 2U. It is not ok if that would take too long.
func newRankNull(n, m int, ties []int) (null rankNull, ok bool) {
	if n > m {
		n, m, null.swapped = m, n, true
	}
	null.unit = 2
	steps := 0.0
	for _, t := range ties {
		if t > 1 {
			null.unit = 1
		}
		steps += float64(min(t, n) + 1)
	}
	span := 2 * float64(n) * float64(m) / float64(null.unit)
	if steps*float64(n)*span > exactWork || special.LogChoose(n+m, n) > 700 {
		return null, false
	}
	size := int(span) + 1
	ways := make([]float64, (n+1)*size) // ways[i*size+u]
	ways[0] = 1
	before := 0
	for _, t := range ties {
		// In place: a group only moves counts to a larger i, or keeps them for j = 0.
		for i := min(before, n); i >= 0; i-- {
			row := ways[i*size : (i+1)*size]
			for j := min(t, n-i); j >= 1; j-- {
				choices := choose(t, j)
				// Each of j x's beats the y's before, and ties with those of its group.
				shift := j * (2*(before-i) + t - j) / null.unit
				if shift >= size {
					continue
				}
				next := ways[(i+j)*size : (i+j+1)*size]
				for u, w := range row[:size-shift] {
					if w != 0 {
						next[u+shift] += float64(w * choices)
					}
				}
			}
		}
		before += t
	}
	null.ways = ways[n*size:]
	for _, w := range null.ways {
		null.total += w
	}
	return null, true
}

// p returns the p-value of an observed 2U of the test's x.
func (null rankNull) p(twiceU float64, alt Alternative) float64 {
	top := len(null.ways) - 1
	u := int(twiceU) / null.unit
	if null.swapped {
		u = top - u
		switch alt {
		case Greater:
			alt = Less
		case Less:
			alt = Greater
		}
	}
	sum := 0.0
	for v, w := range null.ways {
		var extreme bool
		switch alt {
		case Greater:
			extreme = v >= u
		case Less:
			extreme = v <= u
		default:
			extreme = max(2*v-top, top-2*v) >= max(2*u-top, top-2*u)
		}
		if extreme {
			sum += w
		}
	}
	return min(sum/null.total, 1)
}

// choose returns the number of ways to choose k of n things, exactly below 2^53.
func choose(n, k int) float64 {
	c := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		c = c * float64(n-i+1) / float64(i)
	}
	return c
}

// Shift returns how much larger the values of x are than those of y, in their unit: the median of all
// differences between an x and a y, by J. L. Hodges and E. L. Lehmann (1963, doi:10.1214/aoms/1177704172), with
// the interval that inverts [MannWhitney]. It assumes that the distributions differ in location only; else it
// is still the median difference, but its interval may miss. Ties make it conservative. It is unbounded for
// samples of 3 and 3 or fewer at level 0.95.
//
// It selects among the n·m differences without listing them, in 64·(n+m) steps.
func Shift(x, y Sample, level float64) Estimate {
	if x.N() == 0 || y.N() == 0 || !validLevel(level) {
		return undefined()
	}
	n, m := uint64(x.N()), uint64(y.N())
	pairs := n * m
	e := Estimate{Lo: math.Inf(-1), Hi: math.Inf(1)}
	e.Value = kthDifference(x.values, y.values, (pairs+1)/2)
	if pairs%2 == 0 {
		above := kthDifference(x.values, y.values, pairs/2+1)
		if above != e.Value {
			e.Value = float64(e.Value/2) + float64(above/2)
		}
	}
	rank, reached := shiftRank(x.N(), y.N(), level)
	e.Level = reached
	if rank > 0 {
		e.Lo = kthDifference(x.values, y.values, rank)
		e.Hi = kthDifference(x.values, y.values, pairs+1-rank)
	}
	return e
}

// shiftRank returns the largest rank with P(U < rank) <= (1-level)/2, and what level it reaches.
func shiftRank(n, m int, level float64) (rank uint64, reached float64) {
	tail := (1 - level) / 2
	pairs := float64(float64(n) * float64(m))
	if pairs <= exactWork {
		if null, ok := newRankNull(n, m, slices.Repeat([]int{1}, n+m)); ok {
			below := 0.0
			for _, w := range null.ways {
				next := below + w/null.total
				if next > tail {
					break
				}
				below = next
				rank++
			}
			return rank, 1 - float64(2*below)
		}
	}
	sd := math.Sqrt(pairs * (float64(n) + float64(m) + 1) / 12)
	r := math.Floor(float64(pairs/2) - float64(criticalValue(level)*sd) + 0.5)
	if !(r >= 1) {
		return 0, 1
	}
	return uint64(r), 1 - float64(2*special.NormalCDF((r-0.5-float64(pairs/2))/sd))
}

// kthDifference returns the k-th smallest, from 1, of the differences x - y. It bisects the bits of the
// answer: how many differences are at most d takes one pass over both samples.
func kthDifference(x, y []float64, k uint64) float64 {
	atMost := func(d float64) uint64 {
		var count uint64
		j := 0
		for _, v := range x {
			for j < len(y) && difference(v, y[j]) > d {
				j++
			}
			count += uint64(len(y) - j)
		}
		return count
	}
	lo, hi := orderedBits(math.Inf(-1)), orderedBits(math.Inf(1))
	for lo < hi {
		mid := lo + (hi-lo)/2
		if atMost(fromOrderedBits(mid)) >= k {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return fromOrderedBits(lo) + 0
}

// difference returns x - y, where equal infinities (two timeouts) don't differ.
func difference(x, y float64) float64 {
	if x == y {
		return 0
	}
	return x - y
}

// orderedBits maps floats to integers of the same order.
func orderedBits(x float64) uint64 {
	b := math.Float64bits(x)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func fromOrderedBits(b uint64) float64 {
	if b>>63 == 1 {
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}
