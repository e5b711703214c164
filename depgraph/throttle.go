package depgraph

import (
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Throttling says how a dependency refuses or slows down what exceeds a limit.
type Throttling struct {
	// Refused is the share of calls that it refused because there were too many, in the incident.
	Refused tracewhy.Estimate `json:"refused"`
	// Offered is how many attempts a second were made, in the baseline and in the incident.
	Offered [2]float64 `json:"offered_per_s"`
	// Limit is what it answered, in attempts a second, while it refused or slowed down others: its limit as
	// far as traffic shows it.
	Limit tracewhy.Estimate `json:"limit_per_s"`
	// P is the probability that times of trouble are by chance so much those of much demand.
	P float64 `json:"p"`
	// Lowered says that the baseline often offered more at once than was answered in the trouble, and was answered.
	Lowered bool `json:"lowered"`
}

const (
	triggerP = 0.01
	minBins  = 8
	// separation is Cliff's delta of demands that hardly overlap: of 20 pairs one may be the other way about.
	separation = 0.9
)

// bin is a stretch of time of one window.
type bin struct {
	side              int8
	attempts, refused float64
	demand            float64 // traces that ask it for the first time: they are no more because it is in trouble
	time, calls       float64 // of the calls, in milliseconds, and how many
}

// trigger looks whether the trouble with a dependency follows from how much is asked of it.
func (j *judge) trigger(r *FaultDomainResult, to int32) {
	bins, width := j.bins(to)
	if bins == nil {
		return
	}
	var refused ratio
	var offered, seconds [2]float64
	var time ratio
	for _, b := range bins {
		offered[b.side] += b.attempts
		seconds[b.side] += width
		if b.side == base && b.calls > 0 {
			time.add(1, b.time, b.calls)
		}
	}
	for i := range j.calls {
		if c := &j.calls[i]; c.to == to && j.side[c.trace] == inc && !j.isTest[c.trace] {
			refused.add(j.traces[c.trace].Weight(), float64(c.refused), float64(c.attempts))
		}
	}
	t := &Throttling{Refused: refused.proportion(), Limit: tracewhy.Unknown(), P: 1}
	for side := range offered {
		t.Offered[side] = offered[side] / seconds[side]
	}
	isRefusal := t.Refused.Value > 0.01
	inTrouble := func(b bin) bool {
		if isRefusal {
			return b.refused > 0
		}
		return b.calls > 0 && b.time/b.calls > 1.5*time.value()
	}
	var accepted []float64
	var demand [2][2][]float64 // by side, without and with trouble
	most := 0.0                // that it answered while in trouble
	for _, b := range bins {
		state := 0
		if inTrouble(b) {
			state = 1
			accepted = append(accepted, (b.attempts-b.refused)/width)
			most = max(most, b.attempts-b.refused)
		}
		demand[b.side][state] = append(demand[b.side][state], b.demand)
	}
	if len(accepted) == 0 {
		return
	}
	t.Limit = estimate(stats.NewSample(accepted).QuantileInterval(0.5, level))
	trigger := t.triggerOf(demand, isRefusal)
	over, healthy := 0, len(demand[base][0])
	for _, b := range bins {
		// A limit lets bursts pass, and so what counts is what it has been seen to let pass.
		if b.side == base && !inTrouble(b) && b.attempts > most {
			over++
		}
	}
	t.Lowered = isRefusal && 10*over > healthy && healthy >= minBins
	if isRefusal {
		r.Throttling, r.Mechanism = t, MechanismThrottling
		r.Reason += fmt.Sprintf("; it refused %s of the attempts", percentOf(t.Refused))
	}
	switch {
	case t.Lowered:
		r.Reason += ", also where there were no more than before: its limit was lowered"
	case trigger == DomainInternal:
		r.Throttling, r.Trigger = t, DomainInternal
		r.Reason += fmt.Sprintf(" when more than about %.3g a second were made: an external mechanism with an internal trigger", t.Limit.Value)
	case isRefusal:
		r.Trigger = DomainUndetermined
	case trigger == DomainUndetermined:
		r.Trigger = trigger
		r.Reason += "; all the while more was asked of it than before, which may be why"
	}
}

// triggerOf returns whose doing it is that there is trouble, by whether there is when much is asked, and sets P. That can be
// seen within the incident. Between the windows more than the demand may have changed: there it is a reason only for
// a side that says itself that it is too much, and leaves it open where hardly any time without trouble had as much.
func (t *Throttling) triggerOf(demand [2][2][]float64, isRefusal bool) Domain {
	bad, good := slices.Concat(demand[base][1], demand[inc][1]), slices.Concat(demand[base][0], demand[inc][0])
	if len(bad) < minBins/2 || len(good) < minBins/2 {
		return DomainExternal
	}
	compare := func(x, y []float64) stats.RankTest {
		return stats.MannWhitney(stats.NewSample(x), stats.NewSample(y), stats.Greater)
	}
	if len(demand[inc][1]) >= minBins/2 && len(demand[inc][0]) >= minBins/2 {
		if t.P = compare(demand[inc][1], demand[inc][0]).P; t.P <= triggerP {
			return DomainInternal
		}
	}
	all := compare(bad, good)
	switch {
	case all.P > triggerP:
		return DomainExternal
	case isRefusal:
		t.P = all.P
		return DomainInternal
	case all.Delta >= separation:
		return DomainUndetermined
	}
	return DomainExternal
}

// bins cuts both windows into stretches of one length, with about 20 attempts each.
func (j *judge) bins(to int32) ([]bin, float64) {
	var first, last [2]int64
	var n [2]float64
	for i, t := range j.traces {
		start, _, ok := t.Root().Interval()
		if !ok || j.isTest[i] {
			continue
		}
		s := j.side[i]
		if n[s] == 0 {
			first[s], last[s] = start, start
		}
		n[s]++
		first[s], last[s] = min(first[s], start), max(last[s], start)
	}
	attempts := 0.0
	for i := range j.calls {
		if c := &j.calls[i]; c.to == to && !j.isTest[c.trace] && j.side[c.trace] == inc {
			attempts += float64(c.attempts)
		}
	}
	count := math.Floor(min(200, attempts/20))
	if count < minBins || n[base] == 0 || last[inc] <= first[inc] || last[base] <= first[base] {
		return nil, 0
	}
	width := (float64(last[inc]-first[inc]) + 1) / count
	if most := (float64(last[base]-first[base]) + 1) / 2000; width < most {
		width = most // the baseline is long, and the incident short
	}
	size := [2]int{}
	for side := range size {
		size[side] = int(float64(last[side]-first[side])/width) + 1
	}
	bins := make([]bin, size[base]+size[inc])
	for i := range bins {
		if i >= size[base] {
			bins[i].side = inc
		}
	}
	before := int32(-1) // the trace of the last call: they come in the order of traces
	for i := range j.calls {
		c := &j.calls[i]
		if c.to != to || j.isTest[c.trace] {
			continue
		}
		isFirst := c.trace != before
		before = c.trace
		start, end, ok := c.span.Interval()
		side := j.side[c.trace]
		k := int(float64(start-first[side]) / width)
		if !ok || k < 0 || k >= size[side] {
			continue
		}
		if side == inc {
			k += size[base]
		}
		w := j.traces[c.trace].Weight()
		bins[k].attempts += float64(w * float64(c.attempts))
		bins[k].refused += float64(w * float64(c.refused))
		bins[k].calls += w
		if isFirst {
			bins[k].demand += w
		}
		bins[k].time += float64(w * (float64(end-start) / 1e6))
	}
	return bins, width / 1e9
}
