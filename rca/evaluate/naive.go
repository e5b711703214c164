package evaluate

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// Naive returns the rankers that a person in a hurry would use, and chance. A method that is not clearly
// better than each of them has not earned its complexity.
//
//   - chance: every service that has a span is as suspicious as any other. Because ties are resolved in
//     expectation, its accuracy is the exact expected accuracy of a guess.
//   - most errors: the service with the most failed spans ([tracewhy.Span.Failed]) in the incident.
//   - most extra errors: the same, less what the baseline would have had in as many traces.
//   - largest slowdown: the service whose mean span duration grew most.
//   - attribute difference: the operation with the attribute value (its resource's included, service.name
//     excepted) whose share of traces grew most, in percentage points.
//   - failing attribute: the same between the incident's traces with a failed span and its others. Keys that say how a span
//     ended (error.…, exception.…, status codes) are left out.
//   - self-time excess: the service whose mean self time (duration less what its children cover) grew
//     most.
//
// They count traces and spans as they are, without sampling weights, and list nothing that did not grow.
func Naive() []Ranker {
	return []Ranker{
		byTraces("chance", rankByChance),
		byTraces("most errors", rankByErrors),
		byTraces("most extra errors", rankByExtraErrors),
		byTraces("largest slowdown", rankBySlowdown),
		byTraces("attribute difference", rankByAttribute),
		byTraces("failing attribute", rankByFailing),
		byTraces("self-time excess", rankBySelfTime),
	}
}

func rankByChance(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	return c.answer(make([]float64, len(c.services)), make([]float64, len(c.operations))), nil
}

// spanSums adds up the spans of a service or of an operation in one cohort.
type spanSums struct {
	spans    float64
	failed   float64
	timed    float64 // spans whose duration is known
	duration float64 // of those, in nanoseconds
	self     float64 // of those, in nanoseconds
}

func (s *spanSums) add(x spanSums) {
	s.spans += x.spans
	s.failed += x.failed
	s.timed += x.timed
	s.duration += x.duration
	s.self += x.self
}

// sums holds spanSums by service and by operation.
type sums struct {
	traces               float64
	services, operations []spanSums
}

func (c *catalog) sum(ctx context.Context, cohort tracewhy.Cohort) (*sums, error) {
	x := &sums{
		traces:     float64(cohort.Len()),
		services:   make([]spanSums, len(c.services)),
		operations: make([]spanSums, len(c.operations)),
	}
	var children []interval
	err := eachTrace(ctx, cohort, func(t tracewhy.Trace) {
		for s := range t.Spans() {
			one := spanSums{spans: 1}
			if s.Failed() {
				one.failed = 1
			}
			if d := s.Duration(); d >= 0 {
				one.timed = 1
				one.duration = float64(d)
				children = childIntervals(s, children[:0])
				one.self = float64(int64(d) - covered(s, children))
			}
			op := c.operation(s)
			x.operations[op].add(one)
			x.services[c.operations[op].service].add(one)
		}
	})
	return x, err
}

// compareSums ranks by a score of the sums of the baseline and of the incident.
func compareSums(ctx context.Context, baseline, incident tracewhy.Cohort, score func(b, i spanSums, scale float64) float64) (*Answer, error) {
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	before, err := c.sum(ctx, baseline)
	if err != nil {
		return nil, err
	}
	after, err := c.sum(ctx, incident)
	if err != nil {
		return nil, err
	}
	scale := 0.0 // how many incident traces there are for each one of the baseline
	if before.traces > 0 {
		scale = after.traces / before.traces
	}
	scores := func(b, i []spanSums) []float64 {
		s := make([]float64, len(b))
		for k := range b {
			s[k] = positive(score(b[k], i[k], scale))
		}
		return s
	}
	return c.answer(scores(before.services, after.services), scores(before.operations, after.operations)), nil
}

func rankByErrors(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	return compareSums(ctx, baseline, incident, func(_, i spanSums, _ float64) float64 { return i.failed })
}

func rankByExtraErrors(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	return compareSums(ctx, baseline, incident, func(b, i spanSums, scale float64) float64 {
		return i.failed - float64(b.failed*scale)
	})
}

// rankBySlowdown leaves out what has no span in the baseline: nothing says how slow it was.
func rankBySlowdown(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	return compareSums(ctx, baseline, incident, func(b, i spanSums, _ float64) float64 {
		return i.duration/i.timed - b.duration/b.timed // NaN where either has none
	})
}

func rankBySelfTime(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	return compareSums(ctx, baseline, incident, func(b, i spanSums, _ float64) float64 {
		return i.self/i.timed - b.self/b.timed
	})
}

// interval is a span's time, in nanoseconds since the Unix epoch.
type interval struct{ start, end int64 }

// childIntervals appends the known intervals of the span's children, which come by start.
func childIntervals(s tracewhy.Span, to []interval) []interval {
	for child := range s.Children() {
		if start, end, ok := child.Interval(); ok {
			to = append(to, interval{start, end})
		}
	}
	return to
}

// covered returns how much of the span the intervals cover, each moment once.
func covered(s tracewhy.Span, sorted []interval) int64 {
	start, end, _ := s.Interval()
	var total int64
	for _, c := range sorted {
		from, to := max(c.start, start), min(c.end, end)
		if from < to {
			total += to - from
			start = to
		}
	}
	return total
}

// attributeUse is an attribute value on the spans of an operation, or on their resource.
type attributeUse struct {
	operation int32
	attribute tracewhy.AttrID
}

// useCount says in how many traces an attribute value is used.
type useCount struct {
	last             int32 // the trace that was counted last, so that none is counted twice
	before, incident int32
}

func rankByAttribute(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error) {
	return rankByShare(ctx, baseline, incident, func(key string) bool { return key == "service.name" })
}

func rankByFailing(ctx context.Context, _, incident tracewhy.Cohort) (*Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	failed := incident.Select(func(t tracewhy.Trace) bool {
		for s := range t.Spans() {
			if s.Failed() {
				return true
			}
		}
		return false
	})
	others := incident.Minus(failed)
	if failed.Len() == 0 || others.Len() == 0 {
		return &Answer{Verdict: rca.VerdictNoIncident}, nil
	}
	return rankByShare(ctx, others, failed, func(key string) bool {
		return key == "service.name" || strings.HasPrefix(key, "error.") || strings.HasPrefix(key, "exception.") ||
			strings.HasSuffix(key, "status_code")
	})
}

// rankByShare ranks by the attribute value whose share of traces grew most from one cohort to the other.
func rankByShare(ctx context.Context, baseline, incident tracewhy.Cohort, skip func(key string) bool) (*Answer, error) {
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		return nil, err
	}
	set := incident.Set()
	counts := map[attributeUse]*useCount{}
	var order []attributeUse // as first seen
	count := func(cohort tracewhy.Cohort, field func(*useCount) *int32) error {
		for _, n := range counts {
			n.last = -1 // the cohorts may share traces
		}
		return eachTrace(ctx, cohort, func(t tracewhy.Trace) {
			for s := range t.Spans() {
				op := int32(c.operation(s))
				use := func(id tracewhy.AttrID) bool {
					if skip(set.AttrKey(id)) {
						return true
					}
					key := attributeUse{op, id}
					n := counts[key]
					if n == nil {
						n = &useCount{last: -1}
						counts[key] = n
						order = append(order, key)
					}
					if n.last != int32(t.Index()) {
						n.last = int32(t.Index())
						*field(n)++
					}
					return true
				}
				s.AttrIDs()(use)
				s.ResourceAttrIDs()(use)
			}
		})
	}
	if err := count(incident, func(n *useCount) *int32 { return &n.incident }); err != nil {
		return nil, err
	}
	if err := count(baseline, func(n *useCount) *int32 { return &n.before }); err != nil {
		return nil, err
	}

	share := func(n int32, of tracewhy.Cohort) float64 { return float64(n) / float64(max(1, of.Len())) }
	scores := slices.Repeat([]float64{math.NaN()}, len(c.operations))
	with := make([]tracewhy.AttrID, len(c.operations)) // the attribute that gave the score
	for _, key := range order {
		n := counts[key]
		score := positive(share(n.incident, incident) - share(n.before, baseline))
		if op := key.operation; !math.IsNaN(score) && !(scores[op] >= score) {
			scores[op] = score
			with[op] = key.attribute
		}
	}
	services := c.best(scores)
	a := c.answer(services, scores)
	conditions := map[rca.Step]*rca.RootCause{}
	for op, id := range with {
		if math.IsNaN(scores[op]) {
			continue
		}
		attr := set.Attr(id)
		said := &rca.RootCause{
			Confidence: rca.Unknown(),
			Conditions: []rca.Condition{rca.ConditionOf(tracewhy.Condition{Key: attr.Key, Op: tracewhy.OpEqual, Value: attr.Value})},
		}
		service := c.services[c.operations[op].service]
		conditions[rca.Step{Service: service, Operation: c.operations[op].name}] = said
		if key := (rca.Step{Service: service}); conditions[key] == nil && scores[op] == services[c.operations[op].service] {
			conditions[key] = said
		}
	}
	for i, s := range a.Services {
		a.Services[i].Cause = conditions[rca.Step{Service: s.Service}]
	}
	for i, s := range a.Operations {
		a.Operations[i].Cause = conditions[rca.Step{Service: s.Service, Operation: s.Operation}]
	}
	return a, nil
}
