package bitset

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// fill makes a set and, as the reference, the sorted list of what is in it.
func fill(rng *rand.Rand, n int) (Set, []int) {
	s := New(n)
	var list []int
	for i := range n {
		if rng.IntN(3) == 0 {
			s.Add(i)
			list = append(list, i)
		}
	}
	return s, list
}

func TestAgainstLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 63, 64, 65, 127, 128, 200, 1000} {
		a, listA := fill(rng, n)
		b, listB := fill(rng, n)
		in := func(list []int) func(int) bool { return func(i int) bool { return slices.Contains(list, i) } }
		var and, or, minus []int
		for i := range n {
			x, y := in(listA)(i), in(listB)(i)
			if x && y {
				and = append(and, i)
			}
			if x || y {
				or = append(or, i)
			}
			if x && !y {
				minus = append(minus, i)
			}
			if a.Has(i) != x {
				t.Errorf("n=%d: Has(%d) = %v", n, i, !x)
			}
		}
		for _, tt := range []struct {
			op   string
			got  Set
			want []int
		}{
			{"a", a, listA}, {"and", a.And(b), and}, {"or", a.Or(b), or}, {"minus", a.Minus(b), minus},
		} {
			if got := slices.Collect(tt.got.All()); !slices.Equal(got, tt.want) || tt.got.Len() != len(tt.want) {
				t.Errorf("n=%d: %s is %v (Len %d), want %v", n, tt.op, got, tt.got.Len(), tt.want)
			}
		}
		if a.LenAnd(b) != len(and) {
			t.Errorf("n=%d: LenAnd %d, want %d", n, a.LenAnd(b), len(and))
		}
	}
}

func TestBounds(t *testing.T) {
	for _, n := range []int{0, 1, 64, 65} {
		s := New(n)
		s.Fill()
		if s.Len() != n || s.Has(-1) || s.Has(n) || s.Has(n+64) {
			t.Errorf("n=%d: a full set has %d, and %v %v outside", n, s.Len(), s.Has(-1), s.Has(n))
		}
	}
	if s := (Set{}); s.Len() != 0 || s.Has(0) || s.LenAnd(Set{}) != 0 || s.And(Set{}).Len() != 0 {
		t.Error("the zero Set is not empty")
	}
}

func TestAllStops(t *testing.T) {
	s := New(200)
	s.Fill()
	n := 0
	for i := range s.All() {
		if n++; i == 70 {
			break
		}
	}
	if n != 71 {
		t.Errorf("the loop ran %d times, want 71", n)
	}
}

func BenchmarkLenAnd(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, _ := fill(rng, 100_000)
	y, _ := fill(rng, 100_000)
	n := 0
	for b.Loop() {
		n += x.LenAnd(y)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x.words)), "ns/word")
}
