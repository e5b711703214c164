package compare

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// Timing says how the time that traces spend in one place differs between the cohorts. A place is a
// service's own work, or the edge between a caller and what it calls: the time of a call that the
// callee's span does not cover, which is connection, network and queue, and the wait until it is called
// again where the call failed.
type Timing struct {
	Service string
	Callee  string // what is called, where the place is an edge; "" for the service's own work
	// Peer says that the callee has no spans of its own: the edge is then the whole call.
	Peer bool

	// Executions is how many spans were compared, of the baseline and of the incident.
	Executions [2]int

	// Excess is how much more of a trace's critical path the place takes, in milliseconds per trace of the
	// incident, given which calls the trace makes: of each execution the baseline's mean for its call path
	// is subtracted. Excesses add up over places to the whole conditional excess of the root.
	Excess tracewhy.Estimate
	// Slowdown is the excess as a share of the duration of those incident traces that have the place.
	Slowdown tracewhy.Estimate

	// Delta is Cliff's delta of the place's own time, within call paths: P(incident > baseline) minus
	// P(incident < baseline), from -1 to 1. TailShare is the share of incident traces in which it exceeds the baseline's
	// 95th percentile, over what is expected.
	Delta, TailShare float64
	// P is the smaller p-value of Delta and of TailShare, one-sided for slower, doubled for being the
	// smaller of two; Q is adjusted for the number of places by Benjamini and Hochberg.
	P, Q float64
	// Moved says that the place counts as slower beside others: P is at most 0.01, and Delta at least
	// 0.15 or TailShare at least 0.05. Smaller shifts are noise however certain they are. It is not a
	// finding by itself: of a hundred places that did not change one may be called moved.
	Moved bool

	// Operations breaks the place down, the largest excess first.
	Operations []OperationTiming
	// Affected is the incident's traces in which the place took longer than it does, by the excess, in 95 %
	// of the baseline's.
	Affected tracewhy.Cohort
}

// OperationTiming is a Timing of one call path.
type OperationTiming struct {
	Path       tracewhy.Path // of the span whose own time it is: for an edge, the callee's if it has spans
	Executions [2]int
	Median     [2]float64 // of the own time, in milliseconds, baseline and incident
	P95        [2]float64 // its 95th percentile: the least value with 95 % of the executions at or below it
	Excess     float64    // in milliseconds per trace of the incident
	Delta      float64
}

const (
	movedP     = 0.01
	movedDelta = 0.15
	movedTail  = 0.05
	tailFrom   = 20 // baseline executions of a path for its 95th percentile to mean something
)

// execution is one span's own time, with the wait until the next attempt if it failed, and the part of it that is
// on the critical path, in nanoseconds.
type execution struct {
	trace       int32 // of the comparison
	own, onPath int64
}

// layer is the executions that are alike: one call path, or one edge of it.
type layer struct {
	path tracewhy.Path
	runs []execution
}

type placeKey struct {
	service, callee string
	peer            bool
}

type layerKey struct {
	place placeKey
	path  tracewhy.PathID
}

// collect sorts all executions into places and layers.
func (c *comparison) collect(ctx context.Context, who *callees) (map[placeKey][]*layer, []placeKey, error) {
	own := c.set.SelfTimes()
	places := map[placeKey][]*layer{}
	layers := map[layerKey]*layer{}
	var order []placeKey
	onPath, waiting := map[tracewhy.Span]int64{}, map[tracewhy.Span]int64{}
	var sections []tracewhy.Section
	var waits []backoff
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		clear(onPath)
		sections = t.Root().AppendCriticalPath(sections[:0])
		for _, s := range sections {
			onPath[s.Span] += s.End - s.Start
		}
		clear(waiting)
		waits = backoffs(waits[:0], t)
		place(waits, sections)
		for _, w := range waits { // is of the failed call
			onPath[w.caller] -= w.onPath
			onPath[w.failed] += w.onPath
			waiting[w.caller] -= w.to - w.from
			waiting[w.failed] += w.to - w.from
		}
		for s := range t.Spans() {
			if own[s.Index()] < 0 {
				continue
			}
			key := layerKey{place: placeKey{service: s.Service()}, path: s.Path().ID()}
			path := s.Path()
			if r, ok := callee(s); ok {
				key.place.callee = r.Service()
				key.path, path = r.Path().ID(), r.Path()
			} else if isCaller(s) && !s.HasChildren() {
				key.place.callee, key.place.peer = who.of(s)
			}
			l := layers[key]
			if l == nil {
				l = &layer{path: path}
				layers[key] = l
				if places[key.place] == nil {
					order = append(order, key.place)
				}
				places[key.place] = append(places[key.place], l)
			}
			l.runs = append(l.runs, execution{int32(i), max(own[s.Index()]+waiting[s], 0), onPath[s]})
		}
	}
	slices.SortFunc(order, func(x, y placeKey) int {
		return cmp.Or(cmp.Compare(x.service, y.service), cmp.Compare(x.callee, y.callee))
	})
	return places, order, nil
}

// timings compares all places. It also returns, by trace, the time on the critical path that exceeds what
// the baseline takes for the same calls, in milliseconds.
func (c *comparison) timings(ctx context.Context, who *callees, workers int) ([]Timing, []float64, error) {
	places, order, err := c.collect(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	results := make([]Timing, len(order))
	excesses := make([][]traceValue, len(order))
	err = parallel.For(ctx, workers, len(order), func(k int) {
		results[k], excesses[k] = c.timing(order[k], places[order[k]])
	})
	if err != nil {
		return nil, nil, err
	}
	setQ(results, func(t *Timing) (float64, *float64) { return t.P, &t.Q })
	residual := make([]float64, len(c.traces))
	for _, list := range excesses {
		for _, x := range list {
			residual[x.trace] += x.value
		}
	}
	byEffect(results, func(t *Timing) float64 { return t.Excess.Value }, func(t *Timing) string { return t.Service + "\x00" + t.Callee })
	return results, residual, nil
}

type traceValue struct {
	trace int32
	value float64
}

// timing compares one place: within each layer executions are ranked, and a trace's score is the mean
// over its executions, so that the trace is the unit of the test.
func (c *comparison) timing(key placeKey, layers []*layer) (Timing, []traceValue) {
	t := Timing{Service: key.service, Callee: key.callee, Peer: key.peer, P: 1, Q: 1, Excess: tracewhy.Unknown(), Slowdown: tracewhy.Unknown()}
	var scores, tails, excess perTrace
	slices.SortFunc(layers, func(x, y *layer) int { return cmp.Compare(x.path.ID(), y.path.ID()) })
	for _, l := range layers {
		sides := c.split(l)
		if len(sides[base]) < 2 || len(sides[inc]) == 0 {
			continue
		}
		o := c.layerTiming(l, sides, &scores, &tails, &excess)
		t.Executions[base] += o.Executions[base]
		t.Executions[inc] += o.Executions[inc]
		t.Operations = append(t.Operations, o)
	}
	if len(t.Operations) == 0 {
		return t, nil
	}
	t.Delta, t.TailShare, t.P = c.testRanks(&scores, &tails)
	t.Moved = t.P <= movedP && (t.Delta >= movedDelta || t.TailShare >= movedTail)
	sums := excess.sums()
	t.Excess = c.meanExcess(sums)
	with := 0.0
	for _, x := range sums {
		if c.side[x.trace] == inc {
			with += float64(c.share[x.trace] * c.duration[x.trace])
		}
	}
	if with > 0 {
		t.Slowdown = tracewhy.Estimate{Value: t.Excess.Value / with, Low: t.Excess.Low / with, High: t.Excess.High / with}
	}
	byEffect(t.Operations, func(o *OperationTiming) float64 { return o.Excess }, func(o *OperationTiming) string { return o.Path.String() })
	t.Affected = c.unusual(sums)
	return t, sums
}

// split returns the layer's executions by side, leaving out traces that have nothing to be compared with.
func (c *comparison) split(l *layer) (sides [2][]execution) {
	for _, e := range l.runs {
		if c.share[e.trace] > 0 {
			sides[c.side[e.trace]] = append(sides[c.side[e.trace]], e)
		}
	}
	return sides
}

func (c *comparison) layerTiming(l *layer, sides [2][]execution, scores, tails, excess *perTrace) OperationTiming {
	o := OperationTiming{Path: l.path, Executions: [2]int{len(sides[base]), len(sides[inc])}}
	all := slices.Concat(sides[base], sides[inc])
	own := make([]traceValue, len(all))
	for i, e := range all {
		own[i] = traceValue{e.trace, float64(e.own)}
	}
	o.Delta = c.rank(own, scores, tails)
	for k, runs := range sides {
		slices.SortFunc(runs, func(x, y execution) int { return cmp.Or(cmp.Compare(x.own, y.own), cmp.Compare(x.trace, y.trace)) })
		o.Median[k] = milliseconds(runs[(len(runs)-1)/2].own+runs[len(runs)/2].own) / 2
		o.P95[k] = milliseconds(runs[rank95(len(runs))-1].own)
	}
	// The expectation of a baseline trace leaves the trace itself out, so that its residual varies as
	// one of the incident does.
	var total, runs float64
	mine := map[int32]*[2]float64{}
	for _, e := range sides[base] {
		w := c.traces[e.trace].Weight()
		total += float64(w * milliseconds(e.onPath))
		runs += w
		x := mine[e.trace]
		if x == nil {
			x = &[2]float64{}
			mine[e.trace] = x
		}
		x[0] += float64(w * milliseconds(e.onPath))
		x[1] += w
	}
	sum := 0.0
	for _, e := range all {
		expected := total / runs
		if x := mine[e.trace]; x != nil {
			if runs-x[1] <= 0 {
				continue
			}
			expected = (total - x[0]) / (runs - x[1])
		}
		d := milliseconds(e.onPath) - expected
		excess.add(e.trace, d)
		if c.side[e.trace] == inc {
			sum += float64(c.share[e.trace] * d)
		}
	}
	o.Excess = sum
	return o
}

// rank scores the values of one layer: by its midrank, scaled to (-1, 1), and by whether it exceeds the
// baseline's 95th percentile, less the probability that it does. It returns Cliff's delta.
func (c *comparison) rank(values []traceValue, scores, tails *perTrace) float64 {
	slices.SortFunc(values, func(x, y traceValue) int {
		return cmp.Or(cmp.Compare(x.value, y.value), cmp.Compare(x.trace, y.trace))
	})
	n := float64(len(values))
	var mean, count [2]float64
	var baseline []float64
	for i := 0; i < len(values); {
		from := i
		for i < len(values) && values[i].value == values[from].value {
			i++
		}
		score := (float64(from+i) - n) / n
		for _, x := range values[from:i] {
			side := c.side[x.trace]
			scores.add(x.trace, score)
			mean[side] += score
			count[side]++
			if side == base {
				baseline = append(baseline, x.value)
			}
		}
	}
	if m := len(baseline); m >= tailFrom {
		limit := baseline[rank95(m)-1] // the least value with 95 % of the baseline at or below it
		above := 0.0
		for _, v := range baseline {
			if v > limit {
				above++
			}
		}
		// Another value exceeds the k-th of m with probability (m+1-k)/(m+1), which is more than the share
		// of the m that do.
		expected := [2]float64{above / float64(m), (above + 1) / float64(m+1)}
		for _, x := range values {
			score := -expected[c.side[x.trace]]
			if x.value > limit {
				score++
			}
			tails.add(x.trace, score)
		}
	}
	return mean[inc]/count[inc] - mean[base]/count[base] // of midranks so scaled, that is Cliff's delta
}

// meanExcess is the mean over the incident's traces, those without the place counting as 0, less the
// baseline's, which is 0 but for noise, with an interval by the central limit theorem over traces. Its
// known failure is the mean of few, heavy-tailed values.
func (c *comparison) meanExcess(xs []traceValue) tracewhy.Estimate {
	var value, variance float64
	for side := range 2 {
		sum := 0.0
		for _, x := range xs {
			if int(c.side[x.trace]) == side {
				sum += float64(c.share[x.trace] * x.value)
			}
		}
		// The variance of a weighted sum is that of each trace's deviation by its share.
		rest := c.squares[side] // of the shares of traces without the place
		for _, x := range xs {
			if share := c.share[x.trace]; int(c.side[x.trace]) == side {
				d := share * (x.value - sum)
				variance += float64(d * d)
				rest -= float64(share * share)
			}
		}
		variance += float64(max(0, rest) * (sum * sum))
		if side == inc {
			value = sum
		}
	}
	half := 1.96 * math.Sqrt(variance)
	return tracewhy.Estimate{Value: value, Low: value - half, High: value + half}
}

// unusual returns the incident's traces whose value exceeds the baseline's 95th percentile.
func (c *comparison) unusual(xs []traceValue) tracewhy.Cohort {
	var baseline []float64
	for _, x := range xs {
		if c.side[x.trace] == base {
			baseline = append(baseline, x.value)
		}
	}
	limit := stats.NewSample(baseline).ObservedQuantile(0.95)
	var above []int32
	for _, x := range xs {
		if c.side[x.trace] == inc && x.value > limit {
			above = append(above, x.trace)
		}
	}
	return c.cohort(above)
}

// perTrace accumulates values of executions by trace.
type perTrace struct{ list []traceValue }

func (p *perTrace) add(trace int32, x float64) { p.list = append(p.list, traceValue{trace, x}) }

// fold adds up the values of each trace in the order in which they came, and yields traces ascending.
func (p *perTrace) fold(done func(sum float64, n int) float64) []traceValue {
	last := int32(-1)
	for _, x := range p.list {
		last = max(last, x.trace)
	}
	sums, counts := make([]float64, last+1), make([]int32, last+1)
	traces := 0
	for _, x := range p.list {
		if counts[x.trace] == 0 {
			traces++
		}
		sums[x.trace] += x.value
		counts[x.trace]++
	}
	out := make([]traceValue, 0, traces)
	for trace, n := range counts {
		if n > 0 {
			out = append(out, traceValue{int32(trace), done(sums[trace], int(n))})
		}
	}
	return out
}

func (p *perTrace) means() []traceValue {
	return p.fold(func(sum float64, n int) float64 { return sum / float64(n) })
}

func (p *perTrace) sums() []traceValue {
	return p.fold(func(sum float64, _ int) float64 { return sum })
}

// testRanks tests scores of [comparison.rank]: for being larger in the incident as a whole, and in their
// tails where those could be told. p is the smaller of the two, doubled where there are two.
func (c *comparison) testRanks(scores, tails *perTrace) (delta, tail, p float64) {
	whole := c.twoSample(scores.means())
	if t := c.twoSample(tails.means()); t.ok {
		return whole.difference, t.difference, min(1, 2*min(whole.p, t.p))
	}
	return whole.difference, 0, whole.p
}

type twoSampleResult struct {
	difference float64 // mean of the incident minus mean of the baseline
	p          float64 // one-sided, for greater
	ok         bool
}

// twoSample tests whether scores are larger in the incident, by their permutation variance: for midranks
// it is the test of Mann and Whitney with a normal approximation, and with one score a trace.
func (c *comparison) twoSample(xs []traceValue) twoSampleResult {
	var n, sum [2]float64
	var weights [2]mass
	for _, x := range xs {
		weights[c.side[x.trace]].add(c.traces[x.trace].Weight())
		n[c.side[x.trace]]++
		sum[c.side[x.trace]] += x.value
	}
	if n[base] < 2 || n[inc] < 1 {
		return twoSampleResult{p: 1}
	}
	if weights[base].uneven() || weights[inc].uneven() {
		r := twoSampleResult{p: 1, ok: true}
		var se float64
		if r.difference, se = c.weightedTwoSample(xs, weights); se > 0 {
			r.p = special.NormalCDF(-r.difference / se)
		}
		return r
	}
	all := n[base] + n[inc]
	mean := (sum[base] + sum[inc]) / all
	square := 0.0
	for _, x := range xs {
		d := x.value - mean
		square += float64(d * d)
	}
	r := twoSampleResult{difference: sum[inc]/n[inc] - sum[base]/n[base], p: 1, ok: true}
	if se := math.Sqrt(square / (all - 1) * (1/n[base] + 1/n[inc])); se > 0 {
		r.p = special.NormalCDF(-r.difference / se)
	}
	return r
}

func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }

// rank95 returns the rank, from 1, of the least of n values that 95 % of them do not exceed.
func rank95(n int) int { return (19*n + 19) / 20 }

// setQ sets the q-values of findings: their p-values adjusted by Benjamini and Hochberg.
func setQ[T any](findings []T, of func(*T) (p float64, q *float64)) {
	ps := make([]float64, len(findings))
	for i := range findings {
		ps[i], _ = of(&findings[i])
	}
	for i, adjusted := range stats.BenjaminiHochberg(ps) {
		_, q := of(&findings[i])
		*q = adjusted
	}
}

func compareRounded(a, b float64) int { return stats.Compare(a, b) }
