package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca/evaluate"
	"github.com/tracewhy/tracewhy/rca/report"
)

// waterfall draws traces.
func waterfall(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	width := fs.Int("width", 80, "how many `COLUMNS` to use")
	rows := fs.Int("rows", 40, "how many `LINES` a trace may take; the rest is folded")
	color := colorFlag(fs, env)
	positional, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	colors, err := color()
	if err != nil {
		return err
	}
	if len(positional) < 2 {
		return usagef("name a file or a case folder, and the ids of the traces to draw")
	}
	paths, err := traceFiles(positional[0])
	if err != nil {
		return err
	}
	r := &reader{env: env}
	if err := r.read(ctx, "", paths); err != nil {
		return err
	}
	set, err := r.builder.Build(ctx)
	if err != nil {
		return err
	}
	var traces []tracewhy.Trace
	for _, id := range positional[1:] {
		t, err := findTrace(set, id)
		if err != nil {
			return fmt.Errorf("%s: %w", positional[0], err)
		}
		traces = append(traces, t)
	}
	return report.Waterfall(env.stdout, report.Config{Width: *width, Rows: *rows, Color: colors}, traces...)
}

// traceFiles returns the files that an argument stands for: those of both sides of a case folder.
func traceFiles(arg string) ([]string, error) {
	if !isFolder(arg) {
		return expand(arg)
	}
	c, err := evaluate.Files(arg)
	if err != nil {
		return nil, err
	}
	paths := slices.Concat(c.Baseline, c.Incident)
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no file baseline*, normal* or incident* in it", arg)
	}
	return paths, nil
}

// findTrace returns the trace whose id begins with the given digits.
func findTrace(set *tracewhy.Set, id string) (tracewhy.Trace, error) {
	id = strings.ToLower(id)
	var found tracewhy.Trace
	n := 0
	for t := range set.Traces() {
		if strings.HasPrefix(t.ID().String(), id) {
			found = t
			n++
		}
	}
	switch n {
	case 0:
		return found, fmt.Errorf("no trace %q among its %d", id, set.NumTraces())
	case 1:
		return found, nil
	}
	return found, fmt.Errorf("%d traces begin with %q: give more digits", n, id)
}
