package compare

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// StructureShift says that executions of an operation do something else than before: call, repeat, log,
// stop or fail differently.
type StructureShift struct {
	Service, Operation string
	What               string // in words: "no longer calls X", "now ends after calling Y"
	// Rate is the share of traces with the operation in which an execution does so: of the baseline,
	// standardised to the incident's mix of root operations, and of the incident.
	Rate [2]float64
	// Attributable is the share of those incident traces that would not be so at the baseline's rate:
	// (incident - baseline) / incident.
	Attributable float64
	P, Q         float64  // one-sided and exact; Q is adjusted for all shifts looked for
	Traces       int      // incident traces in which it is so
	Words        []string // of events: those that come, or go, together

	feature   feature
	gained    bool
	number    uint32
	op        int32
	weightedP float64 // p-value of the weighted shares, corrected by C. E. Bonferroni; 0 where weights do not differ
}

// StructureOrigin is one share of the traces that have another structure than before: those in which
// the deepest changed execution puts the blame on the service.
type StructureOrigin struct {
	Service, Operation string
	// Share is the share of the incident's traces that are changed from here, over the baseline's.
	Share tracewhy.Estimate
	// Unanswered says that the blame is for calls that the service did not answer: its spans are missing.
	Unanswered bool
	Shifts     []StructureShift // the ones that the blame rests on, the most frequent first
	Affected   tracewhy.Cohort  // the incident's traces that are changed from here
}

// minAttributable is the least share of a shift's traces that it must account for.
const minAttributable = 0.5

// hypothesis is that more traces of the incident than of the baseline have an execution of the
// operation that has (or lacks) the feature. Features that single out the same traces are one.
type hypothesis struct {
	StructureShift
	names  []*StructureShift // itself, and what else singles out the same traces
	tables []stats.Table     // by stratum with the operation
	// effective is the same where traces have weights. They decide whether there is a symptom, and not which
	// shifts there are: effective sizes are cautious, and would leave few to tell places apart.
	effective []stats.Table
	smallest  float64
	mix       bool // a changed mix of requests explains it
}

// structure looks for shifts and partitions the traces that show them. It also returns, by trace, the
// share of it that is changed.
func (c *comparison) structure(ctx context.Context, who *callees, alpha float64, workers int) ([]StructureShift, []StructureOrigin, []float64, error) {
	f, err := c.features(ctx, who)
	if err != nil {
		return nil, nil, nil, err
	}
	hyps, err := c.hypotheses(ctx, f, alpha, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	hyps, c.explainedByMix, err = c.dropMix(ctx, f, hyps, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, h := range hyps {
		h.describe()
	}
	tags, err := c.tag(ctx, f, who, hyps)
	if err != nil {
		return nil, nil, nil, err
	}
	origins, changed := c.structureOrigins(f, tags)
	shifts := make([]StructureShift, len(hyps))
	for i, h := range hyps {
		shifts[i] = h.StructureShift
	}
	slices.SortFunc(shifts, func(x, y StructureShift) int {
		return cmp.Or(compareRounded(x.Q, y.Q), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.What, y.What))
	})
	return shifts, origins, changed, nil
}

// maxWords is how many words of a message a shift shows.
const maxWords = 8

// NowCalls returns what executions now call that mostly did not, if that is the shift: the service, or "" where it has
// no spans, and the operation. Both are "" if it is another.
func (x StructureShift) NowCalls() (service, operation string) {
	switch {
	case x.feature.kind != featureCall || !x.gained:
		return "", ""
	case x.feature.callee != "":
		return x.feature.callee, x.feature.op
	}
	return "", x.feature.text
}

// describe lists the words of events that come, or go, in the same traces.
func (h *hypothesis) describe() {
	for _, x := range h.names {
		if x.feature.kind == featureEvent && x.gained == h.gained && len(h.Words) < maxWords {
			h.Words = append(h.Words, x.feature.word())
		}
	}
	if h.feature.kind == featureEvent {
		h.What = h.feature.what(h.gained)
		if len(h.Words) > 1 {
			h.What += " with " + strings.Join(h.Words[1:], ", ")
		}
	}
}

// cell counts the traces of one operation, feature and stratum.
type cell struct {
	with [2]int // traces with an execution that has the feature, by side
	full [2]int // traces in which every execution has it
	mass *[2]cellMass
}

// cellMass is the weights of the traces of a cell, of one side; only kept where traces have weights.
type cellMass struct{ with, full mass }

// operationRuns counts the traces with an operation, by side.
type operationRuns struct {
	n    [2]int
	mass [2]mass
}

type cellKey struct {
	op      int32
	feature uint32
	stratum int32
}

// tally counts the traces of all operations and features.
type tally struct {
	cells  map[cellKey]*cell
	runs   map[cellKey]*operationRuns // of no feature
	hashes map[cellKey]*[2]uint64     // of the traces exposed to a feature, and to its lack; of stratum 0
}

// hypotheses tests all features of all operations and returns those that hold, sorted by operation and
// feature.
func (c *comparison) hypotheses(ctx context.Context, f *features, alpha float64, workers int) ([]*hypothesis, error) {
	n, err := c.tally(ctx, f)
	if err != nil {
		return nil, err
	}
	hyps := n.distinct(n.shifts(f, c.set.Weighted()))
	if err := parallel.For(ctx, workers, len(hyps), func(i int) {
		h := hyps[i]
		h.P, h.smallest = stats.FisherStratified(h.tables)
		if len(h.effective) > 0 && !slices.Equal(h.effective, h.tables) {
			p, _ := stats.FisherStratified(h.effective)
			h.weightedP = min(1, p*float64(len(hyps)))
		}
		h.Rate = standardisedRates(h.tables)
		if h.Rate[inc] > 0 {
			h.Attributable = max(0, 1-h.Rate[base]/h.Rate[inc])
		}
	}); err != nil {
		return nil, err
	}
	adjustDiscrete(hyps, alpha)
	return slices.DeleteFunc(hyps, func(h *hypothesis) bool {
		return h.Q > alpha || h.Attributable < minAttributable
	}), nil
}

func (c *comparison) tally(ctx context.Context, f *features) (*tally, error) {
	n := &tally{map[cellKey]*cell{}, map[cellKey]*operationRuns{}, map[cellKey]*[2]uint64{}}
	isWeighted := c.set.Weighted()
	opHash := map[int32]uint64{}
	at := 0
	var pairs []uint64
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		first := at
		at += t.NumSpans()
		if c.share[i] == 0 {
			continue
		}
		side, stratum, hash := c.side[i], c.stratum[i], mix(uint64(i)+1)
		pairs = pairs[:0]
		executions := map[int32]int{}
		for k := first; k < at; k++ {
			op := f.opOf[f.spans[k].Path().ID()]
			executions[op]++
			for _, x := range f.at(k) {
				pairs = append(pairs, uint64(op)<<32|uint64(x))
			}
		}
		for op := range executions {
			r := entry(n.runs, cellKey{op: op, stratum: stratum})
			r.n[side]++
			r.mass[side].add(t.Weight())
			opHash[op] += hash
		}
		slices.Sort(pairs)
		for k := 0; k < len(pairs); {
			from := k
			for k < len(pairs) && pairs[k] == pairs[from] {
				k++
			}
			op, feature := int32(pairs[from]>>32), uint32(pairs[from])
			x := entry(n.cells, cellKey{op, feature, stratum})
			h := entry(n.hashes, cellKey{op: op, feature: feature})
			isFull := k-from == executions[op]
			x.with[side]++
			if isWeighted {
				x.weigh(int(side), t.Weight(), isFull)
			}
			h[0] += hash
			if isFull {
				x.full[side]++
			} else {
				h[1] += hash
			}
		}
	}
	// h[1] so far has traces with both kinds of execution: those without the feature at all come on top.
	for key, h := range n.hashes {
		h[1] += opHash[key.op] - h[0]
	}
	return n, nil
}

func (x *cell) weigh(side int, weight float64, isFull bool) {
	if x.mass == nil {
		x.mass = new([2]cellMass)
	}
	x.mass[side].with.add(weight)
	if isFull {
		x.mass[side].full.add(weight)
	}
}

// effectiveTable returns the table of the exposed traces, of which the counts are effective ones where weights
// differ: sampling that keeps failing traces keeps more of what those do.
func (x *cell) effectiveTable(exposed [2]int, r *operationRuns, gained bool) stats.Table {
	n := r.n
	for side, round := range []func(float64) float64{base: math.Ceil, inc: math.Floor} {
		var of mass
		if x.mass != nil {
			of = x.mass[side].with
			if !gained {
				of = x.mass[side].full
			}
		}
		if !gained {
			of.sum, of.squares = r.mass[side].sum-of.sum, r.mass[side].squares-of.squares
		}
		exposed[side], n[side] = effective(exposed[side], n[side], of, r.mass[side], round)
	}
	return stats.Table{A: exposed[inc], B: n[inc] - exposed[inc], C: exposed[base], D: n[base] - exposed[base]}
}

// entry returns the map's value for a key, which it makes where there is none.
func entry[K comparable, V any](m map[K]*V, key K) *V {
	x := m[key]
	if x == nil {
		x = new(V)
		m[key] = x
	}
	return x
}

// shifts returns a hypothesis for having, and for lacking, each feature, sorted by operation and feature.
func (n *tally) shifts(f *features, isWeighted bool) []*hypothesis {
	strataOf := map[int32][]int32{}
	for key := range n.runs {
		strataOf[key.op] = append(strataOf[key.op], key.stratum)
	}
	for _, s := range strataOf {
		slices.Sort(s)
	}
	var shifts []*hypothesis
	for pair := range n.hashes {
		for _, gained := range []bool{true, false} {
			h := &hypothesis{}
			total := 0
			for _, s := range strataOf[pair.op] {
				runs := n.runs[cellKey{op: pair.op, stratum: s}]
				x := n.cells[cellKey{pair.op, pair.feature, s}]
				if x == nil {
					x = &cell{}
				}
				exposed := x.with
				if !gained {
					exposed = [2]int{runs.n[base] - x.full[base], runs.n[inc] - x.full[inc]}
				}
				total += exposed[base] + exposed[inc]
				h.Traces += exposed[inc]
				h.tables = append(h.tables, stats.Table{A: exposed[inc], B: runs.n[inc] - exposed[inc], C: exposed[base], D: runs.n[base] - exposed[base]})
				if isWeighted {
					h.effective = append(h.effective, x.effectiveTable(exposed, runs, gained))
				}
			}
			if total < 3 || h.Traces == 0 {
				continue
			}
			op := f.ops[pair.op]
			h.Service, h.Operation, h.op = op.service, op.name, pair.op
			h.feature, h.gained, h.number = f.known[pair.feature], gained, pair.feature
			h.What = h.feature.what(gained)
			shifts = append(shifts, h)
		}
	}
	lost := func(h *hypothesis) int {
		if h.gained {
			return 0
		}
		return 1
	}
	slices.SortFunc(shifts, func(x, y *hypothesis) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Operation, y.Operation), compareFeatures(x.feature, y.feature), lost(x)-lost(y))
	})
	return shifts
}

// distinct makes one hypothesis of those of an operation that single out the same traces.
func (n *tally) distinct(shifts []*hypothesis) []*hypothesis {
	type exposedKey struct {
		op   int32
		hash uint64
	}
	seen := map[exposedKey]*hypothesis{}
	var distinct []*hypothesis
	for _, h := range shifts {
		hash := n.hashes[cellKey{op: h.op, feature: h.number}]
		key := exposedKey{h.op, hash[0]}
		if !h.gained {
			key.hash = hash[1]
		}
		if first := seen[key]; first != nil {
			first.names = append(first.names, &h.StructureShift)
			continue
		}
		h.names = []*StructureShift{&h.StructureShift}
		seen[key] = h
		distinct = append(distinct, h)
	}
	return distinct
}

// standardisedRates returns the share of traces exposed, with half a trace added to each cell so that a
// rate of none is not taken for certain, at the incident's mix of strata.
func standardisedRates(tables []stats.Table) [2]float64 {
	var rate [2]float64
	total := 0.0
	for _, t := range tables {
		if t.A+t.B > 0 && t.C+t.D > 0 {
			total += float64(t.A + t.B)
		}
	}
	for _, t := range tables {
		if t.A+t.B > 0 && t.C+t.D > 0 {
			w := float64(t.A+t.B) / total
			rate[inc] += float64(w * ((float64(t.A) + 0.5) / (float64(t.A+t.B) + 1)))
			rate[base] += float64(w * ((float64(t.C) + 0.5) / (float64(t.C+t.D) + 1)))
		}
	}
	return rate
}

// adjustDiscrete sets the q-values: the procedure of Benjamini and Hochberg over the hypotheses that
// their margins allow to be rejected at all, by R. E. Tarone's criterion, as P. B. Gilbert combines them
// (2005, doi:10.1111/j.1467-9876.2005.00475.x). The others have a q-value of 1.
func adjustDiscrete(hyps []*hypothesis, alpha float64) {
	smallest := make([]float64, len(hyps))
	for i, h := range hyps {
		smallest[i] = h.smallest
	}
	slices.Sort(smallest)
	// k is the least number for which at most k hypotheses can reach alpha/k.
	k := 1
	for ; k < len(smallest); k++ {
		n, _ := slices.BinarySearch(smallest, alpha/float64(k))
		for n < len(smallest) && smallest[n] <= alpha/float64(k) {
			n++
		}
		if n <= k {
			break
		}
	}
	var testable []*hypothesis
	for _, h := range hyps {
		h.Q = 1
		if h.smallest <= alpha/float64(k) {
			testable = append(testable, h)
		}
	}
	setQ(testable, func(h **hypothesis) (float64, *float64) { return (*h).P, &(*h).Q })
}

// mix is the finaliser of SplitMix64: it makes sums of the numbers of traces tell sets of traces apart.
func mix(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
