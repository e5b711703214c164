package compare

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// batch is how many relabellings are counted before it is asked whether more can change anything.
const batch = 64

// score turns a count, or a trend's statistic, into a p-value.
func (h *attributeHypothesis) score(label bitset.Set) float64 {
	if h.trend == "" {
		return h.tail.P(h.set.LenAndSet(label))
	}
	sum := 0
	for _, c := range h.cuts {
		sum += c.LenAnd(label)
	}
	z := (float64(sum) - float64(h.center*float64(h.has.LenAnd(label))) - h.mean) / h.sd
	if h.trend == "rising" {
		z = -z
	}
	return special.NormalCDF(z)
}

// test sets the p-values, against relabelled cohorts.
func (a *attributeTable) test(ctx context.Context, r *AttributesResult) error {
	labels := make([]bool, len(a.traces))
	strata := make([]int, len(a.traces))
	for i, s := range a.stratum {
		labels[i], strata[i] = a.label.Has(i), int(s)
	}
	all := stats.NewRelabellings(labels, strata, a.cfg.Replicates, a.cfg.Seed)
	at, n, exact := all.At, all.Len(), all.Exact()
	if a.cluster != nil {
		at, n, exact = a.exchange(labels), a.cfg.Replicates, false
	}
	var family []*attributeHypothesis
	for _, h := range a.hypotheses {
		h.p, h.q, h.adjusted = h.score(a.label), 1, 1
		if h.consequence == "" {
			family = append(family, h)
		}
	}
	observed := make([]float64, len(family))
	for i, h := range family {
		observed[i] = h.p
	}
	down := stats.NewStepDown(observed)
	reached := make([]int, len(family))
	var smallest []float64
	done := 0
	scores := make([][]float64, batch)
	for done < n && len(family) > 0 {
		k := min(batch, n-done)
		err := parallel.For(ctx, a.cfg.Workers, k, func(b int) {
			row := make([]bool, len(labels))
			at(done+b, row)
			label := bitset.New(len(row))
			for i, is := range row {
				if is {
					label.Add(i)
				}
			}
			scores[b] = make([]float64, len(family))
			for i, h := range family {
				scores[b][i] = h.score(label)
			}
		})
		if err != nil {
			return err
		}
		for _, ps := range scores[:k] {
			down.Add(ps)
			smallest = append(smallest, slices.Min(ps))
			for i, p := range ps {
				if stats.Compare(p, observed[i]) <= 0 {
					reached[i]++
				}
			}
		}
		done += k
		if !exact && float64(down.Leading()) > a.cfg.Alpha*float64(n+1) {
			break // no finding is possible any more
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Relabellings, r.Tested = done, len(family)
	adjusted := down.AdjustedAfter(done)
	if exact {
		adjusted = down.Adjusted(all)
	}
	ps := slices.Clone(observed)
	for i, h := range family {
		h.adjusted = adjusted[i]
		if a.cluster != nil { // traces of a cluster are not as many
			ps[i] = float64(reached[i]+1) / float64(done+1)
			h.p = ps[i]
		}
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		family[i].q = q
	}
	if len(smallest) > 0 {
		slices.Sort(smallest)
		if k := int(a.cfg.Alpha*float64(done+1)) - 1; k >= 0 && k < len(smallest) {
			r.CriticalP = smallest[k]
		}
	}
	a.detectable(r)
	return nil
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

// exchange returns relabellings that give the outcomes of one cluster to another of as many traces of the
// same strata.
func (a *attributeTable) exchange(labels []bool) func(i int, dst []bool) {
	number := map[string]int{}
	var clusters [][]int
	for i, name := range a.cluster {
		c, ok := number[name]
		if !ok || name == "" {
			c = len(clusters)
			number[name] = c
			clusters = append(clusters, nil)
		}
		clusters[c] = append(clusters[c], i)
	}
	shape := map[string]int{}
	var groups [][]int
	for c, rows := range clusters {
		slices.SortStableFunc(rows, func(x, y int) int { return int(a.stratum[x]) - int(a.stratum[y]) })
		key := make([]byte, 0, 4*len(rows))
		for _, i := range rows {
			s := a.stratum[i]
			key = append(key, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
		}
		g, ok := shape[string(key)]
		if !ok {
			g = len(groups)
			shape[string(key)] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], c)
	}
	alone := 0
	for _, g := range groups {
		if len(g) == 1 {
			alone++
		}
	}
	if alone > 0 {
		a.warnings = append(a.warnings, tracewhy.Warning{
			Code: WarningClusterAlone, Count: alone,
			Message: "clusters have no other of as many traces of the same strata: their outcomes stay as they are in every relabelling",
		})
	}
	return func(i int, dst []bool) {
		random := stats.NewRand(a.cfg.Seed, uint64(i))
		for _, g := range groups {
			from := slices.Clone(g)
			for k := len(from) - 1; k > 0; k-- {
				j := random.IntN(k + 1)
				from[k], from[j] = from[j], from[k]
			}
			for k, c := range g {
				for x, row := range clusters[c] {
					dst[row] = labels[clusters[from[k]][x]]
				}
			}
		}
	}
}
