package evaluate

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// The parameters of MicroRank.
const (
	microRankSigmas     = 1.5  // n: how many standard deviations an operation may be slower than its mean
	microRankDamping    = 0.85 // d
	microRankCalls      = 0.01 // ω: the weight of the call graph beside that of coverage
	microRankScope      = 0.5  // φ: the weight of a trace's scope beside that of its kind
	microRankIterations = 25
	microRankAbsent     = 1e-7 // the counts of an operation in a graph that it is not in
)

// rankByMicroRank is MicroRank (Yu et al., WWW 2021). From the baseline it takes the mean μ and standard
// deviation σ of each operation's own time, and calls a trace of the incident abnormal if it took longer
// than the sum of μ+1.5σ over its spans. For the abnormal and for the normal traces it builds a graph
// of operations and traces, with an edge between each trace and the operations it covers and one from
// each operation to those it calls, and computes a personalised PageRank of 25 steps
//
//	o ← d·(A_ot·t + ω·A_oo·o),  t ← d·A_to·o + (1-d)·u
//
// with d = 0.85 and ω = 0.01. The preference u of a normal trace is proportional to 1/k, k being how
// many traces cover the same operations; that of an abnormal trace is the mean of that and of one
// proportional to 1/n, n being how many operations the trace covers. With the resulting weights F
// (abnormal) and P (normal) of an operation, and N_ef of N_f abnormal and N_ep of N_p normal traces
// covering it, the weighted spectrum is
//
//	ef = F·N_ef,  nf = F·(N_f-N_ef),  ep = P·N_ep
//
// and the score is that of Dstar2, ef²/(ep+nf), which the authors found best. A service's score is that
// of its best operation.
//
// The scaling of vectors by their largest element, the weights (an operation's rank times the mean rank),
// and the counts of operations that only one graph has, are those of the authors' program
// (github.com/IntelligentDDS/MicroRank). Departures: an operation is told apart by the instance that ran
// it, as in the program, if its resource names one; the preference of abnormal traces is the formula,
// where the program takes the reciprocal of a sum; the 50 ms that the program allows beyond the expected
// time are left out, being of the authors' systems. Where no trace of the incident is normal, which
// leaves the program without an answer, the baseline's traces are the normal ones.
func rankByMicroRank(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	expected, err := c.expectedTimes(ctx, baseline)
	if err != nil {
		return nil, err
	}
	abnormal, err := c.abnormalTraces(ctx, incident, expected)
	if err != nil {
		return nil, err
	}
	normal := incident.Minus(abnormal)
	if normal.Len() == 0 {
		normal = baseline.Minus(abnormal)
	}
	nodes := graphNodes{byKey: map[graphNode]int{}}
	bad, err := c.operationGraph(ctx, abnormal, &nodes)
	if err != nil {
		return nil, err
	}
	good, err := c.operationGraph(ctx, normal, &nodes)
	if err != nil {
		return nil, err
	}
	scores := slices.Repeat([]float64{math.NaN()}, len(c.operations))
	if abnormal.Len() > 0 && normal.Len() > 0 {
		spectrum, err := dstar2(ctx, bad, good, len(nodes.all))
		if err != nil {
			return nil, err
		}
		for i, s := range spectrum {
			if op := nodes.all[i].operation; !(scores[op] >= s) {
				scores[op] = s
			}
		}
	}
	return c.answer(c.best(scores), scores), nil
}

// ownTime returns the span's duration less the sum of its children's, in milliseconds. It is negative
// where children overlap; summed over a trace it gives the duration of the roots.
func ownTime(s tracewhy.Span) float64 {
	own := max(0, s.Duration())
	for child := range s.Children() {
		own -= max(0, child.Duration())
	}
	return float64(own) / 1e6
}

// expectedTimes returns, by operation, the longest own time that a call of it is expected to take:
// 0 if the baseline has none.
func (c *catalog) expectedTimes(ctx context.Context, baseline tracewhy.Cohort) ([]float64, error) {
	n := make([]float64, len(c.operations))
	mean := make([]float64, len(c.operations))
	squares := make([]float64, len(c.operations))
	err := eachTrace(ctx, baseline, func(t tracewhy.Trace) {
		for s := range t.Spans() {
			op := c.operation(s)
			n[op]++
			mean[op] += ownTime(s)
		}
	})
	if err != nil {
		return nil, err
	}
	for op := range mean {
		mean[op] /= n[op]
	}
	err = eachTrace(ctx, baseline, func(t tracewhy.Trace) {
		for s := range t.Spans() {
			op := c.operation(s)
			d := ownTime(s) - mean[op]
			squares[op] += float64(d * d)
		}
	})
	expected := make([]float64, len(c.operations))
	for op := range expected {
		if n[op] > 0 {
			expected[op] = mean[op] + float64(microRankSigmas*math.Sqrt(squares[op]/n[op]))
		}
	}
	return expected, err
}

// abnormalTraces returns the traces whose roots took longer than their spans were expected to.
func (c *catalog) abnormalTraces(ctx context.Context, cohort tracewhy.Cohort, expected []float64) (tracewhy.Cohort, error) {
	var abnormal []int // by number
	err := eachTrace(ctx, cohort, func(t tracewhy.Trace) {
		var took, allowed float64
		for s := range t.Spans() {
			if _, ok := s.Parent(); !ok {
				took += float64(max(0, s.Duration())) / 1e6
			}
			allowed += expected[c.operation(s)]
		}
		if took > allowed {
			abnormal = append(abnormal, t.Index())
		}
	})
	return cohort.Select(func(t tracewhy.Trace) bool {
		_, ok := slices.BinarySearch(abnormal, t.Index())
		return ok
	}), err
}

// graphNode is an operation of one instance.
type graphNode struct {
	operation int
	instance  string
}

// graphNodes numbers the operations of two graphs.
type graphNodes struct {
	all   []graphNode
	byKey map[graphNode]int
}

func (g *graphNodes) number(n graphNode) int {
	i, ok := g.byKey[n]
	if !ok {
		i = len(g.all)
		g.byKey[n] = i
		g.all = append(g.all, n)
	}
	return i
}

// operationGraph is the graph of some traces and the operations that they cover.
type operationGraph struct {
	covers  [][]int   // by trace: the operations it covers, as first seen
	calls   [][]int   // by operation: those it calls, as first seen
	covered []float64 // by operation: how many traces cover it
}

func (c *catalog) operationGraph(ctx context.Context, cohort tracewhy.Cohort, nodes *graphNodes) (*operationGraph, error) {
	g := &operationGraph{}
	var lastTrace []int // by operation: the trace that it was last seen in
	called := map[[2]int]bool{}
	node := func(s tracewhy.Span) int { return nodes.number(graphNode{c.operation(s), s.Instance()}) }
	err := eachTrace(ctx, cohort, func(t tracewhy.Trace) {
		trace := len(g.covers)
		var covers []int
		for s := range t.Spans() {
			n := node(s)
			for len(g.calls) <= n {
				g.calls = append(g.calls, nil)
				g.covered = append(g.covered, 0)
				lastTrace = append(lastTrace, -1)
			}
			if lastTrace[n] != trace {
				lastTrace[n] = trace
				covers = append(covers, n)
				g.covered[n]++
			}
			if parent, ok := s.Parent(); ok {
				p := node(parent) // seen before its children
				if edge := [2]int{p, n}; !called[edge] {
					called[edge] = true
					g.calls[p] = append(g.calls[p], n)
				}
			}
		}
		g.covers = append(g.covers, covers)
	})
	return g, err
}

// preferences returns the preference of each trace; the sum is 1.
func (g *operationGraph) preferences(abnormal bool) []float64 {
	kinds := map[string]float64{}
	key := make([]string, len(g.covers))
	for t, covers := range g.covers {
		key[t] = setKey(covers)
		kinds[key[t]]++
	}
	u := make([]float64, len(g.covers))
	var byKind, byScope float64
	for t, covers := range g.covers {
		byKind += 1 / kinds[key[t]]
		byScope += 1 / float64(len(covers))
	}
	for t, covers := range g.covers {
		u[t] = 1 / kinds[key[t]] / byKind
		if abnormal {
			u[t] = float64(microRankScope/float64(len(covers))/byScope) + float64((1-microRankScope)*u[t])
		}
	}
	return u
}

// setKey returns the same text for the same set of numbers in any order.
func setKey(set []int) string {
	sorted := slices.Sorted(slices.Values(set))
	key := make([]byte, 0, 4*len(sorted))
	for _, n := range sorted {
		key = append(key, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	return string(key)
}

// pageRank returns the weight of each operation: its rank, the largest being 1, times the mean rank.
func (g *operationGraph) pageRank(ctx context.Context, u []float64) ([]float64, error) {
	present := 0
	for _, n := range g.covered {
		if n > 0 {
			present++
		}
	}
	start := 1 / float64(present+len(g.covers))
	o := make([]float64, len(g.calls))
	for n := range o {
		if g.covered[n] > 0 {
			o[n] = start
		}
	}
	t := slices.Repeat([]float64{start}, len(g.covers))
	nextO, nextT := make([]float64, len(o)), make([]float64, len(t))
	for range microRankIterations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(nextO)
		for trace, covers := range g.covers {
			var rank float64
			share := t[trace] / float64(len(covers))
			for _, n := range covers {
				nextO[n] += share
				rank += o[n] / g.covered[n]
			}
			nextT[trace] = float64(microRankDamping*rank) + float64((1-microRankDamping)*u[trace])
		}
		for n, calls := range g.calls {
			for _, to := range calls {
				nextO[to] += float64(microRankCalls * o[n] / float64(len(calls)))
			}
		}
		// The damping of o is lost in the scaling.
		scale(nextO)
		scale(nextT)
		o, nextO = nextO, o
		t, nextT = nextT, t
	}
	var sum float64
	for _, rank := range o {
		sum += rank
	}
	mean := sum / float64(present)
	for n := range o {
		o[n] *= mean
	}
	return o, nil
}

// scale divides by the largest element.
func scale(v []float64) {
	if most := slices.Max(v); most > 0 {
		for i := range v {
			v[i] /= most
		}
	}
}

// dstar2 returns the score of each of n operations.
func dstar2(ctx context.Context, bad, good *operationGraph, n int) ([]float64, error) {
	f, err := bad.pageRank(ctx, bad.preferences(true))
	if err != nil {
		return nil, err
	}
	p, err := good.pageRank(ctx, good.preferences(false))
	if err != nil {
		return nil, err
	}
	numBad := float64(len(bad.covers))
	inGraph := func(g *operationGraph, i int) bool { return i < len(g.covered) && g.covered[i] > 0 }
	scores := make([]float64, n)
	for i := range scores {
		ef, nf, ep := microRankAbsent, microRankAbsent, microRankAbsent
		inBad, inGood := inGraph(bad, i), inGraph(good, i)
		if inBad {
			ef, nf = float64(f[i]*bad.covered[i]), float64(f[i]*(numBad-bad.covered[i]))
		}
		switch {
		case inBad && inGood:
			ep = float64(p[i] * good.covered[i])
		case inGood:
			ep = float64((1 + p[i]) * good.covered[i])
		}
		scores[i] = float64(ef*ef) / (ep + nf)
	}
	return scores, nil
}
