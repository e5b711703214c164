package rca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// cause turns a suspect into what a report says of it.
type cause struct {
	*suspect
	ops                *compare.OperationsResult
	baseline, incident tracewhy.Cohort
	history            *history
}

// leading is the kind of evidence that a report puts first: of failures, slowness and other structure the
// one that accounts for most of the suspect's score, except that structure, which tells least of a
// mechanism, only leads where it is most of it.
func (c *cause) leading() compare.SymptomKind {
	switch {
	case c.failing > 0 && c.failing >= c.slower.score && c.failing >= c.changed/minLeading:
		return compare.SymptomError
	case c.slower.score > 0 && c.slower.score >= c.changed/minLeading:
		return compare.SymptomLatency
	}
	return compare.SymptomStructure
}

// minLeading is by how much structure has to exceed the other evidence to lead.
const minLeading = 4.0

func (c *cause) describe(ctx context.Context) (RootCause, error) {
	r := RootCause{Service: c.service}
	switch c.leading() {
	case compare.SymptomError:
		c.describeFailure(&r)
	case compare.SymptomLatency:
		if err := c.describeSlowness(ctx, &r); err != nil {
			return r, err
		}
	default:
		c.describeStructure(&r)
	}
	r.Evidence = c.evidence()
	r.Scope = ScopeUndetermined
	return r, nil
}

// conclude adds whom the cause hits, and what follows from all that is known of it.
func (c *cause) conclude(r *RootCause, s *scope) {
	if s != nil {
		r.Scope, r.Conditions, r.Instance = s.kind, s.conditions, s.instance
		r.Evidence = append(r.Evidence, s.evidence...)
		r.RuledOut = append(r.RuledOut, s.ruledOut...)
	}
	r.Summary = c.summary(r)
	r.Remediation = remediation(r)
}

func (c *cause) describeFailure(r *RootCause) {
	f := c.failures[0]
	r.Kind, r.Mechanism = "error", "errors that begin here"
	r.Operation, r.Path = f.Operation, stepsOf(f.Path)
	sum := total(c.failures, func(f *compare.FailureOrigin) tracewhy.Estimate { return f.Share })
	r.Attributable = Attributable{Of: string(compare.SymptomError), Interval: shareOf(sum, c.symptom(compare.SymptomError))}
	if f.Peer != "" {
		r.Kind, r.Mechanism = "absence", "unanswered calls"
		if !c.hasSpans(f.Peer) {
			r.Mechanism = "calls to it fail" // answered with an error, or not at all
		}
		if f.Late {
			r.Kind, r.Mechanism = "wait", "a queue in front of it: calls are given up before it answers"
		}
		r.Edge = &Edge{From: f.Service, To: f.Peer}
		return
	}
	if waitsForPool(f) {
		r.Kind, r.Mechanism = "wait", poolExhaustion
	}
}

// onePlace is the share of a slowdown from which on it is that of one place: a lack of CPU or memory slows
// down all that a service does, and does not leave nearly everything to one of its operations, or calls.
const onePlace = 0.8

func (c *cause) describeSlowness(ctx context.Context, r *RootCause) error {
	e := c.slower
	t := e.places[0]
	o := t.Operations[0]
	r.Operation, r.Path = o.Path.Operation(), stepsOf(o.Path)
	r.Kind = "latency"
	mechanism := e.mechanism
	if mechanism == starvation && certainExcess(t) >= onePlace*e.excess {
		if mechanism = outgoing; t.Callee == "" {
			mechanism = ownWork
		}
	}
	switch mechanism {
	case ownWork:
		r.Mechanism = "slower own work"
		if g, ok := c.saysThatItWaits(o.Path); ok {
			r.Kind, r.Mechanism = "wait", g
			break
		}
		s, err := capacity.Slowdown(ctx, c.baseline, c.incident, o.Path)
		switch {
		case err != nil && !errors.Is(err, capacity.ErrNoTraces):
			return err
		case err == nil && s.Growth == capacity.GrowthWait:
			r.Kind, r.Mechanism = "wait", "a wait for each other"
			if s.Limit.N > 0 {
				r.Mechanism = fmt.Sprintf("a wait for each other: %d at a time", s.Limit.N)
			}
		case c.growsBeforeFirstCall(o.Path):
			r.Mechanism = "more time before its first call: a wait for a pool or a lock, or its own work"
		}
	case incoming:
		r.Kind, r.Mechanism = "network", "its network, or a queue in front of it"
	case oneEdge:
		r.Kind, r.Mechanism = "network", "network or connections between "+t.Service+" and it"
	case outgoing:
		r.Kind, r.Mechanism = "network", "network or connection pools of its calls"
	case overloading:
		c.describeOverload(r)
	case everyCall:
		r.Kind, r.Mechanism = "network", "its network, in both directions"
	default:
		r.Kind, r.Mechanism = "resource", "CPU or memory starvation"
	}
	if t.Peer && t.Callee == c.service && r.Kind == "network" {
		r.Kind, r.Mechanism = "latency", "slow answers, or the way to it" // its spans would tell
	}
	if t.Callee != "" && mechanism != starvation && mechanism != overloading {
		r.Edge = &Edge{From: t.Service, To: t.Callee}
	}
	sum := total(e.places, func(t *compare.Timing) tracewhy.Estimate { return t.Excess })
	r.Attributable = Attributable{Of: string(compare.SymptomLatency), Interval: shareOf(sum, c.symptom(compare.SymptomLatency))}
	return nil
}

// describeOverload names the operation that calls more often, and what that slows down.
func (c *cause) describeOverload(r *RootCause) {
	load := c.slower.load
	r.Operation, r.Path = load.shift.Operation, c.pathOf(load.shift.Operation)
	_, called := load.shift.NowCalls()
	r.Edge = &Edge{From: c.service, To: load.callee}
	r.Kind, r.Mechanism = "resource", fmt.Sprintf("it calls %s (%s) in %s of its traces instead of %s, and overloads it",
		load.callee, called, percent(load.shift.Rate[1]), percent(load.shift.Rate[0]))
}

func (c *cause) describeStructure(r *RootCause) {
	o := c.structure
	r.Kind, r.Operation = "structure", o.Operation
	r.Mechanism = "changed behaviour"
	if o.Unanswered {
		r.Kind, r.Mechanism = "absence", "unanswered calls"
	} else if len(o.Shifts) > 0 && o.Shifts[0].Service != c.service {
		r.Mechanism = "wrong or empty answers, after which its callers stop"
	}
	r.Path = c.pathOf(o.Operation)
	r.Attributable = Attributable{Of: string(compare.SymptomStructure), Interval: shareOf(o.Share, c.symptom(compare.SymptomStructure))}
}

// hasSpans reports whether a service has spans of its own; of what has none it is not known how it answers.
func (c *cause) hasSpans(service string) bool {
	for p := range c.incident.Set().Paths() {
		if p.Service() == service {
			return true
		}
	}
	return false
}

// symptom returns the excess of a kind, whether it is significant or not.
func (c *cause) symptom(kind compare.SymptomKind) tracewhy.Estimate {
	for _, s := range c.ops.Symptoms {
		if s.Kind == kind {
			return s.Excess
		}
	}
	return tracewhy.Unknown()
}

// total adds estimates up, with limits as if they were wrong together.
func total[T any](list []T, of func(T) tracewhy.Estimate) (sum tracewhy.Estimate) {
	for _, x := range list {
		e := of(x)
		sum.Value += e.Value
		sum.Low += e.Low
		sum.High += e.High
	}
	return sum
}

// shareOf returns part as a share of the whole excess, unknown where there is none to have a share of.
// The whole is taken as it was measured: its own uncertainty is in the symptom's interval.
func shareOf(part, whole tracewhy.Estimate) Interval {
	if !(whole.Value > 0) {
		return Interval{Unknown(), Unknown(), Unknown()}
	}
	share := func(x float64) Number { return Number(min(1, max(0, x/whole.Value))) }
	return Interval{share(part.Value), share(part.Low), share(part.High)}
}

func stepsOf(p tracewhy.Path) []Step {
	if p == (tracewhy.Path{}) {
		return nil
	}
	var steps []Step
	for _, q := range p.Chain() {
		steps = append(steps, Step{Service: q.Service(), Operation: q.Operation()})
	}
	return steps
}

// pathOf returns the first path of the Set that ends in the service's operation.
func (c *cause) pathOf(operation string) []Step {
	for p := range c.incident.Set().Paths() {
		if p.Service() == c.service && (p.Operation() == operation || operation == "") {
			return stepsOf(p)
		}
	}
	return nil
}

// evidence lists what speaks for the suspect, the strongest first.
func (c *cause) evidence() []Evidence {
	var failures, slowness, structure []Evidence
	for i, f := range c.failures {
		if f.Q > maxQ && (i > 0 || c.leading() != compare.SymptomError) {
			continue
		}
		what := f.Service + " " + f.Operation + " fails"
		if f.Peer != "" {
			what = "calls of " + f.Service + " to " + f.Peer
			switch {
			case f.Late:
				what += " are not answered in time"
			case c.hasSpans(f.Peer):
				what += " are not answered"
			default:
				what += " fail"
			}
		}
		failures = append(failures, Evidence{
			Claim: fmt.Sprintf("%s of %s transactions fail because %s, %s of %s before; the difference",
				count(f.Traces[1]), count(c.ops.Traces[1]), what, count(f.Traces[0]), count(c.ops.Traces[0])),
			TraceIDs: exemplars(c.sinceOnset(f.Affected)), Unit: UnitShare, Interval: intervalOf(f.Share), Q: Number(f.Q),
		})
	}
	for _, t := range c.slower.places {
		if !t.Moved {
			continue
		}
		o := t.Operations[0]
		what := t.Service + " " + o.Path.Operation() + " takes longer itself"
		if t.Callee != "" {
			what = "calls of " + t.Service + " to " + t.Callee + " take longer outside the callee's work"
			if t.Peer {
				what = "calls of " + t.Service + " to " + t.Callee + " take longer"
			}
		}
		which, at := "median", o.Median
		if o.P95[1]*at[0] > 2*at[1]*o.P95[0] { // fewer executions than half, but those by much
			which, at = "95th percentile", o.P95
		}
		slowness = append(slowness, Evidence{
			Claim:    fmt.Sprintf("%s: %s %s, %s before; on average this adds to a transaction", what, which, duration(at[1]), duration(at[0])),
			TraceIDs: exemplars(c.sinceOnset(t.Affected)), Unit: UnitMillis, Interval: intervalOf(t.Excess), Q: Number(t.Q),
		})
	}
	if o := c.structure; o != nil && o.Share.Value > 0 {
		for _, h := range o.Shifts[:min(3, len(o.Shifts))] {
			structure = append(structure, Evidence{
				Claim:    fmt.Sprintf("%s %s %s in %s of its traces, %s before", h.Service, h.Operation, h.What, percent(h.Rate[1]), percent(h.Rate[0])),
				TraceIDs: exemplars(c.sinceOnset(o.Affected)), Unit: UnitShare, Interval: Interval{Number(h.Rate[1] - h.Rate[0]), Unknown(), Unknown()}, Q: Number(h.Q),
			})
		}
	}
	switch c.leading() {
	case compare.SymptomError:
		return slices.Concat(failures, slowness, structure)
	case compare.SymptomLatency:
		return slices.Concat(slowness, failures, structure)
	}
	return slices.Concat(structure, slowness, failures)
}

// maxQ is the largest q-value of further evidence.
const maxQ = 0.05

func (c *cause) summary(r *RootCause) string {
	var b strings.Builder
	name := r.Service
	if r.Operation != "" && r.Kind != "absence" {
		name += " (" + r.Operation + ")"
	}
	fmt.Fprintf(&b, "%s: %s", name, r.Mechanism)
	if len(r.Conditions) > 0 {
		fmt.Fprintf(&b, ", for %s", conditionTexts(r.Conditions))
	}
	if a := r.Attributable; a.Value.IsKnown() {
		fmt.Fprintf(&b, "; it accounts for %s of the excess of %s", percent(float64(a.Value)), plural(a.Of))
	}
	b.WriteByte('.')
	return b.String()
}

func plural(kind string) string {
	switch kind {
	case "error":
		return "failures"
	case "structure":
		return "changed transactions"
	}
	return kind
}
