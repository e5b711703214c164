package compare

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// test asks all questions of the observed cohorts, and of relabelled ones.
func (t *structureTable) test(ctx context.Context, r *StructureResult) error {
	of := make([][]*structureQuestion, len(t.callers))
	err := parallel.For(ctx, t.cfg.Workers, len(t.callers), func(i int) { of[i] = t.questions(t.callers[i]) })
	if err != nil {
		return err
	}
	t.family = slices.Concat(of...)
	all := t.relabellings()
	n := all.Len()
	drawn, err := stats.NewLabelTable(ctx, t.cfg.Workers, len(t.rows), n, all.At)
	if err != nil {
		return err
	}
	seen, err := stats.NewLabelTable(ctx, 1, len(t.rows), 1, func(_ int, dst []bool) { copy(dst, t.label) })
	if err != nil {
		return err
	}
	err = parallel.For(ctx, t.cfg.Workers, len(of), func(i int) {
		observed, relabelled := t.newScorer(seen), t.newScorer(drawn)
		for _, q := range of[i] {
			q.p = observed.ps(q)[0]
			q.ps = relabelled.ps(q)
		}
	})
	if err != nil {
		return err
	}
	observed, relabelled := make([]float64, len(t.family)), make([][]float64, len(t.family))
	for i, q := range t.family {
		observed[i], relabelled[i] = q.p, q.ps
	}
	down := stats.NewStepDown(observed)
	smallest := down.AddEach(relabelled)
	adjusted := down.Adjusted(all)
	ps := make([]float64, len(t.family))
	for i, q := range t.family {
		q.adjusted = adjusted[i]
		if t.cluster != nil { // traces of a cluster are not as many
			q.p = all.P(reached(q.ps, q.p))
		} else if p, ok := t.exactP(q); ok {
			q.p = p
		}
		q.ps, ps[i] = nil, q.p
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		t.family[i].q = q
	}
	r.Relabellings, r.Tested = n, len(t.family)
	r.CriticalP = criticalP(smallest, t.cfg.Alpha, len(t.family))
	var possible bool
	r.Detectable, possible = detectableEffects(t.independent(), r.CriticalP/2, minShown) // P is twice the smaller of two
	if !possible {
		r.Verdict = StructureInsufficient
	}
	return nil
}

// independent returns how many traces or clusters there are of each cohort.
func (t *structureTable) independent() [2]int {
	if t.cluster == nil {
		return t.count
	}
	var clusters [2][]int
	for row, c := range t.cluster {
		side := base
		if t.label[row] {
			side = inc
		}
		clusters[side] = append(clusters[side], c)
	}
	return [2]int{int(kishSize(nil, clusters[base])), int(kishSize(nil, clusters[inc]))}
}

func reached(ps []float64, p float64) (n int) {
	for _, x := range ps {
		if stats.Compare(x, p) <= 0 {
			n++
		}
	}
	return n
}

// criticalP returns the largest p-value that would have been a finding, given the smallest of each relabelling.
func criticalP(smallest []float64, alpha float64, tests int) float64 {
	if len(smallest) == 0 || tests == 0 {
		return alpha
	}
	slices.Sort(smallest)
	k := min(int(alpha*float64(len(smallest)+1))-1, len(smallest)) // so many may be as small
	for k > 0 && k < len(smallest) && smallest[k] == smallest[k-1] {
		k--
	}
	if k <= 0 {
		return min(alpha/float64(tests), smallest[0]/2)
	}
	return min(alpha, smallest[k-1])
}

func (t *structureTable) relabellings() *stats.Relabellings {
	if t.cluster == nil {
		return stats.NewRelabellings(t.label, t.stratum, t.cfg.Replicates, t.cfg.Seed)
	}
	all, alone := stats.NewClusterRelabellings(t.label, t.stratum, t.cluster, t.cfg.Replicates, t.cfg.Seed)
	if alone > 0 {
		t.warnings = append(t.warnings, tracewhy.Warning{
			Code: WarningClusterAlone, Count: alone,
			Message: "clusters have no other of as many traces of the same strata: their traces stay in their cohort in every relabelling",
		})
	}
	return all
}

// scorer computes p-values of questions in every relabelling of a table. It is for the questions of one caller.
type scorer struct {
	t      *structureTable
	labels *stats.LabelTable
	hits   map[*asked][][]int32 // by stratum of asked and relabelling: the traces with the label
	tails  map[margins][]float64
	sums   []int64
	counts []int32
}

// margins are those of a table: labelled traces, all, and those with a score.
type margins struct{ hits, all, scored int }

func (t *structureTable) newScorer(labels *stats.LabelTable) *scorer {
	n := labels.Len()
	return &scorer{
		t: t, labels: labels, hits: map[*asked][][]int32{}, tails: map[margins][]float64{},
		sums: make([]int64, n), counts: make([]int32, n),
	}
}

func (s *scorer) hitsOf(a *asked) [][]int32 {
	if hits := s.hits[a]; hits != nil {
		return hits
	}
	hits := make([][]int32, len(a.strata))
	for k, stratum := range a.strata {
		rows := a.rows
		if len(a.strata) > 1 {
			rows = slices.DeleteFunc(slices.Clone(rows), func(row int32) bool { return s.t.stratum[row] != stratum })
		}
		hits[k] = make([]int32, s.labels.Len())
		s.labels.Counts(rows, hits[k])
	}
	s.hits[a] = hits
	return hits
}

// maxExact is up to how many traces with a score the exact distribution is used where margins change.
const maxExact = 256

// ps returns the two-sided p-value in each relabelling: exact where traces of one stratum are so or not, else
// by the permutation variance of their scores.
func (s *scorer) ps(q *structureQuestion) []float64 {
	hits := s.hitsOf(q.asked)
	clear(s.sums)
	for score, rows := range q.scored {
		if len(rows) == 0 {
			continue
		}
		s.labels.Counts(rows, s.counts)
		for b, n := range s.counts {
			s.sums[b] += int64(score) * int64(n)
		}
	}
	out := make([]float64, s.labels.Len())
	rare := q.rare()
	isBinary := len(q.scored[whole]) == rare
	if isBinary && len(hits) == 1 && rare <= maxExact {
		for b, n := range hits[0] {
			m := margins{int(n), len(q.asked.rows), rare}
			tail := s.tails[m]
			if tail == nil {
				tail = m.tail()
				s.tails[m] = tail
			}
			out[b] = tail[int(s.sums[b])/whole-m.least()]
		}
		return out
	}
	spread := q.spread(s.t.stratum)
	correction := 0.0
	if isBinary {
		correction = whole / 2.0
	}
	for b, sum := range s.sums {
		expected, variance := 0.0, 0.0
		for k, x := range spread {
			n, size := float64(hits[k][b]), float64(q.asked.sizes[k])
			expected += float64(n * x.mean)
			variance += float64(n * (size - n) * x.perPair)
		}
		out[b] = 1
		if variance > 0 {
			z := (math.Abs(float64(sum)-expected) - correction) / math.Sqrt(variance)
			out[b] = min(1, float64(2*special.NormalCDF(-max(z, 0))))
		}
	}
	return out
}

// spread is what scores of one stratum are like: the mean, and the variance of a sum over labelled traces for
// each pair of one with and one without the label.
type spread struct{ mean, perPair float64 }

func (q *structureQuestion) spread(stratum []int) []spread {
	sums, squares := make([]int64, len(q.asked.strata)), make([]int64, len(q.asked.strata))
	for score, rows := range q.scored {
		for _, row := range rows {
			k, _ := slices.BinarySearch(q.asked.strata, stratum[row])
			sums[k] += int64(score)
			squares[k] += int64(score) * int64(score)
		}
	}
	out := make([]spread, len(sums))
	for k, sum := range sums {
		n := float64(q.asked.sizes[k])
		out[k].mean = float64(sum) / n
		if n > 1 {
			out[k].perPair = max(0, float64(squares[k])-float64(float64(sum)*out[k].mean)) / (n * (n - 1))
		}
	}
	return out
}

func (m margins) least() int { return max(0, m.hits+m.scored-m.all) }

func (m margins) table() stats.Table {
	a := min(m.hits, m.scored)
	return stats.Table{A: a, B: m.hits - a, C: m.scored - a, D: m.all - m.hits - m.scored + a}
}

// tail returns the two-sided p-value of every table with the margins: twice the smaller of the two.
func (m margins) tail() []float64 {
	_, greater := m.table().FisherByCount(stats.Greater)
	_, less := m.table().FisherByCount(stats.Less)
	out := make([]float64, len(greater))
	for i := range out {
		out[i] = min(1, 2*greater[i], 2*less[i])
	}
	return out
}

// exactP is the p-value of tables of several strata; it is false where traces are so in part.
func (t *structureTable) exactP(q *structureQuestion) (float64, bool) {
	rows := q.scored[whole]
	if len(rows) != q.rare() {
		return 0, false
	}
	tables := make([]stats.Table, len(q.asked.strata))
	mirrored := make([]stats.Table, len(q.asked.strata))
	at := 0
	for _, row := range q.asked.rows {
		k, _ := slices.BinarySearch(q.asked.strata, t.stratum[row])
		holds := at < len(rows) && rows[at] == row
		if holds {
			at++
		}
		addToTable(&tables[k], t.label[row], holds)
		addToTable(&mirrored[k], t.label[row], !holds)
	}
	greater, _ := stats.FisherStratified(tables)
	less, _ := stats.FisherStratified(mirrored)
	return min(1, 2*greater, 2*less), true
}
