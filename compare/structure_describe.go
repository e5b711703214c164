package compare

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// exemplarsListed is how many traces of each cohort a finding shows.
const exemplarsListed = 3

// structureAnswer is what is known of a question, by row of those that it was asked in.
type structureAnswer struct {
	*structureQuestion
	table  *structureTable
	share  []float64 // of executions for which the statement holds
	mean   []float64 // of what it is about
	weight []float64 // of the trace, which add up to 1 over the traces compared of a cohort
	label  []bool
	sides  [2]float64 // the mean share
	more   bool
	echoes []*structureAnswer
}

func (t *structureTable) answer(q *structureQuestion) *structureAnswer {
	n := len(q.asked.rows)
	a := &structureAnswer{
		structureQuestion: q, table: t, share: make([]float64, n), mean: make([]float64, n),
		weight: make([]float64, n), label: make([]bool, n),
	}
	runs := make([]int, n)
	at := 0
	for i, x := range q.caller.runs {
		halves, ok := q.holds(q.caller, i)
		if !ok {
			continue
		}
		for q.asked.rows[at] != x.row {
			at++
		}
		value, _ := q.value(q.caller, i)
		runs[at]++
		a.share[at] += float64(halves) / 2
		a.mean[at] += float64(value)
	}
	for k, row := range q.asked.rows {
		a.share[k] /= float64(runs[k])
		a.mean[k] /= float64(runs[k])
		a.weight[k] = t.c.share[t.rows[row]]
		a.label[k] = t.label[row]
	}
	if q.kind == StructureOrder {
		a.mean = a.share
	}
	for side := range 2 {
		a.sides[side] = a.moments(a.share, side).mean
	}
	a.more = stats.Compare(a.sides[inc], a.sides[base]) >= 0
	if q.kind == StructureOrder && !a.more { // so that it reads as what now comes first
		turned := *q
		turned.call, turned.other = q.other, q.call
		a.structureQuestion, a.more = &turned, true
		for k := range a.share {
			a.share[k] = 1 - a.share[k]
		}
		a.sides = [2]float64{1 - a.sides[base], 1 - a.sides[inc]}
	}
	return a
}

// shows reports whether most executions of the k-th trace are as the incident's differ.
func (a *structureAnswer) shows(k int) bool { return a.shown(k) >= 0.5 }

// shown is the share of the executions of the k-th trace that are as the incident's differ.
func (a *structureAnswer) shown(k int) float64 {
	if a.more {
		return a.share[k]
	}
	return 1 - a.share[k]
}

// moments are a weighted mean, its variance, and the size of a simple random sample that says as much.
type moments struct{ mean, variance, size float64 }

func (a *structureAnswer) moments(values []float64, side int) moments {
	return weightedMoments(values, a.weight, nil, func(k int) bool { return a.label[k] == (side == inc) })
}

// weightedMoments returns the moments of the values that count. Values of one cluster, if there are any,
// count as if they were one.
func weightedMoments(values, weights []float64, cluster []int, counts func(k int) bool) moments {
	var sum, total float64
	for k, v := range values {
		if counts(k) {
			sum += float64(weights[k] * v)
			total += weights[k]
		}
	}
	m := moments{mean: math.NaN()}
	if total == 0 {
		return m
	}
	m.mean = sum / total
	type part struct{ deviation, weight float64 }
	parts := make([]part, 0, len(values))
	of := map[int]int{}
	for k, v := range values {
		if !counts(k) {
			continue
		}
		at := len(parts)
		if cluster != nil && cluster[k] >= 0 {
			if known, ok := of[cluster[k]]; ok {
				at = known
			}
			of[cluster[k]] = at
		}
		if at == len(parts) {
			parts = append(parts, part{})
		}
		parts[at].deviation += float64(weights[k] * (v - m.mean))
		parts[at].weight += weights[k]
	}
	squares := 0.0
	for _, p := range parts {
		m.variance += float64(p.deviation / total * (p.deviation / total))
		squares += float64(p.weight / total * (p.weight / total))
	}
	m.size = 1 / squares
	return m
}

func (t *structureTable) clusterOf(rows []int32) []int {
	if t.cluster == nil {
		return nil
	}
	out := make([]int, len(rows))
	for k, row := range rows {
		out[k] = t.cluster[row]
	}
	return out
}

// describe computes what a result says.
func (t *structureTable) describe(a *structureAnswer, hit []bool) StructureFinding {
	caller := a.caller.path
	f := StructureFinding{
		Kind: a.finalKind(), Service: caller.Service(), Operation: caller.Operation(), Path: caller, Chain: caller.String(),
		From: int(a.from), More: a.more, What: a.what(), Also: []string{}, Share: a.sides,
		Distribution: []StructureLevel{}, P: a.p, Q: a.q, Adjusted: a.adjusted,
		Exemplars: [2][]tracewhy.TraceID{{}, {}},
	}
	if a.kind != StructureAtOnce && a.kind != StructureDepth {
		f.Call = a.name(a.call)
	}
	if a.kind == StructureOrder {
		f.Other = a.name(a.other)
	} else {
		f.Distribution = t.distribution(a)
	}
	said := map[aspect]bool{a.aspect(): true}
	for _, s := range a.same {
		same := &structureQuestion{caller: a.caller, structureStatement: s, asked: a.asked}
		if !said[same.aspect()] {
			said[same.aspect()] = true
			f.Also = append(f.Also, t.answer(same).what())
		}
	}
	cluster := t.clusterOf(a.asked.rows)
	var shares, means [2]moments
	for side := range 2 {
		is := func(k int) bool { return a.label[k] == (side == inc) }
		shares[side] = weightedMoments(a.share, a.weight, cluster, is)
		means[side] = weightedMoments(a.mean, a.weight, cluster, is)
		f.Mean[side] = means[side].mean
	}
	f.ShareDifference = shareDifference(shares[inc], shares[base])
	d := means[inc].mean - means[base].mean
	half := 1.96 * math.Sqrt(means[inc].variance+means[base].variance)
	f.Difference = tracewhy.Estimate{Value: d, Low: d - half, High: d + half}
	if a.kind == StructureOrder {
		f.Difference = f.ShareDifference
	}
	failed := t.failedRows(a.caller)
	var affected []int32
	for k, row := range a.asked.rows {
		side := base
		if a.label[k] {
			side = inc
		}
		f.Traces[side]++
		shows := a.shows(k)
		id := t.c.traces[t.rows[row]].ID()
		if shows == (side == inc) && len(f.Exemplars[side]) < exemplarsListed {
			f.Exemplars[side] = append(f.Exemplars[side], id)
		}
		if !shows {
			continue
		}
		f.Shown[side]++
		if failed[row] {
			f.Failed[side]++
		}
		if side == inc {
			affected = append(affected, t.rows[row])
		}
	}
	f.Affected = t.c.cohort(affected)
	f.Contribution = t.contribution(a, hit)
	return f
}

func shareDifference(incident, baseline moments) tracewhy.Estimate {
	e := stats.ProportionDifference(incident.mean*incident.size, incident.size, baseline.mean*baseline.size, baseline.size, 0.95)
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// failedRows says in which rows an execution of the caller failed.
func (t *structureTable) failedRows(c *caller) map[int32]bool {
	failed := map[int32]bool{}
	for _, x := range c.runs {
		if x.failed {
			failed[x.row] = true
		}
	}
	return failed
}

// contribution is the difference of affected traces and others in how many executions show it, at the
// affected traces' mix of strata. A trace without the caller shows nothing.
func (t *structureTable) contribution(a *structureAnswer, hit []bool) tracewhy.Estimate {
	shown := make([]float64, len(t.rows))
	for k, row := range a.asked.rows {
		shown[row] = a.shown(k)
	}
	type stratum struct{ hits, others float64 }
	strata := map[int]*stratum{}
	for row, is := range hit {
		s := strata[t.stratum[row]]
		if s == nil {
			s = &stratum{}
			strata[t.stratum[row]] = s
		}
		if w := t.c.traces[t.rows[row]].Weight(); is {
			s.hits += w
		} else {
			s.others += w
		}
	}
	weights := make([]float64, len(t.rows))
	for row, is := range hit {
		s := strata[t.stratum[row]]
		switch w := t.c.traces[t.rows[row]].Weight(); {
		case s.hits == 0 || s.others == 0:
		case is:
			weights[row] = w
		default:
			weights[row] = w * s.hits / s.others
		}
	}
	counts := func(is bool) func(int) bool {
		return func(row int) bool { return hit[row] == is && weights[row] > 0 }
	}
	of := weightedMoments(shown, weights, t.cluster, counts(true))
	others := weightedMoments(shown, weights, t.cluster, counts(false))
	if math.IsNaN(of.mean) || math.IsNaN(others.mean) {
		return tracewhy.Unknown()
	}
	return shareDifference(of, others)
}

// maxLevels is how many levels a distribution shows one by one.
const maxLevels = 10

// distribution returns the shares of executions by how many there are: one by one below 10, then doubling.
func (t *structureTable) distribution(a *structureAnswer) []StructureLevel {
	howMany := a.structureStatement
	howMany.from = 0
	levelOf := func(n int32) int {
		from := int(n)
		if from > maxLevels {
			from = maxLevels
			for 2*from <= int(n) {
				from *= 2
			}
		}
		return from
	}
	type counted struct {
		row   int32
		level int
	}
	var list []counted
	runs := map[int32]int{}
	for i, x := range a.caller.runs {
		if n, ok := howMany.value(a.caller, i); ok {
			list = append(list, counted{x.row, levelOf(n)})
			runs[x.row]++
		}
	}
	var total [2]float64
	var out []StructureLevel
	slices.SortStableFunc(list, func(x, y counted) int { return cmp.Compare(x.level, y.level) })
	for _, x := range list {
		side := base
		if t.label[x.row] {
			side = inc
		}
		w := t.c.share[t.rows[x.row]] / float64(runs[x.row])
		if n := len(out); n == 0 || out[n-1].From != x.level {
			out = append(out, StructureLevel{From: x.level})
		}
		out[len(out)-1].Share[side] += w
		total[side] += w
	}
	for k := range out {
		for side, sum := range total {
			if sum > 0 {
				out[k].Share[side] /= sum
			}
		}
	}
	return out
}

func (a *structureAnswer) finalKind() StructureKind {
	switch {
	case a.kind != StructureCalls || a.from != 1:
	case a.sides[base] == 0:
		return StructureNewPath
	case a.sides[inc] == 0:
		return StructureLostPath
	}
	return a.kind
}

// name says what a call is: its operation, and the service if that is another than the caller's.
func (a *structureAnswer) name(id tracewhy.PathID) string {
	p := a.table.c.set.Path(id)
	name := p.Operation()
	if p.Service() != a.caller.path.Service() {
		name = p.Service() + " " + name
	}
	if a.table.through[id] { // and does not reach what others of the name do
		name = "other " + name
	}
	return name
}

// whatBeside says what is different, and where if not in executions of the finding's caller.
func (a *structureAnswer) whatBeside(f *structureAnswer) string {
	if a.caller == f.caller {
		return a.what()
	}
	return a.caller.path.Service() + " " + a.caller.path.Operation() + " " + a.what()
}

// what says what is different, in words.
func (a *structureAnswer) what() string {
	how := "more often "
	switch {
	case a.more && a.sides[base] == 0:
		how = "now "
	case !a.more && a.sides[inc] == 0:
		how = "no longer "
	case !a.more:
		how = "less often "
	}
	from := int(a.from)
	switch a.kind {
	case StructureOrder:
		return how + "calls " + a.name(a.call) + " before " + a.name(a.other)
	case StructureAtOnce:
		return how + "has " + strconv.Itoa(from) + " or more calls running at once"
	case StructureDepth:
		return how + "goes " + strconv.Itoa(from) + " or more levels deep"
	}
	if from == 1 {
		return how + "calls " + a.name(a.call)
	}
	return how + "calls " + a.name(a.call) + " " + times(from) + " or more"
}
