package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
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
	// MinTraces is how many traces make a mode; 0 means 5, or one in fifty if that is more. Fewer are noise.
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
	Modes  []Mode // the largest share first; one of all traces if nothing divides them
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
// which operation of the service, and who called it, does not matter. Failures that are alike in this are divided further only
// if there are groups among them that differ much in what the origin called, how long it took and on which
// side of it the time was spent; that are clearer than if these were dealt out anew
// among traces of one path; and that two thirds of the traces show again. So how many modes there are is not
// asked for, one mode is an answer, and traces that are like no mode are noise.
//
// A trace of which no span failed is taken to be slow, and to have its origin where most of its critical
// path is.
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
	r := &ModesResult{Traces: traces.Len(), profiler: newProfiler()}
	profiles, incomplete, err := r.profiler.profiles(ctx, traces)
	if err != nil {
		return nil, err
	}
	least := cmp.Or(max(cfg.MinTraces, 0), max(5, len(profiles)/50))
	sample := drawSample(profiles, cfg.Seed)
	p := &splitter{
		alpha: cfg.Alpha, separation: cfg.Separation,
		minSize: max(3, (least*len(sample)+len(profiles)-1)/len(profiles)), seed: cfg.Seed, workers: cfg.Workers,
	}
	f, err := p.divide(ctx, pick(profiles, sample))
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
		if t.Completeness() < 1 {
			if incomplete.Count == 0 {
				incomplete.TraceID = t.ID().String()
			}
			incomplete.Count++
		}
		out = append(out, p.profile(t))
	}
	return out, incomplete, nil
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

// membership is what a trace must be like to be of a mode.
type membership struct {
	like  []profile // representatives
	limit float64   // the largest mean distance to those
}

// finding is how a sample was divided.
type finding struct {
	members    []membership
	medoids    []tracewhy.Trace
	boundary   [][]tracewhy.Trace
	stability  []float64
	separation []float64
	p          []float64
	unsure     int // divisions that were not made
}

// group is a mode of a sample, or what may be several.
type group struct {
	members   []int
	stability float64
	p         float64
}

// divide finds the modes of a sample.
func (p *splitter) divide(ctx context.Context, sample []profile) (*finding, error) {
	d, err := newDistances(ctx, sample, p.workers)
	if err != nil {
		return nil, err
	}
	paths := make([]tracewhy.PathID, len(sample))
	for i := range sample {
		paths[i] = sample[i].path
	}
	all := inOrder(len(sample))
	origins := d.total(all, originOnly, identity(len(sample)))
	kinds, err := p.kinds(ctx, origins, p.minSize, 0)
	if err != nil {
		return nil, err
	}
	f := &finding{}
	stack := []group{{members: all, stability: 1}}
	if kinds.groups > 0 { // else all are of one mode, if any
		stability, err := p.again(ctx, origins, kinds, p.kinds, 0)
		if err != nil {
			return nil, err
		}
		stack = kinds.parts(all, stability, 0)
	}
	var modes []group
	for round := uint64(1); len(stack) > 0; round++ {
		g := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		s, pValue, stability, err := p.test(ctx, d, paths, g.members, round)
		if err != nil {
			return nil, err
		}
		if s.groups > 0 {
			stack = append(stack, s.parts(g.members, stability, pValue)...)
			continue
		}
		if pValue < 1 {
			f.unsure++
		}
		modes = append(modes, g)
	}
	slices.SortFunc(modes, func(a, b group) int { return cmp.Compare(a.members[0], b.members[0]) })
	labels := make([]int, len(sample))
	for i := range labels {
		labels[i] = len(modes) // noise
	}
	for l, g := range modes {
		f.stability, f.p = append(f.stability, g.stability), append(f.p, g.p)
		for _, i := range g.members {
			labels[i] = l
		}
	}
	f.exemplify(d.total(all, facetWeight, identity(len(sample))), labels, sample)
	return f, nil
}

// parts returns the groups of a split of members.
func (s *split) parts(members []int, stability []float64, p float64) []group {
	out := make([]group, s.groups)
	for i, l := range s.labels {
		if l >= 0 {
			out[l].members = append(out[l].members, members[i])
		}
	}
	for l := range out {
		out[l].stability, out[l].p = stability[l], p
	}
	return out
}

// leastLimit is how unlike a mode's representatives a trace may be however alike those are: as one that fails
// in the same way, but in another operation.
const leastLimit = 0.15

// exemplify chooses each mode's medoid, boundary and representatives.
func (f *finding) exemplify(s square, labels []int, sample []profile) {
	k := len(f.stability)
	size := make([]int, k+1)
	for _, l := range labels {
		size[l]++
	}
	type member struct {
		row         int
		own, margin float64 // the mean distance to its own mode, and the silhouette
	}
	members := make([][]member, k)
	for i, l := range labels {
		if l == k {
			continue
		}
		sums := make([]float64, k+1)
		for j, x := range s.row(i) {
			sums[labels[j]] += float64(x)
		}
		m := member{row: i, own: sums[l] / float64(max(size[l]-1, 1)), margin: 1}
		if k == 1 {
			m.margin = -m.own // what is least like the others
		}
		for g := range k {
			if g == l {
				continue
			}
			if b := sums[g] / float64(size[g]); max(b, m.own) > 0 {
				m.margin = min(m.margin, (b-m.own)/max(b, m.own))
			}
		}
		members[l] = append(members[l], m)
	}
	for _, list := range members {
		sum := 0.0
		for _, m := range list {
			sum += m.margin
		}
		if k == 1 {
			sum = 0
		}
		f.separation = append(f.separation, sum/float64(len(list)))
		slices.SortStableFunc(list, func(a, b member) int { return stats.Compare(a.own, b.own) })
		medoid := list[0].row
		like := []int{medoid}
		for i := 1; i < representatives && i < len(list); i++ {
			like = append(like, list[i*(len(list)-1)/max(min(representatives, len(list))-1, 1)].row)
		}
		limit := 0.0
		for _, m := range list {
			sum, n := 0.0, 0
			for _, other := range like {
				if other != m.row {
					sum += s.of(m.row, other)
					n++
				}
			}
			limit = max(limit, sum/float64(max(n, 1)))
		}
		slices.SortStableFunc(list, func(a, b member) int { return stats.Compare(a.margin, b.margin) })
		var edge []tracewhy.Trace
		for _, m := range list {
			if m.row != medoid && len(edge) < exemplars {
				edge = append(edge, sample[m.row].trace)
			}
		}
		f.medoids, f.boundary = append(f.medoids, sample[medoid].trace), append(f.boundary, edge)
		f.members = append(f.members, membership{pick(sample, like), max(limit, leastLimit)})
	}
}

// assign returns the mode of each profile, or -1: the one that it is most like, if it is as like it as
// the mode's own traces are.
func (r *ModesResult) assign(ctx context.Context, profiles []profile, workers int) ([]int, error) {
	out := make([]int, len(profiles))
	err := parallel.For(ctx, workers, len(profiles), func(i int) {
		out[i] = -1
		nearest := 0.0
		for g := range r.members {
			m := &r.members[g]
			sum, n := 0.0, 0
			for k := range m.like {
				if m.like[k].trace != profiles[i].trace {
					sum += distance(&profiles[i], &m.like[k])
					n++
				}
			}
			mean := sum / float64(max(n, 1))
			if mean > m.limit+1e-6 { // sampled distances have the precision of a float32
				continue
			}
			if out[i] < 0 || stats.Compare(mean, nearest) < 0 {
				out[i], nearest = g, mean
			}
		}
	})
	return out, err
}

// describe makes the modes.
func (r *ModesResult) describe(traces tracewhy.Cohort, profiles []profile, of []int, f *finding) {
	mode := make(map[int]int, len(profiles)) // by trace
	for i, p := range profiles {
		mode[p.trace.Index()] = of[i]
	}
	within := func(g int) tracewhy.Cohort {
		return traces.Select(func(t tracewhy.Trace) bool { return mode[t.Index()] == g })
	}
	weights := make([]float64, len(profiles))
	for i, p := range profiles {
		weights[i] = p.trace.Weight()
	}
	n, total := stats.EffectiveSize(weights), stats.Sum(weights)
	type order struct {
		Mode
		member membership
	}
	var list []order
	for g := range f.members {
		m := Mode{
			Traces: within(g), Medoid: f.medoids[g].ID(), Boundary: make([]tracewhy.TraceID, 0, exemplars),
			Stability: f.stability[g], Separation: f.separation[g], P: f.p[g],
		}
		for _, t := range f.boundary[g] {
			m.Boundary = append(m.Boundary, t.ID())
		}
		m.Share = share(m.Traces.Weight()/total, n)
		m.name(traces.Set(), profiles, of, g)
		list = append(list, order{m, f.members[g]})
	}
	slices.SortStableFunc(list, func(a, b order) int {
		return cmp.Or(stats.Compare(b.Share.Value, a.Share.Value), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation), slices.Compare(a.Medoid[:], b.Medoid[:]))
	})
	r.Modes, r.members = nil, nil
	for _, o := range list {
		r.Modes, r.members = append(r.Modes, o.Mode), append(r.members, o.member)
	}
	r.Noise = within(-1)
}

// name says where and how most of mode g's traces failed.
func (m *Mode) name(set *tracewhy.Set, profiles []profile, of []int, g int) {
	places, paths, rules, kinds, messages := votes[place]{}, votes[tracewhy.PathID]{}, votes[string]{}, votes[string]{}, votes[string]{}
	for i := range profiles {
		if of[i] == g {
			places.add(profiles[i].place)
		}
	}
	at, n := places.winner()
	m.Service, m.Operation, m.Peer, m.Origins = at.service, at.operation, at.peer, n
	for i := range profiles {
		if p := &profiles[i]; of[i] == g && p.place == at {
			paths.add(p.path)
			rules.add(p.rule)
			kinds.add(p.what.kind)
			messages.add(p.what.message)
		}
	}
	path, _ := paths.winner()
	m.Path = set.Path(path)
	m.Rule, _ = rules.winner()
	m.Error, _ = kinds.winner()
	m.Message, _ = messages.winner()
}

// votes counts values in the order in which they were first seen.
type votes[T comparable] struct {
	order []T
	count map[T]int
}

func (v *votes[T]) add(x T) {
	if v.count == nil {
		v.count = map[T]int{}
	}
	if v.count[x] == 0 {
		v.order = append(v.order, x)
	}
	v.count[x]++
}

// winner returns the most frequent value, the first of several, and how often it was.
func (v *votes[T]) winner() (best T, n int) {
	for _, x := range v.order {
		if v.count[x] > n {
			best, n = x, v.count[x]
		}
	}
	return best, n
}

func (r *ModesResult) warn(f *finding, least int, incomplete tracewhy.Warning) {
	if r.Traces < 2*least {
		r.Warnings = append(r.Warnings, tracewhy.Warning{
			Code: WarningModesFew, Count: r.Traces,
			Message: fmt.Sprintf("There are %d traces, and two modes would need at least %d: they are shown as one.", r.Traces, 2*least),
		})
	}
	if f.unsure > 0 {
		r.Warnings = append(r.Warnings, tracewhy.Warning{
			Code: WarningModesNotSeparate, Count: f.unsure,
			Message: "Traces of a mode differ among themselves, but no more than chance or the choice of traces would make them: they were left together.",
		})
	}
	if n := r.Noise.Len(); n > 0 {
		w := tracewhy.Warning{Code: WarningModesNoise, Count: n, Message: fmt.Sprintf("%d of %d traces are like no mode: they are shown as noise, and no remedy for a mode is one for them.", n, r.Traces)}
		for t := range r.Noise.Traces() {
			w.TraceID = t.ID().String()
			break
		}
		r.Warnings = append(r.Warnings, w)
	}
	if incomplete.Count > 0 {
		incomplete.Code = WarningModesIncomplete
		incomplete.Message = fmt.Sprintf("%d of %d traces lack spans: where their failures began may be among what is missing.", incomplete.Count, r.Traces)
		r.Warnings = append(r.Warnings, incomplete)
	}
}
