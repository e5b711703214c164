package bitset

import (
	"iter"
	"math/bits"
	"slices"
)

// Compact is a set of integers in [0, n) that takes little memory where it has few members: they are a sorted
// list as long as that is shorter than one bit each, and a [Set] otherwise. It does not change once it is made.
type Compact struct {
	list  []int32
	dense Set // in use if it has a bound
	n     int
	size  int
}

// isDense says for how many members in [0, n) a bit each is shorter than a list.
func isDense(size, n int) bool { return 32*size > n }

// Of returns the set of the given members of [0, n), which ascend. It keeps the slice where it needs one.
func Of(n int, members []int32) Compact {
	c := Compact{n: n, size: len(members)}
	if !isDense(len(members), n) {
		c.list = members
		return c
	}
	c.dense = New(n)
	for _, i := range members {
		c.dense.Add(int(i))
	}
	return c
}

// Compact returns the same set. It shares bits with s, which must not change after.
func (s Set) Compact() Compact {
	c := Compact{n: s.n, size: s.Len()}
	if isDense(c.size, s.n) {
		c.dense = s
		return c
	}
	c.list = make([]int32, 0, c.size)
	for i := range s.All() {
		c.list = append(c.list, int32(i))
	}
	return c
}

func (c Compact) isDense() bool { return c.dense.n > 0 }

// Len returns how many integers are in the set.
func (c Compact) Len() int { return c.size }

// Has reports whether i is in the set. It takes time in O(log Len()).
func (c Compact) Has(i int) bool {
	if c.isDense() {
		return c.dense.Has(i)
	}
	_, ok := slices.BinarySearch(c.list, int32(i))
	return ok
}

// All yields the integers in the set, ascending.
func (c Compact) All() iter.Seq[int] {
	if c.isDense() {
		return c.dense.All()
	}
	return func(yield func(int) bool) {
		for _, i := range c.list {
			if !yield(int(i)) {
				return
			}
		}
	}
}

// Append appends the integers in the set, ascending, to dst.
func (c Compact) Append(dst []int32) []int32 {
	if !c.isDense() {
		return append(dst, c.list...)
	}
	for i := range c.dense.All() {
		dst = append(dst, int32(i))
	}
	return dst
}

// AppendOthers appends the integers in [0, n) that are not in the set, ascending, to dst.
func (c Compact) AppendOthers(dst []int32) []int32 {
	next := int32(0)
	for i := range c.All() {
		for ; next < int32(i); next++ {
			dst = append(dst, next)
		}
		next = int32(i) + 1
	}
	for ; next < int32(c.n); next++ {
		dst = append(dst, next)
	}
	return dst
}

// LenAnd returns how many integers are in both sets, which have the same bound.
func (c Compact) LenAnd(d Compact) int {
	if c.isDense() && d.isDense() {
		return c.dense.LenAnd(d.dense)
	}
	n := 0
	c.both(d, func(int32) { n++ })
	return n
}

// LenAndSet returns how many integers are in both sets, which have the same bound.
func (c Compact) LenAndSet(s Set) int {
	if c.isDense() {
		return c.dense.LenAnd(s)
	}
	n := 0
	for _, i := range c.list {
		if s.Has(int(i)) {
			n++
		}
	}
	return n
}

// And returns the integers in both sets, which have the same bound.
func (c Compact) And(d Compact) Compact {
	if c.isDense() && d.isDense() {
		return c.dense.And(d.dense).Compact()
	}
	list := make([]int32, 0, min(c.size, d.size))
	c.both(d, func(i int32) { list = append(list, i) })
	return Of(c.n, list)
}

// both calls f with what is in both sets, ascending. At most one of them is dense.
func (c Compact) both(d Compact, f func(int32)) {
	if c.isDense() || !d.isDense() && d.size < c.size {
		c, d = d, c
	}
	rest := d.list
	for _, i := range c.list {
		if d.isDense() {
			if d.dense.Has(int(i)) {
				f(i)
			}
			continue
		}
		at, ok := slices.BinarySearch(rest, i)
		if ok {
			f(i)
		}
		rest = rest[at:]
	}
}

// Minus returns the integers in c and not in d, which have the same bound.
func (c Compact) Minus(d Compact) Compact {
	if c.isDense() && d.isDense() {
		return c.dense.Minus(d.dense).Compact()
	}
	list := make([]int32, 0, c.size)
	for i := range c.All() {
		if !d.Has(i) {
			list = append(list, int32(i))
		}
	}
	return Of(c.n, list)
}

// Equal reports whether two sets of the same bound have the same integers.
func (c Compact) Equal(d Compact) bool {
	if c.size != d.size {
		return false
	}
	if c.isDense() {
		return slices.Equal(c.dense.words, d.dense.words)
	}
	return slices.Equal(c.list, d.list)
}

// Hash returns a number that equal sets of the same bound share.
func (c Compact) Hash() uint64 {
	const odd = 0x9e3779b97f4a7c15 // 2^64/φ
	h := uint64(c.size)
	for _, w := range c.dense.words {
		h = bits.RotateLeft64((h^w)*odd, 29)
	}
	for _, i := range c.list {
		h = bits.RotateLeft64((h^uint64(i))*odd, 29)
	}
	return h
}

// Builder collects a [Compact]. The zero Builder is not ready: see [NewBuilder].
type Builder struct {
	list  []int32
	dense Set
	n     int
	size  int
	next  int // the largest member plus one
}

// NewBuilder returns a Builder of an empty set of integers in [0, n).
func NewBuilder(n int) Builder { return Builder{n: n} }

// Add puts i into the set, unless it was the last one put there. The others have to be smaller.
func (b *Builder) Add(i int) {
	if i < b.next {
		return
	}
	b.next = i + 1
	b.size++
	if b.dense.n > 0 {
		b.dense.Add(i)
		return
	}
	if !isDense(b.size, b.n) {
		b.list = append(b.list, int32(i))
		return
	}
	b.dense = New(b.n)
	for _, j := range b.list {
		b.dense.Add(int(j))
	}
	b.list = nil
	b.dense.Add(i)
}

// Len returns how many integers are in the set.
func (b *Builder) Len() int { return b.size }

// Compact returns the set. Nothing may be added after.
func (b *Builder) Compact() Compact {
	return Compact{list: b.list, dense: b.dense, n: b.n, size: b.size}
}

// Union returns the integers in [0, n) that are in any of the sets, whose bound that is.
func Union(n int, sets ...Compact) Compact {
	if len(sets) == 1 {
		return sets[0]
	}
	size := 0
	for _, c := range sets {
		size += c.size
	}
	if isDense(size, n) {
		all := New(n)
		for _, c := range sets {
			for i, w := range c.dense.words {
				all.words[i] |= w
			}
			for _, i := range c.list {
				all.Add(int(i))
			}
		}
		return all.Compact()
	}
	list := make([]int32, 0, size)
	for _, c := range sets {
		list = append(list, c.list...)
	}
	slices.Sort(list)
	return Of(n, slices.Compact(list))
}
