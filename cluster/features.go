package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster/learn"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// FeaturesConfig adjusts [Features]. Its zero value is the documented default.
type FeaturesConfig struct {
	MaxPaths   int // how many call paths have columns, those of most traces; 0 means 200
	MaxOrigins int // how many origins of errors have a column, those of most traces; 0 means 30
}

// FeaturesResult is a table of numbers: a row for each trace, named by its id.
type FeaturesResult struct {
	*learn.Matrix
	Warnings []tracewhy.Warning
}

// The warnings of [Features].
const (
	WarningFeaturesPaths   = "features_paths_left_out"   // paths without columns
	WarningFeaturesOrigins = "features_origins_left_out" // origins without a column
)

// Features makes a table of traces for methods that want numbers: those of package learn, or, by
// [learn.Matrix.WriteCSV], of other tools. Its columns are
//
//	duration                log2(1 + microseconds), and NaN where it is not known
//	completeness            tracewhy.Trace.Completeness
//	gap before first …      log2(1 + microseconds) of all gaps of a class, a column for each tracewhy.GapClass
//	count PATH              how many spans of the path the trace has; 0 means that it is absent
//	self PATH               log2(1 + microseconds) of the path's self time
//	origin SERVICE OPERATION    1 where the trace's error began there, else 0
//
// where PATH is tracewhy.Path.String, with its number where two are the same. Negative gaps count as 0.
// Scale the table with [learn.Matrix.RobustScale] for methods that measure distances. The origin columns tell
// the outcome: leave them out where a method is to predict it.
//
// To compare two cohorts make one table of both (tracewhy.Cohort.Or): the columns depend on the cohort.
//
// It takes time in O(n log n) for n spans, and 8 bytes for each cell.
func Features(ctx context.Context, traces tracewhy.Cohort, cfg FeaturesConfig) (*FeaturesResult, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	set := traces.Set()
	f := &featureTable{set: set, path: make([]int, set.NumPaths()), origin: map[place]int{}}
	if err := f.count(ctx, traces); err != nil {
		return nil, err
	}
	r := &FeaturesResult{}
	rows := make([]string, 0, traces.Len())
	for t := range traces.Traces() {
		rows = append(rows, t.ID().String())
	}
	columns, leftPaths, leftOrigins := f.columns(cmp.Or(max(cfg.MaxPaths, 0), 200), cmp.Or(max(cfg.MaxOrigins, 0), 30))
	r.Matrix = learn.NewMatrix(rows, columns)
	if leftPaths > 0 {
		r.Warnings = append(r.Warnings, tracewhy.Warning{Code: WarningFeaturesPaths, Count: leftPaths, Message: fmt.Sprintf("%d call paths, those of the fewest traces, have no columns.", leftPaths)})
	}
	if leftOrigins > 0 {
		r.Warnings = append(r.Warnings, tracewhy.Warning{Code: WarningFeaturesOrigins, Count: leftOrigins, Message: fmt.Sprintf("%d origins of errors, those of the fewest traces, have no column.", leftOrigins)})
	}
	if err := f.fill(ctx, traces, r.Matrix); err != nil {
		return nil, err
	}
	return r, nil
}

// featureTable knows the columns of paths and origins. Before columns are given it counts traces.
type featureTable struct {
	set     *tracewhy.Set
	path    []int         // by path: the column of its count, which that of its self time follows; -1 for none
	origin  map[place]int // the column
	origins []place       // in the order of traces, then of columns
}

const firstGap = 2 // the column of the first class of gaps

const gapClasses = int(tracewhy.GapQueue) + 1

// count counts in how many traces each path is, and each origin.
func (f *featureTable) count(ctx context.Context, traces tracewhy.Cohort) error {
	last := make([]int, len(f.path)) // 1 + the trace that a path was counted for last
	at := 0
	for t := range traces.Traces() {
		if at%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at++
		for s := range t.Spans() {
			if id := s.Path().ID(); last[id] != at {
				last[id] = at
				f.path[id]++
			}
		}
		if hop, ok := t.ErrorOrigin(); ok {
			p := placeOf(hop.Span)
			if f.origin[p] == 0 {
				f.origins = append(f.origins, p)
			}
			f.origin[p]++
		}
	}
	return nil
}

// columns names the columns, and returns how many paths and origins have none.
func (f *featureTable) columns(maxPaths, maxOrigins int) (names []string, leftPaths, leftOrigins int) {
	names = []string{"duration", "completeness"}
	for c := range gapClasses {
		names = append(names, "gap "+tracewhy.GapClass(c).String())
	}
	var paths []int
	for id, n := range f.path {
		if n > 0 {
			paths = append(paths, id)
		}
	}
	slices.SortStableFunc(paths, func(a, b int) int { return cmp.Compare(f.path[b], f.path[a]) })
	leftPaths = max(0, len(paths)-maxPaths)
	paths = paths[:len(paths)-leftPaths]
	slices.Sort(paths)
	for id := range f.path {
		f.path[id] = -1
	}
	same := map[string]int{}
	for _, id := range paths {
		same[f.set.Path(tracewhy.PathID(id)).String()]++
	}
	for _, id := range paths {
		name := f.set.Path(tracewhy.PathID(id)).String()
		if same[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, id)
		}
		f.path[id] = len(names)
		names = append(names, "count "+name, "self "+name)
	}
	slices.SortFunc(f.origins, func(a, b place) int {
		return cmp.Or(cmp.Compare(f.origin[b], f.origin[a]), cmp.Compare(a.service, b.service), cmp.Compare(a.operation, b.operation))
	})
	leftOrigins = max(0, len(f.origins)-maxOrigins)
	for i, p := range f.origins {
		f.origin[p] = -1
		if i < maxOrigins {
			f.origin[p] = len(names)
			names = append(names, "origin "+p.service+" "+p.operation)
		}
	}
	return names, leftPaths, leftOrigins
}

// fill computes the cells.
func (f *featureTable) fill(ctx context.Context, traces tracewhy.Cohort, m *learn.Matrix) error {
	selfTimes := f.set.SelfTimes()
	at := 0
	var touched []int // columns of times, which are turned into logarithms
	for t := range traces.Traces() {
		if at%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := m.Row(at)
		at++
		row[0], row[1] = logTime(float64(t.Duration())), t.Completeness()
		touched = touched[:0]
		spend := func(column int, ns int64) {
			if ns <= 0 {
				return
			}
			if row[column] == 0 {
				touched = append(touched, column)
			}
			row[column] += float64(ns)
		}
		for s := range t.Spans() {
			if c := f.path[s.Path().ID()]; c >= 0 {
				row[c]++
				spend(c+1, selfTimes[s.Index()])
			}
			for g := range s.Gaps() {
				spend(firstGap+int(g.Class), int64(g.Duration()))
			}
		}
		for _, c := range touched {
			row[c] = logTime(row[c])
		}
		if hop, ok := t.ErrorOrigin(); ok {
			if c := f.origin[placeOf(hop.Span)]; c >= 0 {
				row[c] = 1
			}
		}
	}
	return nil
}

// logTime returns log2(1 + microseconds) of nanoseconds, or NaN for a negative time, which is unknown.
func logTime(ns float64) float64 {
	return special.Log1p(ns/1000) / special.Log(2)
}
