package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A stream is the executions of a scope that have something in common, and what is bad about some of them.
type stream struct {
	role       role
	measure    Measure
	path       tracewhy.PathID
	hasPath    bool
	judgements *judgements
}

const (
	fewestJudgements = 10 // of a stream
	pathsOfRole      = 8  // that are looked at by themselves, beside all together
	// strongest is the logarithm of evidence for a rise beyond which a stream weighs no more than others.
	strongest = 20.0
)

// tally makes the streams of a scope of its executions.
func (s *scope) tally(k *ranking) {
	var cuts []int64
	for i := range k.items {
		if x := &k.items[i]; x.scope == s {
			cuts = append(cuts, x.at, x.until)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for r := range roleKinds {
		s.addRole(r, cuts)
	}
	n := len(s.streams)
	s.addRole(roleKinds, cuts)
	s.kinds, s.streams = slices.Clone(s.streams[n:]), s.streams[:n]
	if s.begins = k.cfg.Demand && k.begins(s); s.begins {
		list := make([]judgement, len(k.asks))
		for i, x := range k.asks {
			list[i] = judgement{x.at, x.passes && slices.Contains(s.nodes, x.begins)}
		}
		s.add(roleAsks, 0, false, cuts, list, nil, nil)
	}
	s.weigh(k)
	s.taken, s.latest = [roles][]execution{}, nil
}

// addRole adds the streams of one role.
func (s *scope) addRole(r role, cuts []int64) {
	taken := s.taken[r]
	slices.SortFunc(taken, func(x, y execution) int {
		return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(x.amount, y.amount), cmp.Compare(x.at, y.at), cmp.Compare(x.trace, y.trace))
	})
	type group struct{ failures, long, slow []judgement }
	var all group
	var byPath []struct {
		id tracewhy.PathID
		group
	}
	for from := 0; from < len(taken); {
		to := from + 1
		for to < len(taken) && taken[to].path == taken[from].path {
			to++
		}
		g := group{}
		g.failures, g.long, g.slow = judged(taken[from:to])
		all.failures, all.long, all.slow = append(all.failures, g.failures...), append(all.long, g.long...), append(all.slow, g.slow...)
		byPath = append(byPath, struct {
			id tracewhy.PathID
			group
		}{taken[from].path, g})
		from = to
	}
	s.add(r, 0, false, cuts, all.failures, all.long, all.slow)
	if len(byPath) < 2 {
		return
	}
	slices.SortStableFunc(byPath, func(x, y struct {
		id tracewhy.PathID
		group
	}) int {
		return cmp.Compare(len(y.failures), len(x.failures))
	})
	for _, g := range byPath[:min(len(byPath), pathsOfRole)] {
		s.add(r, g.id, true, cuts, g.failures, g.long, g.slow)
	}
}

// weigh says how much the rises of a scope count: those that are clear, large, and of what the change could have acted
// on first hand. The weights are the same for any moment of a change, so that they favour none.
func (s *scope) weigh(k *ranking) {
	total := 0.0
	each := func(f func(*stream, *rise)) {
		for i := range s.streams {
			y := &s.streams[i]
			for j := range y.judgements.rises {
				f(y, &y.judgements.rises[j])
			}
		}
	}
	each(func(y *stream, r *rise) {
		r.mean = k.moments.average(y.judgements, r)
		if r.isFlat() || r.size <= 0 {
			return
		}
		// What certainly began after the symptom did not set it off.
		if k.first <= k.last && y.judgements.at[r.likely()] > k.last {
			r.late = true
			return
		}
		r.weight = max(min(special.Log(r.mean)+r.peak, strongest), 0) * float64(r.size*r.size)
		total += r.weight
	})
	// What rises later, and no more than what rose before, is likely to be what came of it.
	each(func(y *stream, r *rise) {
		earlier := false
		each(func(z *stream, q *rise) {
			earlier = earlier || q.weight > 0 && q.size >= r.size/2 && z.judgements.at[q.at] < y.judgements.at[max(r.from, r.likely())]
		})
		if earlier {
			r.later = true
		}
	})
	each(func(_ *stream, r *rise) {
		if r.later {
			total -= float64(r.weight * (1 - afterwards))
			r.weight *= afterwards
		}
	})
	if total > 0 {
		each(func(_ *stream, r *rise) { r.weight /= total })
		s.spared = s.sparedBefore()
		return
	}
	n := 0.0
	each(func(*stream, *rise) { n++ })
	each(func(_ *stream, r *rise) { r.weight = 1 / n })
}

// sparedBefore reports whether, from before what weighs most rose until after it, calls were made for more requests that
// others do without: as where a cache no longer answers.
func (s *scope) sparedBefore() bool {
	var main *rise
	var at int64
	for i := range s.streams {
		y := &s.streams[i]
		for j := range y.judgements.rises {
			if r := &y.judgements.rises[j]; main == nil || r.weight > main.weight {
				main, at = r, y.judgements.at[r.at]
			}
		}
	}
	for i := range s.kinds {
		t := s.kinds[i].judgements
		for j := range t.rises {
			r := &t.rises[j]
			if !r.isFlat() && r.size > 0 && t.at[r.likely()] <= at && (r.to == len(t.at) || t.at[r.to] > at) {
				return true
			}
		}
	}
	return false
}

// afterwards is how probable it is that what rises after something else of the scope did is what a change set off, beside
// that it is what came of the other.
const afterwards = 0.1

// firstHand is how probable it is that what rises is the doing of what was changed, by role, and not of what it called.
var firstHand = [roles]float64{roleOwn: 1, roleIn: 1, roleMade: 0.5, roleOut: 0.05, roleAsks: 1, roleKinds: 0}

// add adds the streams of one role, and of one path if hasPath.
func (s *scope) add(r role, path tracewhy.PathID, hasPath bool, cuts []int64, failures, long, slow []judgement) {
	for m, list := range [...][]judgement{MeasureFailures: failures, MeasureLong: long, MeasureSlow: slow} {
		bad := 0
		for _, x := range list {
			if x.bad {
				bad++
			}
		}
		if len(list) >= fewestJudgements && bad > 0 && bad < len(list) {
			s.streams = append(s.streams, stream{role: r, measure: Measure(m), path: path, hasPath: hasPath, judgements: newJudgements(list, cuts)})
		}
	}
}

// judged says of the executions of one path, which are sorted by amount, which failed, and of those that did not which
// took longer than half of them, and than nine in ten.
func judged(list []execution) (failures, long, slow []judgement) {
	var amounts []int64
	for _, x := range list {
		if !x.failed {
			amounts = append(amounts, x.amount)
		}
	}
	limit := func(share float64) int64 {
		if len(amounts) == 0 {
			return 0
		}
		at, most := amounts[int(share*float64(len(amounts)-1))], amounts[len(amounts)-1]
		if at == most { // of few different amounts the largest is what is more
			i, _ := slices.BinarySearch(amounts, most)
			return amounts[max(i-1, 0)]
		}
		return at
	}
	half, most := limit(longShare), limit(slowShare)
	for _, x := range list {
		failures = append(failures, judgement{x.at, x.failed})
		if !x.failed {
			long, slow = append(long, judgement{x.at, x.amount > half}), append(slow, judgement{x.at, x.amount > most})
		}
	}
	return failures, long, slow
}

// How probable it is that an incident that was traced to one thing began in it, in one of those that it calls, or in
// one of those that call it; and that what is not connected with it had to do with it.
const (
	inCulprit = 1.0
	inBelow   = 0.5
	inAbove   = 0.2
	inOther   = 0.001
	inUnseen  = 0.05
)

const (
	// coincident is how probable it is that what became worse first, of what affected traces depend on, had nothing
	// to do with the symptom.
	coincident = 0.1
	// fewestDoses is how many traces on and off what was changed there are at least, for a dose to say anything.
	fewestDoses = 5
)

// weigh returns what speaks for and against a candidate, and how probable it is beside that no change did it, which
// counts 1.
func (k *ranking) weigh(x *candidate) (RankedChange, float64) {
	s := x.scope
	c := RankedChange{
		Change: x.change, Seen: x.seen, Evidence: 1, Placebo: 1, Dormancy: -1,
		Delay: time.Duration(k.symptom - x.at),
	}
	if !k.hasSymptom {
		c.Delay = 0
	}
	w := &weighing{ranking: k, item: x, out: &c, byChance: k.rates.of(x.change, x.at) * k.moments.length}
	weight := oddsOfChange * w.relation()
	weight *= w.rise()
	weight *= w.dose()
	if w.isLate() {
		weight = 0
	}
	c.Undetermined = len(s.streams) == 0 || c.Evidence > 1.0/3 && c.Evidence < 3
	return c, weight
}

type weighing struct {
	*ranking
	item      *candidate
	out       *RankedChange
	isCulprit bool
	byChance  float64 // how many changes like it there are in the time of the recording
}
