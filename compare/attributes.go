package compare

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// AttributesConfig adjusts [Attributes]. Its zero value is the documented default.
type AttributesConfig struct {
	// Spans selects the spans whose attributes count, such as those of one operation; a trace without any
	// is left out. The zero Matcher is every span of the trace.
	Spans tracewhy.Matcher
	// Executions, if not nil, compares the spans that Spans selects, one by one, rather than traces: those of the
	// incident that it matches, such as failed ones, are affected, and all others of both cohorts are not.
	// They are compared within call paths, and all of one trace depend on each other. What results call
	// traces are then executions.
	Executions *tracewhy.Matcher
	// Strata names attributes, besides the root operation, within whose values traces are compared. Period,
	// if positive, adds the time of the trace's start, in steps of that length.
	Strata []string
	Period time.Duration
	// Cluster names an attribute, such as the user's id, whose traces depend on each other: their outcomes
	// are then permuted between clusters of as many traces of the same strata, never between traces.
	Cluster string
	// Autocorrelated says that outcomes depend on those before, and attributes as well, as they do while a
	// queue fills or a cache is cold: relabellings then turn the outcomes round in time, all by the same
	// part, so that what follows what stays. It is for traces over a time long beside what they remember,
	// and does nothing where Cluster is set. What follows the hour of the day is met by Period.
	Autocorrelated bool
	// IndependentSampling says that traces were sampled whatever became of them, so that risks can be told.
	IndependentSampling bool
	// Consequences names further keys that say how a trace ended rather than why.
	Consequences []string
	// Alpha is the probability of any false finding; 0 means 0.05.
	Alpha float64
	// Replicates is how many relabellings are drawn where there are too many to list; 0 means 999.
	Replicates int
	Seed       uint64
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
	// MaxListed is how many candidates and consequences to list; 0 means 20.
	MaxListed int
}

// AttributePlace says what carries an attribute.
type AttributePlace string

// The places of attributes.
const (
	PlaceSpan     AttributePlace = "span"
	PlaceResource AttributePlace = "resource" // of one service: see AttributeCondition.Service
	PlaceEvent    AttributePlace = "event"
)

// AttributeCondition is a condition that a trace meets if one of its spans does. OpMissing holds for traces
// that have a span on whose call path the key is recorded elsewhere, and no such attribute.
type AttributeCondition struct {
	tracewhy.Condition
	Place   AttributePlace `json:"place"`
	Service string         `json:"service"` // of a resource; else ""
}

// AttributeFinding is a condition beside how often it holds in the two cohorts.
type AttributeFinding struct {
	AttributeCondition
	// Aliases hold for exactly the same traces.
	Aliases []AttributeCondition `json:"aliases"`
	// Echoes would be findings by themselves, and are none among traces that this one tells apart.
	Echoes []AttributeCondition `json:"echoes"`
	// Trend is "rising" or "falling" where the affected share follows the number all along its range, rather
	// than from one point on; the condition is then the cut that tells most.
	Trend string `json:"trend"`
	// Traces is how many traces meet the condition, and Known of how many that is known, of the baseline and
	// of the incident. Coverage and Prevalence are their shares, of the incident and of the baseline.
	Traces     [2]int  `json:"traces"`
	Known      [2]int  `json:"known"`
	Coverage   float64 `json:"coverage"`
	Prevalence float64 `json:"prevalence"`
	// OddsRatio is pooled over strata by Mantel and Haenszel; where a cell is empty in all of them, it is of
	// their sum, with 0.5 added to each cell. It holds whatever sampling depended on.
	// Where traces depend on each other (Cluster, Autocorrelated) its limits are not known: 0 and infinite.
	OddsRatio tracewhy.Estimate `json:"odds_ratio"`
	// Marginal is the odds ratio without strata; on the other side of 1 it shows Simpson's paradox.
	Marginal float64 `json:"marginal_odds_ratio"`
	// RiskDifference is the affected share of traces that meet the condition less that of the others. It is
	// unknown unless sampling was independent of the outcome.
	RiskDifference tracewhy.Estimate `json:"risk_difference"`
	// P is one-sided, Q adjusted by Benjamini and Hochberg, and Adjusted by Westfall and Young: what is at
	// most alpha is a finding. Where traces depend on each other P comes from relabelling too. Consequences
	// are a family of their own, with P and Q alone: their Adjusted is 1. Above alpha, Adjusted can be too
	// large, since relabelling stops when nothing more can be found.
	P        float64 `json:"p"`
	Q        float64 `json:"q"`
	Adjusted float64 `json:"adjusted_p"`
	// Values counts the key's other values, the most frequent first.
	Values []AttributeValue `json:"values"`
	// Consequence says why it counts as a consequence, or is "". A key that is recorded only where
	// something failed may be the cause as well, if whatever has it fails: the traces cannot tell.
	Consequence string          `json:"consequence"`
	Affected    tracewhy.Cohort `json:"-"` // the incident's traces that meet it
	// Exemplars are a trace of the baseline that does not meet it, and one of the incident that does: the first
	// of the incident, and the nearest to it in the Set of the same stratum. Zero where there is none.
	Exemplars [2]tracewhy.TraceID `json:"exemplars"`

	h *attributeHypothesis
}

// AttributeValue is a value and how many traces of the baseline and of the incident have it.
type AttributeValue struct {
	Value  tracewhy.Value `json:"value"`
	Traces [2]int         `json:"traces"`
}

// LeftOutAttribute is a key whose values were not compared.
type LeftOutAttribute struct {
	Key     string         `json:"key"`
	Place   AttributePlace `json:"place"`
	Service string         `json:"service"`
	Reason  string         `json:"reason"`
	Values  int            `json:"values"`
}

// AttributesVerdict is what a comparison of attributes ends with.
type AttributesVerdict string

// The verdicts.
const (
	AttributesFound        AttributesVerdict = "found"
	AttributesNone         AttributesVerdict = "none"         // no recorded attribute explains it
	AttributesInsufficient AttributesVerdict = "insufficient" // no attribute could have been found among so few traces
)

// DetectableEffect is the smallest effect that would have been a finding.
type DetectableEffect struct {
	Prevalence float64 `json:"prevalence"` // of the condition in the baseline
	Traces     int     `json:"traces"`     // of the incident that have to meet it; 0: all would not do
	Coverage   float64 `json:"coverage"`   // their share
	OddsRatio  float64 `json:"odds_ratio"`
}

// AttributesResult says which attributes tell the incident's traces from the baseline's.
type AttributesResult struct {
	Verdict      AttributesVerdict  `json:"verdict"`
	Traces       [2]int             `json:"traces"` // compared, of the baseline and of the incident
	Findings     []AttributeFinding `json:"findings"`
	Candidates   []AttributeFinding `json:"candidates"` // the strongest that are no findings: to explore
	Consequences []AttributeFinding `json:"consequences"`
	LeftOut      []LeftOutAttribute `json:"left_out"`
	Explained    float64            `json:"explained"` // share of the incident's traces that meet a finding
	Tested       int                `json:"tested"`    // conditions, aliases counted once
	Relabellings int                `json:"relabellings"`
	CriticalP    float64            `json:"critical_p"` // the largest P that would be a finding
	Detectable   []DetectableEffect `json:"detectable"`
	Warnings     []tracewhy.Warning `json:"warnings"`
}

// canCompare reports whether there are traces on both sides. Executions of the incident are compared with each
// other too.
func (cfg *AttributesConfig) canCompare(baseline, incident tracewhy.Cohort) bool {
	return baseline.Set() != nil && baseline.Set() == incident.Set() && incident.Len() > 0 &&
		(cfg.Executions != nil || baseline.Minus(incident).Len() > 0)
}

// WarningClusterAlone counts clusters that no other is like, so that their outcomes cannot be permuted.
const WarningClusterAlone = "cluster_alone"

// Attributes says which attributes of spans, resources and events tell the traces of the incident from those
// of the baseline. The cohorts may be any two of one Set: after and before, or failing and others. A trace in
// both counts as one of the incident.
//
// Findings hold against all conditions asked together, by step-down permutation of the cohorts within root
// operations (P. H. Westfall and S. S. Young, 1993). Sampling is taken to depend on the outcome unless
// the configuration says otherwise, and effects are odds ratios.
//
// It gives [ErrCohorts] if the cohorts cannot be compared, and the context's error once that is cancelled.
// Time is linear in attributes, and in attributes × traces / 64 × relabellings.
func Attributes(ctx context.Context, baseline, incident tracewhy.Cohort, cfg AttributesConfig) (*AttributesResult, error) {
	if !cfg.canCompare(baseline, incident) {
		return nil, ErrCohorts
	}
	if cfg.Alpha == 0 {
		cfg.Alpha = 0.05
	}
	if cfg.Replicates <= 0 {
		cfg.Replicates = 999
	}
	if cfg.MaxListed == 0 {
		cfg.MaxListed = 20
	}
	a := newAttributeTable(baseline, incident, cfg)
	if err := a.read(ctx); err != nil {
		return nil, err
	}
	a.build()
	r := &AttributesResult{
		Verdict: AttributesNone, Traces: a.count, LeftOut: a.leftOut, Warnings: a.warnings,
		Findings: []AttributeFinding{}, Candidates: []AttributeFinding{}, Consequences: []AttributeFinding{}, Detectable: []DetectableEffect{},
	}
	if err := a.test(ctx, r); err != nil {
		return nil, err
	}
	a.list(r)
	return r, nil
}

// list sorts what was tested into findings, their echoes, candidates and consequences.
func (a *attributeTable) list(r *AttributesResult) {
	slices.SortStableFunc(a.hypotheses, func(x, y *attributeHypothesis) int {
		return cmp.Or(stats.Compare(x.adjusted, y.adjusted), stats.Compare(x.p, y.p))
	})
	var accepted []*attributeHypothesis
	explained := map[int]bool{}
	for _, h := range a.hypotheses {
		switch {
		case h.consequence != "":
			if len(r.Consequences) < a.cfg.MaxListed && h.p <= a.cfg.Alpha {
				r.Consequences = append(r.Consequences, a.describe(h))
			}
		case h.adjusted > a.cfg.Alpha:
			if len(r.Candidates) < a.cfg.MaxListed && h.p < 1 {
				r.Candidates = append(r.Candidates, a.describe(h))
			}
		default:
			if at := a.echoOf(h, accepted); at >= 0 {
				r.Findings[at].Echoes = append(r.Findings[at].Echoes, h.conditions...)
				continue
			}
			accepted = append(accepted, h)
			f := a.describe(h)
			r.Findings = append(r.Findings, f)
			for i := range h.set.All() {
				if a.label.Has(i) {
					explained[i] = true
				}
			}
		}
	}
	if len(r.Findings) > 0 {
		r.Verdict = AttributesFound
	}
	if a.count[inc] > 0 {
		r.Explained = float64(len(explained)) / float64(a.count[inc])
	}
}

// echoOf returns the finding that h adds nothing to: of the same number, or without an association of its
// own among traces that are alike in all findings before it. It is -1 if there is none.
func (a *attributeTable) echoOf(h *attributeHypothesis, accepted []*attributeHypothesis) int {
	if len(accepted) == 0 {
		return -1
	}
	for i, x := range accepted {
		if h.isCut && x.isCut && h.field == x.field {
			return i
		}
	}
	pattern := map[string]int{}
	var tables []stats.Table
	key := make([]byte, 0, len(accepted)+4)
	for i, s := range a.stratum {
		key = append(key[:0], byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
		for _, x := range accepted {
			b := byte(0)
			if x.set.Has(i) {
				b = 1
			}
			key = append(key, b)
		}
		at, ok := pattern[string(key)]
		if !ok {
			at = len(tables)
			pattern[string(key)] = at
			tables = append(tables, stats.Table{})
		}
		addToTable(&tables[at], a.label.Has(i), h.set.Has(i))
	}
	hits := 0
	for _, t := range tables {
		hits += t.A
	}
	if stats.NewConditionalTail(tables).P(hits) <= a.criticalP(a.cfg.Alpha/float64(len(accepted)+1)) {
		return -1
	}
	best, most := 0, -1
	for i, x := range accepted {
		if n := x.set.LenAnd(h.set); n > most {
			best, most = i, n
		}
	}
	return best
}

func addToTable(t *stats.Table, affected, holds bool) {
	switch {
	case affected && holds:
		t.A++
	case affected:
		t.B++
	case holds:
		t.C++
	default:
		t.D++
	}
}

// describe computes what a result says of a condition.
func (a *attributeTable) describe(h *attributeHypothesis) AttributeFinding {
	f := AttributeFinding{
		AttributeCondition: h.conditions[0], Aliases: append([]AttributeCondition{}, h.conditions[1:]...), Echoes: []AttributeCondition{},
		Trend: h.trend, P: h.p, Q: h.q, Adjusted: h.adjusted, Values: a.valuesOf(h.field), Consequence: h.consequence,
		RiskDifference: tracewhy.Unknown(), h: h,
	}
	tables := make([]stats.Table, a.strata)
	var sum stats.Table
	var affected []int
	for i, s := range a.stratum {
		holds := h.set.Has(i)
		if !holds && a.isUnknown(h.field, i) {
			continue
		}
		hit := a.label.Has(i)
		addToTable(&tables[s], hit, holds)
		addToTable(&sum, hit, holds)
		if hit && holds {
			affected = append(affected, a.traces[i].Index())
		}
	}
	f.Traces, f.Known = [2]int{sum.C, sum.A}, [2]int{sum.C + sum.D, sum.A + sum.B}
	f.Coverage, f.Prevalence = ratio(sum.A, f.Known[inc]), ratio(sum.C, f.Known[base])
	whole := sum.OddsRatio(0.95)
	pooled := whole
	if m := stats.MantelHaenszel(tables, 0.95); m.Informative > 1 && m.OddsRatio.Bounded() && m.OddsRatio.Value > 0 {
		pooled = m.OddsRatio
	}
	f.OddsRatio = tracewhy.Estimate{Value: pooled.Value, Low: pooled.Lo, High: pooled.Hi}
	if a.dependent() { // the interval would be too narrow
		f.OddsRatio.Low, f.OddsRatio.High = 0, math.Inf(1)
	}
	f.Marginal = whole.Value
	if a.cfg.IndependentSampling {
		turned := make([]stats.Table, len(tables))
		for i, t := range tables {
			turned[i] = stats.Table{A: t.A, B: t.C, C: t.B, D: t.D}
		}
		if e := stats.RiskDifferenceStratified(turned, 0.95); e.Defined() {
			f.RiskDifference = tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
			if a.dependent() {
				f.RiskDifference.Low, f.RiskDifference.High = math.Inf(-1), math.Inf(1)
			}
		}
	}
	f.Exemplars = a.exemplars(h)
	at := 0
	f.Affected = a.set.Select(func(t tracewhy.Trace) bool {
		for at < len(affected) && affected[at] < t.Index() {
			at++
		}
		return at < len(affected) && affected[at] == t.Index()
	})
	return f
}

// exemplars returns a trace of the baseline that lacks what one of the incident has.
func (a *attributeTable) exemplars(h *attributeHypothesis) (pair [2]tracewhy.TraceID) {
	for i := range h.set.All() {
		if !a.label.Has(i) {
			continue
		}
		pair[inc] = a.traces[i].ID()
		for d := 1; i-d >= 0 || i+d < len(a.traces); d++ {
			for _, j := range [2]int{i - d, i + d} {
				if j >= 0 && j < len(a.traces) && a.stratum[j] == a.stratum[i] && !a.label.Has(j) && !h.set.Has(j) && !a.isUnknown(h.field, j) {
					pair[base] = a.traces[j].ID()
					return pair
				}
			}
		}
		return pair
	}
	return pair
}

func ratio(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}
