package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/rca/evaluate"
)

// The sources that spans are read as, which select the cohorts.
const (
	sourceBaseline = "baseline"
	sourceIncident = "incident"
)

// stdinName is the argument that stands for standard input.
const stdinName = "-"

// files are the inputs of one investigation.
type files struct {
	baseline, incident []string
	changes, outcomes  string // "" if there is none
}

// resolve turns the arguments of analyze into files. An argument is a file, "-", a pattern, or a case
// folder, which brings its own baseline, changes and outcomes.
func resolve(baseline, incident []string) (files, error) {
	var f files
	for _, arg := range incident {
		if isFolder(arg) {
			c, err := evaluate.Files(arg)
			if err != nil {
				return f, err
			}
			if len(c.Incident) == 0 {
				return f, fmt.Errorf("%s: no file incident* in it; name trace files, or a folder with files baseline* and incident*", arg)
			}
			f.baseline, f.incident = append(f.baseline, c.Baseline...), append(f.incident, c.Incident...)
			f.changes, f.outcomes = c.Changes, c.Outcomes
			continue
		}
		paths, err := expand(arg)
		if err != nil {
			return f, err
		}
		f.incident = append(f.incident, paths...)
	}
	for _, arg := range baseline {
		if isFolder(arg) {
			c, err := evaluate.Files(arg)
			if err != nil {
				return f, err
			}
			if len(c.Baseline) == 0 {
				return f, fmt.Errorf("%s: no file baseline* or normal* in it", arg)
			}
			f.baseline = append(f.baseline, c.Baseline...)
			continue
		}
		paths, err := expand(arg)
		if err != nil {
			return f, err
		}
		f.baseline = append(f.baseline, paths...)
	}
	return f, f.check()
}

// check refuses a file that is named twice: its spans would count for both sides, or twice.
func (f *files) check() error {
	all := slices.Concat(f.baseline, f.incident)
	slices.Sort(all)
	for i, path := range all {
		if i > 0 && path == all[i-1] {
			return usagef("%s is named twice", path)
		}
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// expand returns the files that an argument stands for.
func expand(arg string) ([]string, error) {
	if arg == stdinName {
		return []string{arg}, nil
	}
	_, err := os.Stat(arg)
	if err == nil {
		return []string{arg}, nil
	}
	if strings.ContainsAny(arg, "*?[") {
		paths, globErr := filepath.Glob(arg)
		if len(paths) > 0 {
			return paths, nil
		}
		if globErr == nil {
			return nil, fmt.Errorf("%s: no file matches", arg)
		}
	}
	return nil, err
}

// reader reads files into one Set, and says on a terminal how far it got.
type reader struct {
	env     *environment
	builder tracewhy.Builder
}

func (r *reader) read(ctx context.Context, source string, paths []string) error {
	for _, path := range paths {
		p := newProgress(r.env, "reading "+path)
		cfg := ingest.Config{Progress: p.bytes}
		var err error
		if path == stdinName {
			err = ingest.Read(ctx, "standard input", r.env.stdin, source, &r.builder, cfg)
		} else {
			err = ingest.Files(ctx, &r.builder, source, cfg, path)
		}
		p.done()
		if err != nil {
			return err
		}
	}
	return nil
}

// noTraces says that files have no traces.
func noTraces(files []string) error {
	return fmt.Errorf("there is no trace in %s", strings.Join(files, ", "))
}

// set reads the files of both sides and builds a Set of them, saying what is then done with the spans.
func (r *reader) set(ctx context.Context, in files, doing string) (*tracewhy.Set, *progress, error) {
	if err := r.read(ctx, sourceBaseline, in.baseline); err != nil {
		return nil, nil, err
	}
	if err := r.read(ctx, sourceIncident, in.incident); err != nil {
		return nil, nil, err
	}
	p := newProgress(r.env, fmt.Sprintf("%s %d spans", doing, r.builder.Len()))
	set, err := r.builder.Build(ctx)
	if err == nil && set.Source(sourceIncident).Len() == 0 {
		err = noTraces(in.incident)
	}
	if err != nil {
		p.done()
		return nil, nil, err
	}
	return set, p, nil
}
