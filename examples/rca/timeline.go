package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// events says what changed when, in the order of time.
func events(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	bin := fs.Duration("bin", 0, "count in bins of this `LENGTH`; 0 means a round one of which the traces fill about 240")
	rows := fs.Int("rows", 20, "how many `ROWS` of each table to show")
	width := fs.Int("width", 60, "how many `COLUMNS` to draw courses in")
	format := fs.String("format", "text", "write tables as text, or draw one picture: gantt for a terminal, or mermaid")
	gauges := fs.String("signals", "", "a `FILE` of gauges that were measured beside the traces: JSON, or CSV with the columns name, time and value, and service, instance and unit")
	log := fs.String("changes", "", "a `FILE` of recorded changes, as JSON, to rank by whether they set it off; that of a case folder if there is one")
	paths, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(paths) == 0:
		return usagef("name the traces: files, or a case folder")
	case *rows < 0:
		return usagef("-rows is a number, not %d", *rows)
	case *width < 1 || *width > 1000:
		return usagef("-width is a number of columns up to 1000, not %d", *width)
	case *bin < 0:
		return usagef("-bin is a length of time, not %s", *bin)
	case *format != "text" && *format != formatGantt && *format != formatMermaid:
		return usagef("-format is text, gantt or mermaid, not %q", *format)
	}
	in, err := resolve(nil, paths)
	if err != nil {
		return err
	}
	signals, err := readSignals(*gauges)
	if err != nil {
		return err
	}
	recorded, err := readRecorded(cmp.Or(*log, in.changes))
	if err != nil {
		return err
	}
	in = files{incident: slices.Concat(in.baseline, in.incident)}
	set, p, err := (&reader{env: env}).set(ctx, in, "looking at")
	if err != nil {
		return err
	}
	defer p.done()
	cfg := timeline.ChangePointsConfig{Series: timeline.SeriesConfig{Bin: *bin}}
	changes, err := timeline.ChangePoints(ctx, set.All(), cfg)
	if err != nil {
		return err
	}
	if *format != "text" {
		return writeGantt(env.stdout, *format, changes, recorded, *rows, *width)
	}
	split, err := timeline.Split(ctx, set.All(), cfg)
	if err != nil {
		return err
	}
	resources, err := capacity.Resources(ctx, set.All(), capacity.ResourcesConfig{Bin: *bin, Signals: signals})
	if err != nil {
		return err
	}
	var ranking *timeline.RankResult
	if recorded != nil {
		ranking, err = timeline.RankChanges(ctx, set.All(), recorded, timeline.RankConfig{Points: changes})
		if err != nil {
			return err
		}
	}
	return (&course{changes: changes, split: split, ranking: ranking, resources: resources, rows: *rows, width: *width}).writeText(env.stdout)
}

// course is what happened over the time of some traces.
type course struct {
	changes     *timeline.ChangePointsResult
	split       *timeline.SplitResult
	ranking     *timeline.RankResult // nil without recorded changes
	resources   *capacity.ResourcesResult
	rows, width int
}

// writeText writes the course of transactions, what changed, and what that looks like.
func (x *course) writeText(w io.Writer) error {
	var b strings.Builder
	s := x.changes.Series
	if n := len(s.Starts); n > 0 {
		fmt.Fprintf(&b, "%s to %s, in %d bins of %s\n", clock(s.Starts[0]), clock(s.Starts[n-1]+int64(s.Bin)), n, s.Bin)
	}
	fmt.Fprintf(&b, "%s.\n", strings.TrimSuffix(report.Clean(x.split.Reason), "."))
	x.draw(&b)
	x.events(&b)
	if len(x.changes.Propagation) > 0 {
		b.WriteString("\nPROPAGATION: worse in a service after it was in one that it calls\n")
		for _, p := range x.changes.Propagation[:min(len(x.changes.Propagation), x.rows)] {
			from, to := x.changes.Events[p.From], x.changes.Events[p.To]
			fmt.Fprintf(&b, "  %s, and %s later %s\n", report.Clean(from.Subject.String()), p.Delay, report.Clean(to.Subject.String()))
		}
	}
	if len(x.changes.Cascades) > 0 {
		b.WriteString("\nPATTERNS: what events together look like\n")
		for _, c := range x.changes.Cascades[:min(len(x.changes.Cascades), x.rows)] {
			fmt.Fprintf(&b, "  %s: %s\n", c.Kind, report.Clean(c.Reason))
		}
	}
	x.writeRanking(&b)
	x.writeResources(&b)
	x.writeSignals(&b)
	fmt.Fprintf(&b, "\nLIMITS\n  %d series were looked at. ", x.changes.Tested)
	if x.changes.Detectable < 1 {
		fmt.Fprintf(&b, "Failures of %s of the transactions, in a tenth of the time, would have been seen.\n", percents(x.changes.Detectable))
	} else {
		b.WriteString("Of so few transactions no failures would have been seen.\n")
	}
	for _, y := range x.changes.Warnings {
		fmt.Fprintf(&b, "  %s (%d): %s\n", y.Code, y.Count, report.Clean(y.Message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// told returns the indices of the events to write, ascending: of transactions, services and what they call before
// those of instances and paths, which mostly say the same, and of these the nearest to the symptom.
func (x *course) told() []int {
	all := x.changes.Events
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	part := func(e timeline.Event) int {
		switch e.Subject.Kind {
		case timeline.SubjectTransactions, timeline.SubjectService, timeline.SubjectDependency:
			return 0
		}
		return 1
	}
	away := func(i int) time.Duration { return max(all[i].Lead, -all[i].Lead) }
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(part(all[i]), part(all[j])), cmp.Compare(away(i), away(j)))
	})
	order = order[:min(len(order), x.rows)]
	slices.Sort(order)
	return order
}

// events writes what changed, the earliest first.
func (x *course) events(w io.Writer) {
	all := x.changes.Events
	if len(all) == 0 {
		fmt.Fprint(w, "\nNothing changed that is more than chance.\n")
		return
	}
	fmt.Fprint(w, "\nEVENTS\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  TIME\tGIVE OR TAKE\tBEFORE SYMPTOM\t\tWHAT\n")
	for _, i := range x.told() {
		e := all[i]
		lead := ""
		if x.changes.Symptom >= 0 && i != x.changes.Symptom {
			lead = e.Lead.String()
		}
		what, _, _ := strings.Cut(e.String(), " at ")
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", clock(e.Time), time.Duration(max(e.Time-e.First, e.Last-e.Time)), lead, e.Kind, report.Clean(what))
	}
	t.Flush() // of a strings.Builder: it cannot fail
	if n := len(all) - x.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// draw draws the course of all transactions: how many there were, and which share failed or was slow.
func (x *course) draw(w io.Writer) {
	s := x.changes.Series
	at := slices.IndexFunc(s.Counts, func(c timeline.Counts) bool {
		return c.Subject.Kind == timeline.SubjectTransactions && !c.Subject.HasPath
	})
	if at < 0 {
		return
	}
	c := s.Counts[at]
	fmt.Fprint(w, "\nTRANSACTIONS\n")
	ones := make([]int, len(c.Calls))
	for i := range ones {
		ones[i] = 1
	}
	for _, line := range []struct {
		name string
		k, n []int
		unit string
	}{{"a bin", c.Calls, ones, ""}, {"failed", c.Failures, c.Calls, " %"}, {"slow", c.Slow, c.Calls, " %"}} {
		levels, top := x.levels(line.k, line.n)
		if line.unit != "" {
			top *= 100
		}
		fmt.Fprintf(w, "  %-8s%s  up to %.3g%s\n", line.name, levels, top, line.unit)
	}
	if marks := x.marks(); marks != "" {
		fmt.Fprintf(w, "  %-8s%s\n", "", marks)
	}
}

// columns calls f with the bins of every column of a drawing.
func (x *course) columns(n int, f func(from, to int)) {
	width := min(x.width, n)
	for i := range width {
		f(i*n/width, (i+1)*n/width)
	}
}

// levels draws sums of k by sums of n, and returns the largest. Where n is 0, nothing is known.
func (x *course) levels(k, n []int) (drawn string, top float64) {
	var all []float64
	x.columns(len(k), func(from, to int) {
		sum, of := 0, 0
		for i := from; i < to; i++ {
			sum, of = sum+k[i], of+n[i]
		}
		if of == 0 {
			all = append(all, -1)
			return
		}
		all = append(all, float64(sum)/float64(of))
		top = max(top, all[len(all)-1])
	})
	var b strings.Builder
	for _, y := range all {
		switch {
		case y < 0:
			b.WriteByte(' ')
		case y == 0:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, int(8*y/top))])
		}
	}
	return b.String(), top
}

// marks points at when the incident begins and ends.
func (x *course) marks() string {
	s := x.changes.Series
	var b strings.Builder
	x.columns(len(s.Starts), func(from, to int) {
		within := func(e timeline.Event) bool {
			return e.Time > 0 && e.Time >= s.Starts[from] && e.Time < s.Starts[to-1]+int64(s.Bin)
		}
		switch {
		case within(x.split.Onset):
			b.WriteString("^")
		case within(x.split.Recovery):
			b.WriteString("$")
		default:
			b.WriteString(" ")
		}
	})
	marks := b.String()
	var legend []string
	if strings.Contains(marks, "^") {
		legend = append(legend, "^ begins")
	}
	if strings.Contains(marks, "$") {
		legend = append(legend, "$ ends")
	}
	return strings.TrimRight(marks+"  "+strings.Join(legend, ", "), " ")
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05") }
