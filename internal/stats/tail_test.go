package stats

import "testing"

func TestConditionalTailIsFisher(t *testing.T) {
	for _, strata := range [][]Table{
		{{3, 1, 1, 3}}, {{10, 2, 3, 15}}, {{5, 5, 5, 5}, {1, 3, 4, 9}}, {{4, 0, 0, 4}}, {{3, 4, 0, 0}},
	} {
		tail := NewConditionalTail(strata)
		total := 0
		for _, s := range strata {
			total += s.A
		}
		p, smallest := FisherStratified(strata)
		if !near(tail.P(total), p, 1e-11) || !near(tail.Smallest(), smallest, 1e-11) {
			t.Errorf("%v: %v, smallest %v; want %v, %v", strata, tail.P(total), tail.Smallest(), p, smallest)
		}
	}
}

func TestRiskDifferenceStratified(t *testing.T) {
	one := Table{56, 14, 48, 32} // R. G. Newcombe (1998)
	sameEstimate(t, "one stratum", RiskDifferenceStratified([]Table{one}, 0.95), Estimate{Value: 0.2, Lo: 0.05243147240236498, Hi: 0.333872654036906}, 1e-9)
	// (10·10/20)·(0.5-0.2) and (20·20/40)·(0.4-0.1), over 15
	two := RiskDifferenceStratified([]Table{{5, 5, 2, 8}, {8, 12, 2, 18}}, 0.95)
	approx(t, "two strata", two.Value, 0.3, 1e-12)
	if RiskDifferenceStratified([]Table{{3, 4, 0, 0}}, 0.95).Defined() {
		t.Error("one row has a difference")
	}
}
