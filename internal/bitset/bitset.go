// Package bitset holds fixed-size sets of small integers, one bit each.
package bitset

import (
	"iter"
	"math/bits"
)

// Set is a set of integers in [0, n). Copying the struct shares its bits.
type Set struct {
	words []uint64
	n     int
}

// New returns an empty set of integers in [0, n).
func New(n int) Set { return Set{make([]uint64, (n+63)/64), n} }

// Add puts i into the set.
func (s Set) Add(i int) { s.words[i>>6] |= 1 << (i & 63) }

// Has reports whether i is in the set.
func (s Set) Has(i int) bool {
	return i >= 0 && i < s.n && s.words[i>>6]&(1<<(i&63)) != 0
}

// Fill puts every integer in [0, n) into the set.
func (s Set) Fill() {
	for i := range s.words {
		s.words[i] = ^uint64(0)
	}
	if r := s.n & 63; r != 0 {
		s.words[len(s.words)-1] = 1<<r - 1
	}
}

// Len returns how many integers are in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// And returns the integers in both sets, which have the same bound.
func (s Set) And(t Set) Set { return s.merge(t, func(a, b uint64) uint64 { return a & b }) }

// Or returns the integers in either set, which have the same bound.
func (s Set) Or(t Set) Set { return s.merge(t, func(a, b uint64) uint64 { return a | b }) }

// Minus returns the integers in s and not in t, which have the same bound.
func (s Set) Minus(t Set) Set { return s.merge(t, func(a, b uint64) uint64 { return a &^ b }) }

func (s Set) merge(t Set, op func(a, b uint64) uint64) Set {
	r := New(s.n)
	for i := range r.words {
		r.words[i] = op(s.words[i], t.words[i])
	}
	return r
}

// LenAnd returns how many integers are in both sets, without making a third.
func (s Set) LenAnd(t Set) int {
	n := 0
	for i, w := range s.words {
		n += bits.OnesCount64(w & t.words[i])
	}
	return n
}

// All yields the integers in the set, ascending.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s.words {
			for ; w != 0; w &= w - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}
