package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca/report"
)

// writeText writes the verdict, and the changes under the paths that they are of.
func (d *driftFlags) writeText(w io.Writer, before, after *baseline.Snapshot, found *baseline.Comparison) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s.\n", strings.ToUpper(strings.ReplaceAll(string(found.Verdict), "_", " ")), report.Clean(found.Reason))
	for side, s := range []*baseline.Snapshot{before, after} {
		fmt.Fprintf(&b, "  %s %s\n", []string{"before:", "after: "}[side], window(s, found.PerSecond[side]))
	}
	parts := []struct {
		title string
		is    func(c *baseline.Change) bool
	}{
		{"DRIFT", func(c *baseline.Change) bool { return c.Drift }},
		{"OTHER CHANGES: too small to matter, or not sure", func(c *baseline.Change) bool { return !c.Drift && !isAround(c) }},
		{"AROUND THEM: what requests there were, and what was deployed", isAround},
	}
	for _, part := range parts {
		changes := slices.DeleteFunc(slices.Clone(found.Changes), func(c baseline.Change) bool { return !part.is(&c) })
		if len(changes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", part.title)
		byPath(&b, changes, d.rows)
	}
	if len(found.Warnings) > 0 {
		b.WriteByte('\n')
	}
	for _, x := range found.Warnings {
		fmt.Fprintf(&b, "%s (%d): %s\n", x.Code, x.Count, report.Clean(x.Message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// byPath writes as many changes as there may be rows, under the paths that they are of, those first that come first.
func byPath(w io.Writer, changes []baseline.Change, rows int) {
	type place struct {
		title      string
		lines      []string
		came, went int // instances
	}
	var places []*place
	at := map[string]*place{}
	for i := range changes {
		c := &changes[i]
		key := strings.Join(c.Path, " > ") // what is shown of two paths may be the same
		p := at[key]
		if p == nil {
			path := c.Path
			if len(path) > 4 {
				path = slices.Concat(path[:1], []string{"…"}, path[len(path)-2:])
			}
			p = &place{title: strings.Join(path, " > ")}
			at[key] = p
			places = append(places, p)
		}
		switch {
		case c.Kind == baseline.KindInstance && c.Before == 0:
			p.came++
		case c.Kind == baseline.KindInstance && c.After == 0:
			p.went++
		default:
			p.lines = append(p.lines, c.String()+", "+certainty(c))
		}
	}
	for _, p := range places {
		if p.came+p.went > 0 {
			p.lines = append(p.lines, fmt.Sprintf("instances: %d new, %d gone", p.came, p.went))
		}
		shown := p.lines[:min(len(p.lines), max(rows, 0))]
		if len(shown) > 0 {
			fmt.Fprintf(w, "  %s\n", report.Clean(p.title))
		}
		for _, line := range shown {
			fmt.Fprintf(w, "    %s\n", report.Clean(line))
		}
		rows -= len(p.lines)
	}
	if rows < 0 {
		fmt.Fprintf(w, "  and %d more\n", -rows)
	}
}

func isAround(c *baseline.Change) bool {
	return c.Kind == baseline.KindTraffic || c.Kind == baseline.KindVersion || c.Kind == baseline.KindInstance
}

// certainty says how probable any drift is where there is none; of other changes, what share of such are chance.
func certainty(c *baseline.Change) string {
	name, p := "q", c.Q
	if c.Drift {
		name, p = "p", c.Adjusted
	}
	if p < 1e-6 {
		return name + " < 1e-6"
	}
	return fmt.Sprintf("%s = %.2g", name, p)
}

// window says how many traces there are, and of when.
func window(s *baseline.Snapshot, perSecond float64) string {
	if s.First.IsZero() {
		return fmt.Sprintf("%s, of unknown times", quantity.Count(int(s.Traces), "trace"))
	}
	return fmt.Sprintf("%s from %s to %s UTC, %.3g a second", quantity.Count(int(s.Traces), "trace"), s.First.Format(time.DateTime), s.Last.Format(time.DateTime), perSecond)
}

func showTotals(w io.Writer, s *baseline.Snapshot) {
	perSecond := 0.0
	if length := s.Last.Sub(s.First); length > 0 {
		perSecond = float64(s.Traces) / length.Seconds()
	}
	fmt.Fprintf(w, "%s\n", window(s, perSecond))
	fmt.Fprintf(w, "  %s, %s, %s; requests that failed: %s\n", quantity.Count(int(s.Spans), "span"), quantity.Count(len(s.Operations), "operation"), quantity.Count(len(s.Services), "service"), report.Clean(s.Outcome))
	if s.Weight != 1000*s.Traces {
		fmt.Fprintf(w, "  sampled: they stand for %.0f traces\n", float64(s.Weight)/1000)
	}
	if s.Fragments+s.Incomplete+s.Detached > 0 {
		fmt.Fprintf(w, "  without a root %d, otherwise incomplete %d; spans below a missing parent %d\n", s.Fragments, s.Incomplete, s.Detached)
	}
	if s.LeftOut+s.LeftOutSpans > 0 {
		fmt.Fprintf(w, "  over the limits: %d executions of operations, %d spans of services\n", s.LeftOut, s.LeftOutSpans)
	}
	var hours []string
	for hour, n := range s.Hours {
		if n > 0 {
			hours = append(hours, fmt.Sprintf("%02dh %d", hour, n))
		}
	}
	if len(hours) > 0 {
		fmt.Fprintf(w, "  hours of the day (UTC): %s\n", strings.Join(hours, ", "))
	}
}

func showOperations(w io.Writer, s *baseline.Snapshot, rows int) {
	list := make([]int, len(s.Operations))
	for i := range list {
		list[i] = i
	}
	for _, part := range []struct {
		title string
		is    func(o *baseline.Operation) bool
	}{
		{"REQUESTS", func(o *baseline.Operation) bool { return o.Requests > 0 }},
		{"OPERATIONS that they call", func(o *baseline.Operation) bool { return o.Requests == 0 }},
	} {
		chosen := slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !part.is(&s.Operations[i]) })
		slices.SortStableFunc(chosen, func(a, b int) int { return int(s.Operations[b].Traces - s.Operations[a].Traces) })
		if len(chosen) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", part.title)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprint(t, "  OPERATION\tCALLED BY\tTRACES\tFAILING\tEXECUTIONS\tP50 MS\tP95 MS\tP99 MS\tSTRUCTURES\tPEERS\n")
		for _, i := range chosen[:min(len(chosen), rows)] {
			o := &s.Operations[i]
			caller, failed := "", float64(o.FailedTraces)/float64(o.Traces)
			if o.Caller >= 0 {
				caller = s.Operations[o.Caller].Service + " " + s.Operations[o.Caller].Name
			}
			if o.Requests > 0 {
				failed = float64(o.FailedWeight) / float64(o.Weight)
			}
			fmt.Fprintf(t, "  %s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%d\t%s\n", report.Clean(o.Service+" "+o.Name), report.Clean(caller), o.Traces, percents(failed), o.Executions,
				quantile(o, 0.5), quantile(o, 0.95), quantile(o, 0.99), len(o.Shapes), report.Clean(tallyNames(o.Peers)))
		}
		t.Flush() // of a strings.Builder: it cannot fail
		if more := len(chosen) - rows; more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
}

func quantile(o *baseline.Operation, p float64) string {
	if len(o.Durations) == 0 {
		return "unknown"
	}
	ms := o.Durations.Quantile(p) / 1e6
	if ms >= 1000 {
		return fmt.Sprintf("%.0f", ms)
	}
	return fmt.Sprintf("%.3g", ms)
}

func showServices(w io.Writer, s *baseline.Snapshot, rows int) {
	list := slices.Clone(s.Services)
	slices.SortStableFunc(list, func(a, b baseline.Service) int { return int(b.Traces - a.Traces) })
	if len(list) == 0 {
		return
	}
	fmt.Fprint(w, "\nSERVICES\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  SERVICE\tTRACES\tSPANS\tINSTANCES\tVERSIONS\n")
	for _, x := range list[:min(len(list), rows)] {
		fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%s\n", report.Clean(x.Name), x.Traces, x.Spans, len(x.Instances), report.Clean(tallyNames(x.Versions)))
	}
	t.Flush() // of a strings.Builder: it cannot fail
	if more := len(list) - rows; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

// tallyNames names up to three.
func tallyNames(list []baseline.Tally) string {
	var names []string
	for _, x := range list[:min(len(list), 3)] {
		names = append(names, x.Name)
	}
	if more := len(list) - 3; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
