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
	"github.com/tracewhy/tracewhy/cluster"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca/report"
)

// modes says what kinds of failure the failing traces are.
func modes(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var baseline listFlag
	fs.Var(&baseline, "baseline", "traces of better times, to say how often each mode was met before: a `FILE`, a pattern, or - for standard input; may be repeated")
	slow := fs.Duration("slow", 0, "count traces that take at least `TIME` (such as 2s) as failing as well")
	format := fs.String("format", "text", "write the modes as text or json")
	incident, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(incident) == 0 {
		return usagef("name the traces of the incident: files, or a case folder")
	}
	if *format != "text" && *format != "json" {
		return usagef("-format is text or json, not %q", *format)
	}
	in, err := resolve(baseline, incident)
	if err != nil {
		return err
	}
	set, p, err := (&reader{env: env}).set(ctx, in, "dividing")
	if err != nil {
		return err
	}
	defer p.done()
	m, err := findModes(ctx, set.Source(sourceBaseline), set.Source(sourceIncident), *slow)
	if err != nil {
		return err
	}
	if *format == "json" {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	return m.writeText(env.stdout)
}

// modesReport is what the command prints.
type modesReport struct {
	slow     time.Duration
	Traces   int                `json:"traces"`
	Failing  int                `json:"failing"`
	Noise    int                `json:"noise"`
	Modes    []modeReport       `json:"modes"`
	Warnings []tracewhy.Warning `json:"warnings"`
}

type modeReport struct {
	Traces     int                `json:"traces"`
	Share      tracewhy.Estimate  `json:"share"` // of the failing traces
	Service    string             `json:"service"`
	Operation  string             `json:"operation"`
	Peer       string             `json:"peer"`
	Rule       string             `json:"rule"`
	Error      string             `json:"error"`
	Message    string             `json:"message"`
	Before     *tracewhy.Estimate `json:"before"` // the share of all traces; null without a baseline
	Now        *tracewhy.Estimate `json:"now"`
	Difference *tracewhy.Estimate `json:"difference"`
	Medoid     tracewhy.TraceID   `json:"medoid"`
	Boundary   []tracewhy.TraceID `json:"boundary"`
	Stability  float64            `json:"stability"`
	P          float64            `json:"p"` // of being told apart by chance; 0 where it fails as no other mode does
	// Who says which conditions tell its traces from those of the incident that did not fail, the strongest
	// first; none if no recorded attribute does.
	Who []compare.Conjunction `json:"who"`
}

// findModes divides the incident's failing traces. There may be no baseline.
func findModes(ctx context.Context, baseline, incident tracewhy.Cohort, slow time.Duration) (*modesReport, error) {
	rule := tracewhy.OutcomeRule{}
	failing := incident.Select(func(t tracewhy.Trace) bool {
		return rule.Of(t) == tracewhy.OutcomeFailed || slow > 0 && t.Duration() >= slow
	})
	m := &modesReport{slow: slow, Traces: incident.Len(), Failing: failing.Len(), Modes: []modeReport{}, Warnings: []tracewhy.Warning{}}
	if failing.Len() == 0 {
		return m, nil
	}
	found, err := cluster.Modes(ctx, failing, cluster.ModesConfig{})
	if err != nil {
		return nil, err
	}
	m.Noise, m.Warnings = found.Noise.Len(), append(m.Warnings, found.Warnings...)
	for _, x := range found.Modes {
		m.Modes = append(m.Modes, modeReport{
			Traces: x.Traces.Len(), Share: x.Share, Service: x.Service, Operation: x.Operation, Peer: x.Peer, Rule: x.Rule,
			Error: x.Error, Message: x.Message, Medoid: x.Medoid, Boundary: x.Boundary, Stability: x.Stability, P: x.P,
			Who: []compare.Conjunction{},
		})
	}
	if err := m.explain(ctx, found.Modes, incident.Minus(failing)); err != nil {
		return nil, err
	}
	if baseline.Len() == 0 || slow > 0 {
		return m, nil
	}
	changes, err := found.Changes(ctx, baseline, incident, rule)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		c := &changes[i]
		m.Modes[i].Before, m.Modes[i].Now, m.Modes[i].Difference = &c.Before, &c.After, &c.Difference
	}
	return m, nil
}

// explain asks whom each mode hits, beside the traces that did not fail. The probability of any false answer is
// 0.05 for all modes together.
func (m *modesReport) explain(ctx context.Context, modes []cluster.Mode, healthy tracewhy.Cohort) error {
	if healthy.Len() == 0 {
		return nil
	}
	for i, x := range modes {
		cfg := compare.ConjunctionsConfig{AttributesConfig: compare.AttributesConfig{Alpha: 0.05 / float64(len(modes))}}
		who, err := compare.Conjunctions(ctx, healthy, x.Traces, cfg)
		if err != nil {
			return err
		}
		m.Modes[i].Who = who.Findings
	}
	return nil
}

// writeText writes a table of the modes, and then what is known of each.
func (m *modesReport) writeText(w io.Writer) error {
	var b strings.Builder
	failed := quantity.Count(m.Traces, "trace") + " failed"
	if m.slow > 0 {
		failed += " or took " + m.slow.String() + " or more"
	}
	switch {
	case m.Failing == 0:
		fmt.Fprintf(&b, "None of %s.\n", failed)
	case len(m.Modes) == 1:
		fmt.Fprintf(&b, "%d of %s, in one mode.\n", m.Failing, failed)
	default:
		fmt.Fprintf(&b, "%d of %s, in %d modes.\n", m.Failing, failed, len(m.Modes))
	}
	if len(m.Modes) > 0 {
		b.WriteByte('\n')
		m.table(&b)
	}
	for i, x := range m.Modes {
		fmt.Fprintf(&b, "\nMode %d: %s\n", i+1, report.Clean(x.origin()))
		apart := ""
		if x.P > 0 {
			apart = fmt.Sprintf("only by what is called and where time goes from another mode (p = %.2g)", x.P)
		}
		var who []string
		for _, f := range x.Who {
			who = append(who, fmt.Sprintf("%s (%s of them, %s of what did not fail)", conjunction(f.Conditions), percents(f.Coverage), percents(f.Prevalence)))
		}
		for _, line := range [][2]string{
			{"who", strings.Join(who, "; or ")},
			{"error", x.Error}, {"says", x.Message}, {"told by", x.Rule}, {"differs", apart}, {"typical", x.Medoid.String()}, {"at the edge", ids(x.Boundary)},
		} {
			if line[1] != "" {
				fmt.Fprintf(&b, "  %-12s%s\n", line[0], report.Clean(line[1]))
			}
		}
	}
	if len(m.Warnings) > 0 {
		b.WriteByte('\n')
	}
	for _, x := range m.Warnings {
		fmt.Fprintf(&b, "%s: %s\n", x.Code, report.Clean(x.Message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *modesReport) table(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	hasBefore := m.Modes[0].Before != nil
	fmt.Fprint(t, "MODE\tTRACES\tSHARE\t95 %")
	if hasBefore {
		fmt.Fprint(t, "\tBEFORE\tNOW\tPOINTS\t95 %")
	}
	fmt.Fprint(t, "\tORIGIN\n")
	for i, x := range m.Modes {
		fmt.Fprintf(t, "%d\t%d\t%s\t%s", i+1, x.Traces, percents(x.Share.Value), interval(x.Share))
		if hasBefore {
			fmt.Fprintf(t, "\t%s\t%s\t%+.1f\t%s", percents(x.Before.Value), percents(x.Now.Value), 100*x.Difference.Value, interval(*x.Difference))
		}
		fmt.Fprintf(t, "\t%s\n", report.Clean(x.origin()))
	}
	if m.Noise > 0 {
		fmt.Fprintf(t, "noise\t%d\t%s\n", m.Noise, percents(float64(m.Noise)/float64(m.Failing)))
	}
	t.Flush() // of a strings.Builder: it cannot fail
}

func (x *modeReport) origin() string {
	s := x.Service + " " + x.Operation
	if x.Peer != "" {
		s += " → " + x.Peer
	}
	return s
}

func percents(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

func interval(e tracewhy.Estimate) string { return fmt.Sprintf("%.1f to %.1f", 100*e.Low, 100*e.High) }

func ids(all []tracewhy.TraceID) string {
	var out []string
	for _, id := range all {
		out = append(out, id.String())
	}
	return strings.Join(out, " ")
}
