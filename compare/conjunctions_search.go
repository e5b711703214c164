package compare

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A candidate is a combination, its p-value among the traces of a search, and twice the log-likelihood ratio.
type candidate struct {
	combination
	p, evidence float64
}

// compareCandidates puts the stronger one first. P-values are not known to such small numbers as a strong cause
// among many traces has; evidence is.
func compareCandidates(x, y candidate) int {
	return cmp.Or(
		cmp.Compare(max(x.p, smallestP), max(y.p, smallestP)), stats.Compare(y.evidence, x.evidence),
		cmp.Compare(len(x.items()), len(y.items())), slices.Compare(x.combination[:], y.combination[:]),
	)
}

const smallestP = 1e-40

// candidate describes a combination of which the traces are known.
func (x *conjunctionSpace) candidate(c combination, mask []uint64, p float64) candidate {
	evidence := 0.0
	term := func(k, n float64) float64 { // of the likelihood of k in n
		if k <= 0 || k >= n {
			return 0
		}
		return float64(k*special.Log(k/n)) + float64((n-k)*special.Log1p(-k/n))
	}
	for _, st := range x.strata {
		size, hits := 0, 0
		for w := st.from; w < st.to; w++ {
			size += bits.OnesCount64(mask[w])
			hits += bits.OnesCount64(mask[w] & x.affected[w])
		}
		k, n := float64(st.affected), float64(st.size)
		evidence += 2 * (term(float64(hits), float64(size)) + term(k-float64(hits), n-float64(size)) - term(k, n))
	}
	return candidate{c, p, evidence}
}

// maxKept is how many of the combinations of one size a search keeps.
const maxKept = 64

// sizeResult is what a search knows of the combinations of one size.
type sizeResult struct {
	alpha    float64     // the level of this size
	share    float64     // of all that alpha could be
	limit    float64     // above it nothing is kept, and the smallest p-values are not exact
	smallest []float64   // p-value, by relabelling
	best     []candidate // of the observed labels, those with the smallest p-values first
	tested   int
}

// quantile returns how small a p-value has to be for a relabelling to reach it with a probability of at most
// alpha: smaller than beyond. The largest of the smallest p-values for which that is so is largest, or 0.
func (r *sizeResult) quantile(all *stats.Relabellings, alpha float64) (largest, beyond float64) {
	n := 0 // how many relabellings may reach it
	for n < len(r.smallest) && all.P(n+1) <= alpha {
		n++
	}
	if all.P(n) > alpha {
		return 0, 0
	}
	sorted := slices.Clone(r.smallest)
	slices.Sort(sorted)
	beyond = 1
	if n < len(sorted) {
		beyond = sorted[n]
	}
	if n > 0 {
		largest = sorted[n-1]
	}
	return largest, beyond
}

// lower sets the limit to what still matters: p-values that may be findings, and that of the best combination
// unless its adjusted p-value is 1, which it is from the share on.
func (r *sizeResult) lower(all *stats.Relabellings) {
	_, beyond := r.quantile(all, r.alpha)
	if len(r.best) > 0 {
		_, one := r.quantile(all, r.share)
		beyond = max(beyond, min(one, r.best[0].p))
	}
	r.limit = min(r.limit, beyond)
}

// merge adds what another goroutine found. The order does not matter.
func (r *sizeResult) merge(o *sizeResult) {
	for b, p := range o.smallest {
		r.smallest[b] = min(r.smallest[b], p)
	}
	r.best = append(r.best, o.best...)
	slices.SortFunc(r.best, compareCandidates)
	r.best = slices.CompactFunc(r.best, func(x, y candidate) bool { return x.combination == y.combination })
	r.best = r.best[:min(len(r.best), maxKept)]
	r.tested += o.tested
}

func newSizeResult(alpha, share float64, n int) *sizeResult {
	r := &sizeResult{alpha: alpha, share: share, limit: 1, smallest: make([]float64, n)}
	for b := range r.smallest {
		r.smallest[b] = 1
	}
	return r
}

// search finds the smallest p-values of combinations of each size for which alpha[size-1] is positive, among
// those that can be added to a combination, as far as they are at most a limit. What it leaves out can be neither the best of a size nor a
// finding, and in no relabelling lower the smallest p-value below that of either: see [sizeResult.lower].
func (s *conjunctionSearch) search(ctx context.Context, x *conjunctionSpace, added combination, alpha [maxConditions]float64, limit float64) ([maxConditions]*sizeResult, error) {
	var results [maxConditions]*sizeResult
	w := &spaceSearch{conjunctionSearch: s, space: x}
	for d, a := range alpha {
		if a > 0 {
			results[d] = newSizeResult(a, a/s.cfg.Alpha, x.all.Len())
			results[d].limit = limit
		}
	}
	counts := make([]int, len(x.strata))
	for i := range s.items {
		if n := x.count(x.masks[i], counts); n > 0 && n < x.size() && s.canExtend(added, int32(i)) {
			w.items = append(w.items, int32(i))
		}
	}
	w.peaks = make([]int, len(s.items))
	w.results = [maxConditions]*sizeResult{results[0]}
	if err := w.round(ctx, 0, len(w.items), (*searcher).singles); err != nil {
		return results, err
	}
	if results[0] != nil {
		results[0].lower(x.all)
	}
	if results[1] == nil && results[2] == nil {
		return results, nil
	}
	w.results = [maxConditions]*sizeResult{nil, results[1], results[2]}
	w.pilot()
	for from, n := 0, 8; from < len(w.items); from, n = from+n, 2*n {
		for _, r := range w.results {
			if r != nil {
				r.lower(x.all)
			}
		}
		if err := w.round(ctx, from, min(from+n, len(w.items)), (*searcher).pairs); err != nil {
			return results, err
		}
	}
	for _, r := range w.results {
		if r != nil {
			r.lower(x.all)
		}
	}
	return results, nil
}

func (x *conjunctionSpace) size() int {
	n := 0
	for _, st := range x.strata {
		n += st.size
	}
	return n
}

// spaceSearch is a search at work.
type spaceSearch struct {
	*conjunctionSearch
	space   *conjunctionSpace
	items   []int32
	results [maxConditions]*sizeResult
	peaks   []int // by item: the most affected traces that meet it, with any labels
}

// searcher is what one goroutine needs.
type searcher struct {
	*spaceSearch
	bounds  [maxConditions]*countBound
	local   [maxConditions]*sizeResult
	pair    []uint64
	triple  []uint64
	sizes   []int
	sizes3  []int
	members []int32
	counts  []int32
	order   []int32  // relabellings by count, the largest first
	reach   []int32  // by count: how many relabellings have at least it
	reached []uint64 // relabellings, by bit
	planes  []uint64
	tail    *stats.ConditionalTail // of the combination at hand, once it is needed
}

// round calls f for each of the items [from, to) with limits that hold for all of them, so that what is kept
// does not depend on which goroutine comes first.
func (w *spaceSearch) round(ctx context.Context, from, to int, f func(*searcher, context.Context, int)) error {
	var bounds [maxConditions]*countBound
	for d, r := range w.results {
		if r != nil {
			bounds[d] = w.space.bound(r.limit)
		}
	}
	var lock sync.Mutex
	return parallel.For(ctx, w.cfg.Workers, to-from, func(k int) {
		g := w.newSearcher(bounds)
		f(g, ctx, from+k)
		lock.Lock()
		defer lock.Unlock()
		for d, r := range w.results {
			if r != nil {
				r.merge(g.local[d])
			}
		}
	})
}

func (w *spaceSearch) newSearcher(bounds [maxConditions]*countBound) *searcher {
	x := w.space
	g := &searcher{
		spaceSearch: w, bounds: bounds, pair: make([]uint64, x.words), triple: make([]uint64, x.words),
		sizes: make([]int, len(x.strata)), sizes3: make([]int, len(x.strata)),
		counts: make([]int32, x.all.Len()), order: make([]int32, x.all.Len()), reached: make([]uint64, (x.all.Len()+63)/64),
	}
	for d, r := range w.results {
		if r != nil {
			g.local[d] = newSizeResult(r.alpha, r.share, x.all.Len())
			g.local[d].limit = r.limit
		}
	}
	return g
}

func (g *searcher) singles(_ context.Context, k int) {
	i := g.items[k]
	mask := g.space.masks[i]
	g.space.count(mask, g.sizes)
	g.members = members(g.members[:0], mask)
	g.space.table.Counts(g.members, g.counts)
	g.peaks[i] = max(int(slices.Max(g.counts)), countAnd(mask, g.space.affected))
	if g.local[0] != nil {
		g.local[0].tested++
		g.score(0, combine(i), mask, g.sizes)
	}
}

// score takes a combination into account, whose bits are in members.
func (g *searcher) score(d int, c combination, mask []uint64, sizes []int) {
	x := g.space
	need := g.bounds[d].of(sizes)
	if need > len(g.members) {
		return
	}
	g.planes = x.table.Reaching(g.members, need, g.reached, g.planes)
	for w, word := range g.reached {
		for ; word != 0; word &= word - 1 {
			g.relabelled(d, w<<6+bits.TrailingZeros64(word), mask, sizes, need)
		}
	}
	g.seen(d, c, mask, sizes, need)
	g.tail = nil
}

// relabelled takes the p-value of a combination in one relabelling into account, if enough are affected.
func (g *searcher) relabelled(d, b int, mask []uint64, sizes []int, need int) {
	n := countAnd(mask, g.space.labels[b])
	if n < need {
		return
	}
	if g.tail == nil {
		g.tail = g.space.tail(sizes)
	}
	if p := stats.Quantise(g.tail.P(n)); p < g.local[d].smallest[b] {
		g.local[d].smallest[b] = p
	}
}

// seen takes the p-value with the observed labels into account, if enough are affected.
func (g *searcher) seen(d int, c combination, mask []uint64, sizes []int, need int) {
	n := countAnd(mask, g.space.affected)
	if n < need {
		return
	}
	if g.tail == nil {
		g.tail = g.space.tail(sizes)
	}
	g.observe(d, c, mask, stats.Quantise(g.tail.P(n)))
}

// observe keeps an observed combination if it is among the best.
func (g *searcher) observe(d int, c combination, mask []uint64, p float64) {
	r := g.local[d]
	if p > r.limit || p >= 1 {
		return
	}
	x := g.space.candidate(c, mask, p)
	if len(r.best) == maxKept && compareCandidates(x, r.best[maxKept-1]) > 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(r.best, x, compareCandidates)
	r.best = slices.Insert(r.best, at, x)
	r.best = r.best[:min(len(r.best), maxKept)]
}

// pairs scores the pairs that begin with an item, and the triples that begin with those.
func (g *searcher) pairs(ctx context.Context, k int) {
	i := g.items[k]
	if !g.inPairs[i] {
		return
	}
	x := g.space
	size := x.count(x.masks[i], g.sizes)
	for at := k + 1; at < len(g.items); at++ {
		j := g.items[at]
		if !g.inPairs[j] || !g.canCombine(i, j) {
			continue
		}
		total := x.and(g.pair, x.masks[i], x.masks[j], g.sizes)
		if total == 0 || total == size || total == x.count(x.masks[j], g.sizes3) {
			continue // it holds for the same traces as one of them alone
		}
		if ctx.Err() != nil {
			return
		}
		peak := min(g.peaks[i], g.peaks[j], total)
		asPair := g.local[1] != nil && peak >= g.bounds[1].of(g.sizes)
		inTriples := g.local[2] != nil && g.inTriples[i] && g.inTriples[j] && peak >= g.bounds[2].least
		if g.local[1] != nil {
			g.local[1].tested++
		}
		if !asPair && !inTriples {
			continue
		}
		g.members = members(g.members[:0], g.pair)
		if asPair {
			g.score(1, combine(i, j), g.pair, g.sizes)
		}
		if inTriples {
			x.table.Counts(g.members, g.counts)
			g.triples(i, j, at+1, total)
		}
	}
}

// triples scores the triples that begin with the pair at hand. In a relabelling, a triple has no more affected
// traces than the pair; so that only relabellings in which the pair has as many as the triple needs are looked
// at. They are few, and most triples need not be counted in any.
func (g *searcher) triples(i, j int32, from, size int) {
	x, r, bound := g.space, g.local[2], g.bounds[2]
	most := g.rank()
	observed := countAnd(g.pair, x.affected)
	most = max(most, observed)
	if most < bound.least {
		return
	}
	for _, k := range g.items[from:] {
		if !g.inTriples[k] || !g.canCombine(i, k) || !g.canCombine(j, k) {
			continue
		}
		total := x.and(g.triple, g.pair, x.masks[k], g.sizes3)
		if total == 0 || total == size {
			continue
		}
		r.tested++
		need := bound.of(g.sizes3)
		if need > most || need > total {
			continue
		}
		few := 0
		if need < len(g.reach) {
			few = int(g.reach[need])
		}
		if few*x.words > total*len(g.reached)+reachingSteps {
			g.members = members(g.members[:0], g.triple)
			g.score(2, combine(i, j, k), g.triple, g.sizes3)
			continue
		}
		for _, b := range g.order[:few] {
			g.relabelled(2, int(b), g.triple, g.sizes3, need)
		}
		if need <= observed {
			g.seen(2, combine(i, j, k), g.triple, g.sizes3, need)
		}
		g.tail = nil
	}
}

// reachingSteps is about how many words [stats.LabelTable.Reaching] takes besides those of its units.
const reachingSteps = 400

// rank sorts the relabellings by the counts at hand, and returns the largest.
func (g *searcher) rank() int {
	most := int32(0)
	for _, n := range g.counts {
		most = max(most, n)
	}
	g.reach = slices.Grow(g.reach[:0], int(most)+2)[:most+2]
	clear(g.reach)
	for _, n := range g.counts {
		g.reach[n]++
	}
	for n := most - 1; n >= 0; n-- {
		g.reach[n] += g.reach[n+1]
	}
	next := slices.Clone(g.reach) // the relabellings of count n end before reach[n], and begin at reach[n+1]
	for b, n := range g.counts {
		g.order[next[n+1]] = int32(b)
		next[n+1]++
	}
	return int(most)
}

// pilot lowers the limits before the search, by combinations spread over all that there are.
func (w *spaceSearch) pilot() {
	m := len(w.items)
	if m < 3 {
		return
	}
	var bounds [maxConditions]*countBound
	for d, r := range w.results {
		if r != nil {
			r.limit = min(r.limit, r.alpha)
			bounds[d] = w.space.bound(1)
		}
	}
	g := w.newSearcher(bounds)
	for d := range g.local {
		if g.local[d] != nil {
			g.local[d].limit = 1
		}
	}
	for d := 1; d < maxConditions; d++ {
		if w.results[d] == nil {
			continue
		}
		random := stats.NewRand(w.cfg.Seed, uint64(d))
		for range pilotSize {
			var at [maxConditions]int
			for k := range at[:d+1] {
				at[k] = random.IntN(m)
			}
			g.one(d, at[:d+1])
		}
		w.results[d].merge(g.local[d])
	}
	w.greedy(g)
}

const pilotSize = 1024

// one scores a single combination of the items at the given places, if it is one.
func (g *searcher) one(d int, at []int) {
	slices.Sort(at)
	x := g.space
	var items []int32
	for _, k := range at {
		i := g.items[k]
		if d == 1 && !g.inPairs[i] || d == 2 && !g.inTriples[i] || !g.canExtend(combine(items...), i) {
			return
		}
		items = append(items, i)
	}
	copy(g.pair, x.masks[items[0]])
	total := 0
	for _, i := range items[1:] {
		total = x.and(g.pair, g.pair, x.masks[i], g.sizes)
	}
	if total == 0 {
		return
	}
	g.members = members(g.members[:0], g.pair)
	g.score(d, combine(items...), g.pair, g.sizes)
}

// greedy scores, with the observed labels, the combinations that extend the best of the next smaller size: the
// best of all is at least as good.
func (w *spaceSearch) greedy(g *searcher) {
	type scored struct {
		items []int32
		mask  []uint64
		size  int
		z     float64
	}
	x := w.space
	all := make([]uint64, x.words)
	for i := range all {
		all[i] = ^uint64(0)
	}
	level := []scored{{mask: all, size: x.size()}}
	for d := range maxConditions {
		var next []scored
		for _, c := range level {
			for _, i := range w.items {
				if d == 1 && !w.inPairs[i] || d == 2 && !w.inTriples[i] || !w.canExtend(combine(c.items...), i) {
					continue
				}
				size := x.and(g.pair, c.mask, x.masks[i], g.sizes)
				if size == c.size {
					continue
				}
				if z := x.excess(g.sizes, countAnd(g.pair, x.affected)); z > 0 {
					next = append(next, scored{append(slices.Clone(c.items), i), slices.Clone(g.pair), size, z})
				}
			}
		}
		slices.SortStableFunc(next, func(p, q scored) int { return stats.Compare(q.z, p.z) })
		level = next[:min(greedyWidth, len(next))]
		if w.results[d] == nil {
			continue
		}
		r := newSizeResult(w.results[d].alpha, w.results[d].share, 0)
		for _, c := range level {
			if p := x.p(c.mask); p < 1 {
				r.best = append(r.best, x.candidate(combine(c.items...), c.mask, p))
			}
		}
		w.results[d].merge(r)
	}
}

// greedyWidth is how many combinations of each size are extended.
const greedyWidth = 16

// excess says how far a count is above what is expected, steadied by the square root.
func (x *conjunctionSpace) excess(sizes []int, n int) float64 {
	mean := 0.0
	for k, st := range x.strata {
		mean += float64(float64(sizes[k]) * st.share)
	}
	return math.Sqrt(float64(n)) - math.Sqrt(mean)
}
