package rca

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// ruledOut lists the explanations that a first look at the incident suggests, with the number that
// speaks against each: the service with the most errors, the one that became slowest, a changed mix of
// traffic, and the next suspect.
func (c *cause) ruledOut(all []*suspect) []RuledOut {
	var out []RuledOut
	own := map[string]int{} // failing traces whose error begins in a service
	total := 0
	for _, f := range c.ops.Failures {
		own[f.Service] += f.Traces[1]
		total += f.Traces[1]
	}
	if loudest, errors := c.loudest(); errors > 0 && loudest != c.service {
		out = append(out, RuledOut{
			Hypothesis: loudest + " is at fault: it has the most errors",
			Because:    fmt.Sprintf("it has %d failed spans, but of the failures of transactions %d of %d began there; the others were passed on", errors, own[loudest], total),
		})
	}
	if slowest, by, itself := c.slowest(); by > 0 && slowest != c.service {
		out = append(out, RuledOut{
			Hypothesis: slowest + " is at fault: its spans became slower by the most",
			Because:    fmt.Sprintf("they take %s ms longer on average; its own work adds %s ms per transaction", number(by), number(max(0, itself))),
		})
	}
	if what, share := c.mix(); what != "" {
		out = append(out, RuledOut{
			Hypothesis: "the mix of traffic changed: " + what,
			Because:    "all comparisons are within root operations, so that the share of one of them, " + share + ", cannot make a difference",
		})
	}
	if len(all) > 1 {
		next := all[1]
		out = append(out, RuledOut{
			Hypothesis: next.service + " is at fault",
			Because:    fmt.Sprintf("%s of the incident would vanish without it, and %s without %s", percent1(next.score()), percent1(c.score()), c.service),
		})
	}
	return out
}

func percent1(x float64) string {
	switch x = 100 * min(x, 1); {
	case x >= 10:
		return fmt.Sprintf("%.0f %%", x)
	case x >= 1:
		return fmt.Sprintf("%.1f %%", x)
	}
	return fmt.Sprintf("%.2f %%", x)
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
func (c *cause) mix() (what, share string) {
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
		return "", ""
	}
	x := changes[0]
	return fmt.Sprintf("%s had %s of it, and now %s", x.name, percent(x.from), percent(x.to)), percent(x.to)
}
