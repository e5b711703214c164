package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/evaluate"
	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline"
)

// The warnings that this command adds to a report.
const (
	warningOutcomesUnused = "outcomes_not_used" // business outcomes were given, and nothing reads them yet
	warningSplit          = "baseline_within"   // better times were looked for in the traces of the incident
)

// analyze says what broke.
func analyze(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var baseline listFlag
	fs.Var(&baseline, "baseline", "traces of better times: a `FILE`, a pattern, or - for standard input; may be repeated. Without it, better times are looked for in the traces of the incident")
	changes := fs.String("changes", "", "recorded changes, a JSON `FILE` of {\"time\", \"kind\", \"service\", \"id\", \"description\"}")
	outcomes := fs.String("outcomes", "", "business outcomes, a CSV `FILE`; noted, but not used yet")
	format := fs.String("format", "text", "write the report as text or json")
	output := fs.String("o", "", "write the report to `FILE`, not to standard output")
	fail := fs.Bool("fail-on-incident", false, "exit with status 3 if there is an incident")
	width := fs.Int("width", 80, "how many `COLUMNS` text may have")
	color := colorFlag(fs, env)
	incident, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(incident) == 0 {
		return usagef("name the traces of the incident: files, or a case folder with files baseline* and incident*")
	}
	render, err := renderer(*format, *output, *width, color)
	if err != nil {
		return err
	}
	in, err := resolve(baseline, incident)
	if err != nil {
		return err
	}
	in.changes, in.outcomes = or(*changes, in.changes), or(*outcomes, in.outcomes)
	a, err := investigate(ctx, env, in)
	if err != nil {
		return err
	}
	if err := a.write(env, *output, render); err != nil {
		return err
	}
	if *fail && a.report.Verdict == rca.VerdictIncident {
		return errIncident
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// answer is a report and the traces that it is about.
type answer struct {
	report             *rca.Report
	baseline, incident tracewhy.Cohort
}

// investigate reads the files and asks what broke.
func investigate(ctx context.Context, env *environment, in files) (*answer, error) {
	r := &reader{env: env}
	var cfg rca.Config
	if in.changes != "" {
		var err error
		if cfg.Changes, err = evaluate.ReadChanges(in.changes); err != nil {
			return nil, err
		}
	}
	if err := r.read(ctx, sourceBaseline, in.baseline); err != nil {
		return nil, err
	}
	if err := r.read(ctx, sourceIncident, in.incident); err != nil {
		return nil, err
	}
	a, err := r.investigate(ctx, in, cfg)
	if err != nil {
		return nil, err
	}
	if in.outcomes != "" {
		if _, err := os.Stat(in.outcomes); err != nil {
			return nil, err
		}
		a.report.Warnings = append(a.report.Warnings, tracewhy.Warning{
			Code: warningOutcomesUnused, Message: "The business outcomes in " + in.outcomes + " were not looked at: no analysis uses them yet.", Count: 1,
		})
	}
	return a, nil
}

// investigate asks what broke, of the spans that were read from the files.
func (r *reader) investigate(ctx context.Context, in files, cfg rca.Config) (*answer, error) {
	p := newProgress(r.env, fmt.Sprintf("analysing %d spans", r.builder.Len()))
	defer p.done()
	set, err := r.builder.Build(ctx)
	if err != nil {
		return nil, err
	}
	a := &answer{baseline: set.Source(sourceBaseline), incident: set.Source(sourceIncident)}
	switch {
	case a.incident.Len() == 0 && a.baseline.Len() == 0:
		return nil, noTraces(in.incident)
	case a.incident.Len() == 0:
		return nil, fmt.Errorf("there is no trace of the incident in %s that is not one of the baseline as well", strings.Join(in.incident, ", "))
	case len(in.baseline) == 0 && a.baseline.Len() == 0:
		return a, a.split(ctx, cfg)
	case a.baseline.Len() == 0:
		return nil, fmt.Errorf("there is no trace of better times in %s", strings.Join(in.baseline, ", "))
	}
	a.report, err = rca.Investigate(ctx, a.baseline, a.incident, cfg)
	return a, err
}

// split looks for better times in the traces of the incident, and asks what became worse. Where no part of
// them is worse than another there is no incident, or none that so few traces would show.
func (a *answer) split(ctx context.Context, cfg rca.Config) error {
	all := a.incident
	cfg.Recording = all
	parts, err := timeline.Split(ctx, all, timeline.ChangePointsConfig{})
	if err != nil {
		return err
	}
	if parts.Incident.Len() > 0 {
		a.baseline, a.incident = parts.Baseline, parts.Incident
		if a.report, err = rca.Investigate(ctx, a.baseline, a.incident, cfg); err != nil {
			return err
		}
	} else {
		a.report = &rca.Report{
			Schema: rca.Schema, Verdict: rca.VerdictNoIncident, NoneOfThese: 1,
			Population: rca.Population{Traces: all.Len(), Spans: all.NumSpans(), IncidentTraces: all.Len(), OutcomeRule: cfg.Outcome.String()},
		}
		for t := range all.Traces() {
			if !t.Missing().Root && cfg.Outcome.Of(t) == tracewhy.OutcomeFailed {
				a.report.Population.Failing++
			}
		}
		for _, w := range all.Set().Problems() {
			a.report.Population.Problems = append(a.report.Population.Problems, rca.ProblemCount{Code: w.Code, Count: w.Count})
		}
		if parts.Detectable >= 1 {
			a.report.Verdict = rca.VerdictNeedMore
			a.report.Next = append(a.report.Next, rca.NextStep{Query: "traces of better times", Why: "so few traces do not show by themselves whether anything became worse"})
		}
	}
	a.report.Warnings = append(a.report.Warnings, tracewhy.Warning{Code: warningSplit, Count: 1, Message: "no baseline was given, and " + parts.Reason})
	return nil
}

// renderer returns what writes an answer in the given format.
func renderer(format, output string, width int, color func() (bool, error)) (func(io.Writer, *answer) error, error) {
	colors, err := color()
	if err != nil {
		return nil, err
	}
	colors = colors && output == ""
	switch format {
	case "json":
		return func(w io.Writer, a *answer) error { return report.JSON(w, a.report) }, nil
	case "text":
		return func(w io.Writer, a *answer) error {
			return report.Text(w, a.report, report.Config{Width: width, Color: colors, Baseline: a.baseline, Incident: a.incident})
		}, nil
	}
	return nil, usagef("-format is text or json, not %q", format)
}

// write renders the answer to a file, or to standard output if output is "".
func (a *answer) write(env *environment, output string, render func(io.Writer, *answer) error) error {
	if output == "" {
		return render(env.stdout, a)
	}
	var b bytes.Buffer
	if err := render(&b, a); err != nil {
		return err
	}
	return os.WriteFile(output, b.Bytes(), 0o666)
}
