package timeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

// SeriesConfig adjusts [Series]. Its zero value is the documented default.
type SeriesConfig struct {
	// Bin is the length of a bin. 0 means a round one of which the traces fill about 240, or fewer where
	// they are few: ten traces a bin, and at least 30 bins.
	Bin time.Duration
	// Start and End bound the time that is looked at, in nanoseconds since the Unix epoch. 0 means that of
	// the traces, without those that lie far outside.
	Start, End int64
	// MinCalls is how many calls a subject has at least; 0 means 30.
	MinCalls int
	// Kinds are the kinds of subjects to count; nil means all.
	Kinds []SubjectKind
	// MaxSubjects is how many subjects of a kind there are at most, those with the most calls; 0 means 500.
	MaxSubjects int
	// Outcome says which transactions failed.
	Outcome tracewhy.OutcomeRule
}

// SeriesResult says how much of what happened when.
type SeriesResult struct {
	Bin time.Duration // the length of a bin
	// Starts is when each bin begins, in nanoseconds since the Unix epoch. They follow each other, but for
	// long times in which nothing was recorded, as between two recordings: those have no bins.
	Starts []int64
	// Exposure is how much of each bin was recorded, from 0 to 1. Where no trace began in a bin nothing is
	// known of it.
	Exposure []float64
	Counts   []Counts // by kind of subject, then by its name
	Warnings []tracewhy.Warning
}

// SubjectKind is a kind of thing that counts are of.
type SubjectKind uint8

// The kinds of subjects.
const (
	SubjectTransactions SubjectKind = iota // traces with one root path, or all
	SubjectService                         // what others asked of a service
	SubjectInstance                        // what others asked of one of its instances
	SubjectDependency                      // calls to a peer that has no spans of its own
	SubjectPath                            // calls of one path
	SubjectGap                             // gaps of one class of a path's calls
)

// String returns the kind in lower-case words.
func (k SubjectKind) String() string {
	return [...]string{"transactions", "service", "instance", "dependency", "call path", "gap"}[min(k, SubjectGap)]
}

// Subject is what counts are of.
type Subject struct {
	Kind     SubjectKind
	Service  string // of a dependency the name of the peer; "" of all transactions
	Instance string // of an instance
	Path     tracewhy.PathID
	HasPath  bool // of a path, a gap, and the transactions of one root path
	Gap      tracewhy.GapClass
	name     string

	parent    tracewhy.PathID // of a path
	hasParent bool
	// caller is what decides how often there are calls of a path: the parent, or what called that if the parent is
	// the same call as its client sees it, of which there is one for each.
	caller    tracewhy.PathID
	hasCaller bool
}

// String returns the subject's name.
func (s Subject) String() string { return s.name }

// Counts are what happened to a subject, by bin. A call counts in the bin that it began in.
type Counts struct {
	Subject  Subject
	Calls    []int
	Failures []int // calls that failed ([tracewhy.Span.Failed]); of transactions, those that failed or were abandoned
	// Long are the calls that did not fail and took longer than half of those of their path, over all bins,
	// and Slow those that took longer than nine in ten: a changed mix of paths changes neither.
	Long, Slow []int
	// Median and P95 are durations; -1 where no call began.
	Median, P95 []time.Duration
	// Concurrency is how many were under way on average: the time of all calls in the bin, by its length.
	Concurrency []float64
}

// The warnings of [Series].
const (
	WarningOutside     = bins.WarningOutside     // traces far outside the time of the others, which are left out
	WarningUnrecorded  = bins.WarningUnrecorded  // bins without any trace, of which nothing is known
	WarningManySubject = "timeline_many_subject" // more subjects than MaxSubjects
	WarningWeighted    = "weighted"              // a sample with weights: counts are those of the sample
)

const (
	defaultCalls  = 30
	defaultNumber = 500
	longShare     = 0.5 // the share of a path's calls that are not long
	slowShare     = 0.9 // and of those that are not slow
)

func (cfg SeriesConfig) withDefaults() SeriesConfig {
	if cfg.MinCalls <= 0 {
		cfg.MinCalls = defaultCalls
	}
	if cfg.MaxSubjects <= 0 {
		cfg.MaxSubjects = defaultNumber
	}
	return cfg
}

// Series counts, by bin of time, the calls, failures and durations of each call path, gap, dependency, service,
// instance and root operation.
//
// It takes time in O(n log n) for n spans, in one pass over them for each kind of subject, and memory for each
// subject in each bin beside some 40 bytes for each span. Its error is [ErrNoTraces] or that of ctx.
func Series(ctx context.Context, traces tracewhy.Cohort, cfg SeriesConfig) (*SeriesResult, error) {
	kinds := []SubjectKind{SubjectTransactions, SubjectService, SubjectInstance, SubjectDependency, SubjectPath, SubjectGap}
	if cfg.Kinds != nil {
		kinds = slices.DeleteFunc(kinds, func(k SubjectKind) bool { return !slices.Contains(cfg.Kinds, k) })
	}
	return count(ctx, traces, cfg, kinds...)
}

func count(ctx context.Context, traces tracewhy.Cohort, cfg SeriesConfig, kinds ...SubjectKind) (*SeriesResult, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	cfg = cfg.withDefaults()
	grid, warnings, ok := bins.LayOut(traces, bins.Config{Length: cfg.Bin, Start: cfg.Start, End: cfg.End})
	if !ok {
		return nil, ErrNoTraces
	}
	r := &SeriesResult{Bin: grid.Length, Starts: grid.Starts, Exposure: grid.Exposure, Warnings: warnings}
	c := &counter{cfg: cfg, traces: traces, result: r}
	for _, kind := range kinds {
		if err := c.count(ctx, kind); err != nil {
			return nil, err
		}
	}
	if c.tooMany > 0 {
		r.Warnings = append(r.Warnings, tracewhy.Warning{
			Code: WarningManySubject, Count: c.tooMany,
			Message: "call paths and other subjects with fewer calls than others were left out, since they are so many",
		})
	}
	if traces.Set().Weighted() {
		r.Warnings = append(r.Warnings, tracewhy.Warning{
			Code: WarningWeighted, Count: 1, Message: "traces were sampled: what is counted over time is the sample",
		})
	}
	return r, nil
}

// grid returns the bins.
func (r *SeriesResult) grid() *bins.Bins {
	return &bins.Bins{Length: r.Bin, Starts: r.Starts, Exposure: r.Exposure}
}

// compareSubjects orders subjects by kind and name.
func compareSubjects(x, y Subject) int {
	if x.Kind == y.Kind && x.HasPath != y.HasPath { // all transactions come before those of one root path
		if y.HasPath {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.name, y.name), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Gap, y.Gap))
}
