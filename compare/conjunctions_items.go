package compare

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// combination is the conditions of a pattern by their numbers, ascending; the rest is -1.
type combination [maxConditions]int32

const maxConditions = 3

func combine(items ...int32) combination {
	c := combination{-1, -1, -1}
	copy(c[:], items)
	slices.Sort(c[:len(items)])
	return c
}

// items returns the numbers of the conditions.
func (c combination) items() []int32 {
	n := 0
	for n < maxConditions && c[n] >= 0 {
		n++
	}
	return c[:n]
}

// without returns the combination less the conditions of d.
func (c combination) without(d combination) combination {
	var rest []int32
	for _, i := range c.items() {
		if !slices.Contains(d.items(), i) {
			rest = append(rest, i)
		}
	}
	return combine(rest...)
}

// conjunctionSearch holds what is searched.
type conjunctionSearch struct {
	*attributeTable
	cfg   ConjunctionsConfig
	items []*attributeHypothesis // by the number of traces, ascending
	sets  []bitset.Compact       // by item
	// inPairs and inTriples are the items that are combined.
	inPairs, inTriples []bool
	sample             []int32 // the traces searched
	searched           [2]int  // how many they are, by cohort
	setOf              map[combination]bitset.Compact
}

// How many pairs and triples one search may look at, times the number of traces over 64. That is some seconds.
const (
	maxPairSteps   = 1 << 26
	maxTripleSteps = 1 << 24
)

func newConjunctionSearch(a *attributeTable, cfg ConjunctionsConfig) *conjunctionSearch {
	s := &conjunctionSearch{attributeTable: a, cfg: cfg, setOf: map[combination]bitset.Compact{}}
	for _, h := range a.hypotheses {
		if h.consequence == "" && h.trend == "" {
			s.items = append(s.items, h)
		}
	}
	slices.SortStableFunc(s.items, func(x, y *attributeHypothesis) int { return cmp.Compare(x.set.Len(), y.set.Len()) })
	for _, h := range s.items {
		s.sets = append(s.sets, h.set)
	}
	m := len(s.items)
	if cfg.MaxTraces <= 0 {
		s.cfg.MaxTraces = 1000
	}
	s.takeSample()
	words := float64(len(s.sample)/64 + 1)
	pairs := min(m, int(math.Sqrt(2*maxPairSteps/words)))
	triples := min(pairs, int(math.Cbrt(6*maxTripleSteps/words)))
	s.inPairs, s.inTriples = s.choose(pairs), s.choose(triples)
	if left := m - triples; left > 0 && cfg.MaxConditions > 2 {
		a.warnings = append(a.warnings, tracewhy.Warning{
			Code: WarningSearchCut, Count: left,
			Message: fmt.Sprintf("of %d conditions, %d were combined to pairs, and %d to triples: those of each attribute that divide the traces most evenly", m, pairs, triples),
		})
	}
	return s
}

// choose marks n items, whatever the cohorts: of each attribute first the one that divides the traces most
// evenly, then the next. Parts of a combination of several hold for many traces.
func (s *conjunctionSearch) choose(n int) []bool {
	order := make([]int, len(s.items))
	for i := range order {
		order[i] = i
	}
	evenness := func(i int) int { k := s.sets[i].Len(); return min(k, len(s.traces)-k) }
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(evenness(j), evenness(i)) })
	rank, ofField := make([]int, len(s.items)), map[int32]int{}
	for _, i := range order {
		f := s.items[i].field
		rank[i] = ofField[f]
		ofField[f]++
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rank[i], rank[j]) })
	marked := make([]bool, len(s.items))
	for _, i := range order[:n] {
		marked[i] = true
	}
	return marked
}

// takeSample chooses the traces to search: of each cohort those with the smallest hashes of their ids.
func (s *conjunctionSearch) takeSample() {
	affected := min(s.count[inc], max(s.cfg.MaxTraces/2, s.cfg.MaxTraces-s.count[base]))
	s.searched = [2]int{base: min(s.count[base], s.cfg.MaxTraces-affected), inc: affected}
	type hashed struct {
		hash  uint64
		trace int32
	}
	var sides [2][]hashed
	for i, t := range s.traces {
		id := t.ID()
		side := base
		if s.label.Has(i) {
			side = inc
		}
		hash := stats.NewRand(s.cfg.Seed, binary.BigEndian.Uint64(id[:]), binary.BigEndian.Uint64(id[8:])).Uint64()
		sides[side] = append(sides[side], hashed{hash, int32(i)})
	}
	for side, list := range sides {
		if len(list) > s.searched[side] {
			slices.SortFunc(list, func(x, y hashed) int { return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.trace, y.trace)) })
			list = list[:s.searched[side]]
		}
		for _, x := range list {
			s.sample = append(s.sample, x.trace)
		}
	}
	slices.Sort(s.sample)
	if left := len(s.traces) - len(s.sample); left > 0 {
		s.warnings = append(s.warnings, tracewhy.Warning{
			Code: WarningSearchSampled, Count: left,
			Message: "not all traces were searched: combinations that are rare in the sample may be overlooked",
		})
	}
}

// canCombine reports whether two conditions can be parts of one combination: they are of different attributes,
// or the ends of a range, or parts of a list.
func (s *conjunctionSearch) canCombine(i, j int32) bool {
	x, y := s.items[i], s.items[j]
	if x.field != y.field {
		return true
	}
	p, q := x.conditions[0].Op, y.conditions[0].Op
	return p == tracewhy.OpHas && q == tracewhy.OpHas ||
		p == tracewhy.OpAtLeast && q == tracewhy.OpLess || p == tracewhy.OpLess && q == tracewhy.OpAtLeast
}

// canExtend reports whether the condition can be added to the combination.
func (s *conjunctionSearch) canExtend(c combination, j int32) bool {
	for _, i := range c.items() {
		if i == j || !s.canCombine(i, j) {
			return false
		}
	}
	return true
}

// set returns the traces that meet all conditions.
func (s *conjunctionSearch) set(c combination) bitset.Compact {
	items := c.items()
	if len(items) == 1 {
		return s.sets[items[0]]
	}
	if set, ok := s.setOf[c]; ok {
		return set
	}
	set := s.sets[items[0]]
	for _, i := range items[1:] {
		set = set.And(s.sets[i])
	}
	s.setOf[c] = set
	return set
}

// cells divides traces by stratum and by which of the combinations they meet.
func (s *conjunctionSearch) cells(traces []int32, combinations []combination) []int {
	number := map[string]int{}
	cells := make([]int, len(traces))
	var key []byte
	for k, t := range traces {
		key = binary.AppendUvarint(key[:0], uint64(s.stratum[t]))
		for _, c := range combinations {
			b := byte(0)
			if s.set(c).Has(int(t)) {
				b = 1
			}
			key = append(key, b)
		}
		cell, ok := number[string(key)]
		if !ok {
			cell = len(number)
			number[string(key)] = cell
		}
		cells[k] = cell
	}
	return cells
}
