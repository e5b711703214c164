package timeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
)

// CascadeKind is what several events together look like.
type CascadeKind uint8

// The kinds of cascades.
const (
	// CascadeRetries is a call that is made more often by its caller when, or after, it began to fail.
	CascadeRetries CascadeKind = iota
	// CascadeCache is a call that is made more often by its caller although it did not fail before: as when a
	// cache no longer answers, or a batch is split.
	CascadeCache
	// CascadePool is a wait before or between calls that became longer while no more than some number of them
	// were under way: a pool, or a limit, of that size.
	CascadePool
	// CascadeInstance is one instance of several that became worse, while the others did not.
	CascadeInstance
	// CascadeTimeouts is calls that gave up, nearly all after the same time, when what they wait for had become
	// slow: the time at which callers of theirs give up may follow.
	CascadeTimeouts
	// CascadeQueue is more that began than ended, for long, so that it took longer and longer.
	CascadeQueue
	// CascadeHost is a host on which several services stopped, or became worse, at once, while others did not.
	CascadeHost
	// CascadeLate is a job that began or ended later than at the same time of other days.
	CascadeLate
)

// String returns the kind in lower-case words.
func (k CascadeKind) String() string {
	return [...]string{"retries", "cache", "pool", "instance", "timeouts", "queue", "host", "late"}[min(k, CascadeLate)]
}

// Cascade is a signature that events together have. It is consistent with a mechanism, and does not prove it.
type Cascade struct {
	Kind   CascadeKind
	Start  int64   // when it began, in nanoseconds since the Unix epoch
	Events []int   // indices, ascending; none where spans show it and no series does
	Size   float64 // of a pool: how many calls were under way at once on average
	Reason string  // one sentence
}

// cascades looks for signatures in the events and, where these do not show them, in the traces.
func cascades(ctx context.Context, traces tracewhy.Cohort, r *ChangePointsResult, cfg SeriesConfig) error {
	var out []Cascade
	add := func(c Cascade, ok bool) {
		if ok {
			out = append(out, c)
		}
	}
	for i := range r.Events {
		switch e := &r.Events[i]; {
		case e.Measure == MeasureFanout && e.After > e.Before:
			add(r.moreCalls(i))
		case e.Subject.Kind == SubjectGap && e.IsWorse() && (e.Subject.Gap == tracewhy.GapBeforeFirst || e.Subject.Gap == tracewhy.GapBetween):
			add(r.pool(traces.Set(), i))
		case e.Subject.Kind == SubjectInstance && e.IsWorse():
			add(r.oneInstance(i))
		}
	}
	for i := range out {
		out[i].Start = r.Events[out[i].Events[0]].Time
	}
	growingQueues := func(ctx context.Context, traces tracewhy.Cohort) ([]Cascade, error) {
		return r.growingQueues(ctx, traces, cfg)
	}
	for _, find := range [...]func(context.Context, tracewhy.Cohort) ([]Cascade, error){r.timeouts, growingQueues, r.hosts, r.lateJobs} {
		found, err := find(ctx, traces)
		if err != nil {
			return err
		}
		out = append(out, found...)
	}
	slices.SortStableFunc(out, func(x, y Cascade) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.Kind, y.Kind))
	})
	r.Cascades = out
	return nil
}

// moreAfter is by how much more calls there are at least, where each caller makes more of them.
const moreAfter = 1.1

// moreCalls says whether calls that are made more often had failed before. Where there are no more calls than before
// it is callers that make none that became fewer.
func (r *ChangePointsResult) moreCalls(at int) (Cascade, bool) {
	e := &r.Events[at]
	if before, after := r.rates(at); after < moreAfter*before || r.isReturn(at) || r.isRemoteSide(at) {
		return Cascade{}, false
	}
	for i := range r.Events {
		f := &r.Events[i]
		if f.Subject == e.Subject && f.Measure == MeasureFailures && f.IsWorse() && f.First <= e.Last {
			return Cascade{
				Kind: CascadeRetries, Events: []int{min(i, at), max(i, at)},
				Reason: fmt.Sprintf("%s was called %.2g times for each execution of its caller instead of %.2g once %s of its calls failed instead of %s",
					e.Subject, e.After, e.Before, quantity.Percent(f.After), quantity.Percent(f.Before)),
			}, true
		}
	}
	return Cascade{
		Kind: CascadeCache, Events: []int{at},
		Reason: fmt.Sprintf("%s was called %.2g times for each execution of its caller instead of %.2g, and had not failed before",
			e.Subject, e.After, e.Before),
	}, true
}

// isReturn reports whether the level of an event is nearly one that there was before: calls that were not made for a
// while are.
func (r *ChangePointsResult) isReturn(at int) bool {
	e := &r.Events[at]
	return slices.ContainsFunc(r.Events[:at], func(f Event) bool {
		return f.Subject == e.Subject && f.Measure == e.Measure && moreAfter*f.Before > e.After
	})
}

// isRemoteSide reports whether an event is of the remote side of calls that are told themselves.
func (r *ChangePointsResult) isRemoteSide(at int) bool {
	e := &r.Events[at]
	if e.Subject.Kind != SubjectPath || !e.Subject.hasParent || e.Subject.parent == e.Subject.caller {
		return false
	}
	return slices.ContainsFunc(r.Events, func(f Event) bool {
		return f.Subject.Kind == SubjectPath && f.Subject.Path == e.Subject.parent && f.Measure == MeasureFanout && f.After > f.Before &&
			f.First <= e.Last && e.First <= f.Last
	})
}

// level returns the bins in which the level after an event holds: until the next one of its measure.
func (r *ChangePointsResult) level(at int) (from, to int) {
	e := &r.Events[at]
	from, _ = slices.BinarySearch(r.Series.Starts, e.Time)
	to = len(r.Series.Starts)
	for _, f := range r.Events[at+1:] {
		if f.Subject == e.Subject && f.Measure == e.Measure {
			to, _ = slices.BinarySearch(r.Series.Starts, f.Time)
			break
		}
	}
	return from, to
}

// rates returns how many calls of an event's subject there were in a bin before it and after.
func (r *ChangePointsResult) rates(at int) (before, after float64) {
	from, to := r.level(at)
	begin := 0
	for _, f := range r.Events[:at] {
		if f.Subject == r.Events[at].Subject && f.Measure == r.Events[at].Measure {
			begin, _ = slices.BinarySearch(r.Series.Starts, f.Time)
		}
	}
	for i := range r.Series.Counts {
		c := &r.Series.Counts[i]
		if c.Subject != r.Events[at].Subject {
			continue
		}
		rate := func(from, to int) float64 {
			exposure := 0.0
			for _, e := range r.Series.Exposure[from:to] {
				exposure += e
			}
			return float64(total(c.Calls[from:to])) / max(exposure, leastExposure)
		}
		return rate(begin, from), rate(from, to)
	}
	return 0, 0
}

const (
	fewestInPool = 0.9 // calls under way at once, on average
	// plateau is the largest spread of how many calls are under way, as a share of their number, that says that
	// there could not be more.
	plateau = 0.12
)

// pool says whether calls that were waited for were as many as there could be.
func (r *ChangePointsResult) pool(set *tracewhy.Set, at int) (Cascade, bool) {
	e := &r.Events[at]
	from, to := r.level(at)
	for i := range r.Series.Counts {
		c := &r.Series.Counts[i]
		if c.Subject.Kind != SubjectPath || !c.Subject.hasParent || c.Subject.parent != e.Subject.Path {
			continue
		}
		// The first and the last bin are of two levels.
		during, before := c.Concurrency[min(from+1, to):max(to-1, min(from+1, to))], c.Concurrency[:from]
		size, spread := meanAndSpread(during)
		usual, _ := meanAndSpread(before)
		if len(during) >= 5 && size >= fewestInPool && spread <= plateau*size && size > 1.1*usual {
			return Cascade{
				Kind: CascadePool, Events: []int{at}, Size: size,
				Reason: fmt.Sprintf("%s waited for %s, of which no more than about %.2g were under way at once, and %.2g before",
					set.Path(e.Subject.Path).Service(), c.Subject, size, usual),
			}, true
		}
	}
	return Cascade{}, false
}

// meanAndSpread returns the mean and the standard deviation.
func meanAndSpread(xs []float64) (mean, spread float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		spread += float64((x-mean)*(x-mean)) / float64(len(xs))
	}
	return mean, math.Sqrt(spread)
}

// likeIt is the share of an instance's rise from which on that of another one is like it.
const likeIt = 0.25

// rise returns by how much more of a subject's calls are bad from a bin on than before, in a share of them.
func (r *ChangePointsResult) rise(c *Counts, m Measure, from, to int) float64 {
	x := test{counts: c, measure: m}
	share := func(from, to int) float64 {
		bad, all := total(x.values()[from:to]), 0
		for b := from; b < to; b++ {
			all += x.of(b)
		}
		return float64(bad) / float64(max(all, 1))
	}
	return share(from, to) - share(0, from)
}

// others returns the other instances of an event's service, and how many of them did not become worse as it did.
func (r *ChangePointsResult) others(at int) (all, well []*Counts) {
	e := &r.Events[at]
	from, to := r.level(at)
	for i := range r.Series.Counts {
		c := &r.Series.Counts[i]
		if c.Subject.Kind != SubjectInstance || c.Subject.Service != e.Subject.Service || c.Subject == e.Subject {
			continue
		}
		all = append(all, c)
		if r.rise(c, e.Measure, from, to) < likeIt*(e.After-e.Before) {
			well = append(well, c)
		}
	}
	return all, well
}

// oneInstance says whether the instance was the only one of its service that became worse.
func (r *ChangePointsResult) oneInstance(at int) (Cascade, bool) {
	e := &r.Events[at]
	for i, f := range r.Events {
		if i == at || f.Subject.Kind != SubjectInstance || f.Subject.Service != e.Subject.Service || !f.IsWorse() {
			continue
		}
		if f.Subject != e.Subject || i < at { // another one, or told already
			return Cascade{}, false
		}
	}
	all, well := r.others(at)
	return Cascade{
		Kind: CascadeInstance, Events: []int{at},
		Reason: fmt.Sprintf("%s became worse, and the other instances of the service, %d, did not", e.Subject, len(all)),
	}, len(all) > 0 && len(well) == len(all)
}
