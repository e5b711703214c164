package rca

import (
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// place makes a timing with an excess that is certain.
func place(service, callee string, excess float64, moved bool) *compare.Timing {
	return &compare.Timing{
		Service: service, Callee: callee, Executions: [2]int{100, 100}, Moved: moved,
		Excess: tracewhy.Estimate{Value: excess, Low: excess, High: excess},
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		why     string
		service string
		timings []*compare.Timing // the largest excess first
		want    mechanism
		score   float64 // of a duration of 100 ms
	}{
		{"own work alone", "a", []*compare.Timing{place("a", "", 20, true), place("x", "a", 0, false), place("a", "b", 0, false)}, ownWork, 0.2},
		{"every caller waits longer", "a", []*compare.Timing{place("x", "a", 20, true), place("y", "a", 10, true), place("a", "", 0, false)}, incoming, 0.3},
		{"one of three callers waits longer", "a", []*compare.Timing{place("x", "a", 30, true), place("y", "a", 0, false), place("z", "a", 0, false)}, oneEdge, 0.18},
		{"all that it calls", "a", []*compare.Timing{place("a", "b", 20, true), place("a", "c", 10, true), place("x", "a", 0, false)}, outgoing, 0.24},
		{"both directions", "a", []*compare.Timing{place("x", "a", 20, true), place("a", "b", 10, true), place("a", "", 0, false)}, everyCall, 0.3},
		{"everything", "a", []*compare.Timing{place("a", "", 20, true), place("x", "a", 20, true), place("a", "b", 10, true)}, starvation, 0.5},
		{"a caller of one thing that became slower", "a", []*compare.Timing{place("a", "b", 30, true), place("a", "c", 0, false), place("a", "d", 0, false)}, outgoing, 0.8 * 0.3 / 9},
	} {
		got := explain(c.service, c.timings, 100)
		if got.mechanism != c.want || math.Abs(got.score-c.score) > 1e-9 {
			t.Errorf("%s: mechanism %d with score %.4f, want %d with %.4f", c.why, got.mechanism, got.score, c.want, c.score)
		}
	}
	if got := explain("a", []*compare.Timing{place("a", "", 20, false)}, 100); got.score != 0 {
		t.Errorf("nothing moved, and yet the score is %v", got.score)
	}
	uncertain := place("a", "", 20, true)
	uncertain.Excess.Low, uncertain.Excess.High = 20-1.96*5, 20+1.96*5
	if got := explain("a", []*compare.Timing{uncertain}, 100); math.Abs(got.score-0.15) > 1e-9 {
		t.Errorf("an excess of 20 with a standard error of 5 counts %v, want 0.15", got.score)
	}
}

func TestConfidences(t *testing.T) {
	scores := func(xs ...float64) []*suspect {
		var all []*suspect
		for _, x := range xs {
			all = append(all, &suspect{failing: x})
		}
		return all
	}
	for _, c := range []struct {
		why      string
		all      []*suspect
		low, top float64
	}{
		{"a clear one", scores(0.5, 0.01), 0.95, 0.97},
		{"two alike", scores(0.3, 0.3), 0.48, 0.49},
		{"hardly anything", scores(0.001), 0, 0.1},
	} {
		ps, none := confidences(c.all, nil)
		sum := none
		for _, p := range ps {
			sum += p
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: the probabilities add up to %v", c.why, sum)
		}
		if ps[0] < c.low || ps[0] > c.top {
			t.Errorf("%s: confidence %v, want %v to %v", c.why, ps[0], c.low, c.top)
		}
		if none < blind {
			t.Errorf("%s: none of these has %v, less than what traces do not show", c.why, none)
		}
	}
	if _, none := confidences(nil, nil); none != 1 {
		t.Errorf("without suspects none of these has %v", none)
	}
}

// Two incidents of one time are no rivals, and the lesser is one of the set all the same.
func TestConfidencesOfTwoIncidents(t *testing.T) {
	all := []*suspect{{failing: 0.3}, {failing: 0.2}, {failing: 0.05}}
	apart := func(i, j int) bool { return i+j == 1 }
	ps, none := confidences(all, apart)
	if ps[0] < 0.9 || ps[1] < 0.85 || ps[2] > 0.1 || none > 0.04 {
		t.Errorf("confidences %v, none %v", ps, none)
	}
	causes := []RootCause{{Rank: 1, Confidence: Number(ps[0])}, {Rank: 2, Confidence: Number(ps[1])}, {Rank: 3, Confidence: Number(ps[2])}}
	if got := causeSet(causes, apart); len(got) != 2 || got[1] != 2 {
		t.Errorf("ranks %v, want 1 and 2", got)
	}
}

func TestCauseSet(t *testing.T) {
	causes := []RootCause{{Rank: 1, Confidence: 0.6}, {Rank: 2, Confidence: 0.35}, {Rank: 3, Confidence: 0.02}}
	if got := causeSet(causes, nil); len(got) != 2 || got[1] != 2 {
		t.Errorf("ranks %v reach 0.9, want 1 and 2", got)
	}
	if got := causeSet(causes[2:], nil); len(got) != 1 {
		t.Errorf("ranks %v, want all there are", got)
	}
}
