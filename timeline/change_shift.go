package timeline

import (
	"cmp"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// judgement is one execution of something, in one trace, and whether it went badly.
type judgement struct {
	at  int64
	bad bool
}

// judgements is the executions of something in the order of time, and where the share of those that went badly rose.
type judgements struct {
	at     []int64 // when each cell begins
	n, bad []int   // how many executions a cell has, those of the cells before included, and how many went badly
	rises  []rise
	excess float64 // the variance of what is counted, beside that of independent executions; at least 1
}

// rise is a place at which executions began to go badly more often, within cells of one level on either side.
type rise struct {
	from, to      int // cells: of the level before, and the end of the level after
	at            int // the cell that the level after most likely begins with
	before, after float64
	mean          float64 // the likelihood of a rise, averaged over all moments of the recording
}

const (
	mostCells    = 4096
	mostRises    = 16
	excessBlocks = 40
)

// newJudgements returns the executions, and where their level rose. Cells end where a change was made, so that none
// holds executions from before and after it.
func newJudgements(all []judgement, cuts []int64) *judgements {
	slices.SortFunc(all, func(x, y judgement) int {
		if c := cmp.Compare(x.at, y.at); c != 0 {
			return c
		}
		switch {
		case x.bad == y.bad:
			return 0
		case y.bad:
			return -1
		}
		return 1
	})
	t := &judgements{n: []int{0}, bad: []int{0}}
	size := (len(all) + mostCells - 1) / mostCells
	next, inCell := 0, 0
	for i, x := range all {
		isCut := false
		for next < len(cuts) && cuts[next] <= x.at {
			next, isCut = next+1, true
		}
		if i == 0 || isCut || inCell >= size && x.at != all[i-1].at {
			t.at = append(t.at, x.at)
			t.n, t.bad = append(t.n, t.n[len(t.n)-1]), append(t.bad, t.bad[len(t.bad)-1])
			inCell = 0
		}
		inCell++
		last := len(t.n) - 1
		t.n[last]++
		if x.bad {
			t.bad[last]++
		}
	}
	t.segment()
	return t
}

func (t *judgements) len() int { return t.n[len(t.n)-1] }

func (t *judgements) count(from, to int) (n, bad int) {
	return t.n[to] - t.n[from], t.bad[to] - t.bad[from]
}

// evidence returns the logarithm of how much more probable the cells are if their level changed at a cell than if it
// did not, for levels that are anything from 0 to 1: Bayes's factor of two binomial shares.
func (t *judgements) evidence(from, at, to int) float64 {
	n, k := t.count(from, to)
	n1, k1 := t.count(from, at)
	return logBeta(k1, n1) + logBeta(k-k1, n-n1) - logBeta(k, n)
}

// logBeta returns the logarithm of the probability of k given executions of n going badly, for a share that is
// anything from 0 to 1.
func logBeta(k, n int) float64 {
	return special.LogFactorial(k) + special.LogFactorial(n-k) - special.LogFactorial(n+1)
}

// segment finds where the level changed, by halving what it changed most clearly in until no change is clear, and
// keeps where it rose.
func (t *judgements) segment() {
	cells := len(t.at)
	bounds := []int{0, cells}
	t.excess = 1
	// Twice: the first time says how much the level varies by itself.
	for range 2 {
		bounds = []int{0, cells}
		for len(bounds) <= mostRises {
			best, place := 0.0, 0
			for i := 1; i < len(bounds); i++ {
				at, gain := t.clearest(bounds[i-1], bounds[i])
				if gain > best {
					best, place = gain, at
				}
			}
			if place == 0 {
				break
			}
			i, _ := slices.BinarySearch(bounds, place)
			bounds = slices.Insert(bounds, i, place)
		}
		t.excess = t.varies(bounds)
	}
	t.rises = t.rises[:0]
	for i := 1; i+1 < len(bounds); i++ {
		r := rise{from: bounds[i-1], at: bounds[i], to: bounds[i+1]}
		n, k := t.count(r.from, r.at)
		m, l := t.count(r.at, r.to)
		if r.before, r.after = float64(k)/float64(n), float64(l)/float64(m); r.after > r.before {
			t.rises = append(t.rises, r)
		}
	}
}

// clearest returns the cell at which the level of a range changed most clearly, and by how much more the evidence is
// than what a range without a change has somewhere.
func (t *judgements) clearest(from, to int) (at int, gain float64) {
	for i := from + 1; i < to; i++ {
		if e := t.evidence(from, i, to); e > gain {
			at, gain = i, e
		}
	}
	if at == 0 {
		return 0, 0
	}
	return at, gain/t.excess - special.Log(float64(to-from)) - 3
}

// varies returns by how much the counts of blocks of executions vary more than if each were independent.
func (t *judgements) varies(bounds []int) float64 {
	largest := 1.0
	for _, blocks := range []int{excessBlocks, 3 * excessBlocks} {
		sum, df := 0.0, 0
		size := max(t.len()/blocks, 4)
		for i := 1; i < len(bounds); i++ {
			n, k := t.count(bounds[i-1], bounds[i])
			p := float64(k) / float64(n)
			if k == 0 || k == n {
				continue
			}
			parts := 0
			for from := bounds[i-1]; from < bounds[i]; {
				to := from + 1
				for to < bounds[i] && t.n[to]-t.n[from] < size {
					to++
				}
				m, l := t.count(from, to)
				d := float64(l) - float64(float64(m)*p)
				sum += float64(d*d) / float64(float64(m)*float64(p*(1-p)))
				parts++
				from = to
			}
			df += parts - 1
		}
		if df >= 10 {
			largest = max(largest, sum/float64(df))
		}
	}
	return largest
}

// likelihood returns how much more probable the executions of a rise's two levels are if it was at a moment than if
// there was none, allowing for what the level varies by itself.
func (t *judgements) likelihood(r *rise, at int64) float64 {
	cell, _ := slices.BinarySearch(t.at, at)
	return t.likelihoodAt(r, cell)
}

func (t *judgements) likelihoodAt(r *rise, cell int) float64 {
	if cell <= r.from || cell >= r.to {
		return 1
	}
	n, k := t.count(r.from, cell)
	m, l := t.count(cell, r.to)
	p, q := (float64(k)+0.5)/(float64(n)+1), (float64(l)+0.5)/(float64(m)+1)
	se := math.Sqrt(float64(float64(p*(1-p))/float64(n) + float64(q*(1-q))/float64(m)))
	// Only a rise counts: levels that fell are as improbable as they are under one that rose.
	up := 2 * special.NormalCDF((q-p)/float64(se*math.Sqrt(t.excess)))
	return special.Exp(min(t.evidence(r.from, cell, r.to)/t.excess, 600)) * max(up, 1e-12)
}
