package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// maxExemplars is how many affected traces are shown for a combination.
const maxExemplars = 3

// describe computes what a result says of a combination, from all traces.
func (s *conjunctionSearch) describe(f accepted) Conjunction {
	items := slices.Clone(f.items())
	slices.SortFunc(items, func(x, y int32) int {
		p, q := s.items[x].conditions[0], s.items[y].conditions[0]
		return cmp.Or(cmp.Compare(p.Key, q.Key), cmp.Compare(p.Service, q.Service), cmp.Compare(p.Op, q.Op), cmp.Compare(x, y))
	})
	c := Conjunction{Adjusted: f.adjusted, RiskDifference: tracewhy.Unknown(), Echoes: []AttributeCondition{}, Exemplars: []tracewhy.TraceID{}}
	set := s.set(f.combination)
	for _, i := range items {
		h := s.items[i]
		c.Conditions = append(c.Conditions, h.conditions[0])
		c.Aliases = append(c.Aliases, s.aliases(i, f.combination, set))
		c.Lifts = append(c.Lifts, s.lift(i, f.combination))
	}
	tables := make([]stats.Table, s.strata)
	var sum stats.Table
	var affected []int
	for t, stratum := range s.stratum {
		holds := set.Has(t)
		if !holds && s.mayMeet(items, t) {
			continue
		}
		hit := s.label.Has(t)
		addToTable(&tables[stratum], hit, holds)
		addToTable(&sum, hit, holds)
		if hit && holds {
			affected = append(affected, s.traces[t].Index())
			if len(c.Exemplars) < maxExemplars {
				c.Exemplars = append(c.Exemplars, s.traces[t].ID())
			}
		}
	}
	c.Traces, c.Known = [2]int{sum.C, sum.A}, [2]int{sum.C + sum.D, sum.A + sum.B}
	c.Coverage, c.Prevalence = ratio(sum.A, c.Known[inc]), ratio(sum.C, c.Known[base])
	c.OddsRatio, c.Marginal = pooledOddsRatio(tables, sum), sum.OddsRatio(0.95).Value
	if math.IsNaN(c.Marginal) {
		c.Marginal = 1
	}
	c.P, _ = stats.FisherStratified(tables)
	if s.cfg.IndependentSampling {
		turned := make([]stats.Table, len(tables))
		for i, t := range tables {
			turned[i] = stats.Table{A: t.A, B: t.C, C: t.B, D: t.D}
		}
		if e := stats.RiskDifferenceStratified(turned, 0.95); e.Defined() {
			c.RiskDifference = tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
		}
	}
	if len(items) == 2 {
		all := make([]int32, len(s.traces))
		for t := range all {
			all[t] = int32(t)
		}
		m := s.interaction(all, s.sets[items[0]], s.sets[items[1]])
		c.Interaction = &m
	}
	c.Affected = cohortOf(s.attributeTable.set, affected)
	return c
}

// cohortOf selects the traces of the given indices, which ascend.
func cohortOf(set *tracewhy.Set, indices []int) tracewhy.Cohort {
	return set.All().Select(func(t tracewhy.Trace) bool {
		_, ok := slices.BinarySearch(indices, t.Index())
		return ok
	})
}

// mayMeet reports whether a trace that does not meet the conditions might, had nothing of it been dropped.
func (s *conjunctionSearch) mayMeet(items []int32, t int) bool {
	may := false
	for _, i := range items {
		if s.sets[i].Has(t) {
			continue
		}
		if !s.isUnknown(s.items[i].field, t) {
			return false
		}
		may = true
	}
	return may
}

// pooledOddsRatio pools the tables of strata; where a cell is empty in all of them, it is the odds ratio of
// their sum.
func pooledOddsRatio(tables []stats.Table, sum stats.Table) tracewhy.Estimate {
	e := sum.OddsRatio(0.95)
	if m := stats.MantelHaenszel(tables, 0.95); m.Informative > 1 && m.OddsRatio.Bounded() && m.OddsRatio.Value > 0 {
		e = m.OddsRatio
	}
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// aliases lists the conditions that can stand for one of a combination.
func (s *conjunctionSearch) aliases(i int32, c combination, set bitset.Compact) []AttributeCondition {
	aliases := append([]AttributeCondition{}, s.items[i].conditions[1:]...)
	rest := c.without(combine(i))
	if len(rest.items()) == 0 {
		return aliases
	}
	others := s.set(rest)
	for j := range s.items {
		j := int32(j)
		if j != i && s.canExtend(rest, j) && !(s.items[i].isCut && s.items[j].isCut && s.items[i].field == s.items[j].field) &&
			s.sets[j].Len() >= set.Len() && others.LenAnd(s.sets[j]) == set.Len() && set.LenAnd(s.sets[j]) == set.Len() {
			aliases = append(aliases, s.items[j].conditions...)
		}
	}
	return aliases
}

// lift computes what a condition adds among the traces that meet the others of a combination.
func (s *conjunctionSearch) lift(i int32, c combination) ConditionLift {
	rest := c.without(combine(i))
	tables := make([]stats.Table, s.strata)
	var sum stats.Table
	for t, stratum := range s.stratum {
		if len(rest.items()) > 0 && !s.set(rest).Has(t) {
			continue
		}
		hit, holds := s.label.Has(t), s.sets[i].Has(t)
		addToTable(&tables[stratum], hit, holds)
		addToTable(&sum, hit, holds)
	}
	p, _ := stats.FisherStratified(tables)
	return ConditionLift{OddsRatio: pooledOddsRatio(tables, sum), P: p}
}

// interaction compares the odds ratio of one condition among traces with and without the other, by logistic
// regression with a term for each stratum.
func (s *conjunctionSearch) interaction(traces []int32, x, y bitset.Compact) Interaction {
	groups := make([]outcomesOfFour, s.strata)
	var sum outcomesOfFour
	for _, t := range traces {
		cell := 0
		if x.Has(int(t)) {
			cell |= 1
		}
		if y.Has(int(t)) {
			cell |= 2
		}
		g := &groups[s.stratum[t]]
		g.n[cell]++
		sum.n[cell]++
		if s.label.Has(int(t)) {
			g.hits[cell]++
			sum.hits[cell]++
		}
	}
	m := interactionOf(groups)
	total, hits := 0.0, 0.0
	var risk [4]float64
	for c, n := range sum.n {
		total += n
		hits += sum.hits[c]
		risk[c] = sum.hits[c] / n
	}
	m.WRAcc = sum.n[3] / total * (risk[3] - hits/total)
	m.Excess = tracewhy.Unknown()
	if s.cfg.IndependentSampling && risk[0] > 0 && sum.n[1] > 0 && sum.n[2] > 0 {
		m.Excess.Value = (risk[3] - risk[1] - risk[2] + risk[0]) / risk[0]
	}
	return m
}

// outcomesOfFour is how many traces meet neither of two conditions, the first, the second and both, and how
// many of them are affected.
type outcomesOfFour struct{ n, hits [4]float64 }

// interactionOf fits logistic regressions with and without a product.
func interactionOf(groups []outcomesOfFour) Interaction {
	_, without, _ := logistic(groups, 2)
	beta, with, se := logistic(groups, 3)
	m := Interaction{Ratio: tracewhy.Unknown(), LikelihoodRatio: max(0, 2*(with-without))}
	m.P = special.ChiSquareTail(m.LikelihoodRatio, 1)
	if math.Abs(beta[2]) < maxLogOdds && se < maxLogOdds {
		half := 1.959963984540054 * se
		m.Ratio = tracewhy.Estimate{Value: special.Exp(beta[2]), Low: special.Exp(beta[2] - half), High: special.Exp(beta[2] + half)}
	}
	return m
}

// maxLogOdds bounds coefficients: beyond it an outcome is certain, and the estimate infinite.
const maxLogOdds = 15

// logistic fits P(hit) = 1/(1+exp(-(a_stratum + b1·first + b2·second + b3·both))) by Newton's method, with the
// first k of b. It returns b, the log-likelihood, and the standard error of the last of b.
func logistic(groups []outcomesOfFour, k int) (b [3]float64, likelihood, se float64) {
	design := [4][3]float64{{}, {1, 0, 0}, {0, 1, 0}, {1, 1, 1}}
	a := make([]float64, len(groups))
	fit := func(a []float64, b [3]float64) float64 {
		l := 0.0
		for s, g := range groups {
			for c, n := range g.n {
				eta := a[s]
				for i := range k {
					eta += float64(b[i] * design[c][i])
				}
				// log(1+exp(eta)), without overflow
				l += float64(g.hits[c]*eta) - float64(n*(max(eta, 0)+special.Log1p(special.Exp(-math.Abs(eta)))))
			}
		}
		return l
	}
	for s, g := range groups {
		hits, n := 0.0, 0.0
		for c := range g.n {
			hits += g.hits[c]
			n += g.n[c]
		}
		a[s] = special.Log((hits + 0.5) / (n - hits + 0.5))
	}
	likelihood = fit(a, b)
	for range 60 {
		// The strata's terms are eliminated: what is left is a system of k equations.
		var m [3][4]float64
		type row struct {
			weight, gradient float64
			cross            [3]float64
		}
		rows := make([]row, len(groups))
		for s, g := range groups {
			r := &rows[s]
			for c, n := range g.n {
				eta := a[s]
				for i := range k {
					eta += float64(b[i] * design[c][i])
				}
				p := 1 / (1 + special.Exp(-eta))
				w, d := n*p*(1-p), g.hits[c]-float64(n*p)
				r.weight += w
				r.gradient += d
				for i := range k {
					r.cross[i] += float64(w * design[c][i])
					m[i][3] += float64(d * design[c][i])
					for j := range k {
						m[i][j] += float64(w * design[c][i] * design[c][j])
					}
				}
			}
			if r.weight < 1e-12 {
				continue
			}
			for i := range k {
				m[i][3] -= float64(r.cross[i] / r.weight * r.gradient)
				for j := range k {
					m[i][j] -= float64(r.cross[i] / r.weight * r.cross[j])
				}
			}
		}
		step, last, ok := solve(m, k)
		if !ok {
			return b, likelihood, math.Inf(1)
		}
		se = math.Sqrt(last)
		before := likelihood
		nextA, nextB := make([]float64, len(a)), b
		for scale := 1.0; scale > 1e-6; scale /= 2 {
			for i := range k {
				nextB[i] = b[i] + float64(scale*step[i])
			}
			for s, r := range rows {
				nextA[s] = a[s]
				if r.weight >= 1e-12 {
					d := r.gradient
					for i := range k {
						d -= float64(r.cross[i] * step[i])
					}
					nextA[s] += float64(scale * d / r.weight)
				}
			}
			if l := fit(nextA, nextB); l >= likelihood {
				a, b, likelihood = nextA, nextB, l
				break
			}
		}
		if likelihood-before < 1e-10 || math.Abs(b[k-1]) > 2*maxLogOdds {
			break
		}
	}
	return b, likelihood, se
}

// solve solves k linear equations, whose right side is in the last column, by elimination. last is the last
// diagonal element of the inverse.
func solve(m [3][4]float64, k int) (x [3]float64, last float64, ok bool) {
	for i := range k {
		if m[i][i] < 1e-12 { // the matrix is positive: no pivoting is needed
			return x, 0, false
		}
		for j := i + 1; j < k; j++ {
			f := m[j][i] / m[i][i]
			for c := i; c < 4; c++ {
				m[j][c] -= float64(f * m[i][c])
			}
		}
	}
	for i := k - 1; i >= 0; i-- {
		v := m[i][3]
		for j := i + 1; j < k; j++ {
			v -= float64(m[i][j] * x[j])
		}
		x[i] = v / m[i][i]
	}
	return x, 1 / m[k-1][k-1], true
}
