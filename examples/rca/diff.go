package main

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/rca/report"
)

// diff lays two traces beside each other.
func diff(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var baseline listFlag
	fs.Var(&baseline, "baseline", "traces of better times as well: a `FILE`, a pattern, or - for standard input; may be repeated")
	format := fs.String("format", "text", "write the differences as text, markdown or json")
	width := fs.Int("width", 80, "how many `COLUMNS` to use")
	rows := fs.Int("rows", 40, "how many `CALLS` to show; the rest is counted")
	color := colorFlag(fs, env)
	positional, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	colors, err := color()
	if err != nil {
		return err
	}
	if len(positional) != 2 && len(positional) != 3 {
		return usagef("name a file or a case folder, and the ids of two traces, or of one to be laid beside the most similar healthy one")
	}
	if *format != "text" && *format != "markdown" && *format != "json" {
		return usagef("-format is text, markdown or json, not %q", *format)
	}
	in, err := resolveDiff(baseline, positional[0])
	if err != nil {
		return err
	}
	r := &reader{env: env}
	if err := r.read(ctx, sourceBaseline, in.baseline); err != nil {
		return err
	}
	if err := r.read(ctx, sourceIncident, in.incident); err != nil {
		return err
	}
	set, err := r.builder.Build(ctx)
	if err != nil {
		return err
	}
	left, right, err := diffPair(set, positional[1:])
	if err != nil {
		return fmt.Errorf("%s: %w", positional[0], err)
	}
	d := compare.Traces(left, right, compare.TracesConfig{})
	cfg := report.Config{Width: *width, Rows: *rows, Color: colors}
	switch *format {
	case "markdown":
		return report.DiffMarkdown(env.stdout, d, cfg)
	case "json":
		return report.DiffJSON(env.stdout, d)
	}
	return report.Diff(env.stdout, d, cfg)
}

// resolveDiff is resolve for one argument, which may be a folder with one side only.
func resolveDiff(baseline []string, arg string) (files, error) {
	if len(baseline) > 0 {
		return resolve(baseline, []string{arg})
	}
	paths, err := traceFiles(arg)
	return files{incident: paths}, err
}

// diffPair returns the traces to compare: of one id the right one, and its healthy twin the left. That is one
// of the baseline, where there is one.
func diffPair(set *tracewhy.Set, ids []string) (left, right tracewhy.Trace, err error) {
	if right, err = findTrace(set, ids[len(ids)-1]); err != nil {
		return left, right, err
	}
	if len(ids) == 2 {
		left, err = findTrace(set, ids[0])
		return left, right, err
	}
	baseline := set.Source(sourceBaseline)
	if baseline.Len() == 0 {
		baseline = set.All()
	}
	left, ok := compare.Twin(right, baseline)
	if !ok {
		return left, right, fmt.Errorf("no healthy trace begins as %s does: give the ids of two", right.ID())
	}
	return left, right, nil
}
