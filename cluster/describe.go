package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

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
			Message: fmt.Sprintf("Two modes would need at least %d traces: of %d there is one at most.", 2*least, r.Traces),
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
