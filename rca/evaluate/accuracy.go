package evaluate

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

// Depth is how far down a ranking accuracy is counted: AC@1 to AC@5.
const Depth = 5

// Proportion is a share of cases with its exact 95 % interval (Clopper and Pearson, 1934). Hits may be
// fractional where ties were resolved in expectation; without any case the share is unknown.
type Proportion struct {
	Hits float64 `json:"hits"`
	Of   int     `json:"of"`
	rca.Interval
}

func proportion(hits float64, of int) Proportion {
	p := Proportion{hits, of, rca.Interval{Value: rca.Unknown(), Low: rca.Unknown(), High: rca.Unknown()}}
	if of > 0 {
		// Sums of expected hits may pass a whole number by a rounding error.
		e := stats.ClopperPearson(min(max(stats.Quantise(hits), 0), float64(of)), float64(of), 0.95)
		p.Interval = rca.Interval{Value: rca.Number(e.Value), Low: rca.Number(e.Lo), High: rca.Number(e.Hi)}
	}
	return p
}

// Accuracy says how far up the true causes stand in the rankings of several cases.
//
// AC@k is the share of true causes among the first k of a ranking: of the smaller of k and their number,
// and so for a single cause the share of cases in which it is among the first k. Avg@5 is the mean of
// AC@1 to AC@5, and MRR the mean of 1/rank of the first true cause, 0 where none is listed.
type Accuracy struct {
	AC  [Depth]Proportion `json:"ac"` // AC@1 to AC@5
	Avg rca.Number        `json:"avg_at_5"`
	MRR rca.Number        `json:"mrr"`
}

// same reports whether both count the same hits in as many cases.
func (a Accuracy) same(b Accuracy) bool {
	for k := range a.AC {
		if a.AC[k].Hits != b.AC[k].Hits || a.AC[k].Of != b.AC[k].Of {
			return false
		}
	}
	return a.MRR == b.MRR || !a.MRR.IsKnown() && !b.MRR.IsKnown()
}

// placement is where the true causes stand in one ranking.
type placement struct {
	hits       [Depth]float64 // AC@1 to AC@5 of this case
	rank       float64        // the expected rank of the first; NaN where none is listed
	reciprocal float64        // the expected 1/rank of the first
}

// place finds the causes in a ranking, whose ties are in random order.
func place(ranked []Suspect, causes []Cause, names func(Cause, Suspect) bool) placement {
	p := placement{rank: math.NaN()}
	for _, c := range causes {
		t, ok := findTie(ranked, func(s Suspect) bool { return names(c, s) })
		for k := 1; ok && k <= Depth; k++ {
			p.hits[k-1] += (1 - t.missed(k)) / float64(min(k, len(causes)))
		}
	}
	for k := range p.hits {
		p.hits[k] = min(1, p.hits[k])
	}
	anyOf := func(s Suspect) bool {
		return slices.ContainsFunc(causes, func(c Cause) bool { return names(c, s) })
	}
	if t, ok := findTie(ranked, anyOf); ok {
		p.rank = float64(t.before) + float64(t.size+1)/float64(t.right+1)
		for r := t.before + 1; r <= t.before+t.size; r++ {
			p.reciprocal += (t.missed(r-1) - t.missed(r)) / float64(r)
		}
	}
	return p
}

// tie is a group of suspects with equal scores, some of which are right.
type tie struct {
	before int // suspects above it
	size   int
	right  int
}

// findTie returns the first group that holds a suspect that is right.
func findTie(ranked []Suspect, right func(Suspect) bool) (tie, bool) {
	for from := 0; from < len(ranked); {
		t := tie{before: from}
		for to := from; to < len(ranked) && stats.Compare(ranked[to].Score, ranked[from].Score) == 0; to++ {
			t.size++
			if right(ranked[to]) {
				t.right++
			}
		}
		if t.right > 0 {
			return t, true
		}
		from += t.size
	}
	return tie{}, false
}

// missed returns the probability that none of those that are right is among the first k of the ranking.
func (t tie) missed(k int) float64 {
	p := 1.0
	for i := range min(k-t.before, t.size) {
		p *= float64(max(0, t.size-t.right-i)) / float64(t.size-i)
	}
	return p
}

// accuracy sums up the placements of n cases, abstentions included.
func accuracy(places []placement) Accuracy {
	a := Accuracy{Avg: rca.Unknown(), MRR: rca.Unknown()}
	var sums [Depth]float64
	var avg, mrr float64
	for _, p := range places {
		for k, h := range p.hits {
			sums[k] += h
			avg += h / Depth
		}
		mrr += p.reciprocal
	}
	for k := range a.AC {
		a.AC[k] = proportion(sums[k], len(places))
	}
	if n := float64(len(places)); n > 0 {
		a.Avg, a.MRR = rca.Number(avg/n), rca.Number(mrr/n)
	}
	return a
}

// Confusion counts how a yes-or-no answer agrees with the truth.
type Confusion struct {
	TruePositive  int `json:"true_positive"`
	FalsePositive int `json:"false_positive"`
	FalseNegative int `json:"false_negative"`
	TrueNegative  int `json:"true_negative"`
}

// Add counts one answer.
func (c *Confusion) Add(said, truth bool) {
	switch {
	case said && truth:
		c.TruePositive++
	case said:
		c.FalsePositive++
	case truth:
		c.FalseNegative++
	default:
		c.TrueNegative++
	}
}

// Precision returns the share of positive answers that are right.
func (c Confusion) Precision() Proportion {
	return proportion(float64(c.TruePositive), c.TruePositive+c.FalsePositive)
}

// Recall returns the share of what is true that was found.
func (c Confusion) Recall() Proportion {
	return proportion(float64(c.TruePositive), c.TruePositive+c.FalseNegative)
}

// F1 returns the harmonic mean of precision and recall, NaN where nothing is true or said to be.
func (c Confusion) F1() float64 {
	return float64(2*c.TruePositive) / float64(2*c.TruePositive+c.FalsePositive+c.FalseNegative)
}
