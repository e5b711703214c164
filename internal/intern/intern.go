// Package intern numbers distinct strings: each gets a small integer, in order of first appearance.
//
// The bytes of all strings lie in one arena without pointers, so that a table of millions costs the
// garbage collector nothing.
package intern

import (
	"hash/maphash"
	"math"
	"unsafe"
)

// Table maps strings to the numbers 0, 1, 2 …. The zero Table is empty and ready to use.
// It is not safe for concurrent writers; once written it is safe for concurrent readers of [Table.String].
type Table struct {
	seed  maphash.Seed
	slots []slot // open addressing, a power of two, at most two thirds full
	arena []byte
	ends  []uint64 // ends[i] is where string i stops in the arena; it starts where i-1 stops
}

// A slot holds a string's number plus one (0: free) and the upper bits of its hash.
type slot struct{ num, hash uint32 }

// Len returns how many distinct strings the table holds.
func (t *Table) Len() int { return len(t.ends) }

// String returns string number i. It shares the arena's memory, which is never overwritten.
func (t *Table) String(i uint32) string {
	var from uint64
	if i > 0 {
		from = t.ends[i-1]
	}
	b := t.arena[from:t.ends[i]]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Intern returns the number of s, and whether it is new. The table keeps a copy of s.
// It panics when more than 2^32-2 strings are added, which no caller within its memory reaches.
func (t *Table) Intern(s string) (num uint32, added bool) {
	if 3*len(t.ends) >= 2*len(t.slots) {
		t.grow()
	}
	h := maphash.String(t.seed, s)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		sl := &t.slots[i]
		if sl.num == 0 {
			if uint64(len(t.ends)) >= math.MaxUint32-1 {
				panic("intern: too many strings")
			}
			t.arena = append(t.arena, s...)
			t.ends = append(t.ends, uint64(len(t.arena)))
			*sl = slot{uint32(len(t.ends)), uint32(h >> 32)}
			return sl.num - 1, true
		}
		if sl.hash == uint32(h>>32) && t.String(sl.num-1) == s {
			return sl.num - 1, false
		}
	}
}

// Find returns the number of s, if the table holds it.
func (t *Table) Find(s string) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	h := maphash.String(t.seed, s)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		sl := t.slots[i]
		if sl.num == 0 {
			return 0, false
		}
		if sl.hash == uint32(h>>32) && t.String(sl.num-1) == s {
			return sl.num - 1, true
		}
	}
}

func (t *Table) grow() {
	if len(t.slots) == 0 {
		t.seed = maphash.MakeSeed()
	}
	size := max(64, 2*len(t.slots))
	for 3*len(t.ends) >= 2*size {
		size *= 2
	}
	t.slots = make([]slot, size)
	mask := uint64(len(t.slots) - 1)
	for n := range t.ends {
		h := maphash.String(t.seed, t.String(uint32(n)))
		i := h & mask
		for t.slots[i].num != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = slot{uint32(n) + 1, uint32(h >> 32)}
	}
}

// Select returns a table of the strings with the given numbers, renumbered in that order.
// It is for reading: it finds nothing, and interning into it starts by indexing it whole.
func (t *Table) Select(nums []uint32) *Table {
	size := 0
	for _, n := range nums {
		size += len(t.String(n))
	}
	s := &Table{arena: make([]byte, 0, size), ends: make([]uint64, 0, len(nums))}
	for _, n := range nums {
		s.arena = append(s.arena, t.String(n)...)
		s.ends = append(s.ends, uint64(len(s.arena)))
	}
	return s
}
