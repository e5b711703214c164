package timeline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats/special"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
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

	logFactorial []float64
}

// rise is a place at which executions began to go badly more often, within cells of one level on either side.
type rise struct {
	from, to      int // cells: of the level before, and the end of the level after
	at            int // the cell that the level after most likely begins with
	before, after float64
	size          float64 // of the difference, what did not rise at the same time of other days

	// likelihood is, by cell from from+1 on, how probable the executions are if the level after begins with it,
	// in units of the largest; none is how probable they are without a rise, and peak is minus its logarithm.
	likelihood []float64
	none, peak float64
	mean       float64 // the likelihood averaged over all moments of the recording
	weight     float64 // of all rises of the scope
	later      bool    // than another of the scope
	late       bool    // it certainly began after the symptom
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
	t.logFactorial = make([]float64, len(all)+2)
	for i := range t.logFactorial {
		t.logFactorial[i] = special.LogFactorial(i)
	}
	t.segment()
	t.logFactorial = nil
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
	return t.logBeta(k1, n1) + t.logBeta(k-k1, n-n1) - t.logBeta(k, n)
}

func (t *judgements) logBeta(k, n int) float64 {
	return t.logFactorial[k] + t.logFactorial[n-k] - t.logFactorial[n+1]
}

// logBeta returns the logarithm of the probability of k given executions of n going badly, for a share that is
// anything from 0 to 1.
func logBeta(k, n int) float64 {
	return special.LogFactorial(k) + special.LogFactorial(n-k) - special.LogFactorial(n+1)
}

// segment finds where the level changed, by halving what it changed most clearly in until no change is clear, and
// keeps where it rose.
func (t *judgements) segment() {
	type part struct {
		from, at, to int
		gain         float64
	}
	find := func(from, to int) part {
		at, gain := t.clearest(from, to)
		return part{from, at, to, gain}
	}
	cells := len(t.at)
	bounds := []int{0, cells}
	t.excess = 1
	// Twice: the first time says how much the level varies by itself.
	for range 2 {
		parts := []part{find(0, cells)}
		for len(parts) <= mostRises {
			best := 0
			for i, p := range parts {
				if p.gain > parts[best].gain {
					best = i
				}
			}
			p := parts[best]
			if p.gain <= 0 {
				break
			}
			parts = slices.Replace(parts, best, best+1, find(p.from, p.at), find(p.at, p.to))
		}
		bounds = bounds[:1]
		for _, p := range parts {
			bounds = append(bounds, p.to)
		}
		t.excess = t.varies(bounds)
	}
	t.rises = t.rises[:0]
	for i := 1; i+1 < len(bounds); i++ {
		r := rise{from: bounds[i-1], at: bounds[i], to: bounds[i+1]}
		n, k := t.count(r.from, r.at)
		m, l := t.count(r.at, r.to)
		if r.before, r.after = float64(k)/float64(n), float64(l)/float64(m); r.after > r.before {
			r.size = r.after - r.before - max(t.usual(&r), 0)
			t.rises = append(t.rises, r)
		}
	}
	flat := rise{to: cells}
	if len(t.rises) == 0 {
		t.rises = append(t.rises, flat)
	}
	for i := range t.rises {
		r := &t.rises[i]
		for cell := r.from + 1; cell < r.to; cell++ {
			l := t.logLikelihood(r, cell)
			r.likelihood, r.peak = append(r.likelihood, l), max(r.peak, l)
		}
		for i, l := range r.likelihood {
			r.likelihood[i] = special.Exp(l - r.peak)
		}
		r.none = special.Exp(-r.peak)
	}
}

// usual returns by how much the level rose at the same time of the day before, or after, where that was recorded.
func (t *judgements) usual(r *rise) float64 {
	const day = int64(24 * time.Hour)
	end := int64(math.MaxInt64)
	if r.to < len(t.at) {
		end = t.at[r.to]
	}
	most := math.Inf(-1)
	for _, shift := range [...]int64{-day, day} {
		cell := func(at int64) int {
			i, _ := slices.BinarySearch(t.at, epoch.Add(at, shift))
			return i
		}
		from, at, to := cell(t.at[r.from]), cell(t.at[r.at]), cell(end)
		// No part of the other day is of this one.
		if shift < 0 {
			to = min(to, r.from)
		} else {
			from = max(from, r.to)
		}
		if at <= from || to <= at {
			continue
		}
		n, k := t.count(from, at)
		m, l := t.count(at, to)
		if n >= fewestJudgements && m >= fewestJudgements {
			most = max(most, float64(l)/float64(m)-float64(k)/float64(n))
		}
	}
	return most
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

// logLikelihood returns the logarithm of how much more probable the executions of a rise's two levels are if the second
// begins with a cell than if there was one level, allowing for what it varies by itself.
func (t *judgements) logLikelihood(r *rise, cell int) float64 {
	n, k := t.count(r.from, cell)
	m, l := t.count(cell, r.to)
	p, q := (float64(k)+0.5)/(float64(n)+1), (float64(l)+0.5)/(float64(m)+1)
	se := math.Sqrt(float64(p*(1-p))/float64(n) + float64(q*(1-q))/float64(m))
	// Only a rise counts: levels that fell are as improbable as they are under one that rose.
	up := 2 * special.NormalCDF((q-p)/float64(se*math.Sqrt(t.excess)))
	return t.evidence(r.from, cell, r.to)/t.excess + special.Log(max(up, 1e-12))
}

// likelihoodAt returns the likelihood of a rise with a cell, which is that of none outside of its levels.
func (r *rise) likelihoodAt(cell int) float64 {
	if cell <= r.from || cell >= r.to {
		return r.none
	}
	return r.likelihood[cell-r.from-1]
}

// likely returns the first cell that the rise is likely to have begun with.
func (r *rise) likely() int {
	for cell := r.from + 1; cell < r.at; cell++ {
		if r.likelihoodAt(cell) >= unlikely*r.likelihoodAt(r.at) {
			return cell
		}
	}
	return r.at
}

// unlikely is the likelihood, beside that of the most likely place, below which a place is not taken to be one.
const unlikely = 0.05

// isFlat reports whether it is no clear rise, but any place.
func (r *rise) isFlat() bool { return r.at == 0 }
