package stats

import (
	"math"
	"testing"
)

// near reports whether got is want to within a relative tolerance; NaN is near NaN.
func near(got, want, tolerance float64) bool {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return true
	}
	return math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), math.Abs(got))
}

// sameEstimate compares everything but the level.
func sameEstimate(t *testing.T, what string, got, want Estimate, tolerance float64) {
	t.Helper()
	if !near(got.Value, want.Value, tolerance) || !near(got.Lo, want.Lo, tolerance) || !near(got.Hi, want.Hi, tolerance) {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

// Published p-values, and those of R's fisher.test for the same tables.
func TestFisher(t *testing.T) {
	for _, test := range []struct {
		source                   string
		table                    Table
		twoSided, greater, less  float64
		midTwoSided, midpGreater float64
	}{
		{
			"R. A. Fisher, The Design of Experiments (1935): a lady tasting tea", Table{3, 1, 1, 3},
			17.0 / 35, 17.0 / 70, 69.0 / 70, 13.0 / 35, 9.0 / 70,
		},
		{
			"R. A. Fisher (1962): convictions of like-sex twins, transposed", Table{2, 10, 15, 3},
			0.0005367241191434357, 0.9999845190186861, 0.000465180943362905, 0.00031187413811891037, 0.9997596690376616,
		},
		{
			"R. A. Fisher (1962): convictions of like-sex twins", Table{10, 2, 3, 15},
			0.0005367241191434357, 0.000465180943362905, 0.9999845190186861, 0.00031187413811891037, 0.00024033096233837966,
		},
		{
			"an empty cell", Table{12, 0, 5, 7},
			0.004576659038901602, 0.002288329519450801, 1, 0.0034324942791762016, 0.0011441647597254005,
		},
		{
			"an empty cell, the other way", Table{0, 20, 5, 15},
			0.04712404712404713, 1, 0.023562023562023564, 0.035343035343035345, 0.9882189882189882,
		},
		{
			"thousands", Table{190, 810, 19, 1981},
			3.107555367144774e-73, 3.107555367144774e-73, 1, math.NaN(), math.NaN(),
		},
		{"nothing observed", Table{}, 1, 1, 1, 0.5, 0.5},
		{"an empty row", Table{3, 4, 0, 0}, 1, 1, 1, 0.5, 0.5},
		{"a negative count", Table{3, -1, 2, 2}, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()},
	} {
		check := func(what string, got, want float64) {
			if !near(got, want, 1e-11) {
				t.Errorf("%s: %v %s = %v, want %v", test.source, test.table, what, got, want)
			}
		}
		check("two-sided", test.table.Fisher(TwoSided), test.twoSided)
		check("greater", test.table.Fisher(Greater), test.greater)
		check("less", test.table.Fisher(Less), test.less)
		if test.source != "thousands" {
			check("mid-p two-sided", test.table.FisherMidP(TwoSided), test.midTwoSided)
			check("mid-p greater", test.table.FisherMidP(Greater), test.midpGreater)
		}
	}
}

func TestSmallestP(t *testing.T) {
	for _, test := range []struct {
		why   string
		table Table
		alt   Alternative
		want  float64
	}{
		{"3 failing of 33 can't support 435 hypotheses", Table{1, 2, 2, 28}, Greater, 1.0 / 5456},
		{"5 failing of 55 can support 4,000", Table{0, 5, 5, 45}, Greater, 1.0 / 3478761},
		{"what everything has tells nothing apart", Table{3, 0, 30, 0}, Greater, 1},
		{"the rarer end", Table{2, 2, 2, 2}, TwoSided, 2.0 / 70},
		{"the lower end", Table{2, 2, 2, 2}, Less, 1.0 / 70},
		{"invalid", Table{-1, 2, 2, 2}, Less, math.NaN()},
	} {
		if got := test.table.SmallestP(test.alt); !near(got, test.want, 1e-12) {
			t.Errorf("%s: got %v, want %v", test.why, got, test.want)
		}
	}
}

// J. B. S. Haldane's ratio; that of the first table equals Firth's penalised logistic regression (R brglm2).
func TestOddsRatio(t *testing.T) {
	for _, test := range []struct {
		table     Table
		ratio, se float64
	}{
		{Table{12, 0, 5, 7}, 34.09090909090909, 1.5476277056034875},
		{Table{10, 2, 3, 15}, 18.6, 0.91949361606519},
		{Table{0, 20, 5, 15}, 0.06873614190687362, 1.5149636294826743},
	} {
		const z = 1.959963984540054
		want := Estimate{Value: test.ratio, Lo: test.ratio * math.Exp(-z*test.se), Hi: test.ratio * math.Exp(z*test.se)}
		sameEstimate(t, "OddsRatio", test.table.OddsRatio(0.95), want, 1e-12)
	}
}

// R. G. Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I.
func TestProportions(t *testing.T) {
	for _, test := range []struct {
		k, n                    float64
		wilsonLo, wilsonHi      float64
		clopperLo, clopperHi    float64
		wilsonLevel, exactLevel float64
	}{
		{k: 81, n: 263, wilsonLo: 0.2552885198782742, wilsonHi: 0.36620957698280004, clopperLo: 0.2527367455852713, clopperHi: 0.36762192260135146},
		{k: 15, n: 148, wilsonLo: 0.0623863995307363, wilsonHi: 0.16048724172330803, clopperLo: 0.05784401008344857, clopperHi: 0.161650490349479},
		{k: 0, n: 20, wilsonLo: 0, wilsonHi: 0.16112515805281938, clopperLo: 0, clopperHi: 0.1684334709830853},
		{k: 1, n: 29, wilsonLo: 0.006113214292762653, wilsonHi: 0.17175521879320288, clopperLo: 0.000872646883579922, clopperHi: 0.1776442954887229},
		{k: 29, n: 29, wilsonLo: 0.8830302015002593, wilsonHi: 1, clopperLo: 0.8805551309304973, clopperHi: 1},
	} {
		sameEstimate(t, "Wilson", Wilson(test.k, test.n, 0.95), Estimate{test.k / test.n, test.wilsonLo, test.wilsonHi, 0}, 1e-11)
		sameEstimate(t, "ClopperPearson", ClopperPearson(test.k, test.n, 0.95), Estimate{test.k / test.n, test.clopperLo, test.clopperHi, 0}, 1e-11)
	}
}

// R. G. Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, table II, method 10.
func TestProportionDifference(t *testing.T) {
	for _, test := range []struct{ k1, n1, k2, n2, diff, lo, hi float64 }{
		{56, 70, 48, 80, 0.2, 0.05243147240236498, 0.333872654036906},
		{9, 10, 3, 10, 0.6, 0.17052272393450302, 0.8090179735354881},
		{6, 7, 2, 7, 4.0 / 7, 0.0582279274823122, 0.8062496375242277},
		{5, 56, 0, 29, 5.0 / 56, -0.03813714790353688, 0.19256001385511162},
		{0, 10, 0, 20, 0, -0.16112515805281938, 0.2775327998628892},
		{10, 10, 0, 10, 1, 0.6075093504305242, 1},
	} {
		got := ProportionDifference(test.k1, test.n1, test.k2, test.n2, 0.95)
		sameEstimate(t, "ProportionDifference", got, Estimate{test.diff, test.lo, test.hi, 0}, 1e-11)
		table := Table{int(test.k1), int(test.n1 - test.k1), int(test.k2), int(test.n2 - test.k2)}
		if got2 := table.RiskDifference(0.95); got2 != got {
			t.Errorf("%v.RiskDifference = %v, want %v", table, got2, got)
		}
	}
}
