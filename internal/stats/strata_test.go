package stats

import (
	"math"
	"testing"
)

// TestFisherStratified compares the convolution with the enumeration of all pairs of tables.
func TestFisherStratified(t *testing.T) {
	strata := []Table{{3, 2, 1, 6}, {4, 1, 2, 3}}
	want := 0.0
	h0, h1 := newHypergeometric(strata[0].margins()), newHypergeometric(strata[1].margins())
	for a := h0.lo; a <= h0.hi; a++ {
		for b := h1.lo; b <= h1.hi; b++ {
			if a+b >= 7 {
				want += h0.mass(a) * h1.mass(b)
			}
		}
	}
	got, smallest := FisherStratified(strata)
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("p = %v, want %v", got, want)
	}
	if limit := h0.mass(h0.hi) * h1.mass(h1.hi); math.Abs(smallest-limit) > 1e-15 {
		t.Errorf("smallest p = %v, want %v", smallest, limit)
	}

	single := Table{7, 3, 2, 9}
	if got, _ := FisherStratified([]Table{single, {5, 0, 5, 0}}); math.Abs(got-single.Fisher(Greater)) > 1e-12 {
		t.Errorf("one informative stratum: p = %v, want Fisher's %v", got, single.Fisher(Greater))
	}
	if p, smallest := FisherStratified([]Table{{5, 0, 5, 0}}); p != 1 || smallest != 1 {
		t.Errorf("nothing to compare: p = %v, smallest %v, want 1 and 1", p, smallest)
	}

	// A mix that changed, with no association in either stratum, is no association (Simpson's paradox).
	if p, _ := FisherStratified([]Table{{90, 10, 9, 1}, {1, 9, 10, 90}}); p < 0.3 {
		t.Errorf("changed mix alone: p = %v", p)
	}
	if p := (Table{91, 19, 19, 91}).Fisher(Greater); p > 1e-6 {
		t.Errorf("the pooled table must mislead, or the case shows nothing: p = %v", p)
	}

	// Where the total is too long to convolve, it is the corrected Cochran–Mantel–Haenszel test.
	large := []Table{{2600, 2400, 2500, 2500}, {2550, 2450, 2500, 2500}}
	approx, _ := FisherStratified(large)
	// A - E(A) is 50 + 25, its variance 624.81 + 624.93: z = (75-0.5)/35.35 = 2.1073, whose upper tail is 0.01755.
	if math.Abs(approx-0.01755) > 1e-4 {
		t.Errorf("large strata: p = %v, want 0.01755", approx)
	}
}
