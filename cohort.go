package tracewhy

import (
	"iter"

	"github.com/tracewhy/tracewhy/internal/bitset"
)

// Cohort is a selection of the traces of one Set: the failing ones, the baseline, those of a customer.
// Every analysis compares cohorts. A Cohort is immutable, cheap to copy, and safe for concurrent use.
// The zero Cohort belongs to no Set and has no traces.
type Cohort struct {
	set  *Set
	bits bitset.Set
}

// Set returns the Set that the cohort selects from, or nil for the zero Cohort.
func (c Cohort) Set() *Set { return c.set }

// Len returns the number of traces in the cohort.
func (c Cohort) Len() int { return c.bits.Len() }

// Has reports whether the cohort contains t.
func (c Cohort) Has(t Trace) bool { return c.set != nil && c.set == t.set && c.bits.Has(int(t.num)) }

// Traces yields the cohort's traces in the order of its Set.
func (c Cohort) Traces() iter.Seq[Trace] {
	return func(yield func(Trace) bool) {
		for i := range c.bits.All() {
			if !yield(Trace{c.set, int32(i)}) {
				return
			}
		}
	}
}

// And returns the traces in both cohorts. Like all set algebra it gives the zero Cohort when the two
// select from different Sets.
func (c Cohort) And(d Cohort) Cohort { return c.combine(d, bitset.Set.And) }

// Or returns the traces in either cohort.
func (c Cohort) Or(d Cohort) Cohort { return c.combine(d, bitset.Set.Or) }

// Minus returns the traces in c that are not in d.
func (c Cohort) Minus(d Cohort) Cohort { return c.combine(d, bitset.Set.Minus) }

func (c Cohort) combine(d Cohort, op func(a, b bitset.Set) bitset.Set) Cohort {
	if c.set == nil || c.set != d.set {
		return Cohort{}
	}
	return Cohort{c.set, op(c.bits, d.bits)}
}

// LenAnd returns how many traces are in both cohorts, without making a third.
func (c Cohort) LenAnd(d Cohort) int {
	if c.set == nil || c.set != d.set {
		return 0
	}
	return c.bits.LenAnd(d.bits)
}

// Where returns the cohort's traces that p holds for.
func (c Cohort) Where(p Predicate) Cohort { return c.Select(p.Holds) }

// Select returns the cohort's traces that keep accepts.
func (c Cohort) Select(keep func(Trace) bool) Cohort {
	if c.set == nil {
		return c
	}
	b := bitset.New(len(c.set.traces))
	for i := range c.bits.All() {
		if keep(Trace{c.set, int32(i)}) {
			b.Add(i)
		}
	}
	return Cohort{c.set, b}
}

// Weight returns how many traces the cohort stands for: the sum of [Trace.Weight].
func (c Cohort) Weight() float64 {
	if c.set == nil || c.set.weights == nil {
		return float64(c.Len())
	}
	sum := 0.0
	for i := range c.bits.All() {
		sum += c.set.weights[i]
	}
	return sum
}

// NumSpans returns how many spans the cohort's traces have.
func (c Cohort) NumSpans() int {
	n := 0
	for t := range c.Traces() {
		n += t.NumSpans()
	}
	return n
}
