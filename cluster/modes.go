package cluster

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// ModesConfig adjusts [Modes]. Its zero value is the documented default.
type ModesConfig struct {
	// Alpha is the probability of dividing traces that fail in one way, at one place, by what they call and
	// where their time goes, where there is nothing to divide; 0 means 0.01.
	Alpha float64
	// Separation is how far apart such parts are at least, as a share of how far apart they can be: a smaller
	// difference is none worth a remedy of its own, however clear. 0 means 0.5.
	Separation float64
	// MinTraces is how many traces make a mode; 0 means 5, or one in fifty if that is more. Fewer are noise,
	// unless they are most of all traces.
	MinTraces int
	// Seed is for what is drawn at random: the sample, and the null distribution.
	Seed uint64
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// Limits of the work on large cohorts.
const (
	sampleSize      = 400 // traces whose distances to each other are looked at
	representatives = 20  // traces of a mode that others are compared with
	exemplars       = 3   // boundary traces of a mode
)

// The warnings of [Modes].
const (
	WarningModesFew         = "modes_few_traces"  // too few traces for two modes: they are one
	WarningModesNoise       = "modes_noise"       // traces that are like no mode
	WarningModesIncomplete  = "modes_incomplete"  // traces that lack spans: where their failure began may be among those
	WarningModesNotSeparate = "modes_not_certain" // groups of traces that chance or the sample may have made: left together
)

// ModesResult says what kinds of failure the traces of a cohort are.
type ModesResult struct {
	Traces int    // how many were looked at
	Modes  []Mode // the largest share first; none if each trace fails in another way
	// Noise are the traces that are like no mode: too few of a kind, or of none.
	Noise    tracewhy.Cohort
	Warnings []tracewhy.Warning

	profiler *profiler
	members  []membership
}

// Mode is a kind of failure, which needs a remedy of its own.
type Mode struct {
	Traces tracewhy.Cohort
	// Share is the mode's share of the traces that were looked at, weighted where traces were sampled.
	Share tracewhy.Estimate

	// Service, Operation and Peer say where most of the mode's failures began (Peer where a call was not
	// answered), Path on which calls most often, and Rule how that was told. Origins is how many began there.
	Service, Operation, Peer string
	Path                     tracewhy.Path
	Rule                     string
	Origins                  int
	// Error is the most frequent kind of error (a type or a code), and Message the most frequent message,
	// without what differs from case to case. Each is "" if there is none.
	Error, Message string

	// Medoid is the trace that is most like the mode's others, and Boundary are those that are most like
	// another mode's, or least like their own.
	Medoid   tracewhy.TraceID
	Boundary []tracewhy.TraceID

	// Stability is how much of the mode is found again among two thirds of the traces, on average: from 0 to
	// 1, and below 0.75 not to be relied on. Separation is the mean silhouette of its traces, from -1 to 1,
	// and 0 for a single mode.
	Stability, Separation float64
	// P is the probability that chance divides traces as clearly, where this mode fails as another one does,
	// and only what was called and where time went tells them apart. It is 0 where they fail differently:
	// that needs no test.
	P float64
}

// ErrNoTraces says that a cohort is empty.
var ErrNoTraces = errors.New("cluster: no traces")

// Modes groups traces that failed, or were slow, into failure modes. The cohort should hold nothing else:
// select the failing traces first.
//
// Failures are of different modes if they began in different services (where a call was not answered: if
// different peers did not answer), or if what their errors say differs in more than half of the words; in
// which operation of the service, and who called it, does not matter. Failures that are alike in this are
// divided further only if there are groups among them that differ much in what the origin called, how long
// it took and on which side of it the time was spent; that are clearer than if these were dealt out anew
// among traces of one path; and that two thirds of the traces show again. So how many modes there are is not
// asked for, one mode is an answer, and traces that are like no mode are noise.
//
// A trace of which no span failed is taken to be slow, and to have its origin where most of its critical
// path is.
//
// Traces that lack spans make no modes of their own where most others are whole: they join the mode that they
// are like, or that says the same.
//
// Of more than 400 traces a sample is divided; the others join the mode that they are like. It takes time
// in O(n log n) for the n spans of the cohort, and 200 × 400² for each division that is tested. It gives
// [ErrNoTraces], or the context's error once that is cancelled.
func Modes(ctx context.Context, traces tracewhy.Cohort, cfg ModesConfig) (*ModesResult, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	if cfg.Alpha <= 0 {
		cfg.Alpha = 0.01
	}
	if cfg.Separation <= 0 {
		cfg.Separation = 0.5
	}
	r := &ModesResult{Traces: traces.Len(), profiler: newProfiler(traces.Set())}
	profiles, incomplete, err := r.profiler.profiles(ctx, traces)
	if err != nil {
		return nil, err
	}
	least := cmp.Or(max(cfg.MinTraces, 0), max(5, len(profiles)/50))
	whole := withSpans(profiles, least)
	sample := drawSample(whole, cfg.Seed)
	p := &splitter{
		alpha: cfg.Alpha, separation: cfg.Separation,
		minSize: min(max(3, (least*len(sample)+len(whole)-1)/len(whole)), len(sample)/2+1), seed: cfg.Seed, workers: cfg.Workers,
	}
	f, err := p.divide(ctx, pick(whole, sample))
	if err != nil {
		return nil, err
	}
	r.members = f.members
	of, err := r.assign(ctx, profiles, cfg.Workers)
	if err != nil {
		return nil, err
	}
	r.describe(traces, profiles, of, f)
	r.warn(f, least, incomplete)
	return r, nil
}

// cancelEvery is how many traces are read between looks at the context.
const cancelEvery = 256

// profiles returns the profile of each trace, and the first of those that lack spans, and how many.
func (p *profiler) profiles(ctx context.Context, traces tracewhy.Cohort) (out []profile, incomplete tracewhy.Warning, err error) {
	for t := range traces.Traces() {
		if len(out)%cancelEvery == 0 && ctx.Err() != nil {
			return nil, incomplete, ctx.Err()
		}
		out = append(out, p.profile(t))
		if out[len(out)-1].lacks {
			if incomplete.Count == 0 {
				incomplete.TraceID = t.ID().String()
			}
			incomplete.Count++
		}
	}
	return out, incomplete, nil
}

// withSpans returns the profiles of traces that lack no spans, which alone make modes: unless they are so few
// that modes would be missed.
func withSpans(profiles []profile, least int) []profile {
	var out []profile
	for _, p := range profiles {
		if !p.lacks {
			out = append(out, p)
		}
	}
	if len(out) < 2*least || len(out) < len(profiles)/2 {
		return profiles
	}
	return out
}

// drawSample returns which profiles are looked at: those whose ids have the smallest random numbers, in
// the order of the profiles.
func drawSample(profiles []profile, seed uint64) []int {
	out := inOrder(len(profiles))
	if len(out) <= sampleSize {
		return out
	}
	order := make([]uint64, len(out))
	for i := range profiles {
		order[i] = stats.NewRand(seed, stats.Key(profiles[i].trace.ID().String())).Uint64()
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Or(cmp.Compare(order[a], order[b]), cmp.Compare(a, b)) })
	out = out[:sampleSize]
	slices.Sort(out)
	return out
}

func pick(profiles []profile, which []int) []profile {
	out := make([]profile, len(which))
	for i, k := range which {
		out[i] = profiles[k]
	}
	return out
}
