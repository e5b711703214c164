package bitset

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// built puts each integer into a Builder twice.
func built(n int, members []int) Compact {
	b := NewBuilder(n)
	for _, i := range members {
		b.Add(i)
		b.Add(i)
	}
	return b.Compact()
}

func TestCompactIsSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	some := func(n int, share float64) (Compact, Set) {
		s := New(n)
		var list []int32
		for i := range n {
			if rng.Float64() < share {
				s.Add(i)
				list = append(list, int32(i))
			}
		}
		if c := s.Compact(); !c.Equal(Of(n, list)) {
			t.Fatalf("%v is not %v", list, slices.Collect(c.All()))
		}
		return Of(n, list), s
	}
	for _, n := range []int{0, 1, 63, 64, 65, 1000} {
		for _, share := range []float64{0, 0.01, 0.02, 0.03, 0.04, 0.5, 1} {
			for _, other := range []float64{0, 0.01, 0.03, 0.5, 1} {
				a, denseA := some(n, share)
				b, denseB := some(n, other)
				want := slices.Collect(denseA.All())
				if got := slices.Collect(a.All()); !slices.Equal(got, want) || a.Len() != len(want) {
					t.Errorf("n=%d: all is %v, want %v", n, got, want)
				}
				full := New(n)
				full.Fill()
				for _, tt := range []struct {
					op   string
					got  Compact
					want Set
				}{
					{"and", a.And(b), denseA.And(denseB)}, {"minus", a.Minus(b), denseA.Minus(denseB)},
					{"union", Union(n, a, b, a), denseA.Or(denseB)}, {"built", built(n, want), denseA},
					{"append", Of(n, a.Append(nil)), denseA}, {"others", Of(n, a.AppendOthers(nil)), full.Minus(denseA)},
				} {
					if !tt.got.Equal(tt.want.Compact()) || tt.got.Hash() != tt.want.Compact().Hash() {
						t.Errorf("n=%d: %s is %v, want %v", n, tt.op, slices.Collect(tt.got.All()), slices.Collect(tt.want.All()))
					}
				}
				if both := denseA.LenAnd(denseB); a.LenAnd(b) != both || a.LenAndSet(denseB) != both {
					t.Errorf("n=%d: %d or %d in both, want %d", n, a.LenAnd(b), a.LenAndSet(denseB), both)
				}
				for i := range n {
					if a.Has(i) != denseA.Has(i) {
						t.Errorf("n=%d: Has(%d) = %v", n, i, a.Has(i))
					}
				}
				if a.Equal(b) != slices.Equal(want, slices.Collect(denseB.All())) {
					t.Errorf("n=%d: equal is %v", n, a.Equal(b))
				}
			}
		}
	}
}
