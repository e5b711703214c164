package compare

import (
	"cmp"
	"context"
	"math/bits"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// ExemplarsConfig adjusts [Exemplars]. Its zero value is the documented default.
type ExemplarsConfig struct {
	// Baseline is where twins are looked for; the zero Cohort means the traces of the Set that are not in the
	// cohort.
	Baseline tracewhy.Cohort
	// Outcome says which traces failed.
	Outcome tracewhy.OutcomeRule
	// Boundary is how many boundary traces to show; 0 means 3.
	Boundary int
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// ExemplarRole says what a trace is an example of.
type ExemplarRole string

// The roles.
const (
	ExemplarMedoid   ExemplarRole = "medoid"   // the trace that is most like all of its cohort
	ExemplarBoundary ExemplarRole = "boundary" // a trace that is least like those shown before
)

// Exemplar is a trace that stands for others of its cohort.
type Exemplar struct {
	Trace   tracewhy.Trace   `json:"-"`
	TraceID tracewhy.TraceID `json:"trace_id"`
	Role    ExemplarRole     `json:"role"`
	Outcome string           `json:"outcome"`
	// Distance is how far it is from the medoid, from 0 to 1, and Mean how far from the cohort's traces on average.
	Distance float64 `json:"distance"`
	Mean     float64 `json:"mean_distance"`
	// Twin is the healthy trace of the baseline that is most like it ([Twin]); the zero Trace if there is none.
	Twin   tracewhy.Trace   `json:"-"`
	TwinID tracewhy.TraceID `json:"twin_id,omitzero"`
}

// maxProfiles is of how many traces of a cohort, evenly spread, the distances are computed.
const maxProfiles = 400

// Exemplars returns traces to look at for a whole cohort: its medoid, which has the smallest mean distance to
// the others, and traces of its boundary, each the farthest from all shown before (T. F. Gonzalez, 1985,
// doi:10.1016/0304-3975(85)90224-5), as long as any are unlike. Each comes with its healthy twin.
//
// The distance of two traces is 0.4 by their call paths and about how often each is taken, 0.3 by where their
// critical paths were spent and how long they took, and 0.3 by which call paths failed. Traces that lack spans
// are only shown if all do. Where there are more than 400 traces, so many are looked at, evenly spread.
//
// It gives [ErrCohorts] if the cohort is empty or the baseline is of another Set, and the context's error once
// that is cancelled. Time is O(n log n) for n spans.
func Exemplars(ctx context.Context, cohort tracewhy.Cohort, cfg ExemplarsConfig) ([]Exemplar, error) {
	if cohort.Len() == 0 || cfg.Baseline.Set() != nil && cfg.Baseline.Set() != cohort.Set() {
		return nil, ErrCohorts
	}
	if cfg.Baseline.Set() == nil {
		cfg.Baseline = cohort.Set().All().Minus(cohort)
	}
	if cfg.Boundary == 0 {
		cfg.Boundary = 3
	}
	traces := evenlySpread(cohort)
	profiles := make([]traceProfile, len(traces))
	means := make([]float64, len(traces))
	err := parallel.For(ctx, cfg.Workers, len(traces), func(i int) { profiles[i] = profileOf(traces[i]) })
	if err != nil {
		return nil, err
	}
	err = parallel.For(ctx, cfg.Workers, len(traces), func(i int) {
		var sum, weights float64
		for j := range profiles {
			if j != i {
				w := traces[j].Weight()
				sum += float64(w * profiles[i].distance(&profiles[j]))
				weights += w
			}
		}
		if weights > 0 {
			means[i] = sum / weights
		}
	})
	if err != nil {
		return nil, err
	}
	medoid := 0
	for i := range means {
		if stats.Compare(means[i], means[medoid]) < 0 {
			medoid = i
		}
	}
	rule := newHealthyRule(cfg.Baseline, cfg.Outcome)
	twins := newTwins(cfg.Baseline, rule)
	nearest := make([]float64, len(traces)) // distance to the nearest of those shown
	for i := range nearest {
		nearest[i] = 1
	}
	var out []Exemplar
	for at := medoid; len(out) <= cfg.Boundary; {
		e := Exemplar{
			Trace: traces[at], TraceID: traces[at].ID(), Role: ExemplarBoundary, Outcome: rule.of(traces[at]).String(),
			Distance: profiles[medoid].distance(&profiles[at]), Mean: means[at],
		}
		if at == medoid {
			e.Role = ExemplarMedoid
		}
		if twin, ok := twins.of(traces[at]); ok {
			e.Twin, e.TwinID = twin, twin.ID()
		}
		out = append(out, e)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range profiles {
			nearest[i] = min(nearest[i], profiles[at].distance(&profiles[i]))
		}
		for i := range nearest {
			if stats.Compare(nearest[i], nearest[at]) > 0 {
				at = i
			}
		}
		if nearest[at] == 0 {
			break
		}
	}
	return out, nil
}

// evenlySpread returns the traces that lack nothing, or all if all do: up to 400, evenly spread.
func evenlySpread(cohort tracewhy.Cohort) []tracewhy.Trace {
	whole := cohort.Select(func(t tracewhy.Trace) bool { return lackOf(t) == 0 })
	if whole.Len() == 0 {
		whole = cohort
	}
	traces := slices.Collect(whole.Traces())
	if n := len(traces); n > maxProfiles {
		for i := range maxProfiles {
			traces[i] = traces[i*n/maxProfiles]
		}
		traces = traces[:maxProfiles]
	}
	return traces
}

// traceProfile is what distances of traces are about.
type traceProfile struct {
	calls    []uint64          // [callsOf]
	failed   []tracewhy.PathID // ascending
	spent    []spentOn         // the critical path, by call path
	duration int64
}

// spentOn is the share of a trace's critical path that a call path has, in millionths.
type spentOn struct {
	path  tracewhy.PathID
	share int64
}

func profileOf(t tracewhy.Trace) traceProfile {
	p := traceProfile{calls: callsOf(t)}
	for s := range t.Spans() {
		if s.Failed() {
			p.failed = append(p.failed, s.Path().ID())
		}
	}
	slices.Sort(p.failed)
	p.failed = slices.Compact(p.failed)
	for _, s := range t.CriticalPath() {
		p.spent = append(p.spent, spentOn{s.Span.Path().ID(), s.End - s.Start})
		p.duration += s.End - s.Start
	}
	slices.SortFunc(p.spent, func(x, y spentOn) int { return cmp.Compare(x.path, y.path) })
	merged := p.spent[:0]
	for _, s := range p.spent {
		if n := len(merged); n > 0 && merged[n-1].path == s.path {
			merged[n-1].share += s.share
		} else {
			merged = append(merged, s)
		}
	}
	for i := range merged {
		merged[i].share = int64(float64(merged[i].share) / float64(p.duration) * 1e6)
	}
	p.spent = merged
	return p
}

// callsOf returns the shape of a trace: its call paths, each with the binary logarithm of its calls, ascending.
func callsOf(t tracewhy.Trace) []uint64 {
	paths := make([]tracewhy.PathID, 0, t.NumSpans())
	for s := range t.Spans() {
		paths = append(paths, s.Path().ID())
	}
	slices.Sort(paths)
	var calls []uint64
	for i := 0; i < len(paths); {
		from := i
		for i < len(paths) && paths[i] == paths[from] {
			i++
		}
		calls = append(calls, uint64(paths[from])<<8|uint64(bits.Len(uint(i-from))))
	}
	return calls
}

// distance is from 0 to 1.
func (p *traceProfile) distance(x *traceProfile) float64 {
	elsewhere, longer := 0.0, 0.0
	if p.duration > 0 || x.duration > 0 {
		shared, all := sharedTime(p.spent, x.spent)
		elsewhere = 1 - 2*float64(shared)/float64(max(all, 1))
		longer = 1 - float64(min(p.duration, x.duration))/float64(max(p.duration, x.duration))
	}
	times := min(1, max(0, (elsewhere+longer)/2))
	return float64(0.4*apart(p.calls, x.calls)) + float64(0.3*times) + float64(0.3*apart(p.failed, x.failed))
}

// sharedTime returns the shares that both have, and the sum of all.
func sharedTime(a, b []spentOn) (shared, all int64) {
	for _, x := range a {
		all += x.share
	}
	for _, x := range b {
		all += x.share
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch cmp.Compare(a[i].path, b[j].path) {
		case -1:
			i++
		case 1:
			j++
		default:
			shared += min(a[i].share, b[j].share)
			i++
			j++
		}
	}
	return shared, all
}

// apart is the share of what either sorted list has that only one has (P. Jaccard, 1901), 0 for empty ones.
func apart[T cmp.Ordered](a, b []T) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch cmp.Compare(a[i], b[j]) {
		case -1:
			i++
		case 1:
			j++
		default:
			both++
			i++
			j++
		}
	}
	either := len(a) + len(b) - both
	if either == 0 {
		return 0
	}
	return 1 - float64(both)/float64(either)
}
