package depgraph

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// ScorecardsResult is the scorecards of everything that was called.
type ScorecardsResult struct {
	Cards    []Scorecard        `json:"cards"` // external ones first, then the worst grade first, then by name
	Warnings []tracewhy.Warning `json:"warnings"`
}

// Scorecard says how well something answered, beside how it did in the baseline.
type Scorecard struct {
	Name        string `json:"name"`
	Class       Class  `json:"class"`
	Vendor      string `json:"vendor"`
	Criticality string `json:"criticality"`
	Owner       string `json:"owner"`
	// Synthetic says that the card is of calls in traces of tests, which are kept apart from customers'.
	Synthetic bool  `json:"synthetic"`
	Baseline  Calls `json:"baseline"`
	Incident  Calls `json:"incident"`

	// Volume is how many times as many calls a second were made to it, and Errors, Throttled and TimedOut how
	// much larger these shares of calls became.
	Volume    tracewhy.Estimate `json:"volume"`
	Errors    tracewhy.Estimate `json:"errors_more"`
	Throttled tracewhy.Estimate `json:"throttled_more"`
	TimedOut  tracewhy.Estimate `json:"timed_out_more"`

	Grade   Grade    `json:"grade"`
	Reasons []string `json:"reasons"` // for the grade, in words
}

// Grade sums a [Scorecard] up.
type Grade string

// The grades, the worst first. An effect counts if its 95 % interval says that there is one.
const (
	GradeFailing  Grade = "failing"  // at least one call in ten more is not answered
	GradeDegraded Grade = "degraded" // errors, refusals or timeouts grew by at least 0.5 %, or a latency by a fifth
	GradeHealthy  Grade = "healthy"  // none of these
	GradeUnknown  Grade = "unknown"  // too few traces with calls to it, in one of the windows
)

const (
	minGraded      = 20    // traces of either window
	failingRise    = 0.1   // in the share of calls that are not answered
	degradedRise   = 0.005 // in shares of calls
	degradedFactor = 1.2   // of latency quantiles
)

// Scorecards grades everything that was called, against a baseline. Errors and complexity are as for
// [FaultDomain].
func Scorecards(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*ScorecardsResult, error) {
	v, err := newComparison(ctx, &cfg, baseline, incident)
	if err != nil {
		return nil, err
	}
	return v.scorecards(ctx)
}

func (v *view) scorecards(ctx context.Context) (*ScorecardsResult, error) {
	type cardKey struct {
		entity    int32
		synthetic bool
	}
	calls := map[cardKey]*[2]tally{}
	for i := range v.calls {
		c := &v.calls[i]
		k := cardKey{c.to, v.isTest[c.trace]}
		if calls[k] == nil {
			calls[k] = &[2]tally{}
		}
		t := &calls[k][v.side[c.trace]]
		t.calls = append(t.calls, c)
	}
	seconds := v.seconds()
	r := &ScorecardsResult{Cards: []Scorecard{}, Warnings: v.warnings()}
	for k, t := range calls {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x := &v.entities[k.entity]
		c := Scorecard{
			Name: x.name, Class: x.class, Vendor: x.vendor, Criticality: x.criticality, Owner: x.ownerOrVendor(), Synthetic: k.synthetic,
			Baseline: t[base].measure(v), Incident: t[inc].measure(v),
		}
		c.Volume = volume(c.Baseline, c.Incident, seconds)
		c.Errors = rise(c.Baseline.Errors, c.Incident.Errors)
		c.Throttled = rise(c.Baseline.Throttled, c.Incident.Throttled)
		c.TimedOut = rise(c.Baseline.TimedOut, c.Incident.TimedOut)
		c.grade()
		r.Cards = append(r.Cards, c)
	}
	slices.SortFunc(r.Cards, func(x, y Scorecard) int {
		return cmp.Or(cmp.Compare(domainRank(x.Class.Domain), domainRank(y.Class.Domain)), cmp.Compare(x.Grade.rank(), y.Grade.rank()),
			cmp.Compare(x.Name, y.Name), cmp.Compare(x.Class.Basis, y.Class.Basis), cmp.Compare(synthetic(x), synthetic(y)))
	})
	return r, nil
}

func synthetic(c Scorecard) int {
	if c.Synthetic {
		return 1
	}
	return 0
}

func domainRank(d Domain) int {
	return slices.Index([]Domain{DomainExternal, DomainUnclassified, DomainInternal}, d)
}

func (g Grade) rank() int {
	return slices.Index([]Grade{GradeFailing, GradeDegraded, GradeUnknown, GradeHealthy}, g)
}

// seconds returns how long both windows are, from the first start of a trace to the last.
func (v *view) seconds() (out [2]float64) {
	var first, last [2]int64
	var seen [2]bool
	for i, t := range v.traces {
		start, _, ok := t.Interval()
		if !ok {
			continue
		}
		s := v.side[i]
		if !seen[s] {
			seen[s], first[s], last[s] = true, start, start
		}
		first[s], last[s] = min(first[s], start), max(last[s], start)
	}
	for s := range out {
		out[s] = float64(last[s]-first[s]) / 1e9
	}
	return out
}

// volume compares calls a second. Traces with calls are taken to come at random.
func volume(b, i Calls, seconds [2]float64) tracewhy.Estimate {
	if b.Traces == 0 || i.Traces == 0 || seconds[base] <= 0 || seconds[inc] <= 0 {
		return tracewhy.Unknown()
	}
	r := (i.Weight / seconds[inc]) / (b.Weight / seconds[base])
	spread := math.Exp(1.959964 * math.Sqrt(1/float64(b.Traces)+1/float64(i.Traces)))
	return tracewhy.Estimate{Value: r, Low: r / spread, High: r * spread}
}

// rise is the difference of two proportions, from their Wilson intervals: R. G. Newcombe's hybrid score
// interval (1998, method 10).
func rise(from, to tracewhy.Estimate) tracewhy.Estimate {
	if !from.IsKnown() || !to.IsKnown() {
		return tracewhy.Unknown()
	}
	norm := func(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }
	d := to.Value - from.Value
	return tracewhy.Estimate{
		Value: d,
		Low:   max(-1, d-norm(to.Value-to.Low, from.High-from.Value)),
		High:  min(1, d+norm(to.High-to.Value, from.Value-from.Low)),
	}
}

func (c *Scorecard) grade() {
	c.Grade, c.Reasons = GradeHealthy, []string{}
	for _, x := range [...]struct {
		window string
		traces int
	}{{"baseline", c.Baseline.Traces}, {"incident", c.Incident.Traces}} {
		if x.traces < minGraded {
			c.Grade = GradeUnknown
			c.Reasons = append(c.Reasons, fmt.Sprintf("%d traces of the %s have calls to it: %d are needed", x.traces, x.window, minGraded))
		}
	}
	if c.Grade == GradeUnknown {
		return
	}
	lost := rise(c.Incident.Available, c.Baseline.Available)
	if lost.Low > 0 && lost.Value >= degradedRise {
		c.Grade = GradeDegraded
		c.Reasons = append(c.Reasons, fmt.Sprintf("availability fell from %s to %s", percent(c.Baseline.Available.Value), percent(c.Incident.Available.Value)))
		if lost.Value >= failingRise {
			c.Grade = GradeFailing
		}
	}
	for _, x := range [...]struct {
		what string
		more tracewhy.Estimate
		now  tracewhy.Estimate
	}{{"fail", c.Errors, c.Incident.Errors}, {"are throttled", c.Throttled, c.Incident.Throttled}, {"time out", c.TimedOut, c.Incident.TimedOut}} {
		if x.more.Low > 0 && x.more.Value >= degradedRise {
			c.worsen()
			c.Reasons = append(c.Reasons, fmt.Sprintf("%s of calls %s, %s more than before", percent(x.now.Value), x.what, percent(x.more.Value)))
		}
	}
	for _, x := range [...]struct {
		name      string
		from, now tracewhy.Estimate
	}{
		{"p50", c.Baseline.P50, c.Incident.P50}, {"p95", c.Baseline.P95, c.Incident.P95}, {"p99", c.Baseline.P99, c.Incident.P99},
	} {
		if x.now.Value >= degradedFactor*x.from.Value && x.now.Low > x.from.High {
			c.worsen()
			c.Reasons = append(c.Reasons, fmt.Sprintf("its %s rose from %s to %s", x.name, duration(x.from.Value), duration(x.now.Value)))
		}
	}
	if p99 := stats.QuantileSampleSize(0.99, level); !c.Incident.P99.IsKnown() && c.Incident.Traces < p99 {
		c.Reasons = append(c.Reasons, fmt.Sprintf("its p99 is not estimable: that takes %d traces, and there are %d", p99, c.Incident.Traces))
	}
}

// duration writes one that is given in milliseconds.
func duration(ms float64) string { return quantity.Duration(time.Duration(ms * 1e6)) }

func (c *Scorecard) worsen() {
	if c.Grade == GradeHealthy {
		c.Grade = GradeDegraded
	}
}
