package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca/report"
)

// graph says what depends on what, how well it answers, and whose fault it is.
func graph(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var baseline, own listFlag
	var draw depgraph.DrawConfig
	fs.Var(&baseline, "baseline", "traces of better times, to grade dependencies and to say whose fault it is: a `FILE`, a pattern, or - for standard input; may be repeated")
	fs.Var(&own, "own", "the `HOST`, or domain with all hosts in it, is of the estate itself; may be repeated")
	fs.BoolVar(&draw.Operations, "operations", false, "draw operations rather than services")
	fs.BoolVar(&draw.Numbers, "numbers", false, "write calls and failures on the edges")
	fs.Float64Var(&draw.Fraction, "fraction", 0, "leave out of the drawing what a smaller `SHARE` of the traffic passes: 0.005 if it is 0, nothing if it is negative")
	format := fs.String("format", "text", "write tables as text, a drawing as mermaid or dot, or all as json")
	rows := fs.Int("rows", 15, "how many `ROWS` of each table to show")
	incident, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(incident) == 0 {
		return usagef("name the traces: files, or a case folder")
	}
	switch *format {
	case "text", "mermaid", "dot", "json":
	default:
		return usagef("-format is text, mermaid, dot or json, not %q", *format)
	}
	if *rows < 0 {
		return usagef("-rows is a number, not %d", *rows)
	}
	in, err := resolve(baseline, incident)
	if err != nil {
		return err
	}
	set, p, err := (&reader{env: env}).set(ctx, in, "looking at")
	if err != nil {
		return err
	}
	defer p.done()
	d := &dependencies{rows: *rows}
	if err := d.look(ctx, set.Source(sourceBaseline), set.Source(sourceIncident), depgraph.Config{OwnHosts: own}); err != nil {
		return err
	}
	switch *format {
	case "mermaid":
		_, err = io.WriteString(env.stdout, d.Graph.Mermaid(draw))
		return err
	case "dot":
		_, err = io.WriteString(env.stdout, d.Graph.DOT(draw))
		return err
	case "json":
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		return e.Encode(d)
	}
	return d.writeText(env.stdout)
}

// dependencies is what the command prints.
type dependencies struct {
	rows int

	Graph     *depgraph.Graph             `json:"graph"`
	Influence *depgraph.InfluenceResult   `json:"influence"`
	Audit     *depgraph.AuditResult       `json:"audit"`
	Cards     *depgraph.ScorecardsResult  `json:"scorecards"`   // null without a baseline
	Fault     *depgraph.FaultDomainResult `json:"fault_domain"` // null without a baseline
}

// look asks all that there is to ask of dependencies. There may be no baseline.
func (d *dependencies) look(ctx context.Context, baseline, incident tracewhy.Cohort, cfg depgraph.Config) (err error) {
	if d.Graph, err = depgraph.Build(ctx, incident, cfg); err != nil {
		return err
	}
	if d.Influence, err = depgraph.Influence(ctx, incident, cfg); err != nil {
		return err
	}
	if d.Audit, err = depgraph.Audit(ctx, incident, cfg); err != nil {
		return err
	}
	if baseline.Len() == 0 {
		return nil
	}
	if d.Cards, err = depgraph.Scorecards(ctx, baseline, incident, cfg); err != nil {
		return err
	}
	d.Fault, err = depgraph.FaultDomain(ctx, baseline, incident, cfg)
	return err
}

// writeText writes whose fault it is, how well each dependency answers, and how much each matters.
func (d *dependencies) writeText(w io.Writer) error {
	var b strings.Builder
	if f := d.Fault; f != nil {
		fmt.Fprintf(&b, "FAULT: %s\n  %s\n", f.Domain, report.Clean(f.Reason))
		for _, place := range f.Places[:min(len(f.Places), d.rows)] {
			fmt.Fprintf(&b, "  %s of the excess of %s: %s, %s (%s)\n", percents(place.Share.Value), f.Symptom, report.Clean(place.Name), report.Clean(place.Part), place.Domain)
		}
		b.WriteByte('\n')
	}
	if d.Cards != nil {
		d.scorecards(&b)
	} else {
		d.nodes(&b)
	}
	d.influence(&b)
	d.audit(&b)
	for _, x := range d.Graph.Warnings {
		fmt.Fprintf(&b, "%s (%d): %s\n", x.Code, x.Count, report.Clean(x.Message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *dependencies) scorecards(w io.Writer) {
	fmt.Fprint(w, "SCORECARDS: incident, and what is different from the baseline\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  NAME\tDOMAIN\tGRADE\tCALLS\tERRORS\tP95\n")
	cards := d.Cards.Cards
	for _, c := range cards[:min(len(cards), d.rows)] {
		name := report.Clean(c.Name)
		if c.Synthetic {
			name += " (tests)"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d\t%s\t%s\n", name, c.Class.Domain, c.Grade, c.Incident.Calls, share(c.Incident.Errors), millis(c.Incident.P95))
	}
	d.rest(t, w, len(cards))
	for _, c := range cards[:min(len(cards), d.rows)] {
		for _, x := range c.Reasons {
			if !strings.Contains(x, "not estimable") { // that is in the table
				fmt.Fprintf(w, "  %s: %s\n", report.Clean(c.Name), report.Clean(x))
			}
		}
	}
}

func (d *dependencies) nodes(w io.Writer) {
	fmt.Fprint(w, "DEPENDENCIES\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  NAME\tDOMAIN\tCALLS\tERRORS\tP95\tBECAUSE\n")
	n := 0
	for _, x := range d.Graph.Nodes {
		if x.Kind != depgraph.NodeService && x.Kind != depgraph.NodeDependency {
			continue
		}
		if n++; n <= d.rows {
			fmt.Fprintf(t, "  %s\t%s\t%d\t%s\t%s\t%s\n", report.Clean(x.Name), x.Class.Domain, x.Calls.Calls, share(x.Calls.Errors), millis(x.Calls.P95), report.Clean(x.Class.Reason))
		}
	}
	d.rest(t, w, n)
}

func (d *dependencies) influence(w io.Writer) {
	fmt.Fprint(w, "\nINFLUENCE: what customers wait for\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  NAME\tDOMAIN\tON CRITICAL PATH\tSAVED WITHOUT ITS TIME\n")
	all := d.Influence.Dependencies
	for _, x := range all[:min(len(all), d.rows)] {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", report.Clean(x.Name), x.Class.Domain, share(x.OnPath), share(x.Saved))
	}
	d.rest(t, w, len(all))
}

func (d *dependencies) audit(w io.Writer) {
	if len(d.Audit.Findings) == 0 {
		return
	}
	fmt.Fprint(w, "\nBOUNDARIES: what is not recorded as it should be\n")
	for _, f := range d.Audit.Findings[:min(len(d.Audit.Findings), d.rows)] {
		fmt.Fprintf(w, "  %s: %s: %s\n", f.Kind, report.Clean(strings.Join(f.Names, ", ")), report.Clean(f.Message))
	}
	if n := len(d.Audit.Findings) - d.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// rest ends a table, and says how many rows it lacks.
func (d *dependencies) rest(t *tabwriter.Writer, w io.Writer, n int) {
	t.Flush() // of a strings.Builder: it cannot fail
	if more := n - d.rows; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

func share(e tracewhy.Estimate) string {
	if !e.IsKnown() {
		return "unknown"
	}
	return percents(e.Value)
}

// millis writes a duration that is given in milliseconds.
func millis(e tracewhy.Estimate) string {
	if !e.IsKnown() {
		return "unknown"
	}
	return quantity.Duration(time.Duration(e.Value * 1e6))
}
