package timeline

import (
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// moments are those that a change may have been made at by chance: all of the recording. Long times in which nothing
// was recorded count as an hour at most, and so does what lacks to an hour.
type moments struct {
	start, end int64
	holes      [][2]int64 // in the order of time
	shrink     float64    // the factor on the length of holes
	length     float64    // of all, in nanoseconds
}

const (
	usualPace = float64(time.Hour)
	holeShare = 20 // a hole is longer than this part of the recording,
	holeGaps  = 10 // and than so many times the mean between two traces
)

// newMoments returns the moments from start on of a recording with traces at sorted times.
func newMoments(starts []int64, start int64) moments {
	m := moments{start: min(start, starts[0]), end: starts[len(starts)-1], shrink: 1}
	span := epoch.Distance(starts[0], m.end)
	least := max(span/holeShare, holeGaps*(span/int64(len(starts))), 1)
	previous, missing := m.start, 0.0
	for _, at := range starts {
		if d := epoch.Distance(previous, at); d > least || at == starts[0] && d > 0 {
			m.holes = append(m.holes, [2]int64{previous, at})
			missing += float64(d)
		}
		previous = at
	}
	if missing > usualPace {
		m.shrink = usualPace / missing
	}
	m.length = max(m.between(m.start, m.end), usualPace)
	return m
}

// between returns how much of all moments lies between two of them.
func (m *moments) between(from, to int64) float64 {
	from, to = max(from, m.start), min(to, m.end)
	if from >= to {
		return 0
	}
	sum := float64(epoch.Distance(from, to))
	for _, h := range m.holes {
		if a, b := max(from, h[0]), min(to, h[1]); a < b {
			sum -= float64(float64(epoch.Distance(a, b)) * (1 - m.shrink))
		}
	}
	return sum
}

// average returns the likelihood of a rise averaged over all moments.
func (m *moments) average(t *judgements, r *rise) float64 {
	sum, inside := 0.0, 0.0
	for cell := r.from + 1; cell < r.to; cell++ {
		part := m.between(t.at[cell-1], t.at[cell]) / m.length
		sum += float64(part * r.likelihoodAt(cell))
		inside += part
	}
	return sum + float64(max(1-inside, 0)*r.none)
}

// likelihoodOf returns the likelihood of a rise that began at a moment.
func (t *judgements) likelihoodOf(r *rise, at int64) float64 {
	cell, _ := slices.BinarySearch(t.at, at)
	return r.likelihoodAt(cell)
}

// ofChange returns the likelihood of a rise that a change from at to until set off, with some delay.
func (t *judgements) ofChange(r *rise, at, until int64, d *delay) float64 {
	first := t.likelihoodOf(r, at)
	if until > at {
		sum, covered := 0.0, 0.0
		for cell := r.from + 1; cell < r.to; cell++ {
			if from, to := max(t.at[cell-1], at), min(t.at[cell], until); from < to {
				part := float64(epoch.Distance(from, to)) / float64(epoch.Distance(at, until))
				sum += float64(part * r.likelihoodAt(cell))
				covered += part
			}
		}
		first = sum + float64(max(1-covered, 0)*r.none)
	}
	sum, known := float64(d.atOnce*first), d.atOnce
	for cell := r.from + 1; cell < r.to; cell++ {
		if from, to := max(t.at[cell-1], at), t.at[cell]; from < to {
			part := d.within(float64(epoch.Distance(at, to))) - d.within(float64(epoch.Distance(at, from)))
			sum += float64(part * r.likelihoodAt(cell))
			known += part
		}
	}
	return sum + float64(max(1-known, 0)*r.none)
}

// placebo returns the share of all moments at which a change would have fitted a rise as well as one at a moment did.
func (m *moments) placebo(t *judgements, r *rise, at int64) float64 {
	best := t.likelihoodOf(r, at)
	for cell := r.from + 1; cell < r.to; cell++ {
		if t.at[cell] > at && t.at[cell-1] < epoch.Add(at, int64(rolling)) {
			best = max(best, r.likelihoodAt(cell))
		}
	}
	if best <= r.none {
		return 1
	}
	sum, done := 0.0, m.start
	for cell := r.from + 1; cell < r.to; cell++ {
		if stats.Compare(r.likelihoodAt(cell), best) < 0 {
			continue
		}
		from, to := max(epoch.Add(t.at[cell-1], -int64(rolling)), done), t.at[cell]
		if from < to {
			sum += m.between(from, to)
			done = to
		}
	}
	return min(sum/m.length, 1)
}
