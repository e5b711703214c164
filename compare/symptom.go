package compare

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// SymptomKind is what a symptom is seen in.
type SymptomKind string

// The kinds of symptom.
const (
	SymptomError       SymptomKind = "error"
	SymptomLatency     SymptomKind = "latency"
	SymptomAbandonment SymptomKind = "abandonment"
	SymptomStructure   SymptomKind = "structure"
)

// Symptom is something that may have become worse for whoever uses the system. It is tested within root
// operations, one-sided, with the trace as the unit.
type Symptom struct {
	Kind SymptomKind
	What string
	Unit string // "share" or "ms"
	// Baseline and Incident are standardised to the incident's mix of root operations.
	Baseline, Incident float64
	Excess             tracewhy.Estimate
	P                  float64
	// Q is P adjusted for the number of symptoms by Holm's procedure; a symptom with a Q of at most alpha
	// is Significant, and if nothing changed the probability of any such is at most alpha.
	Q           float64
	Significant bool
}

// symptoms tests whether anything became worse.
func (c *comparison) symptoms(rule tracewhy.OutcomeRule, failed []bool, latency, structural Symptom, alpha float64) []Symptom {
	out := []Symptom{
		c.shareSymptom(SymptomError, "transactions that fail", func(i int) bool { return failed[i] }),
		latency,
		structural,
	}
	if s := c.shareSymptom(SymptomAbandonment, "transactions that are abandoned", func(i int) bool {
		return rule.Of(c.traces[i]) == tracewhy.OutcomeAbandoned
	}); s.Baseline > 0 || s.Incident > 0 {
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(x, y Symptom) int { return cmp.Compare(x.P, y.P) })
	least := 0.0
	for i := range out {
		least = max(least, min(1, out[i].P*float64(len(out)-i)))
		out[i].Q = least
		out[i].Significant = least <= alpha
	}
	return out
}

func (c *comparison) shareSymptom(kind SymptomKind, what string, holds func(i int) bool) Symptom {
	e := c.newExposure()
	var share [2]float64
	for i := range c.traces {
		if c.share[i] > 0 && holds(i) {
			e.add(i)
			share[c.side[i]] += c.share[i]
		}
	}
	return Symptom{
		Kind: kind, What: what, Unit: "share", Baseline: share[base], Incident: share[inc],
		Excess: c.shareDifference(share), P: e.p(),
	}
}

// minSlowdown is the least slowdown that is a symptom, as a share of the duration: two windows of the
// same healthy system differ by as much, because instances move and load varies.
const minSlowdown = 0.02

// latencySymptom compares what transactions take beyond what their calls took in the baseline. It ranks
// that within root operations, so that neither a changed mix of calls nor a few extreme traces decide;
// minSlowdown is taken off beforehand. What slows down few of the transactions is lost among the others,
// so that one half of the error goes to the places: to the least of their q-values.
func (c *comparison) latencySymptom(residual []float64, timings []Timing) Symptom {
	s := Symptom{Kind: SymptomLatency, What: "duration of transactions, given the calls that they make", Unit: "ms", P: 1}
	usual := make([]perSide, len(c.strata))
	for i, d := range c.duration {
		if c.share[i] == 0 {
			continue
		}
		usual[c.stratum[i]].add(c.side[i], d)
	}
	strata := make([][]traceValue, len(c.strata))
	var all []traceValue
	for i := range c.traces {
		if c.share[i] == 0 {
			continue
		}
		all = append(all, traceValue{int32(i), residual[i]})
		x := residual[i]
		if c.side[i] == inc {
			s.Incident += float64(c.share[i] * c.duration[i])
			x -= float64(minSlowdown * usual[c.stratum[i]].mean(base))
		}
		strata[c.stratum[i]] = append(strata[c.stratum[i]], traceValue{int32(i), x})
	}
	s.Excess = c.meanExcess(all)
	s.Baseline = s.Incident - s.Excess.Value
	var scores, tails perTrace
	for _, list := range strata {
		if len(list) > 0 {
			c.rank(list, &scores, &tails)
		}
	}
	_, _, s.P = c.testRanks(&scores, &tails)
	least := 1.0
	for _, t := range timings {
		if t.Moved && t.Slowdown.Low >= minSlowdown {
			least = min(least, t.Q)
		}
	}
	s.P = min(1, 2*min(s.P, least))
	return s
}

// perSide is a sum and a count for either side.
type perSide struct{ sum, n [2]float64 }

func (p *perSide) add(side int8, x float64) {
	p.sum[side] += x
	p.n[side]++
}

func (p *perSide) mean(side int8) float64 { return p.sum[side] / p.n[side] }

func (c *comparison) structureSymptom(changed []float64, shifts []StructureShift) Symptom {
	s := Symptom{Kind: SymptomStructure, What: "transactions that make other calls, or log other things, than before", Unit: "share", P: 1}
	var share [2]float64
	for i, x := range changed {
		share[c.side[i]] += float64(c.share[i] * x)
	}
	s.Baseline, s.Incident, s.Excess = share[base], share[inc], c.shareDifference(share)
	for _, x := range shifts {
		s.P = min(s.P, max(x.Q, x.weightedP)) // the least q-value is a valid p-value for "nothing changed" (R. J. Simes, 1986)
	}
	return s
}
