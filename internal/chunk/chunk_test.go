package chunk

import (
	"slices"
	"testing"
)

func TestListIsASlice(t *testing.T) {
	var list List[int]
	var want []int
	check := func() {
		t.Helper()
		n := len(want)
		if list.Len() != n {
			t.Fatalf("Len %d, want %d", list.Len(), n)
		}
		for _, from := range []int{0, 1, size - 1, size, size + 1, 2*size - 5, n - 1, n} {
			for _, to := range []int{0, 1, size - 1, size, size + 1, 2 * size, 2*size + 5, n} {
				if from < 0 || from > n || to > n {
					continue
				}
				var part []int
				if from < to {
					part = want[from:to]
				}
				if got := list.Range(from, to); !slices.Equal(got, part) {
					t.Fatalf("Range(%d, %d) has %d elements, want %d", from, to, len(got), len(part))
				}
			}
		}
		for _, i := range []int{0, size - 1, size, n - 1} {
			if i >= 0 && i < n && *list.At(i) != want[i] {
				t.Fatalf("At(%d) = %d, want %d", i, *list.At(i), want[i])
			}
		}
	}
	add := func(n int) {
		for range n {
			list.Append(7 * len(want))
			want = append(want, 7*len(want))
		}
		check()
	}
	extend := func(n int) {
		more := make([]int, n)
		for i := range more {
			more[i] = -i
		}
		list.Extend(more)
		want = append(want, more...)
		check()
	}
	cut := func(n int) {
		list.Truncate(n)
		want = want[:n]
		check()
	}
	check()
	add(3)
	add(size - 3)
	add(1)
	add(3 * size)
	*list.At(5), want[5] = 1, 1
	cut(2*size + 1)
	cut(2 * size)
	add(2)
	cut(size - 1)
	add(size)
	cut(1)
	extend(0)
	extend(5)
	extend(size - 6)
	extend(3*size + 2)
	cut(size)
	extend(1)
	cut(1)
	cut(0)
	add(size + 1)
}

// A long list does not move what it holds.
func TestElementsStay(t *testing.T) {
	var list List[int]
	for range size + 1 {
		list.Append(0)
	}
	p, q := list.At(0), list.At(size)
	for range 10 * size {
		list.Append(0)
	}
	if p != list.At(0) || q != list.At(size) {
		t.Error("an element moved")
	}
}

func BenchmarkAppend(b *testing.B) {
	var list List[[9]uint64]
	for b.Loop() {
		list.Append([9]uint64{})
	}
}
