package compare

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

const (
	batch     = 256     // relabellings that are counted before it is asked whether more can change anything
	maxScores = 8 << 20 // p-values held at a time, above which batches are of 64
)

// trendP returns the p-value of a trend, given the sum of the affected traces' ranges, and how many affected
// traces have a number.
func (h *attributeHypothesis) trendP(sum, with int) float64 {
	t := h.trendOf()
	z := (float64(sum) - float64(t.center*float64(with)) - t.mean) / t.sd
	if h.trend == "rising" {
		z = -z
	}
	return special.NormalCDF(z)
}

// score sets the p-value of what was observed.
func (a *attributeTable) score(h *attributeHypothesis) {
	h.p, h.q, h.adjusted = h.tail.P(h.observed), 1, 1
	if h.trend != "" {
		sum, with := 0, 0
		ranges := h.numbers.largest
		if h.trend == "falling" {
			ranges = h.numbers.smallest
		}
		for i, set := range ranges {
			k := set.LenAndSet(a.label)
			sum, with = sum+i*k, with+k
		}
		h.p = h.trendP(sum, with)
	}
}

// attributeScores is the p-values of hypotheses in a batch of relabellings.
type attributeScores struct {
	*attributeTable
	table  *stats.LabelTable
	groups [][]*attributeHypothesis // those of one number are counted together
	ps     map[*attributeHypothesis][]float64
	lists  sync.Pool // of *[]int32, to write the traces of a set to
}

// groupsOf puts what is counted together together.
func groupsOf(hypotheses []*attributeHypothesis) [][]*attributeHypothesis {
	at := map[*attributeNumbers]int{}
	var groups [][]*attributeHypothesis
	for _, h := range hypotheses {
		if h.numbers == nil {
			groups = append(groups, []*attributeHypothesis{h})
			continue
		}
		g, ok := at[h.numbers]
		if !ok {
			g = len(groups)
			at[h.numbers] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], h)
	}
	return groups
}

// counts counts the affected traces of a set in every relabelling. Of a large set it counts the others.
func (s *attributeScores) counts(set bitset.Compact) []int32 {
	counts := make([]int32, s.table.Len())
	list, _ := s.lists.Get().(*[]int32)
	if list == nil {
		list = new([]int32)
	}
	defer s.lists.Put(list)
	if 2*set.Len() <= len(s.traces) {
		*list = set.Append((*list)[:0])
		s.table.Counts(*list, counts)
		return counts
	}
	*list = set.AppendOthers((*list)[:0])
	s.table.Counts(*list, counts)
	for b, n := range counts {
		counts[b] = int32(s.count[inc]) - n
	}
	return counts
}

// fill computes the p-values of a group.
func (s *attributeScores) fill(group []*attributeHypothesis) {
	numbers := group[0].numbers
	if numbers == nil {
		h := group[0]
		for b, n := range s.counts(h.set) {
			s.ps[h][b] = h.tail.P(int(n))
		}
		return
	}
	n := s.table.Len()
	k := len(numbers.largest)
	above := make([][]int32, k+1) // of each cut
	above[k] = make([]int32, n)
	sums := make([]int32, n)
	for i := k - 1; i >= 0; i-- {
		above[i] = s.counts(numbers.largest[i])
		for b := range n {
			above[i][b] += above[i+1][b]
			if i > 0 {
				sums[b] += above[i][b]
			}
		}
	}
	below := make([][]int32, k)
	below[0] = make([]int32, n)
	for i := 1; i < k; i++ {
		if numbers.isSingle {
			below[i] = make([]int32, n)
			for b := range n {
				below[i][b] = above[0][b] - above[i][b]
			}
			continue
		}
		below[i] = s.counts(numbers.smallest[i-1])
		for b := range n {
			below[i][b] += below[i-1][b]
		}
	}
	lows := make([]int32, n)
	for b := range n {
		lows[b] = int32(k-1) * above[0][b]
		for i := 1; i < k; i++ {
			lows[b] -= below[i][b]
		}
	}
	for _, h := range group {
		ps := s.ps[h]
		for b := range n {
			switch {
			case h.trend == "falling":
				ps[b] = h.trendP(int(lows[b]), int(above[0][b]))
			case h.trend != "":
				ps[b] = h.trendP(int(sums[b]), int(above[0][b]))
			case h.conditions[0].Op == tracewhy.OpLess:
				ps[b] = h.tail.P(int(below[h.cut][b]))
			default:
				ps[b] = h.tail.P(int(above[h.cut][b]))
			}
		}
	}
}

// test sets the p-values, against relabelled cohorts. Consequences are a family of their own.
func (a *attributeTable) test(ctx context.Context, r *AttributesResult) error {
	var family, consequences []*attributeHypothesis
	for _, h := range a.hypotheses {
		if a.score(h); h.consequence == "" {
			family = append(family, h)
		} else {
			consequences = append(consequences, h)
		}
	}
	observed := make([]float64, len(family))
	for i, h := range family {
		observed[i] = h.p
	}
	counted := family
	if a.dependent() {
		counted = slices.Concat(family, consequences)
	}
	all := a.relabellings()
	down := stats.NewStepDown(observed)
	reached := make([]int, len(counted))
	done, size := 0, batch
	if len(counted)*batch > maxScores {
		size = 64
	}
	s := attributeScores{attributeTable: a, groups: groupsOf(counted), ps: map[*attributeHypothesis][]float64{}}
	scores := make([][]float64, len(counted))
	for i := range scores {
		scores[i] = make([]float64, size)
	}
	for done < all.Len() && len(family) > 0 {
		k := min(size, all.Len()-done)
		var err error
		if s.table, err = stats.NewLabelTable(ctx, a.cfg.Workers, len(a.traces), k, func(i int, dst []bool) { all.At(done+i, dst) }); err != nil {
			return err
		}
		for i, h := range counted {
			scores[i] = scores[i][:k]
			s.ps[h] = scores[i]
		}
		if err := parallel.For(ctx, a.cfg.Workers, len(s.groups), func(g int) { s.fill(s.groups[g]) }); err != nil {
			return err
		}
		a.smallest = append(a.smallest, down.AddEach(scores[:len(family)])...)
		for i, h := range counted {
			for _, p := range scores[i] {
				if stats.Compare(p, h.p) <= 0 {
					reached[i]++
				}
			}
		}
		done += k
		if !all.Exact() && float64(down.Leading()) > a.cfg.Alpha*float64(all.Len()+1) {
			break // no finding is possible any more
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Relabellings, r.Tested = done, len(family)
	adjusted := down.AdjustedAfter(done)
	if all.Exact() {
		adjusted = down.Adjusted(all)
	}
	for i, h := range family {
		h.adjusted = adjusted[i]
	}
	if a.dependent() {
		for i, h := range counted {
			h.p = float64(reached[i]+1) / float64(done+1)
		}
	}
	adjustQ(family)
	adjustQ(consequences)
	for _, h := range a.hypotheses {
		if h.trend != "" {
			a.nameTrend(h)
		}
	}
	slices.Sort(a.smallest)
	r.CriticalP = a.criticalP(a.cfg.Alpha)
	a.detectable(r)
	return nil
}

func adjustQ(family []*attributeHypothesis) {
	ps := make([]float64, len(family))
	for i, h := range family {
		ps[i] = h.p
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		family[i].q = q
	}
}

// criticalP returns the largest p-value, of a table of traces, that none of all hypotheses reaches by chance,
// but with probability alpha; 0 if there is none.
func (a *attributeTable) criticalP(alpha float64) float64 {
	if k := int(alpha*float64(len(a.smallest)+1)) - 1; k >= 0 && k < len(a.smallest) {
		return a.smallest[k]
	}
	return 0
}

// detectable says what could have been found.
func (a *attributeTable) detectable(r *AttributesResult) {
	k, n := a.count[inc], a.count[base]
	possible := false
	for _, share := range []float64{0, 0.02, 0.2} {
		c := int(math.Round(share * float64(n)))
		lo, hi := 0, k+1 // the least number of affected traces lies in (lo, hi]; k+1 if none does
		for hi-lo > 1 {
			mid := (lo + hi) / 2
			if (stats.Table{A: mid, B: k - mid, C: c, D: n - c}).Fisher(stats.Greater) <= r.CriticalP {
				hi = mid
			} else {
				lo = mid
			}
		}
		d := DetectableEffect{Prevalence: share}
		if hi <= k {
			possible = true
			d.Traces, d.Coverage = hi, ratio(hi, k)
			d.OddsRatio = stats.Table{A: hi, B: k - hi, C: c, D: n - c}.OddsRatio(0.95).Value
		}
		r.Detectable = append(r.Detectable, d)
	}
	if !possible || r.Tested == 0 {
		r.Verdict = AttributesInsufficient
	}
}
