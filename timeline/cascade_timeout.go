package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/timeline/internal/peer"
)

const (
	fewestTimeouts = 10   // calls of a path that gave up
	limitTolerance = 0.05 // of the limit, by which they did so earlier or later
	shareOfLimit   = 0.8  // of them, that did so at the limit
	shareOnset     = 0.8  // of them, after their path became worse
	slowForLimit   = 0.5  // of the limit, that what they wait for takes at least
)

// gaveUp is when calls of a path did, and after how long.
type gaveUp struct {
	path   tracewhy.PathID
	peer   string
	starts []int64
	took   []int64
}

// timeouts finds paths whose calls give up after one time once what they wait for is slow, and which of their callers
// do so as well.
func (r *ChangePointsResult) timeouts(ctx context.Context, traces tracewhy.Cohort) ([]Cascade, error) {
	set := traces.Set()
	if !slices.ContainsFunc(r.Events, func(e Event) bool { return e.Measure == MeasureFailures && e.IsWorse() }) {
		return nil, nil
	}
	number := map[tracewhy.PathID]int{} // only looked up
	var all []gaveUp
	read := 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for s := range t.Spans() {
			start, end, ok := s.Interval()
			if !ok || !s.Failed() {
				continue
			}
			if _, ok := s.Timeout(); !ok {
				continue
			}
			n, ok := number[s.Path().ID()]
			if !ok {
				n = len(all)
				number[s.Path().ID()] = n
				all = append(all, gaveUp{path: s.Path().ID()})
				all[n].peer, _ = peer.Of(s)
			}
			all[n].starts, all[n].took = append(all[n].starts, start), append(all[n].took, end-start)
		}
	}
	all = slices.DeleteFunc(all, func(g gaveUp) bool { return len(g.took) < fewestTimeouts || !g.isAtLimit() })
	var out []Cascade
	var told []tracewhy.PathID
	slices.SortFunc(all, func(x, y gaveUp) int { // callees first: callers that give up after them are told with them
		return cmp.Or(cmp.Compare(set.Path(y.path).Depth(), set.Path(x.path).Depth()), cmp.Compare(x.path, y.path))
	})
	for _, g := range all {
		if slices.ContainsFunc(told, func(p tracewhy.PathID) bool { return isUnder(set.Path(p), g.path) }) {
			continue
		}
		failing := slices.IndexFunc(r.Events, func(e Event) bool {
			return e.Subject.Kind == SubjectPath && e.Subject.Path == g.path && e.Measure == MeasureFailures && e.IsWorse()
		})
		if failing < 0 || !g.isAfter(r.Events[failing].First) {
			continue
		}
		limit := g.limit()
		slow := r.slowBefore(set, g, failing, limit)
		if slow < 0 {
			continue
		}
		told = append(told, g.path)
		p := set.Path(g.path)
		reason := fmt.Sprintf("%s %s gave up after %v %d times, once %s had %s", p.Service(), p.Operation(), quantity.Round(limit), len(g.took),
			r.Events[slow].Subject, r.Events[slow].Levels())
		if above := callersThatGiveUp(p, all, set); len(above) > 0 {
			reason += "; so did " + strings.Join(above, " and ")
		}
		events := []int{min(slow, failing), max(slow, failing)}
		out = append(out, Cascade{Kind: CascadeTimeouts, Start: r.Events[events[0]].Time, Events: events, Reason: reason})
	}
	return out, nil
}

// limit returns how long half of the calls took, at most.
func (g *gaveUp) limit() time.Duration {
	return time.Duration(slices.Sorted(slices.Values(g.took))[(len(g.took)-1)/2])
}

// isAtLimit reports whether nearly all gave up after the same time.
func (g *gaveUp) isAtLimit() bool {
	limit := g.limit()
	at := 0
	for _, took := range g.took {
		if d := (time.Duration(took) - limit).Abs(); float64(d) <= float64(limitTolerance*float64(limit)) {
			at++
		}
	}
	return float64(at) >= float64(shareOfLimit*float64(len(g.took)))
}

func (g *gaveUp) isAfter(at int64) bool {
	after := 0
	for _, start := range g.starts {
		if start >= at {
			after++
		}
	}
	return float64(after) >= float64(shareOnset*float64(len(g.starts)))
}

// slowBefore returns the event at which what a path waits for had become slow, no later than the path failed; or -1.
// It may be the path itself, of whose calls those that did not give up took longer.
func (r *ChangePointsResult) slowBefore(set *tracewhy.Set, g gaveUp, failing int, limit time.Duration) int {
	found := -1
	for i, e := range r.Events {
		if e.Measure != MeasureLong && e.Measure != MeasureSlow || !e.IsWorse() || e.First > r.Events[failing].Last ||
			float64(e.DurationAfter) < float64(slowForLimit*float64(limit)) {
			continue
		}
		isBelow := e.Subject.Kind == SubjectPath && isUnder(set.Path(e.Subject.Path), g.path)
		isPeer := e.Subject.Kind == SubjectDependency && g.peer != "" && e.Subject.Service == g.peer
		if (isBelow || isPeer) && (found < 0 || isDeeper(set, e.Subject, r.Events[found].Subject)) {
			found = i
		}
	}
	return found
}

// isUnder reports whether a path is another, or leads through it.
func isUnder(p tracewhy.Path, above tracewhy.PathID) bool {
	for ok := true; ok; p, ok = p.Parent() {
		if p.ID() == above {
			return true
		}
	}
	return false
}

// isDeeper reports whether one subject is further down the calls than another.
func isDeeper(set *tracewhy.Set, x, y Subject) bool {
	if x.Kind != y.Kind {
		return x.Kind == SubjectPath && set.Path(x.Path).Depth() > 0 && y.Kind == SubjectDependency
	}
	return x.Kind == SubjectPath && set.Path(x.Path).Depth() > set.Path(y.Path).Depth()
}

// callersThatGiveUp returns the names of the paths above one whose calls give up as well.
func callersThatGiveUp(p tracewhy.Path, all []gaveUp, set *tracewhy.Set) []string {
	var out []string
	for above, ok := p.Parent(); ok; above, ok = above.Parent() {
		if slices.ContainsFunc(all, func(g gaveUp) bool { return g.path == above.ID() }) {
			out = append(out, above.Service()+" "+above.Operation())
		}
	}
	return out
}
