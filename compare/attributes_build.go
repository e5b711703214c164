package compare

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// attributeHypothesis is one question: conditions that hold for one set of traces, or a trend.
type attributeHypothesis struct {
	conditions  []AttributeCondition // the first stands for the others, which are aliases
	field       int32
	set         bitset.Compact
	isCut       bool
	consequence string
	observed    int
	tail        *stats.ConditionalTail

	trend  string
	cuts   []bitset.Set // of a trend: traces at or above each cut
	has    bitset.Set   // of a trend: traces with a number
	center float64
	mean   float64
	sd     float64

	p, q, adjusted float64
}

const (
	minIDs      = 20  // traces with a key before its values can count as identifiers
	idShare     = 0.8 // values per trace that make them identifiers
	minNumbers  = 3   // distinct numbers that make a range
	minFailures = 5   // failed spans with a key that no other has, before it is a consequence
)

// cutShares are where ranges of numbers are cut: quantiles of all traces, whichever cohort they are of.
var cutShares = []float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98}

// build lists the questions: values, missing keys, cuts and trends of numbers.
func (a *attributeTable) build() {
	order := make([]int32, len(a.fields))
	for f := range order {
		order[f] = int32(f)
	}
	slices.SortFunc(order, func(x, y int32) int {
		p, q := &a.fields[x], &a.fields[y]
		return cmp.Or(cmp.Compare(p.key, q.key), cmp.Compare(p.place, q.place), cmp.Compare(p.service, q.service))
	})
	for _, f := range order {
		a.buildField(f)
	}
	a.collapse()
}

func (a *attributeTable) buildField(f int32) {
	d := &a.fields[f]
	out := func(reason string) {
		a.leftOut = append(a.leftOut, LeftOutAttribute{Key: d.key, Place: d.place, Service: d.service, Reason: reason, Values: len(d.levels)})
	}
	if d.key == a.cfg.Cluster && a.cfg.Cluster != "" {
		out("the clusters are made of it")
		return
	}
	consequence := consequenceByName(d.key, a.cfg.Consequences)
	if consequence == "" && d.place != PlaceResource && d.failedSpans == d.spans && d.spans >= minFailures && d.rows < len(a.traces) {
		consequence = "recorded on spans that failed, and no others"
	}
	add := func(op tracewhy.Op, v tracewhy.Value, set bitset.Set, isCut bool) *attributeHypothesis {
		h := &attributeHypothesis{field: f, set: set.Compact(), isCut: isCut, consequence: consequence, conditions: []AttributeCondition{{
			Condition: tracewhy.Condition{Key: d.key, Op: op, Value: v}, Place: d.place, Service: d.service,
		}}}
		a.hypotheses = append(a.hypotheses, h)
		return h
	}
	add(tracewhy.OpMissing, tracewhy.Value{}, a.absent[f], false)
	manyValues := d.rows >= minIDs && float64(len(d.levels)) >= idShare*float64(d.rows)
	inOrder := float64(d.ascending) >= 0.95*float64(d.rows)
	if manyValues && (!d.numeric || isIDName(d.key) || inOrder) {
		out("identifiers: nearly one value a trace")
		return
	}
	levels := slices.Clone(d.levels)
	slices.SortFunc(levels, func(x, y int32) int {
		p, q := &a.level[x], &a.level[y]
		return cmp.Or(cmp.Compare(p.number, q.number), cmp.Compare(p.value.Kind(), q.value.Kind()), cmp.Compare(p.value.String(), q.value.String()))
	})
	for _, l := range levels {
		rows := a.level[l].rows
		if len(rows) < 2 || len(rows) == len(a.traces) {
			continue
		}
		set := bitset.New(len(a.traces))
		for _, row := range rows {
			set.Add(int(row))
		}
		add(tracewhy.OpEqual, a.level[l].value, set, false)
	}
	if d.numeric && len(levels) >= minNumbers && !isIDName(d.key) {
		a.buildCuts(levels, add)
	}
}

// buildCuts asks about a range of numbers: at or above a cut, below it, and whether there is a trend over
// the parts between cuts.
func (a *attributeTable) buildCuts(levels []int32, add func(tracewhy.Op, tracewhy.Value, bitset.Set, bool) *attributeHypothesis) {
	total := 0
	for _, l := range levels {
		total += len(a.level[l].rows)
	}
	var cuts []int // indices of levels that a part begins with
	sum, next := 0, 0
	for i, l := range levels {
		if i > 0 && next < len(cutShares) && float64(sum) >= cutShares[next]*float64(total) {
			cuts = append(cuts, i)
		}
		sum += len(a.level[l].rows)
		for next < len(cutShares) && float64(sum) > cutShares[next]*float64(total) {
			if k := len(cuts); i+1 < len(levels) && (k == 0 || cuts[k-1] != i+1) {
				cuts = append(cuts, i+1)
			}
			next++
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var above []bitset.Set
	has := bitset.New(len(a.traces))
	for _, l := range levels {
		for _, row := range a.level[l].rows {
			has.Add(int(row))
		}
	}
	for _, c := range cuts {
		high, low := bitset.New(len(a.traces)), bitset.New(len(a.traces))
		for i, l := range levels {
			to := low
			if i >= c {
				to = high
			}
			for _, row := range a.level[l].rows {
				to.Add(int(row))
			}
		}
		v := a.level[levels[c]].value
		add(tracewhy.OpAtLeast, v, high, true)
		add(tracewhy.OpLess, v, low, true)
		above = append(above, high)
	}
	if len(cuts) < 2 {
		return
	}
	for _, trend := range []string{"rising", "falling"} {
		middle := cuts[len(cuts)/2]
		op, set := tracewhy.OpAtLeast, above[len(cuts)/2]
		if trend == "falling" {
			op, set = tracewhy.OpLess, has.Minus(set)
		}
		h := add(op, a.level[levels[middle]].value, set, true)
		h.trend, h.cuts, h.has = trend, above, has
		a.moments(h)
	}
}

// moments computes mean and variance of a trend's statistic, given how many of each stratum are affected.
func (a *attributeTable) moments(h *attributeHypothesis) {
	score := make([]int, len(a.traces))
	sum := 0
	for _, c := range h.cuts {
		for i := range c.All() {
			score[i]++
			sum++
		}
	}
	h.center = float64(sum) / float64(max(1, h.has.Len()))
	type moment struct{ n, affected, sum, square float64 }
	ms := make([]moment, a.strata)
	for i, s := range a.stratum {
		m := &ms[s]
		m.n++
		if a.label.Has(i) {
			m.affected++
		}
		if h.has.Has(i) {
			x := float64(score[i]) - h.center
			m.sum += x
			m.square += float64(x * x)
		}
	}
	variance := 0.0
	for _, m := range ms {
		mean := m.sum / m.n
		h.mean += float64(m.affected * mean)
		if m.n > 1 {
			variance += float64(m.affected * (m.n - m.affected) / m.n / (m.n - 1) * (m.square - float64(m.sum*mean)))
		}
	}
	h.sd = math.Sqrt(max(variance, 0))
}

// collapse joins questions about the same traces, and drops those that no outcome could answer.
func (a *attributeTable) collapse() {
	same := map[string]*attributeHypothesis{}
	var kept []*attributeHypothesis
	for _, h := range a.hypotheses {
		hash, number := fnv.New128a(), [4]byte{}
		tables := make([]stats.Table, a.strata)
		holders := 0
		for i := range h.set.All() {
			binary.LittleEndian.PutUint32(number[:], uint32(i))
			hash.Write(number[:])
			if tables[a.stratum[i]].A++; a.label.Has(i) {
				h.observed++
			}
			holders++
		}
		if holders == 0 || holders == len(a.traces) {
			continue
		}
		key := fmt.Sprint(string(hash.Sum(nil)), h.trend, h.consequence != "")
		if h.trend != "" {
			key += fmt.Sprint(h.field)
		}
		if x := same[key]; x != nil {
			if c := h.conditions[0]; !x.isCut || x.field != h.field { // cuts of one number are one question
				x.conditions = append(x.conditions, c)
			}
			continue
		}
		same[key] = h
		h.tail = a.tailOf(tables)
		if h.trend == "" && h.tail.Smallest() > a.cfg.Alpha || h.trend != "" && h.sd == 0 {
			continue
		}
		kept = append(kept, h)
	}
	a.hypotheses = kept
}

// tailOf completes tables that hold each stratum's number of traces with the condition in A.
func (a *attributeTable) tailOf(tables []stats.Table) *stats.ConditionalTail {
	sizes := make([][2]int, a.strata)
	for i, s := range a.stratum {
		if a.label.Has(i) {
			sizes[s][inc]++
		} else {
			sizes[s][base]++
		}
	}
	for s := range tables {
		holders, n := tables[s].A, sizes[s]
		hit := min(holders, n[inc])
		tables[s] = stats.Table{A: hit, B: n[inc] - hit, C: holders - hit, D: n[base] - holders + hit}
	}
	return stats.NewConditionalTail(tables)
}
