package depgraph

import (
	"cmp"
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// InfluenceResult says what customers wait for.
type InfluenceResult struct {
	Traces       int                   `json:"traces"`
	Dependencies []DependencyInfluence `json:"dependencies"` // and services: the largest share first
	Warnings     []tracewhy.Warning    `json:"warnings"`
}

// DependencyInfluence is how much one thing matters for how long customers wait.
type DependencyInfluence struct {
	Name   string            `json:"name"`
	Class  Class             `json:"class"`
	Vendor string            `json:"vendor"`
	Owner  string            `json:"owner"`
	Traces int               `json:"traces"`  // in which it is on the critical path
	OnPath tracewhy.Estimate `json:"on_path"` // its own share of the critical paths of all traces
	// Saved is the share of all waiting that would be saved if each call to it took no time, with all that a
	// service that it is made to waits for in turn: the sum of the drags of its calls. Where others run
	// meanwhile it is smaller than OnPath, and where two of its own calls do, too small. It is unknown for
	// what nobody calls.
	Saved tracewhy.Estimate `json:"saved"`
}

// Influence says which third party, and which service, matters most end to end. Synthetic traffic is left
// out. Errors and complexity are as for [Build].
func Influence(ctx context.Context, cohort tracewhy.Cohort, cfg Config) (*InfluenceResult, error) {
	v, err := newView(ctx, &cfg, tracewhy.Cohort{}, cohort)
	if err != nil {
		return nil, err
	}
	return v.influence(), nil
}

// influence is that of the incident, or of the only cohort.
func (v *view) influence() *InfluenceResult {
	r := &InfluenceResult{Dependencies: []DependencyInfluence{}, Warnings: v.warnings()}
	for i, isTest := range v.isTest {
		if !isTest && v.side[i] == inc {
			r.Traces++
		}
	}
	for e, x := range v.influences(inc) {
		if x.traces == 0 {
			continue
		}
		y := &v.entities[e]
		d := DependencyInfluence{
			Name: y.name, Class: y.class, Vendor: y.vendor, Owner: y.ownerOrVendor(),
			Traces: x.traces, OnPath: x.share.mean(), Saved: tracewhy.Unknown(),
		}
		if x.isCalled {
			d.Saved = x.saved.mean()
		}
		r.Dependencies = append(r.Dependencies, d)
	}
	slices.SortStableFunc(r.Dependencies, func(x, y DependencyInfluence) int {
		return cmp.Or(stats.Compare(y.OnPath.Value, x.OnPath.Value), cmp.Compare(x.Name, y.Name))
	})
	return r
}

type influence struct {
	traces       int
	isCalled     bool // there are calls to it
	share, saved ratio
}

// influences adds up the critical paths of one side, by entity.
func (v *view) influences(side int8) []influence {
	var all ratio
	for i, t := range v.traces {
		if v.side[i] == side && !v.isTest[i] {
			all.add(t.Weight(), 0, rootTime(t))
		}
	}
	out := make([]influence, len(v.entities))
	for i := 0; i < len(v.times); {
		s := v.times[i]
		time, drag := int64(0), int64(0)
		for i < len(v.times) && v.times[i].trace == s.trace && v.times[i].entity == s.entity {
			time += v.times[i].time
			drag += v.times[i].drag
			i++
		}
		if v.side[s.trace] != side || v.isTest[s.trace] {
			continue
		}
		x := &out[s.entity]
		if time > 0 {
			x.traces++
		}
		t := v.traces[s.trace]
		x.share.add(t.Weight(), float64(time)/1e6, rootTime(t))
		x.saved.add(t.Weight(), float64(drag)/1e6, rootTime(t))
	}
	for e := range out {
		for _, r := range [...]*ratio{&out[e].share, &out[e].saved} {
			r.n, r.nn, r.traces = all.n, all.nn, all.traces // traces without it count as zero
		}
	}
	for i := range v.calls {
		out[v.calls[i].to].isCalled = true
	}
	return out
}

// rootTime returns how long a trace's root took, in milliseconds.
func rootTime(t tracewhy.Trace) float64 { return max(0, float64(t.Root().Duration())/1e6) }
