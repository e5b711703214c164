package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/rca/report"
)

// baselines keeps what is normal, and says whether it still is.
func baselines(ctx context.Context, env *environment, c *command, args []string) error {
	verbs := []command{
		{"baseline save", "[flags] FILE…", "", baselineSave},
		{"baseline check", "-baseline FILE [flags] FILE…", "", baselineCheck},
		{"baseline diff", "[flags] BASELINE BASELINE", "", baselineDiff},
		{"baseline merge", "[flags] BASELINE BASELINE…", "", baselineMerge},
		{"baseline show", "[flags] BASELINE", "", baselineShow},
	}
	if len(args) > 0 {
		for _, v := range verbs {
			if v.name == c.name+" "+args[0] {
				return verbError(&v, v.run(ctx, env, &v, args[1:]))
			}
		}
		if slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
			fmt.Fprint(env.stdout, baselineHelp)
			return nil
		}
		return usagef("the first argument is save, check, diff, merge or show, not %q", args[0])
	}
	return usagef("say what to do: save, check, diff, merge or show")
}

const baselineHelp = `usage: rca baseline save|check|diff|merge|show …

  rca baseline save -o week.json.gz FILE…              keep what is normal in these traces
  rca baseline check -baseline week.json.gz FILE…      say whether it still is in those
  rca baseline diff monday.json.gz tuesday.json.gz     say how two baselines differ
  rca baseline merge -o week.json.gz monday.json.gz …  make one baseline of several
  rca baseline show week.json.gz                       print what a baseline says

The flags of each: rca baseline save -h
`

// verbError makes a message about the command line say of which verb it is.
func verbError(v *command, err error) error {
	if u, ok := err.(*usageError); ok {
		return usagef("%s\nusage: rca %s %s", u.message, v.name, v.args)
	}
	return err
}

// baselineSave writes the snapshot of traces.
func baselineSave(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	out := fs.String("o", "", "write the baseline to `FILE`, compressed if it ends in .gz or .zst; standard output if there is none")
	inputs, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(inputs) == 0 {
		return usagef("name the traces: files, or a case folder, whose baseline is taken")
	}
	in, err := resolve(inputs, nil)
	if err != nil {
		return err
	}
	s, err := snapshotOf(ctx, env, in.baseline)
	if err != nil {
		return err
	}
	return writeSnapshot(env, *out, s)
}

// snapshotOf reads traces and takes their snapshot.
func snapshotOf(ctx context.Context, env *environment, paths []string) (*baseline.Snapshot, error) {
	r := &reader{env: env}
	if err := r.read(ctx, sourceIncident, paths); err != nil {
		return nil, err
	}
	p := newProgress(env, fmt.Sprintf("counting %d spans", r.builder.Len()))
	defer p.done()
	set, err := r.builder.Build(ctx)
	if err != nil {
		return nil, err
	}
	if set.NumTraces() == 0 {
		return nil, fmt.Errorf("there is no trace in %s", strings.Join(paths, ", "))
	}
	return baseline.Take(ctx, set.All(), baseline.Config{})
}

func writeSnapshot(env *environment, path string, s *baseline.Snapshot) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	out, err := newSaved(env, path)
	if err != nil {
		return err
	}
	w := io.Writer(out.buffer)
	if out.compress != nil {
		w = out.compress
	}
	_, err = w.Write(append(data, '\n'))
	if closed := out.close(err == nil); err == nil {
		err = closed
	}
	return err
}

// readSnapshot reads a file that was saved, or standard input.
func readSnapshot(env *environment, path string) (*baseline.Snapshot, error) {
	in := env.stdin
	if path != stdinName {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	plain, err := decompressed(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := baseline.Read(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (a baseline is what rca baseline save wrote)", path, err)
	}
	return s, nil
}

// decompressed undoes the compression of a file, if it has one.
func decompressed(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(4)
	switch {
	case err == nil && bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(b)
	case err == nil && bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return b, nil
}

// driftFlags is how a command compares baselines, and what it prints.
type driftFlags struct {
	cfg         baseline.Config
	format      string
	rows        int
	failOnDrift bool
}

func (d *driftFlags) define(c *command, env *environment, args []string, also func(define func(name string, to *string, usage string))) ([]string, error) {
	fs := c.flagSet()
	if also != nil {
		also(func(name string, to *string, usage string) { fs.StringVar(to, name, "", usage) })
	}
	fs.Float64Var(&d.cfg.Alpha, "alpha", 0.05, "the `PROBABILITY` of calling anything a drift where nothing changed")
	fs.Float64Var(&d.cfg.MinRatio, "min-ratio", 1.25, "tolerate what becomes longer or shorter, or more or less often called, by a smaller `FACTOR`")
	fs.Float64Var(&d.cfg.MinFailures, "min-failures", 0.005, "tolerate changes of the share of traces that fail by less than this `SHARE`")
	fs.Float64Var(&d.cfg.MinDifference, "min-difference", 0.02, "tolerate other changes of shares of traces by less than this `SHARE`")
	fs.DurationVar(&d.cfg.MaxAge, "max-age", 28*24*time.Hour, "warn of a baseline that is older than this `TIME` when the last trace begins")
	fs.StringVar(&d.format, "format", "text", "write text or json")
	fs.IntVar(&d.rows, "rows", 20, "how many `ROWS` of each part to show")
	fs.BoolVar(&d.failOnDrift, "fail-on-drift", false, "exit with status 3 if there is a drift")
	rest, err := c.parse(env, fs, args)
	switch {
	case err != nil:
		return nil, err
	case d.format != "text" && d.format != "json":
		return nil, usagef("-format is text or json, not %q", d.format)
	case d.rows < 0:
		return nil, usagef("-rows is a number, not %d", d.rows)
	case !(d.cfg.Alpha > 0 && d.cfg.Alpha < 1):
		return nil, usagef("-alpha is a probability between 0 and 1, not %v", d.cfg.Alpha)
	case !(d.cfg.MinRatio > 1):
		return nil, usagef("-min-ratio is a factor above 1, not %v", d.cfg.MinRatio)
	case !(d.cfg.MinFailures > 0 && d.cfg.MinDifference > 0):
		return nil, usagef("-min-failures and -min-difference are shares above 0")
	}
	return rest, nil
}

// baselineCheck says whether a baseline describes traces.
func baselineCheck(ctx context.Context, env *environment, c *command, args []string) error {
	d := &driftFlags{}
	var path string
	inputs, err := d.define(c, env, args, func(define func(name string, to *string, usage string)) {
		define("baseline", &path, "the baseline: a `FILE` that rca baseline save wrote")
	})
	if err != nil {
		return err
	}
	if path == "" {
		return usagef("name the baseline with -baseline")
	}
	if len(inputs) == 0 {
		return usagef("name the traces: files, or a case folder, whose incident is taken")
	}
	in, err := resolve(nil, inputs)
	if err != nil {
		return err
	}
	before, err := readSnapshot(env, path)
	if err != nil {
		return err
	}
	after, err := snapshotOf(ctx, env, in.incident)
	if err != nil {
		return err
	}
	return d.print(ctx, env, before, after)
}

// baselineDiff says how two baselines differ.
func baselineDiff(ctx context.Context, env *environment, c *command, args []string) error {
	d := &driftFlags{}
	paths, err := d.define(c, env, args, nil)
	if err != nil {
		return err
	}
	if len(paths) != 2 {
		return usagef("name two baselines, the older first")
	}
	before, err := readSnapshot(env, paths[0])
	if err != nil {
		return err
	}
	after, err := readSnapshot(env, paths[1])
	if err != nil {
		return err
	}
	return d.print(ctx, env, before, after)
}

// baselineMerge makes one baseline of several.
func baselineMerge(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	out := fs.String("o", "", "write the baseline to `FILE`, compressed if it ends in .gz or .zst; standard output if there is none")
	paths, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(paths) < 2 {
		return usagef("name the baselines to merge, at least two")
	}
	if err := (&files{baseline: paths}).check(); err != nil {
		return err
	}
	var merged *baseline.Snapshot
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := readSnapshot(env, path)
		if err != nil {
			return err
		}
		if merged == nil {
			merged = s
			continue
		}
		if merged, err = baseline.Merge(merged, s); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return writeSnapshot(env, *out, merged)
}

// print compares two snapshots and writes what is different.
func (d *driftFlags) print(ctx context.Context, env *environment, before, after *baseline.Snapshot) error {
	d.cfg.Now = after.Last // so that a replay of old traces says what it would have said then
	found, err := baseline.Diff(ctx, before, after, d.cfg)
	if err != nil {
		return err
	}
	if d.format == "json" {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		err = e.Encode(found)
	} else {
		err = d.writeText(env.stdout, before, after, found)
	}
	if err == nil && d.failOnDrift && found.Verdict == baseline.Drifted {
		return errIncident
	}
	return err
}

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
		byPath(&b, changes[:min(len(changes), d.rows)])
		if more := len(changes) - d.rows; more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
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

// byPath writes changes under the paths that they are of, those first that come first.
func byPath(w io.Writer, changes []baseline.Change) {
	var paths []string
	lines := map[string][]string{}
	came, went := map[string]int{}, map[string]int{} // instances, by service
	for i := range changes {
		c := &changes[i]
		// Two paths may look the same once they are cut: they are told apart all the same.
		key := strings.Join(c.Path, " > ")
		if lines[key] == nil {
			path := c.Path
			if len(path) > 4 {
				path = slices.Concat(path[:1], []string{"…"}, path[len(path)-2:])
			}
			paths = append(paths, key)
			lines[key] = []string{strings.Join(path, " > ")}
		}
		switch {
		case c.Kind == baseline.KindInstance && c.Before == 0:
			came[key]++
		case c.Kind == baseline.KindInstance && c.After == 0:
			went[key]++
		default:
			lines[key] = append(lines[key], "  "+c.String()+", "+certainty(c))
		}
	}
	for _, path := range paths {
		if came[path]+went[path] > 0 {
			lines[path] = append(lines[path], fmt.Sprintf("  instances: %d new, %d gone", came[path], went[path]))
		}
		for _, line := range lines[path] {
			fmt.Fprintf(w, "  %s\n", report.Clean(line))
		}
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
		return fmt.Sprintf("%s, of unknown times", counted(int(s.Traces), "trace"))
	}
	return fmt.Sprintf("%s from %s to %s UTC, %.3g a second", counted(int(s.Traces), "trace"), s.First.Format(time.DateTime), s.Last.Format(time.DateTime), perSecond)
}

// baselineShow prints a snapshot for a reviewer.
func baselineShow(_ context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	rows := fs.Int("rows", 20, "how many `ROWS` of each table to show, the most frequent")
	paths, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return usagef("name one baseline")
	}
	if *rows < 0 {
		return usagef("-rows is a number, not %d", *rows)
	}
	s, err := readSnapshot(env, paths[0])
	if err != nil {
		return err
	}
	var b strings.Builder
	showTotals(&b, s)
	showOperations(&b, s, *rows)
	showServices(&b, s, *rows)
	_, err = io.WriteString(env.stdout, b.String())
	return err
}

func showTotals(w io.Writer, s *baseline.Snapshot) {
	perSecond := 0.0
	if length := s.Last.Sub(s.First); length > 0 {
		perSecond = float64(s.Traces) / length.Seconds()
	}
	fmt.Fprintf(w, "%s\n", window(s, perSecond))
	fmt.Fprintf(w, "  %s, %s, %s; requests that failed: %s\n", counted(int(s.Spans), "span"), counted(len(s.Operations), "operation"), counted(len(s.Services), "service"), report.Clean(s.Outcome))
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
