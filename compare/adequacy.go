package compare

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// AdequacyConfig adjusts [Adequacy]. Its zero value is the documented default.
type AdequacyConfig struct {
	// Outcome says which traces failed.
	Outcome tracewhy.OutcomeRule
	// Cluster names an attribute, such as the user's id, whose traces depend on each other: they say as much as
	// one.
	Cluster string
	// Alpha is the probability of a false finding; 0 means 0.05.
	Alpha float64
	// Tests is numbers of questions that are asked together; nil means 435, 4,000 and 40,000.
	Tests []int
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// AdequacyResult says what could be seen in two cohorts, whatever there is to see. Pairs are of the baseline and
// of the incident.
type AdequacyResult struct {
	Traces [2]int `json:"traces"`
	// Effective is how many independent traces of equal weight say as much (L. Kish, 1965).
	Effective [2]float64 `json:"effective"`
	// Length is from the first start of a trace to the last, and Apart the time between the two cohorts, 0 if
	// they overlap.
	Length     [2]time.Duration     `json:"length_ns"`
	Apart      time.Duration        `json:"apart_ns"`
	Operations []OperationAdequacy  `json:"operations"` // root operations, those with the most incident traces first
	Attributes []AttributesAdequacy `json:"attributes"` // by number of tests
	Warnings   []tracewhy.Warning   `json:"warnings"`
}

// OperationAdequacy is what could be seen of the traces of one root operation.
type OperationAdequacy struct {
	Service    string        `json:"service"`
	Operation  string        `json:"operation"`
	Path       tracewhy.Path `json:"-"`
	Traces     [2]int        `json:"traces"`
	Incomplete [2]int        `json:"incomplete"` // of those: that lack spans, or a known duration
	Effective  [2]float64    `json:"effective"`
	Failed     [2]int        `json:"failed"`
	// FailureRate is the baseline's share of failed traces, and DetectableRate the least share of the incident's
	// that would be significantly more; 0 if all would not be. Both are weighted.
	FailureRate    float64           `json:"failure_rate"`
	DetectableRate float64           `json:"detectable_rate"`
	Latency        []LatencyAdequacy `json:"latency"` // of the median, p95 and p99
	// NewShape is the probability that a further trace of the baseline has a shape, its call paths and about
	// how often each is taken, that the baseline has not seen (I. J. Good, 1953). Where that is large, a new
	// shape is no news. NewShapes is how many incident traces have one.
	NewShape  tracewhy.Estimate `json:"new_shape"`
	NewShapes int               `json:"new_shapes"`
}

// LatencyAdequacy is what could be seen of a quantile of durations, in milliseconds.
type LatencyAdequacy struct {
	Quantile float64 `json:"quantile"`
	// Needed is how many traces a 95 % interval takes: 6 for the median, 72 for p95, 368 for p99. With fewer
	// effective ones the quantile is unknown. Estimable says that neither cohort's is.
	Needed    int                  `json:"needed"`
	Quantiles [2]tracewhy.Estimate `json:"quantiles"`
	Estimable bool                 `json:"estimable"`
	// DetectableShift is by how much more the incident's has to be at least for the interval of the difference to
	// exclude 0 (G. Y. Zou and A. Donner, 2008, doi:10.1002/sim.3095).
	DetectableShift float64 `json:"detectable_shift_ms"`
}

// AttributesAdequacy is which conditions [Attributes] could tell, of so many.
type AttributesAdequacy struct {
	Tests      int                `json:"tests"`
	Detectable []DetectableEffect `json:"detectable"` // for conditions that none, 2 % and 20 % of the baseline meet
}

// The codes of the warnings that Adequacy gives, beside those of other comparisons.
const (
	WarningFewTraces     = "few_traces"     // operations of which no increase in failures could be seen
	WarningFewEffective  = "few_effective"  // traces that say as much as less than half of them
	WarningBaselineShort = "baseline_short" // the baseline is shorter than the incident
	WarningBaselineOld   = "baseline_old"   // over a week apart from the incident
	WarningNewShapes     = "new_shapes"     // operations whose traces have new shapes as a rule
)

const (
	maxApart = 7 * 24 * time.Hour
	// often is from which probability of a new shape on one is no news.
	often = 0.2
)

// Adequacy says what could be seen in the cohorts, before or after anything is compared: how large a rise in
// failures, in latency, or in what an attribute explains would have been significant. Without it "nothing
// was found" can mean that there was nothing, or that there were ten traces.
//
// Increases in failures are those that Fisher's exact test finds at alpha, one-sided; conditions those that it
// finds at alpha over the number of tests, which is a little more than [Attributes] needs. Effective
// sizes take the place of counts where traces have weights or clusters; conditions are counted without weights.
//
// It gives [ErrCohorts] if the cohorts cannot be compared, and the context's error once that is cancelled.
// Time is O(n log n) for n spans.
func Adequacy(ctx context.Context, baseline, incident tracewhy.Cohort, cfg AdequacyConfig) (*AdequacyResult, error) {
	if cfg.Alpha == 0 {
		cfg.Alpha = 0.05
	}
	if cfg.Tests == nil {
		cfg.Tests = []int{435, 4_000, 40_000}
	}
	c, err := newComparison(baseline, incident)
	if err != nil {
		return nil, err
	}
	a := newAdequacyTable(c, cfg)
	r := &AdequacyResult{
		Traces: c.count, Operations: make([]OperationAdequacy, len(a.byStratum)), Attributes: []AttributesAdequacy{}, Warnings: []tracewhy.Warning{},
	}
	if err := parallel.For(ctx, cfg.Workers, len(r.Operations), func(s int) { r.Operations[s] = a.operation(a.byStratum[s]) }); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Operations, func(x, y OperationAdequacy) int {
		return cmp.Or(cmp.Compare(y.Traces[inc], x.Traces[inc]), cmp.Compare(y.Traces[base], x.Traces[base]), cmp.Compare(x.Path.ID(), y.Path.ID()))
	})
	var independent [2]int
	for side := range 2 {
		list := a.ofSide(nil, side)
		r.Effective[side] = kishSize(a.weights(list), a.clusters(list))
		independent[side] = int(kishSize(nil, a.clusters(list)))
	}
	for _, n := range cfg.Tests {
		effects, _ := detectableEffects(independent, cfg.Alpha/float64(max(n, 1)), 1)
		r.Attributes = append(r.Attributes, AttributesAdequacy{n, effects})
	}
	r.Length, r.Apart = a.times()
	r.Warnings = append(r.Warnings, a.warnings(r)...)
	return r, nil
}

// adequacyTable is the traces of a comparison, without fragments.
type adequacyTable struct {
	cfg       AdequacyConfig
	c         *comparison
	byStratum [][]int32 // traces of the comparison
	cluster   []int     // by trace of the comparison, -1 for one of its own; nil without clusters
}

func newAdequacyTable(c *comparison, cfg AdequacyConfig) *adequacyTable {
	a := &adequacyTable{cfg: cfg, c: c, byStratum: make([][]int32, len(c.strata))}
	clusters := map[string]int{}
	for i, t := range c.traces {
		if cfg.Cluster != "" {
			a.cluster = append(a.cluster, clusterNumber(clusters, firstValue(t, cfg.Cluster)))
		}
		if !c.isLeftOut(i) {
			a.byStratum[c.stratum[i]] = append(a.byStratum[c.stratum[i]], int32(i))
		}
	}
	a.byStratum = slices.DeleteFunc(a.byStratum, func(list []int32) bool { return len(list) == 0 })
	return a
}

// clusterNumber numbers the clusters. A trace without a name is one of its own.
func clusterNumber(numbers map[string]int, name string) int {
	if name == "" {
		return -1
	}
	n, ok := numbers[name]
	if !ok {
		n = len(numbers)
		numbers[name] = n
	}
	return n
}

// ofSide returns the traces of one cohort among some, or among all for nil.
func (a *adequacyTable) ofSide(list []int32, side int) []int32 {
	if list == nil {
		list = slices.Concat(a.byStratum...)
	}
	return slices.DeleteFunc(slices.Clone(list), func(i int32) bool { return int(a.c.side[i]) != side })
}

func (a *adequacyTable) weights(list []int32) []float64 {
	out := make([]float64, len(list))
	for k, i := range list {
		out[k] = a.c.traces[i].Weight()
	}
	return out
}

// clusters returns the cluster of each trace; without any, each is its own.
func (a *adequacyTable) clusters(list []int32) []int {
	out := make([]int, len(list))
	for k, i := range list {
		out[k] = -1
		if a.cluster != nil {
			out[k] = a.cluster[i]
		}
	}
	return out
}

// kishSize returns the effective number of clusters of these weights, which are 1 if nil.
func kishSize(weights []float64, clusters []int) float64 {
	var sums []float64
	at := map[int]int{}
	for k, c := range clusters {
		w := 1.0
		if weights != nil {
			w = weights[k]
		}
		if i, ok := at[c]; ok && c >= 0 {
			sums[i] += w
			continue
		}
		at[c] = len(sums)
		sums = append(sums, w)
	}
	if len(sums) == 0 {
		return 0
	}
	return stats.EffectiveSize(sums)
}

func (a *adequacyTable) operation(list []int32) OperationAdequacy {
	root := a.c.traces[list[0]].Root().Path()
	o := OperationAdequacy{Service: root.Service(), Operation: root.Operation(), Path: root, NewShape: tracewhy.Unknown()}
	var rate [2]float64
	var samples [2]stats.Sample
	for side := range 2 {
		mine := a.ofSide(list, side)
		weights, clusters := a.weights(mine), a.clusters(mine)
		o.Traces[side] = len(mine)
		o.Effective[side] = kishSize(weights, clusters)
		var failed, total float64
		var known []int32
		for k, i := range mine {
			total += weights[k]
			if a.cfg.Outcome.Of(a.c.traces[i]) == tracewhy.OutcomeFailed {
				o.Failed[side]++
				failed += weights[k]
			}
			if a.c.lacks[i] != 0 {
				o.Incomplete[side]++
			}
			if a.c.lacks[i]&lacksDuration == 0 {
				known = append(known, i)
			}
		}
		rate[side] = failed / max(total, 1)
		samples[side] = a.durations(known)
	}
	o.FailureRate = rate[base]
	n, k := int(o.Effective[base]), int(o.Effective[inc])
	if n > 0 && k > 0 {
		c := int(math.Ceil(rate[base] * float64(n)))
		if hits := leastDetectable(n, k, c, a.cfg.Alpha); hits <= k {
			o.DetectableRate = float64(hits) / float64(k)
		}
	}
	for _, p := range []float64{0.5, 0.95, 0.99} {
		o.Latency = append(o.Latency, latencyAdequacy(p, samples))
	}
	a.shapes(list, &o)
	return o
}

// durations returns the sample of the traces' durations, or where they count for fewer, one of as many with
// the same distribution.
func (a *adequacyTable) durations(list []int32) stats.Sample {
	values, weights := make([]float64, len(list)), a.weights(list)
	for k, i := range list {
		values[k] = a.c.duration[i]
	}
	n := int(math.Round(kishSize(weights, a.clusters(list))))
	if n >= len(values) {
		return stats.NewSample(values)
	}
	fewer := make([]float64, n)
	for k := range fewer {
		fewer[k] = stats.WeightedQuantile(values, weights, (float64(k)+0.5)/float64(n))
	}
	return stats.NewSample(fewer)
}

func latencyAdequacy(p float64, samples [2]stats.Sample) LatencyAdequacy {
	l := LatencyAdequacy{Quantile: p, Needed: stats.QuantileSampleSize(p, 0.95), Estimable: true}
	var of [2]stats.Estimate
	for side, s := range samples {
		of[side] = s.QuantileInterval(p, 0.95)
		l.Quantiles[side] = tracewhy.Unknown()
		if !of[side].Bounded() {
			l.Estimable = false
			continue
		}
		l.Quantiles[side] = tracewhy.Estimate{Value: of[side].Value, Low: of[side].Lo, High: of[side].Hi}
	}
	if l.Estimable {
		above, below := of[base].Hi-of[base].Value, of[inc].Value-of[inc].Lo
		l.DetectableShift = math.Sqrt(float64(above*above) + float64(below*below))
	}
	return l
}

// shapes counts the shapes of complete traces.
func (a *adequacyTable) shapes(list []int32, o *OperationAdequacy) {
	counts := map[string]int{}
	n := 0
	shapes := make([]string, len(list))
	for k, i := range list {
		if a.c.lacks[i]&lacksSpans != 0 {
			continue
		}
		var shape []byte
		for _, call := range callsOf(a.c.traces[i]) {
			shape = binary.AppendUvarint(shape, call)
		}
		shapes[k] = string(shape)
		if a.c.side[i] == base {
			counts[shapes[k]]++
			n++
		}
	}
	if n == 0 {
		return
	}
	once, twice := 0, 0
	for _, m := range counts {
		switch m {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	e := stats.UnseenMass(once, twice, n, 0.95)
	o.NewShape = tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
	for k, i := range list {
		if a.c.side[i] == inc && shapes[k] != "" && counts[shapes[k]] == 0 {
			o.NewShapes++
		}
	}
}

// times returns how long the cohorts are, and how far apart.
func (a *adequacyTable) times() (length [2]time.Duration, apart time.Duration) {
	var first, last [2]int64
	var known [2]bool
	for i, t := range a.c.traces {
		start, _, ok := t.Interval()
		if !ok {
			continue
		}
		side := a.c.side[i]
		if !known[side] {
			first[side], last[side], known[side] = start, start, true
		}
		first[side], last[side] = min(first[side], start), max(last[side], start)
	}
	for side := range length {
		length[side] = time.Duration(last[side] - first[side])
	}
	if known[base] && known[inc] {
		apart = time.Duration(max(0, first[inc]-last[base], first[base]-last[inc]))
	}
	return length, apart
}
