package evaluate

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var close12 = cmp.Options{cmpopts.EquateApprox(1e-12, 1e-12), cmpopts.EquateNaNs(), cmp.AllowUnexported(placement{})}

func suspects(scores ...float64) []Suspect {
	var s []Suspect
	for i, score := range scores {
		s = append(s, Suspect{Service: string(rune('a' + i)), Score: score})
	}
	return s
}

func TestPlace(t *testing.T) {
	one := func(services ...string) []Cause { return []Cause{{Services: services}} }
	nan := math.NaN()
	for _, test := range []struct {
		name   string
		ranked []Suspect
		causes []Cause
		want   placement
	}{
		{"first", suspects(3, 2, 1), one("a"), placement{[5]float64{1, 1, 1, 1, 1}, 1, 1}},
		{"third", suspects(3, 2, 1), one("c"), placement{[5]float64{0, 0, 1, 1, 1}, 3, 1.0 / 3}},
		{"sixth", suspects(6, 5, 4, 3, 2, 1), one("f"), placement{[5]float64{}, 6, 1.0 / 6}},
		{"not listed", suspects(3, 2, 1), one("x"), placement{[5]float64{}, nan, 0}},
		{"nothing listed", nil, one("x"), placement{[5]float64{}, nan, 0}},
		{"the better of two names", suspects(3, 2, 1), one("c", "b"), placement{[5]float64{0, 1, 1, 1, 1}, 2, 0.5}},
		{
			// The places 1, 2 and 3 are equally probable.
			"one of three that tie", suspects(1, 1, 1), one("b"),
			placement{[5]float64{1.0 / 3, 2.0 / 3, 1, 1, 1}, 2, (1 + 1.0/2 + 1.0/3) / 3},
		},
		{
			// The first of the two is at place 2, 3 or 4 with probabilities 3/6, 2/6 and 1/6.
			"two of four that tie, behind another", suspects(2, 1, 1, 1, 1), one("c", "d"),
			placement{[5]float64{0, 3.0 / 6, 5.0 / 6, 1, 1}, 8.0 / 3, 3.0/6/2 + 2.0/6/3 + 1.0/6/4},
		},
		{
			// Of two causes, one among the first counts in full at 1 and half at 2.
			"two causes", suspects(4, 3, 2, 1), []Cause{{Services: []string{"a"}}, {Services: []string{"d"}}},
			placement{[5]float64{1, 0.5, 0.5, 1, 1}, 1, 1},
		},
		{"scores that differ by rounding", suspects(0.1+0.2, 0.3), one("b"), placement{[5]float64{0.5, 1, 1, 1, 1}, 1.5, 0.75}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := place(test.ranked, test.causes, namesService)
			if diff := cmp.Diff(test.want, got, close12); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Without any information the accuracy is that of drawing k of n services: k/n, and H(n)/n for MRR.
func TestPlaceByChance(t *testing.T) {
	got := place(suspects(make([]float64, 10)...), []Cause{{Services: []string{"g"}}}, namesService)
	want := placement{[5]float64{0.1, 0.2, 0.3, 0.4, 0.5}, 5.5, 0.2928968253968254}
	if diff := cmp.Diff(want, got, close12); diff != "" {
		t.Error(diff)
	}
}

func TestAccuracy(t *testing.T) {
	first := placement{[5]float64{1, 1, 1, 1, 1}, 1, 1}
	third := placement{[5]float64{0, 0, 1, 1, 1}, 3, 1.0 / 3}
	missed := placement{rank: math.NaN()}
	a := accuracy([]placement{first, third, missed, first})
	for k, want := range []float64{2, 2, 3, 3, 3} {
		if got := a.AC[k]; got.Hits != want || got.Of != 4 || float64(got.Value) != want/4 {
			t.Errorf("AC@%d = %v, want %v of 4", k+1, got, want)
		}
	}
	if math.Abs(float64(a.Avg)-13.0/20) > 1e-12 {
		t.Errorf("Avg@5 = %v, want 13/20", a.Avg)
	}
	if math.Abs(float64(a.MRR)-7.0/12) > 1e-12 {
		t.Errorf("MRR = %v, want 7/12", a.MRR)
	}
	if none := accuracy(nil); none.MRR.IsKnown() || none.AC[0].Value.IsKnown() {
		t.Errorf("the accuracy on no case is %+v, want unknown", none)
	}
}

// For no hit of n, and for n of n, the limits have closed forms: the root of 0.025 of order n.
func TestProportion(t *testing.T) {
	edge := math.Pow(0.025, 1.0/20)
	for _, test := range []struct {
		hits float64
		want []float64 // value, low, high
	}{
		{0, []float64{0, 0, 1 - edge}},
		{20, []float64{1, edge, 1}},
		{20.0000000001, []float64{1, edge, 1}},
	} {
		p := proportion(test.hits, 20)
		if diff := cmp.Diff(test.want, []float64{float64(p.Value), float64(p.Low), float64(p.High)}, close12); diff != "" {
			t.Errorf("%v of 20: %s", test.hits, diff)
		}
	}
	if p := proportion(2.5, 20); !(p.Low < p.Value && p.Value < p.High) || p.Value != 0.125 {
		t.Errorf("2.5 of 20 = %+v, want 0.125 within its interval", p)
	}
}

func TestConfusion(t *testing.T) {
	var c Confusion
	for _, x := range []struct{ said, truth bool }{
		{true, true}, {true, true}, {true, true}, {true, false}, {false, true}, {false, true}, {false, false},
	} {
		c.Add(x.said, x.truth)
	}
	if want := (Confusion{3, 1, 2, 1}); c != want {
		t.Fatalf("counts = %+v, want %+v", c, want)
	}
	if p, r := c.Precision(), c.Recall(); p.Value != 0.75 || r.Value != 0.6 {
		t.Errorf("precision = %v, recall = %v, want 3/4 and 3/5", p.Value, r.Value)
	}
	if f := c.F1(); math.Abs(f-2.0/3) > 1e-15 {
		t.Errorf("F1 = %v, want 2/3", f)
	}
	if f := (Confusion{TrueNegative: 5}).F1(); !math.IsNaN(f) {
		t.Errorf("F1 without positives = %v, want NaN", f)
	}
}
