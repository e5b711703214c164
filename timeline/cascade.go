package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
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
)

// String returns the kind in lower-case words.
func (k CascadeKind) String() string {
	return [...]string{"retries", "cache", "pool", "instance"}[min(k, CascadeInstance)]
}

// Cascade is a signature that events together have. It is consistent with a mechanism, and does not prove it.
type Cascade struct {
	Kind   CascadeKind
	Events []int   // indices, ascending
	Size   float64 // of a pool: how many calls were under way at once on average
	Reason string  // one sentence
}

// cascades looks for signatures in the events.
func cascades(set *tracewhy.Set, r *ChangePointsResult) []Cascade {
	var out []Cascade
	for i := range r.Events {
		switch e := &r.Events[i]; {
		case e.Measure == MeasureFanout && e.After > e.Before:
			out = append(out, r.moreCalls(i))
		case e.Subject.Kind == SubjectGap && e.IsWorse() && (e.Subject.Gap == tracewhy.GapBeforeFirst || e.Subject.Gap == tracewhy.GapBetween):
			if c, ok := r.pool(set, i); ok {
				out = append(out, c)
			}
		case e.Subject.Kind == SubjectInstance && e.IsWorse():
			if c, ok := r.oneInstance(i); ok {
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Cascade) int { return cmp.Compare(x.Events[0], y.Events[0]) })
	return out
}

// moreCalls says whether calls that are made more often had failed before.
func (r *ChangePointsResult) moreCalls(at int) Cascade {
	e := &r.Events[at]
	for i := range r.Events {
		f := &r.Events[i]
		if f.Subject == e.Subject && f.Measure == MeasureFailures && f.IsWorse() && f.First <= e.Last {
			return Cascade{
				Kind: CascadeRetries, Events: []int{min(i, at), max(i, at)},
				Reason: fmt.Sprintf("%s was called %.2g times for each call of its caller instead of %.2g once %s of its calls failed instead of %s",
					e.Subject, e.After, e.Before, percent(f.After), percent(f.Before)),
			}
		}
	}
	return Cascade{
		Kind: CascadeCache, Events: []int{at},
		Reason: fmt.Sprintf("%s was called %.2g times for each call of its caller instead of %.2g, and had not failed before",
			e.Subject, e.After, e.Before),
	}
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
	from, _ := slices.BinarySearch(r.Series.Starts, e.Time)
	to := len(r.Series.Starts)
	for _, f := range r.Events[at+1:] {
		if f.Subject == e.Subject && f.Measure == e.Measure {
			to, _ = slices.BinarySearch(r.Series.Starts, f.Time)
			break
		}
	}
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

// oneInstance says whether the instance was the only one of its service that became worse.
func (r *ChangePointsResult) oneInstance(at int) (Cascade, bool) {
	e := &r.Events[at]
	all := 0
	for i := range r.Series.Counts {
		if s := r.Series.Counts[i].Subject; s.Kind == SubjectInstance && s.Service == e.Subject.Service {
			all++
		}
	}
	for i, f := range r.Events {
		if i == at || f.Subject.Kind != SubjectInstance || f.Subject.Service != e.Subject.Service || !f.IsWorse() {
			continue
		}
		if f.Subject != e.Subject || i < at { // another one, or told already
			return Cascade{}, false
		}
	}
	return Cascade{
		Kind: CascadeInstance, Events: []int{at},
		Reason: fmt.Sprintf("%s became worse, and the other instances of the service, %d, did not", e.Subject, all-1),
	}, all > 1
}
