package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/export/perfetto"
	"github.com/tracewhy/tracewhy/export/pprof"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/rca/report"
)

// conversion is what to convert, once it is read and selected.
type conversion struct {
	traces   tracewhy.Cohort
	baseline tracewhy.Cohort // what to subtract, in a profile
	scale    float64         // how many traces to scale a profile to, if positive
	read     tracewhy.Accounting
	notes    []string // what writing left out
}

// outputFormat is a format that convert writes.
type outputFormat struct {
	name, about string
	gzipOnly    bool // whether those who read it know no other compression
	write       func(w io.Writer, c *conversion) error
}

func outputFormats() []outputFormat {
	return []outputFormat{
		{"otlp", "OTLP JSON lines", false, spansIn(otlp.WriteJSON)},
		{"otlp-proto", "OTLP protobuf", false, spansIn(otlp.WriteProto)},
		{"jaeger", "JSON for Jaeger's UI", false, spansIn(jaeger.WriteJSON)},
		{"perfetto", "a timeline for ui.perfetto.dev", true, writePerfetto},
		{"pprof", "a profile of critical paths for go tool pprof", true, writeProfile},
	}
}

func spansIn(write func(io.Writer, iter.Seq[tracewhy.Span]) error) func(io.Writer, *conversion) error {
	return func(w io.Writer, c *conversion) error {
		return write(w, func(yield func(tracewhy.Span) bool) {
			for t := range c.traces.Traces() {
				for s := range t.Spans() {
					if !yield(s) {
						return
					}
				}
			}
		})
	}
}

func writePerfetto(w io.Writer, c *conversion) error {
	stats, err := perfetto.Write(w, c.traces)
	if stats.Moments > 0 {
		c.notes = append(c.notes, fmt.Sprintf("spans drawn as moments, since their duration is not known: %d", stats.Moments))
	}
	if stats.Omitted > 0 {
		c.notes = append(c.notes, fmt.Sprintf("spans left out, since they have no time: %d", stats.Omitted))
	}
	return err
}

func writeProfile(w io.Writer, c *conversion) error {
	cfg := pprof.Config{Traces: c.scale}
	if c.baseline.Len() == 0 {
		return pprof.New(c.traces, cfg).WriteUncompressed(w)
	}
	return pprof.Diff(c.baseline, c.traces, cfg).WriteUncompressed(w)
}

// convertFlags are the flags of convert.
type convertFlags struct {
	to       string
	baseline listFlag
	scale    float64
	output   string

	selection
	traces listFlag
}

func (f *convertFlags) define(fs *flag.FlagSet) {
	var formats []string
	for _, o := range outputFormats() {
		formats = append(formats, o.name+" ("+o.about+")")
	}
	fs.StringVar(&f.to, "to", "otlp", "write `FORMAT`: "+strings.Join(formats, ", "))
	fs.Var(&f.baseline, "baseline", "subtract the traces of better times in `FILE` from a profile, scaled to as many traces; may be repeated")
	fs.Float64Var(&f.scale, "scale", 0, "scale a profile to `N` traces, so that profiles compare with pprof -diff_base")
	fs.StringVar(&f.output, "o", "", "write to `FILE`, compressed if it ends in .gz or .zst")
	f.selection.define(fs, "only traces")
	fs.Var(&f.traces, "trace", "only the trace whose `ID` begins like this; may be repeated for any of several")
}

// format returns the format that the flags name, having looked at what it goes with.
func (f *convertFlags) format() (outputFormat, error) {
	formats := outputFormats()
	i := slices.IndexFunc(formats, func(o outputFormat) bool { return o.name == f.to })
	switch {
	case i < 0:
		var names []string
		for _, o := range formats {
			names = append(names, o.name)
		}
		return outputFormat{}, usagef("-to is one of %s, not %q", strings.Join(names, ", "), f.to)
	case f.to != "pprof" && len(f.baseline) > 0:
		return outputFormat{}, usagef("-baseline goes with -to pprof: only from profiles can it be subtracted")
	case f.to != "pprof" && f.scale != 0:
		return outputFormat{}, usagef("-scale goes with -to pprof")
	case !(f.scale >= 0):
		return outputFormat{}, usagef("-scale is a number of traces, not %v", f.scale)
	case formats[i].gzipOnly && strings.HasSuffix(f.output, ".zst"):
		return outputFormat{}, usagef("what reads %s knows gzip and not zstd: let the name end in .gz", f.to)
	}
	return formats[i], nil
}

// convert writes traces in another format, all or some of them.
func convert(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var f convertFlags
	f.define(fs)
	positional, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return usagef("name the traces to convert: files, or a case folder")
	}
	format, err := f.format()
	if err != nil {
		return err
	}
	predicate, err := f.predicate()
	if err != nil {
		return err
	}
	in, err := resolve(f.baseline, positional)
	if err != nil {
		return err
	}
	if f.to != "pprof" { // both sides of a case folder
		in.incident, in.baseline = slices.Concat(in.baseline, in.incident), nil
	}
	conv, err := f.selected(ctx, env, in, predicate)
	if err != nil {
		return err
	}
	out, err := newSaved(env, f.output)
	if err != nil {
		return err
	}
	err = format.write(whileWanted{ctx, out.writer()}, conv)
	if err = errors.Join(err, out.close(err == nil)); err != nil {
		return err
	}
	summary := env.stdout
	if f.output == "" {
		summary = env.stderr
	}
	return conv.summarize(summary, f.output)
}

// selected reads the files and selects the traces to convert.
func (f *convertFlags) selected(ctx context.Context, env *environment, in files, p tracewhy.Predicate) (*conversion, error) {
	r := &reader{env: env}
	if err := r.read(ctx, sourceBaseline, in.baseline); err != nil {
		return nil, err
	}
	if err := r.read(ctx, sourceIncident, in.incident); err != nil {
		return nil, err
	}
	set, err := r.builder.Build(ctx)
	if err != nil {
		return nil, err
	}
	conv := &conversion{traces: set.Source(sourceIncident).Where(p), scale: f.scale, read: set.Accounting()}
	if len(f.traces) > 0 {
		wanted := map[tracewhy.Trace]bool{}
		for _, id := range f.traces {
			t, err := findTrace(set, id)
			if err != nil {
				return nil, err
			}
			wanted[t] = true
		}
		conv.traces = conv.traces.Select(func(t tracewhy.Trace) bool { return wanted[t] })
	}
	if conv.traces.Len() == 0 {
		return nil, fmt.Errorf("none of %d traces is selected", set.Source(sourceIncident).Len())
	}
	if len(in.baseline) > 0 {
		conv.baseline = set.Source(sourceBaseline).Where(p)
		if conv.baseline.Len() == 0 {
			return nil, fmt.Errorf("none of %d traces of better times is selected: there is nothing to subtract", set.Source(sourceBaseline).Len())
		}
	}
	return conv, nil
}

// summarize says what was written and what was not.
func (c *conversion) summarize(w io.Writer, output string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d traces of %d spans", c.traces.Len(), c.traces.NumSpans())
	if n := c.baseline.Len(); n > 0 {
		fmt.Fprintf(&b, ", less %d of better times", n)
	}
	if output != "" {
		fmt.Fprintf(&b, ", saved to %s", report.Clean(output))
	}
	b.WriteByte('\n')
	if n := c.read.Quarantined; n > 0 {
		fmt.Fprintf(&b, "spans that could not be read: %d\n", n)
	}
	for _, note := range c.notes {
		b.WriteString(note + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writer returns what to write to.
func (s *saved) writer() io.Writer {
	if s.compress != nil {
		return s.compress
	}
	return s.buffer
}

// whileWanted writes until the context is done.
type whileWanted struct {
	ctx context.Context
	w   io.Writer
}

func (w whileWanted) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
