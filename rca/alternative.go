package rca

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// ruledOut lists the explanations that a first look at the incident suggests, with the number that
// speaks against each: the service with the most errors, the one that became slowest, a changed mix of
// traffic, and the next suspect.
func (c *cause) ruledOut(all []*suspect) []RuledOut {
	var out []RuledOut
	if loudest, errors := c.loudest(); errors > 0 && loudest != c.service {
		if because := c.notOf(loudest); because != "" {
			out = append(out, RuledOut{
				Hypothesis: fmt.Sprintf("%s, which has the most failed spans (%s), is at fault", loudest, count(errors)),
				Because:    because,
			})
		}
	}
	if slowest, by, itself := c.slowest(); c.isSlower() && by > 0 && slowest != c.service && itself < by/2 {
		because := "its own work takes as long as before"
		if itself > by/100 {
			because = fmt.Sprintf("its own work adds %s to a transaction", duration(itself))
		}
		out = append(out, RuledOut{
			Hypothesis: fmt.Sprintf("%s, whose spans became slower by the most (%s on average), is at fault", slowest, duration(by)),
			Because:    because,
		})
	}
	if what := c.mix(); what != "" {
		out = append(out, RuledOut{
			Hypothesis: "the mix of traffic changed: " + what,
			Because:    "each root operation is compared with itself",
		})
	}
	if len(all) > 1 && all[1].score() >= minRival*c.score() && all[1].score() < maxRival*c.score() {
		next := all[1]
		out = append(out, RuledOut{
			Hypothesis: next.service + " is at fault",
			Because:    fmt.Sprintf("%s of the incident would vanish without it, and %s without %s", percent(min(1, next.score())), percent(min(1, c.score())), c.service),
		})
	}
	return out
}

// Another suspect explains some part of what the first does. One that explains less is no rival, and one that explains
// more is not ruled out: it is among the causes that it may be as well.
const minRival, maxRival = 0.02, 0.2

// notOf says why a service is not at fault that has many errors: they began elsewhere, or are those of calls that
// another did not answer. It returns "" if most began in it.
func (c *cause) notOf(service string) string {
	began, total := 0, 0
	calls := map[string]int{} // failing traces whose error is that of a call of the service, by what it called
	for _, f := range c.ops.Failures {
		total += f.Traces[1]
		switch {
		case f.Service != service:
		case f.Peer == "":
			began += f.Traces[1]
		default:
			calls[f.Peer] += f.Traces[1]
		}
	}
	if 2*began > total {
		return ""
	}
	because := fmt.Sprintf("%s of %s failing transactions began to fail there", count(began), count(total))
	for i, peer := range slices.SortedFunc(maps.Keys(calls), func(x, y string) int { return cmp.Or(cmp.Compare(calls[y], calls[x]), cmp.Compare(x, y)) }) {
		if i == 0 {
			because += fmt.Sprintf("; in %s its call to %s failed", count(calls[peer]), peer)
		}
	}
	return because
}

// isSlower reports whether transactions take longer than before.
func (c *cause) isSlower() bool {
	return slices.ContainsFunc(c.ops.Symptoms, func(s compare.Symptom) bool {
		return s.Significant && s.Kind == compare.SymptomLatency && s.Excess.Value > 0
	})
}

// loudest returns the service with the most failed spans in the incident.
func (c *cause) loudest() (service string, errors int) {
	counts := map[string]int{}
	for t := range c.incident.Traces() {
		for s := range t.Spans() {
			if s.Failed() {
				counts[s.Service()]++
			}
		}
	}
	for s, n := range counts {
		if n > errors || n == errors && s < service {
			service, errors = s, n
		}
	}
	return service, errors
}

// slowest returns the service whose spans' mean duration grew by the most, in milliseconds, and the
// excess that its own work adds to a transaction.
func (c *cause) slowest() (service string, by, itself float64) {
	type sum struct{ ms, n [2]float64 }
	sums := map[string]*sum{}
	for side, cohort := range []tracewhy.Cohort{c.baseline, c.incident} {
		for t := range cohort.Traces() {
			for s := range t.Spans() {
				start, end, ok := s.Interval()
				if !ok {
					continue
				}
				x := sums[s.Service()]
				if x == nil {
					x = &sum{}
					sums[s.Service()] = x
				}
				x.ms[side] += float64(end-start) / 1e6
				x.n[side]++
			}
		}
	}
	for s, x := range sums {
		if x.n[0] < testable || x.n[1] < testable {
			continue
		}
		if d := x.ms[1]/x.n[1] - x.ms[0]/x.n[0]; d > by || d == by && s < service {
			service, by = s, d
		}
	}
	for _, t := range c.ops.Timings {
		if t.Service == service && t.Callee == "" {
			itself = t.Excess.Value
		}
	}
	return service, by, itself
}

// mix returns the root operation whose share of the traffic changed by the most, if by a tenth or more.
func (c *cause) mix() string {
	counts := map[string]*[2]float64{}
	for side, cohort := range []tracewhy.Cohort{c.baseline, c.incident} {
		for t := range cohort.Traces() {
			name := t.Root().Service() + " " + t.Root().Operation()
			x := counts[name]
			if x == nil {
				x = &[2]float64{}
				counts[name] = x
			}
			x[side]++
		}
	}
	type change struct {
		name     string
		from, to float64
	}
	var changes []change
	for name, x := range counts {
		changes = append(changes, change{name, x[0] / float64(c.baseline.Len()), x[1] / float64(c.incident.Len())})
	}
	size := func(x change) float64 { return max(x.to-x.from, x.from-x.to) }
	slices.SortFunc(changes, func(x, y change) int { return cmp.Or(cmp.Compare(size(y), size(x)), cmp.Compare(x.name, y.name)) })
	if len(changes) == 0 || size(changes[0]) < 0.1 {
		return ""
	}
	x := changes[0]
	return fmt.Sprintf("%s had %s of it, and now %s", x.name, percent(x.from), percent(x.to))
}
