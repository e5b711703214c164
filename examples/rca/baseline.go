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
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tracewhy/tracewhy/compare/baseline"
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
		return usagef("%s: rca %s %s", u.message, v.name, v.args)
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
