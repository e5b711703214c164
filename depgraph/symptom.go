package depgraph

import (
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// symptom returns where failures grew, or else where time did, or nil if neither grew. Failures leave time the first say
// if they grew hardly more than chance allows, or nowhere in particular.
func (j *judge) symptom(r *FaultDomainResult) []*suspect {
	failed := j.failed(r)
	if len(failed) > 0 && grewSurely(r.Excess) {
		return failed
	}
	symptom, excess := r.Symptom, r.Excess
	if slow := j.slow(r); len(slow) > 0 || failed == nil {
		return slow
	}
	r.Symptom, r.Excess = symptom, excess
	return failed
}

// grewSurely reports whether what did not grow would look as if it had about once in a thousand times.
func grewSurely(excess tracewhy.Estimate) bool {
	return excess.Value > 0 && excess.Low > 0.3*excess.Value
}

// failed returns where failures grew, or nil if they did not.
func (j *judge) failed(r *FaultDomainResult) []*suspect {
	var all []amount
	places := map[place][]amount{}
	n := 0
	for _, f := range j.failures {
		if j.balance.share[f.trace] == 0 {
			continue
		}
		all = append(all, amount{f.trace, 1})
		places[f.place] = append(places[f.place], amount{f.trace, 1})
		if j.side[f.trace] == inc {
			n++
			vote(j.endings, f.place, f.ending.mechanism())
		}
	}
	excess := j.balance.more(all)
	if n < minFailures || !(excess.Low > 0) {
		return nil
	}
	r.Symptom, r.Excess = "error", excess
	return j.suspects(places, j.balance.more)
}

// slow returns where time grew, or nil if it did not: of all traces together, or else of places that few of them pass.
func (j *judge) slow(r *FaultDomainResult) []*suspect {
	if j.balance.traces[inc] < 2*minStratum {
		return nil
	}
	var all []amount
	for i, t := range j.traces {
		if j.balance.share[i] > 0 && t.Root().Duration() >= 0 {
			all = append(all, amount{int32(i), rootTime(t)})
		}
	}
	places := map[place][]amount{}
	for _, s := range j.times {
		if j.balance.share[s.trace] > 0 {
			p := place{s.entity, s.part}
			places[p] = append(places[p], amount{s.trace, float64(s.time) / 1e6})
		}
	}
	j.giveBack(places)
	excess, suspects := j.balance.excess(all), j.suspects(places, j.balance.excess)
	if !grewSurely(excess) {
		z := -special.NormalQuantile(0.001 / float64(2*max(1, len(places))))
		suspects = slices.DeleteFunc(suspects, func(s *suspect) bool { return !j.matters(s, z) })
		if len(suspects) == 0 {
			return nil
		}
		var lists [][]amount
		for _, s := range suspects {
			lists = append(lists, s.xs)
		}
		excess = j.balance.excess(sum(lists...))
	}
	r.Symptom, r.Excess = "latency", excess
	return suspects
}

// What grew at one of many places, and not of all traces together, is evidence if this many traces of either side pass
// it, and if it is this part of how long they take.
const (
	minPassing = 20
	minPart    = 0.05
)

// matters reports whether a place became worse by more than z standard errors, and by enough for those who pass it.
func (j *judge) matters(s *suspect, z float64) bool {
	var passing [2]int
	took := 0.0
	for _, x := range s.xs {
		if x.value > 0 {
			side := j.side[x.trace]
			passing[side]++
			if side == inc {
				took += float64(j.balance.share[x.trace] * rootTime(j.traces[x.trace]))
			}
		}
	}
	e := s.excess
	return passing[base] >= minPassing && passing[inc] >= minPassing &&
		1.959964*e.Value > float64(z*(e.Value-e.Low)) && e.Value > float64(minPart*took)
}

// giveBack leaves what is called no more time on critical paths than its calls take longer, where it surely has: the
// rest came there because what is beside these calls moved, such as when one of several begins late.
func (j *judge) giveBack(places map[place][]amount) {
	taken := map[int32][]amount{} // by what is called: by its calls, without waits of ours
	for i := range j.calls {
		if c := &j.calls[i]; j.balance.share[c.trace] > 0 && c.duration() >= 0 {
			taken[c.to] = append(taken[c.to], amount{c.trace, float64(c.duration()-c.wait) / 1e6})
		}
	}
	for p, onPath := range places {
		xs := taken[p.entity]
		if p.part != partRemote || xs == nil {
			continue
		}
		moved := slices.Clone(onPath)
		for _, x := range xs {
			moved = append(moved, amount{x.trace, -x.value})
		}
		if j.balance.excess(sum(moved)).Low > 0 {
			places[p] = sum(xs)
		}
	}
}
