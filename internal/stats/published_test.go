package stats

import (
	"math"
	"testing"
)

// Published tables and the values that R, scipy or full enumeration give for them.

func approx(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %.10g, want %.10g", what, got, want)
	}
}

// Y. Benjamini and Y. Hochberg (1995), the fifteen p-values of their example; adjusted by R's p.adjust.
func TestMultipleTesting(t *testing.T) {
	ps := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	for _, c := range []struct {
		name   string
		adjust func([]float64) []float64
		want   []float64
	}{
		{"BH", BenjaminiHochberg, []float64{0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645, 0.0765, 0.486, 0.5811818181818182, 0.714875, 0.7532307692307694, 0.8132142857142857, 1}},
		{"BY", BenjaminiYekutieli, []float64{0.004977343489843491, 0.009954686979686982, 0.03152317543567544, 0.11821190788378289, 0.20008920829170831, 0.21189262285333718, 0.21189262285333718, 0.2140257700632701, 0.253844517982018, 1, 1, 1, 1, 1, 1}},
		{"Holm", Holm, []float64{0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, 1, 1, 1, 1, 1, 1}},
	} {
		for i, q := range c.adjust(ps) {
			approx(t, c.name, q, c.want[i], 1e-12)
		}
		// The order of the p-values does not matter.
		turned := make([]float64, len(ps))
		for i, p := range ps {
			turned[len(ps)-1-i] = p
		}
		for i, q := range c.adjust(turned) {
			approx(t, c.name+" turned round", q, c.want[len(ps)-1-i], 1e-12)
		}
	}
	rejected := 0
	for _, p := range Bonferroni(ps) {
		if p <= 0.05 {
			rejected++
		}
	}
	if rejected != 3 {
		t.Errorf("Bonferroni rejects %d, want 3", rejected)
	}
}

// M. Hollander and D. A. Wolfe (1973), p. 69: permeability of the human chorioamnion. R's wilcox.test, and
// R's package coin for the tied samples.
func TestRankTests(t *testing.T) {
	x := NewSample([]float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46})
	y := NewSample([]float64{1.15, 0.88, 0.90, 0.74, 1.21})
	r := MannWhitney(x, y, Greater)
	approx(t, "U", r.U, 35, 0)
	approx(t, "p, one-sided", r.P, 0.1272061272061272, 1e-12)
	approx(t, "p, two-sided", MannWhitney(x, y, TwoSided).P, 0.2544122544122544, 1e-12)
	shift := Shift(x, y, 0.95)
	approx(t, "shift", shift.Value, 0.305, 1e-9)
	approx(t, "lower limit", shift.Lo, -0.15, 1e-9)
	approx(t, "upper limit", shift.Hi, 0.76, 1e-9)

	x = NewSample([]float64{1, 2, 2, 3, 3, 3, 4, 5})
	y = NewSample([]float64{2, 3, 4, 4, 5, 5, 6, 6})
	r = MannWhitney(x, y, TwoSided)
	approx(t, "U with ties", r.U, 13.5, 0)
	approx(t, "p with ties", r.P, 0.05982905982905983, 1e-12)
	approx(t, "delta", r.Delta, -0.578125, 1e-12)
	if !r.Exact {
		t.Error("8 against 8 values are not tested exactly")
	}
	equal := NewSample([]float64{7, 7, 7, 7})
	if r := MannWhitney(equal, equal, TwoSided); r.P != 1 || r.Delta != 0 {
		t.Errorf("equal values: p %v, delta %v", r.P, r.Delta)
	}
	for n, want := range map[int]float64{3: 0.1, 4: 0.02857142857142857, 5: 0.007936507936507936, 6: 0.0021645021645021645} {
		var low, high []float64
		for i := range n {
			low, high = append(low, float64(i)), append(high, float64(i+n))
		}
		approx(t, "smallest p", MannWhitney(NewSample(low), NewSample(high), TwoSided).P, want, 1e-12)
	}
}

// UC Berkeley's admissions of 1973 (P. J. Bickel et al., 1975), men before women, departments A to F, and the
// kidney stones of C. R. Charig et al. (1986): R's mantelhaen.test, and the test of Breslow and Day.
func TestMantelHaenszel(t *testing.T) {
	berkeley := []Table{{512, 313, 89, 19}, {353, 207, 17, 8}, {120, 205, 202, 391}, {138, 279, 131, 244}, {53, 138, 94, 299}, {22, 351, 24, 317}}
	m := MantelHaenszel(berkeley, 0.95)
	approx(t, "odds ratio", m.OddsRatio.Value, 0.9046968283, 1e-9)
	approx(t, "lower limit", m.OddsRatio.Lo, 0.7719073618, 1e-9)
	approx(t, "upper limit", m.OddsRatio.Hi, 1.0603297644, 1e-9)
	approx(t, "chi square", m.ChiSquare, 1.52460666, 1e-8)
	approx(t, "corrected chi square", m.CorrectedChiSquare, 1.4269462, 1e-6)
	approx(t, "corrected p", m.CorrectedP, 0.2322635, 1e-6)
	approx(t, "heterogeneity", m.Heterogeneity, 18.8255137, 1e-6)
	approx(t, "its p", m.HeterogeneityP, 0.00207139, 1e-5)
	m = MantelHaenszel(berkeley[1:], 0.95)
	approx(t, "odds ratio without department A", m.OddsRatio.Value, 1.0310299972, 1e-9)
	approx(t, "heterogeneity without it", m.HeterogeneityP, 0.6342437359, 1e-6)

	stones := []Table{{81, 6, 234, 36}, {192, 71, 55, 25}}
	m = MantelHaenszel(stones, 0.95)
	approx(t, "stones' odds ratio", m.OddsRatio.Value, 1.446846625, 1e-9)
	approx(t, "stones' p", m.P, 0.1187405, 1e-6)
}

// Sampling by probabilities of 1, 1/2, 1/4 and 1/10.
func TestSamplingWeights(t *testing.T) {
	ones, weights := []float64{1, 1, 1, 1}, []float64{1, 2, 4, 10}
	total, variance := HorvitzThompson(ones, weights)
	approx(t, "total", total, 17, 1e-12)
	approx(t, "variance", variance, 104, 1e-12)
	approx(t, "effective size", EffectiveSize(weights), 2.3884297520661155, 1e-12)
	for th, want := range map[string]float64{"0": 1, "8": 2, "c": 4, "e": 8, "ff": 256, "fd70a4": 100.0001, "3333333333333": 1.25} {
		count, capped, ok := AdjustedCount(th, 1e6)
		approx(t, "th:"+th, count, want, 1e-6)
		if capped || !ok {
			t.Errorf("th:%s: capped %v, ok %v", th, capped, ok)
		}
	}
	if count, capped, ok := AdjustedCount("ffffffffffffff", 1e6); count != 1e6 || !capped || !ok {
		t.Errorf("th:ffffffffffffff is %v (capped %v, ok %v), want the limit", count, capped, ok)
	}
	for _, th := range []string{"", "FF", "0x1", "123456789012345", " 8"} {
		if _, _, ok := AdjustedCount(th, 1e6); ok {
			t.Errorf("th:%q is taken", th)
		}
	}
}

func TestQuantileSampleSize(t *testing.T) {
	for p, want := range map[float64]int{0.5: 6, 0.95: 72, 0.99: 368} {
		if got := QuantileSampleSize(p, 0.95); got != want {
			t.Errorf("the %v quantile needs %d observations, want %d", p, got, want)
		}
	}
}

// The law schools of B. Efron and R. J. Tibshirani (1993); the limits are theirs, good to 0.02.
func TestBootstrapOfTheLawSchools(t *testing.T) {
	lsat := []float64{576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594}
	gpa := []float64{3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96}
	r := Bootstrap{Replicates: 20000, Seed: 1}.Intervals(len(lsat), func(units []int) float64 {
		var sx, sy, sxx, syy, sxy float64
		n := float64(len(units))
		for _, i := range units {
			sx += lsat[i]
			sy += gpa[i]
			sxx += float64(lsat[i] * lsat[i])
			syy += float64(gpa[i] * gpa[i])
			sxy += float64(lsat[i] * gpa[i])
		}
		return (n*sxy - float64(sx*sy)) / math.Sqrt((n*sxx-float64(sx*sx))*(n*syy-float64(sy*sy)))
	})
	approx(t, "correlation", r.BCa.Value, 0.776374491289407, 1e-6)
	approx(t, "percentile, lower", r.Percentile.Lo, 0.456, 0.02)
	approx(t, "percentile, upper", r.Percentile.Hi, 0.961, 0.02)
	approx(t, "BCa, lower", r.BCa.Lo, 0.325, 0.02)
	approx(t, "BCa, upper", r.BCa.Hi, 0.943, 0.02)
}

// Four failing and four healthy units with three attributes: the p-values of all 70 relabellings.
func TestStepDown(t *testing.T) {
	labels := []bool{true, true, true, true, false, false, false, false}
	attributes := [][]bool{
		{true, true, true, true, false, false, false, false},
		{true, true, true, false, true, false, false, false},
		{true, false, true, false, true, false, true, false},
	}
	pvalues := func(labels []bool) []float64 {
		ps := make([]float64, len(attributes))
		for k, has := range attributes {
			var table Table
			for i, failing := range labels {
				switch {
				case failing && has[i]:
					table.A++
				case failing:
					table.B++
				case has[i]:
					table.C++
				default:
					table.D++
				}
			}
			ps[k] = table.Fisher(Greater)
		}
		return ps
	}
	observed := pvalues(labels)
	all := NewRelabellings(labels, nil, 0, 1)
	if all.Len() != 70 || !all.Exact() {
		t.Fatalf("%d relabellings (all: %v), want all 70", all.Len(), all.Exact())
	}
	// Two goroutines' halves, merged in the wrong order.
	halves := [2]*StepDown{NewStepDown(observed), NewStepDown(observed)}
	relabelled := make([]bool, len(labels))
	each := make([][]float64, len(observed)) // the same, all at once
	for i := range all.Len() {
		all.At(i, relabelled)
		ps := pvalues(relabelled)
		halves[i%2].Add(ps)
		for k, p := range ps {
			each[k] = append(each[k], p)
		}
	}
	halves[1].Merge(halves[0])
	want := []float64{3.0 / 70, 26.0 / 70, 53.0 / 70}
	for k, p := range halves[1].Adjusted(all) {
		approx(t, "adjusted p", p, want[k], 1e-12)
	}
	together := NewStepDown(observed)
	smallest := together.AddEach(each)
	for k, p := range together.Adjusted(all) {
		approx(t, "adjusted p", p, want[k], 1e-12)
	}
	for i, p := range smallest {
		approx(t, "smallest p", p, min(each[0][i], each[1][i], each[2][i]), 1e-9)
	}
}
