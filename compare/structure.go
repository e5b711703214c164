package compare

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// StructureConfig adjusts [Structure]. Its zero value is the documented default.
type StructureConfig struct {
	// Strata names attributes, besides the root operation, within whose values traces are compared: where
	// requests of another kind come, other things are called, and nothing is wrong.
	Strata []string
	// Cluster names an attribute, such as the user's id, whose traces depend on each other: clusters of as
	// many traces of the same strata are then permuted, never traces.
	Cluster string
	// Affected is the traces that show the symptom, for contributions; the zero Cohort means those of the
	// incident that failed, were abandoned, or took longer than 95 % of the baseline's of their root operation.
	Affected tracewhy.Cohort
	// Alpha is the probability of any false finding; 0 means 0.05.
	Alpha float64
	// Replicates is how many relabellings are drawn where there are too many to list; 0 means 999.
	Replicates int
	Seed       uint64
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
	// MaxListed is how many candidates to list; 0 means 20.
	MaxListed int
}

// StructureKind says what about a call is different.
type StructureKind string

// The kinds of structural differences. Each is of the executions of one call path, the caller's.
const (
	StructureNewPath  StructureKind = "new_path"  // a call that no trace of the baseline makes
	StructureLostPath StructureKind = "lost_path" // a call that no trace of the incident makes
	StructureCalls    StructureKind = "calls"     // how often a call is made
	StructureOrder    StructureKind = "order"     // which of two calls begins first
	StructureAtOnce   StructureKind = "at_once"   // how many calls run at once
	StructureDepth    StructureKind = "depth"     // how deep a recursion goes
)

// StructureFinding is a difference in what the executions of one call path do, of those traces in which
// there is any. Executions of one trace count for one, in equal parts.
//
// What it is about is a statement, that an execution makes the call at least From times, that Call
// begins before Other, that at least From calls run at once, or that a recursion goes at least From levels
// deep. Where More is false the incident is told by its opposite.
type StructureFinding struct {
	Kind      StructureKind `json:"kind"`
	Service   string        `json:"service"` // of the caller
	Operation string        `json:"operation"`
	Path      tracewhy.Path `json:"-"`     // the caller's
	Chain     string        `json:"chain"` // its calls, from the root on
	Call      string        `json:"call"`  // service, if another than the caller's, and operation; "" if no single call is meant
	Other     string        `json:"other"`
	From      int           `json:"from"`
	More      bool          `json:"more"`
	What      string        `json:"what"` // in words: "now calls db SELECT 8 times or more"
	// Also says what else is different in executions of the path, or below the call, and goes with it: in the
	// same traces, or not by itself among traces that this one tells apart.
	Also []string `json:"also"`

	// Traces is in how many traces the caller ran and the question makes sense, and Shown in how many most
	// executions are as What says, of the baseline and of the incident.
	Traces [2]int `json:"traces"`
	Shown  [2]int `json:"shown"`
	// Failed is in how many traces of Shown an execution of the caller failed: a caller that stops because
	// it fails is no cause.
	Failed [2]int `json:"failed"`
	// Share is the share of executions that the statement holds for, weighted where traces were sampled.
	Share           [2]float64        `json:"share"`
	ShareDifference tracewhy.Estimate `json:"share_difference"`
	// Mean is, for an execution, how many calls, calls at once or levels there are; for an order it is Share.
	Mean       [2]float64        `json:"mean"`
	Difference tracewhy.Estimate `json:"difference"`
	// Distribution is the share of executions by how many there are; empty for an order.
	Distribution []StructureLevel `json:"distribution"`
	// Contribution is the share of affected traces that show it, less the share of all others: 1 if it
	// could be all of the symptom, 0 if it has nothing to do with it.
	Contribution tracewhy.Estimate `json:"contribution"`

	// P is two-sided, Q adjusted by Benjamini and Hochberg, and Adjusted by Westfall and Young: what is at
	// most alpha is a finding.
	P        float64 `json:"p"`
	Q        float64 `json:"q"`
	Adjusted float64 `json:"adjusted_p"`

	// Exemplars are up to three traces of the baseline that do not show it, and of the incident that do.
	Exemplars [2][]tracewhy.TraceID `json:"exemplars"`
	Affected  tracewhy.Cohort       `json:"-"` // the incident's traces that show it
}

// StructureLevel is the share of executions with at least From, and fewer than the next level's, of the
// baseline and of the incident.
type StructureLevel struct {
	From  int        `json:"from"`
	Share [2]float64 `json:"share"`
}

// StructureVerdict is what a comparison of structure ends with.
type StructureVerdict string

// The verdicts.
const (
	StructureFound        StructureVerdict = "found"
	StructureNone         StructureVerdict = "none"         // traces are built as they were
	StructureInsufficient StructureVerdict = "insufficient" // nothing could have been found among so few traces
)

// StructureResult says how the incident's traces are built otherwise than the baseline's.
type StructureResult struct {
	Verdict      StructureVerdict   `json:"verdict"`
	Traces       [2]int             `json:"traces"`   // compared, of the baseline and of the incident
	Findings     []StructureFinding `json:"findings"` // the most significant first
	Candidates   []StructureFinding `json:"candidates"`
	Explained    float64            `json:"explained"` // share of the affected traces that show a finding
	Tested       int                `json:"tested"`    // questions, those of the same traces counted once
	Relabellings int                `json:"relabellings"`
	// CriticalP is the largest P that would be a finding; with clusters, of traces taken for independent.
	CriticalP float64 `json:"critical_p"`
	// Detectable is the smallest difference that would have been a finding, for statements that hold for
	// these shares of the baseline. With clusters it counts those.
	Detectable []DetectableEffect `json:"detectable"`
	Warnings   []tracewhy.Warning `json:"warnings"`
}

// Structure says how traces of the incident are built otherwise than the baseline's: for each call path, how
// often it calls what, in which order, how many calls at once, and how deep. Every question is about
// executions of the caller, in traces where it ran: what is not called because its caller was not called is
// not different, so that a difference shows at the highest place that it has.
//
// What a client calls is the operation that answers, where calls of one name reach several.
//
// A trace counts for each question by the share of its executions for which the answer is yes. Traces
// are compared within root operations, which call paths are of. Findings hold against all questions asked
// together, by step-down permutation of the cohorts (P. H. Westfall and S. S. Young, 1993). A trace in both
// cohorts counts as one of the incident.
//
// Relabelling counts each trace once. Where traces of one root operation and cohort have different weights, a
// finding has to hold for the weighted shares as well, at their effective sizes: sampling that keeps failing
// traces keeps more of what those do.
//
// What is missing from a trace that lacks spans is not known: such traces are left out, and warnings count
// them. Spans of the trace that are not below its root are compared as what calls, not as what is called.
//
// It gives [ErrCohorts] if the cohorts cannot be compared, and the context's error once that is cancelled.
// Time is O(n log n) for n spans, and O(questions × traces × relabellings / 64) at worst.
func Structure(ctx context.Context, baseline, incident tracewhy.Cohort, cfg StructureConfig) (*StructureResult, error) {
	if cfg.Alpha == 0 {
		cfg.Alpha = 0.05
	}
	if cfg.Replicates <= 0 {
		cfg.Replicates = 999
	}
	if cfg.MaxListed == 0 {
		cfg.MaxListed = 20
	}
	c, err := newComparison(baseline, incident)
	if err != nil {
		return nil, err
	}
	t := newStructureTable(c.within(cfg.Strata).without(lacksSpans), cfg)
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	r := &StructureResult{
		Verdict: StructureNone, Traces: t.count, Findings: []StructureFinding{}, Candidates: []StructureFinding{},
		Detectable: []DetectableEffect{},
	}
	if err := t.test(ctx, r); err != nil {
		return nil, err
	}
	if cfg.Affected.Set() == nil {
		isHealthy := newHealthyRule(baseline.Minus(incident), tracewhy.OutcomeRule{})
		cfg.Affected = incident.Select(func(t tracewhy.Trace) bool { return isHealthy.of(t) != tracewhy.OutcomeOK })
	}
	t.list(r, cfg.Affected)
	r.Warnings = append(append([]tracewhy.Warning{}, t.c.warnings()...), t.warnings...)
	return r, nil
}
