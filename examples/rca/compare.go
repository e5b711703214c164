package main

import (
	"context"
	"encoding/json"
	"flag"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	baseline listFlag
	format   string
	rows     int

	by   string
	slow time.Duration
	selection
	attributes compare.AttributesConfig
	strata     listFlag
	notWhy     listFlag
	of         string
	executions bool
}

// What -by knows.
const (
	byOutcome = "outcome"
	byWindow  = "window"
)

func (f *compareFlags) define(fs *flag.FlagSet) {
	fs.Var(&f.baseline, "baseline", "traces of better times, for -by window: a `FILE`, a pattern, or - for standard input; may be repeated")
	fs.StringVar(&f.by, "by", byOutcome, "compare by outcome, failing traces of the incident with its others, or by window, all of the incident with all of the baseline")
	fs.DurationVar(&f.slow, "slow", 0, "count traces that take at least `TIME` (such as 2s) as failing as well")
	f.selection.define(fs, "instead of the failing traces those")
	fs.StringVar(&f.of, "of", "", "look at attributes of spans of this `OPERATION` only")
	fs.BoolVar(&f.executions, "executions", false, "compare executions of the operation -of one by one, those that failed with those that did not, rather than traces")
	fs.Var(&f.strata, "stratum", "compare within values of the attribute `KEY`, besides root operations; may be repeated")
	fs.DurationVar(&f.attributes.Period, "period", 0, "compare within steps of `TIME` (such as 1h), where what happens depends on when")
	fs.StringVar(&f.attributes.Cluster, "cluster", "", "traces with the same value of the attribute `KEY`, such as a user's id, depend on each other")
	fs.Var(&f.notWhy, "consequence", "the attribute `KEY` says how a trace ended, and not why; may be repeated")
	fs.StringVar(&f.format, "format", "text", "write what differs as text or json")
	fs.IntVar(&f.rows, "rows", 10, "how many `ROWS` of each table to show")
}

// compareTraces says what the failing traces have in common that others have not.
func compareTraces(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var f compareFlags
	f.define(fs)
	incident, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(incident) == 0 {
		return usagef("name the traces of the incident: files, or a case folder")
	}
	affected, err := f.check()
	if err != nil {
		return err
	}
	in, err := resolve(f.baseline, incident)
	if err != nil {
		return err
	}
	if f.by == byOutcome {
		in.baseline = nil
	} else if len(in.baseline) == 0 {
		return usagef("there is nothing to compare with: name traces of better times with -baseline FILE, or give a case folder")
	}
	set, p, err := (&reader{env: env}).set(ctx, in, "comparing")
	if err != nil {
		return err
	}
	defer p.done()
	d := &difference{affected: f.affected(), others: "others", unit: "trace", rows: f.rows}
	hit, rest := set.Source(sourceIncident), set.Source(sourceBaseline)
	switch {
	case f.executions:
		d.unit = "execution"
		f.attributes.Executions = &tracewhy.Matcher{Failed: f.slow == 0, MinDuration: f.slow}
	case f.by == byOutcome:
		all := hit
		hit = all.Select(affected)
		rest = all.Minus(hit)
	default:
		d.others = "baseline"
	}
	if err := d.compare(ctx, rest, hit, f.attributes); err != nil {
		return err
	}
	if f.format == "json" {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		return e.Encode(d)
	}
	return d.writeText(env.stdout)
}

// check looks at what goes with what, and returns what tells affected traces.
func (f *compareFlags) check() (func(tracewhy.Trace) bool, error) {
	switch {
	case f.format != "text" && f.format != "json":
		return nil, usagef("-format is text or json, not %q", f.format)
	case f.by != byOutcome && f.by != byWindow:
		return nil, usagef("-by is outcome or window, not %q", f.by)
	case f.by == byWindow && (f.slow > 0 || !f.selection.isAny()):
		return nil, usagef("-by window compares all traces: nothing selects some of them")
	case f.by == byOutcome && len(f.baseline) > 0:
		return nil, usagef("-baseline goes with -by window; by outcome the incident's traces are compared with each other")
	case f.slow > 0 && !f.selection.isAny():
		return nil, usagef("-slow adds to the failing traces, and other flags say which to take instead")
	case f.executions && f.of == "":
		return nil, usagef("-executions needs -of, the operation whose executions to compare")
	case f.executions && (f.by == byWindow || !f.selection.isAny()):
		return nil, usagef("-executions compares those that failed, or with -slow those that took so long, with all others")
	case f.rows < 0:
		return nil, usagef("-rows is a number, not %d", f.rows)
	}
	f.attributes.Strata, f.attributes.Consequences, f.attributes.Spans.Operation = f.strata, f.notWhy, f.of
	if f.selection.isAny() {
		rule := tracewhy.OutcomeRule{}
		return func(t tracewhy.Trace) bool {
			return rule.Of(t) == tracewhy.OutcomeFailed || f.slow > 0 && t.Duration() >= f.slow
		}, nil
	}
	p, err := f.selection.predicate()
	return p.Holds, err
}

// affected returns what the affected traces are called.
func (f *compareFlags) affected() string {
	switch {
	case f.by == byWindow:
		return "incident"
	case !f.selection.isAny():
		return "selected"
	case f.slow > 0 && f.executions:
		return "slow"
	case f.slow > 0:
		return "failing or slow"
	}
	return "failing"
}

// difference is what the command prints.
type difference struct {
	affected, others string
	unit             string // trace, or execution
	rows             int

	Traces       [2]int                      `json:"traces"` // others, and affected; of executions those
	Conjunctions *compare.ConjunctionsResult `json:"conjunctions"`
	Attributes   *compare.AttributesResult   `json:"attributes"`
	Structure    *compare.StructureResult    `json:"structure"` // null for executions
	Exemplars    []compare.Exemplar          `json:"exemplars"`
}

// compare asks in which ways the affected traces differ from the rest. Of no trace on either side nothing is
// asked.
func (d *difference) compare(ctx context.Context, rest, hit tracewhy.Cohort, cfg compare.AttributesConfig) (err error) {
	d.Traces = [2]int{rest.Len(), hit.Len()}
	d.Exemplars = []compare.Exemplar{}
	if hit.Len() == 0 || rest.Len() == 0 && cfg.Executions == nil {
		return nil
	}
	if d.Conjunctions, err = compare.Conjunctions(ctx, rest, hit, compare.ConjunctionsConfig{AttributesConfig: cfg}); err != nil {
		return err
	}
	if d.Attributes, err = compare.Attributes(ctx, rest, hit, cfg); err != nil {
		return err
	}
	if cfg.Executions != nil {
		d.Traces = d.Attributes.Traces
		return nil
	}
	if d.Structure, err = compare.Structure(ctx, rest, hit, compare.StructureConfig{Strata: cfg.Strata, Cluster: cfg.Cluster}); err != nil {
		return err
	}
	d.Exemplars, err = compare.Exemplars(ctx, hit, compare.ExemplarsConfig{Baseline: rest})
	return err
}
