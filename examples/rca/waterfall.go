package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca/evaluate"
	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline/gantt"
	"github.com/tracewhy/tracewhy/timeline/sequence"
)

// waterfall draws traces.
func waterfall(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	width := fs.Int("width", 80, "how many `COLUMNS` to use")
	rows := fs.Int("rows", 40, "how many `LINES`, or calls, of a trace to draw; the rest is folded or left out, and counted")
	asSequence := fs.Bool("sequence", false, "draw who called whom, from top to bottom, instead of bars")
	format := fs.String("format", "text", "draw as text for a terminal, or as mermaid")
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
	switch {
	case *format != "text" && *format != "mermaid":
		return usagef("-format is text or mermaid, not %q", *format)
	case *format == "mermaid" && len(positional) > 2:
		return usagef("a Mermaid diagram is of one trace: name one id")
	case *rows < 1:
		return usagef("-rows is a number of lines, not %d", *rows)
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
	switch {
	case *format == "mermaid" && *asSequence:
		_, err = io.WriteString(env.stdout, sequence.OfTrace(traces[0], *rows).Mermaid())
		return err
	case *format == "mermaid":
		_, err = io.WriteString(env.stdout, gantt.OfTrace(traces[0], *rows).Mermaid())
		return err
	case *asSequence:
		return writeSequences(env.stdout, traces, *rows, *width)
	}
	return report.Waterfall(env.stdout, report.Config{Width: *width, Rows: *rows, Color: colors}, traces...)
}

// writeSequences draws traces below each other.
func writeSequences(w io.Writer, traces []tracewhy.Trace, rows, width int) error {
	for i, t := range traces {
		text := sequence.OfTrace(t, rows).Text(width)
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
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
