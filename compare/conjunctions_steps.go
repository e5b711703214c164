package compare

import (
	"context"
	"slices"

	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

const (
	maxSteps   = 12 // searches, and so findings, at most
	maxReduced = 32 // candidates of one search that are tried to reduce to a finding
	laterShare = 4  // what alpha is divided by for reductions, and for searches after the first
)

// sizeShares is how alpha is split over combinations of one, two and three conditions.
var sizeShares = [maxConditions]float64{2, 1, 1}

// alphas splits a level over the sizes that are searched.
func (s *conjunctionSearch) alphas(alpha float64) (split [maxConditions]float64) {
	sum := 0.0
	for _, share := range sizeShares[:s.cfg.MaxConditions] {
		sum += share
	}
	for d, share := range sizeShares[:s.cfg.MaxConditions] {
		split[d] = alpha * share / sum
	}
	return split
}

// accepted is a finding.
type accepted struct {
	combination
	adjusted float64
}

// step is one search over all traces of the sample, among those alike in the findings before.
type step struct {
	*conjunctionSearch
	space   *conjunctionSpace
	results [maxConditions]*sizeResult
	alpha   float64
	before  []combination
}

// explain finds the combinations that explain the incident's traces.
func (s *conjunctionSearch) explain(ctx context.Context, r *ConjunctionsResult) error {
	var found []accepted
	var first *step
	for n := range maxSteps {
		alpha := s.cfg.Alpha
		if n > 0 {
			alpha /= laterShare
		}
		st, err := s.newStep(ctx, combinationsOf(found), alpha)
		if err != nil {
			return err
		}
		if n == 0 {
			first = st
			st.report(r)
		}
		next, ok, err := st.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			if c, p, ok := st.strongest(); ok {
				strongest := s.describe(accepted{c, p})
				r.Strongest = &strongest
			}
			break
		}
		found = s.keepNeeded(append(found, next))
	}
	echoes := first.echoes(found)
	for k, f := range found {
		c := s.describe(f)
		c.Echoes = echoes[k]
		r.Findings = append(r.Findings, c)
	}
	if len(found) > 0 {
		r.Verdict = AttributesFound
		var sets []bitset.Compact
		for _, f := range found {
			sets = append(sets, s.set(f.combination))
		}
		explained := 0
		for t := range s.label.All() {
			if slices.ContainsFunc(sets, func(x bitset.Compact) bool { return x.Has(t) }) {
				explained++
			}
		}
		r.Explained = ratio(explained, s.count[inc])
	}
	return nil
}

func combinationsOf(found []accepted) []combination {
	var cs []combination
	for _, f := range found {
		cs = append(cs, f.combination)
	}
	return cs
}

func (s *conjunctionSearch) newStep(ctx context.Context, before []combination, alpha float64) (*step, error) {
	space, err := s.newSpace(ctx, s.sample, s.cells(s.sample, before))
	if err != nil {
		return nil, err
	}
	st := &step{conjunctionSearch: s, space: space, alpha: alpha, before: before}
	st.results, err = s.search(ctx, space, combine(), s.alphas(alpha), 1)
	return st, err
}

// adjusted returns the p-value of a combination against all of the search, so that at most alpha is a finding
// whichever search it was. It is 1 above what the search kept.
func (st *step) adjusted(c combination) (p, adjusted float64) {
	p = st.space.p(st.mask(c))
	r := st.results[len(c.items())-1]
	if r == nil || p > r.limit {
		return p, 1
	}
	return p, min(1, st.space.adjusted(r.smallest, p)/r.share)
}

func (st *step) mask(c combination) []uint64 {
	mask := slices.Clone(st.space.masks[c[0]])
	for _, i := range c.items()[1:] {
		for w := range mask {
			mask[w] &= st.space.masks[i][w]
		}
	}
	return mask
}

// candidates returns the best combinations of all sizes, the smallest p-value first.
func (st *step) candidates() []candidate {
	var all []candidate
	for _, r := range st.results {
		if r != nil {
			all = append(all, r.best...)
		}
	}
	slices.SortFunc(all, compareCandidates)
	return all
}

// next returns the finding with the smallest p-value, reduced to what matters.
func (st *step) next(ctx context.Context) (accepted, bool, error) {
	seen := map[combination]bool{}
	for _, c := range st.candidates() {
		if len(seen) >= maxReduced {
			break
		}
		for at := c.combination; !seen[at]; {
			_, adjusted := st.adjusted(at)
			if adjusted > st.cfg.Alpha || st.isSecondCut(at) {
				break
			}
			seen[at] = true
			part, ok, err := st.sufficient(ctx, at)
			if err != nil {
				return accepted{}, false, err
			}
			if !ok {
				return accepted{at, adjusted}, true, nil
			}
			at = part
		}
	}
	return accepted{}, false, nil
}

// sufficient returns a part of the combination to which the rest adds nothing, the strongest of them. It is not
// ok if there is none.
func (st *step) sufficient(ctx context.Context, c combination) (part combination, ok bool, err error) {
	var parts []candidate
	for _, d := range partsOf(c) {
		mask := st.mask(d)
		parts = append(parts, st.space.candidate(d, mask, st.space.p(mask)))
	}
	slices.SortFunc(parts, compareCandidates)
	for _, d := range parts {
		adds, err := st.adds(ctx, d.combination, c.without(d.combination))
		if err != nil {
			return part, false, err
		}
		if !adds {
			return d.combination, true, nil
		}
	}
	return part, false, nil
}

// partsOf returns the combinations of some but not all of the conditions.
func partsOf(c combination) []combination {
	items := c.items()
	var parts []combination
	for bits := 1; bits < 1<<len(items)-1; bits++ {
		var part []int32
		for k, i := range items {
			if bits>>k&1 == 1 {
				part = append(part, i)
			}
		}
		parts = append(parts, combine(part...))
	}
	return parts
}

// adds reports whether further conditions tell affected traces apart among those that meet a combination, and
// more clearly than chance would let any other conditions do so.
func (st *step) adds(ctx context.Context, to, further combination) (bool, error) {
	var traces []int32
	set := st.set(to)
	for _, t := range st.sample {
		if set.Has(int(t)) {
			traces = append(traces, t)
		}
	}
	space, err := st.newSpace(ctx, traces, st.cells(traces, st.before))
	if err != nil || len(space.strata) == 0 {
		return false, err
	}
	mask := make([]uint64, space.words)
	copy(mask, space.masks[further[0]])
	for _, i := range further.items()[1:] {
		for w := range mask {
			mask[w] &= space.masks[i][w]
		}
	}
	p := space.p(mask)
	alpha := st.cfg.Alpha / laterShare
	if p > alpha {
		return false, nil
	}
	var only [maxConditions]float64
	size := len(further.items())
	only[size-1] = alpha
	results, err := st.search(ctx, space, to, only, p)
	if err != nil {
		return false, err
	}
	r := results[size-1]
	return p <= r.limit && space.adjusted(r.smallest, p) <= alpha, nil
}

// isSecondCut reports whether the combination is another cut of the number that a finding cuts.
func (st *step) isSecondCut(c combination) bool {
	return slices.ContainsFunc(c.items(), func(i int32) bool {
		return st.items[i].isCut && slices.ContainsFunc(st.before, func(b combination) bool {
			return slices.ContainsFunc(b.items(), func(j int32) bool {
				x, y := st.items[i], st.items[j]
				return i != j && y.isCut && x.field == y.field && x.conditions[0].Op == y.conditions[0].Op
			})
		})
	})
}

// strongest returns the combination with the smallest adjusted p-value that is left.
func (st *step) strongest() (best combination, adjusted float64, ok bool) {
	adjusted = 2
	for _, r := range st.results {
		if r == nil || len(r.best) == 0 {
			continue
		}
		for _, c := range r.best {
			if _, p := st.adjusted(c.combination); !st.isSecondCut(c.combination) {
				if p < adjusted {
					best, adjusted, ok = c.combination, p, true
				}
				break
			}
		}
	}
	return best, max(adjusted, st.cfg.Alpha), ok
}

// keepNeeded drops findings that tell nothing apart which the others do not: the parts of a pair that do
// nothing without each other, or a pair whose parts explain it.
func (s *conjunctionSearch) keepNeeded(found []accepted) []accepted {
	for k := len(found) - 1; k >= 0; k-- {
		others := slices.Delete(slices.Clone(found), k, k+1)
		if len(others) > 0 && !s.isNeeded(found[k].combination, combinationsOf(others)) {
			found = others
		}
	}
	return found
}

func (s *conjunctionSearch) isNeeded(c combination, others []combination) bool {
	cells := s.cells(s.sample, others)
	tables := make([]stats.Table, slices.Max(cells)+1)
	set := s.set(c)
	for k, t := range s.sample {
		addToTable(&tables[cells[k]], s.label.Has(int(t)), set.Has(int(t)))
	}
	if p, smallest := stats.FisherStratified(tables); smallest < 1 {
		return p <= s.cfg.Alpha
	}
	// The others tell apart all that c does, as two conditions do with their combination: what is left is whether
	// both together do more than the product of what each does.
	for _, o := range others {
		rest := c.without(o)
		if len(c.without(rest).items()) != len(o.items()) || len(rest.items()) == 0 || len(o.items()) == 0 {
			continue
		}
		m := s.interaction(s.sample, s.set(o), s.set(rest))
		return m.Ratio.Value > 1 && m.P/2 <= s.cfg.Alpha/laterShare
	}
	return false
}

// echoes lists, by finding, the single conditions that would be findings by themselves and are no part of one,
// each with the finding whose affected traces it shares most of.
func (st *step) echoes(found []accepted) [][]AttributeCondition {
	echoes := make([][]AttributeCondition, len(found))
	for k := range echoes {
		echoes[k] = []AttributeCondition{}
	}
	for _, c := range st.results[0].best {
		i := c.combination[0]
		isPart := slices.ContainsFunc(found, func(f accepted) bool { return slices.Contains(f.items(), i) })
		if _, adjusted := st.adjusted(c.combination); isPart || adjusted > st.cfg.Alpha {
			continue
		}
		at, most := 0, -1
		for k, f := range found {
			shared := 0
			for t := range st.set(f.combination).And(st.sets[i]).All() {
				if st.label.Has(t) {
					shared++
				}
			}
			if shared > most {
				at, most = k, shared
			}
		}
		echoes[at] = append(echoes[at], st.items[i].conditions...)
	}
	return echoes
}

// report says what was asked, and what could have been found.
func (st *step) report(r *ConjunctionsResult) {
	r.Relabellings = st.space.all.Len()
	possible := false
	for d, x := range st.results {
		if x == nil {
			continue
		}
		depth := ConjunctionDepth{Conditions: d + 1, Tested: x.tested}
		depth.CriticalP, _ = x.quantile(st.space.all, x.alpha)
		effects, ok := detectableEffects(st.searched, depth.CriticalP, 1)
		depth.Detectable, possible = effects, possible || ok
		r.Depths = append(r.Depths, depth)
	}
	if !possible || len(st.items) == 0 {
		r.Verdict = AttributesInsufficient
	}
}
