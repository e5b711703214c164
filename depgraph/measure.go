package depgraph

import (
	"cmp"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

const level = 0.95 // of intervals

// ratio adds up two numbers a trace, and estimates the quotient of their totals. Traces are the unit: what
// one trace says twice is not said by two. Its variance is that of a ratio, linearised (W. G. Cochran,
// Sampling Techniques, 3rd ed., 1977, section 6.4), with the weights of traces that were sampled.
type ratio struct {
	traces                int
	x, n, xx, xn, nn, raw float64 // weighted sums of the numbers, and of their squares and product by squared weight
}

func (r *ratio) add(weight, x, n float64) {
	r.traces++
	wx, wn := float64(weight*x), float64(weight*n)
	r.x += wx
	r.n += wn
	r.xx += float64(wx * wx)
	r.xn += float64(wx * wn)
	r.nn += float64(wn * wn)
	r.raw += n
}

func (r *ratio) value() float64 { return r.x / r.n }

func (r *ratio) variance() float64 {
	q := r.value()
	return max(0, r.xx-float64(2*q*r.xn)+float64(q*q*r.nn)) / float64(r.n*r.n)
}

// size returns how many independent observations say as much about a proportion as these do.
func (r *ratio) size() float64 {
	q, v := r.value(), r.variance()
	if kish := r.n * r.n / r.nn; !(q > 0 && q < 1 && v > 0) {
		return kish
	}
	return min(r.raw, float64(q*(1-q))/v)
}

// proportion estimates the quotient as a proportion, by the interval of Wilson.
func (r *ratio) proportion() tracewhy.Estimate {
	if r.n == 0 {
		return tracewhy.Unknown()
	}
	n, q := r.size(), min(1, r.value())
	return estimate(stats.Wilson(q*n, n, level))
}

// mean estimates the quotient as a mean of any size.
func (r *ratio) mean() tracewhy.Estimate {
	if r.n == 0 || r.traces < 2 {
		return tracewhy.Unknown()
	}
	half := 1.959964 * math.Sqrt(r.variance()*float64(r.traces)/float64(r.traces-1))
	return tracewhy.Estimate{Value: r.value(), Low: r.value() - half, High: r.value() + half}
}

func estimate(e stats.Estimate) tracewhy.Estimate {
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

// observation is how long something took in one trace, in milliseconds.
type observation struct {
	trace    int32
	censored bool // it took at least so long: the caller gave up
	value    float64
	weight   float64
}

// quantiles estimates quantiles of observations that come in the order of traces. One is not known where
// the effective number of traces is too small for an interval with two ends, or where it lies among calls
// that the caller gave up on: then Low alone is, and the smallest of their limits bounds it as well.
//
// The interval is that of the ranks, widened for traces of many calls and unequal weights: R. S. Woodruff
// (1952, doi:10.1080/01621459.1952.10483443).
func quantiles(obs []observation, ps ...float64) []tracewhy.Estimate {
	out := make([]tracewhy.Estimate, len(ps))
	sorted := slices.Clone(obs)
	limit := math.Inf(1)
	for i := range sorted {
		if sorted[i].censored {
			limit = min(limit, sorted[i].value)
			sorted[i].value = math.Inf(1)
		}
	}
	slices.SortFunc(sorted, func(a, b observation) int {
		return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.trace, b.trace))
	})
	total := 0.0
	for i := range sorted {
		total += sorted[i].weight
		sorted[i].weight = total // from here on, of all up to this one
	}
	at := func(p float64) float64 {
		i, _ := slices.BinarySearchFunc(sorted, p*total*(1-1e-12), func(o observation, w float64) int { return cmp.Compare(o.weight, w) })
		return sorted[min(i, len(sorted)-1)].value
	}
	for k, p := range ps {
		out[k] = tracewhy.Unknown()
		if len(sorted) == 0 {
			continue
		}
		q := at(p)
		n := math.Floor(below(obs, q).size() * (1 + 1e-9)) // whole, but for rounding
		if n < float64(stats.QuantileSampleSize(p, level)) {
			continue
		}
		lo, hi := rankInterval(n, p)
		out[k] = tracewhy.Estimate{Value: q, Low: at(lo), High: at(hi)}
		if math.IsInf(q, 1) {
			out[k] = tracewhy.Estimate{Value: math.NaN(), Low: min(out[k].Low, limit), High: math.Inf(1)}
		}
	}
	return out
}

// below counts by trace how many observations are at most q.
func below(obs []observation, q float64) *ratio {
	var r ratio
	for i := 0; i < len(obs); {
		from, under := i, 0.0
		for i < len(obs) && obs[i].trace == obs[from].trace {
			if obs[i].value <= q && !obs[i].censored || math.IsInf(q, 1) {
				under++
			}
			i++
		}
		r.add(obs[from].weight, under, float64(i-from))
	}
	return &r
}

// rankInterval returns the shares of n observations that bound the p-quantile.
func rankInterval(n, p float64) (lo, hi float64) {
	const most = 1000 // from here on the normal approximation is as good
	if n > most {
		e := stats.Wilson(p*n, n, level)
		return e.Lo, e.Hi
	}
	ranks := make([]float64, int(n))
	for i := range ranks {
		ranks[i] = float64(i + 1)
	}
	e := stats.NewSample(ranks).QuantileInterval(p, level)
	return max(0, e.Lo/n), min(1, e.Hi/n)
}

// Calls measures calls, as those who made them saw them. Rates are shares of calls; latency is in
// milliseconds and not known where too few traces show it: a p99 takes 368, a p95 72.
type Calls struct {
	Traces    int               `json:"traces"`   // with at least one
	Calls     int               `json:"calls"`    // in these
	Attempts  int               `json:"attempts"` // more than calls, where clients retry within one
	Weight    float64           `json:"weight"`   // how many calls they stand for, where traces were sampled
	Errors    tracewhy.Estimate `json:"errors"`   // failed, whatever for
	Throttled tracewhy.Estimate `json:"throttled"`
	TimedOut  tracewhy.Estimate `json:"timed_out"`
	// Available is the share that got an answer: not those that failed, other than for a request that the
	// other side called wrong (4xx), nor those that found a pool of the caller's own empty.
	Available tracewhy.Estimate `json:"available"`
	P50       tracewhy.Estimate `json:"p50_ms"`
	P95       tracewhy.Estimate `json:"p95_ms"`
	P99       tracewhy.Estimate `json:"p99_ms"`
}

// tally collects calls, which come in the order of traces.
type tally struct {
	calls []*call
}

func (t *tally) measure(v *view) Calls {
	var errors, throttled, timedOut, available ratio
	obs := make([]observation, 0, len(t.calls))
	r := Calls{Calls: len(t.calls)}
	for i := 0; i < len(t.calls); {
		from := i
		var n, failed, refused, late, answered, asked float64
		w := v.traces[t.calls[i].trace].Weight()
		for i < len(t.calls) && t.calls[i].trace == t.calls[from].trace {
			c := t.calls[i]
			i++
			n++
			r.Attempts += int(c.attempts)
			if c.ending.has(endFailed) {
				failed++
			}
			if c.ending.has(endThrottled) {
				refused++
			}
			if c.ending.has(endTimedOut) {
				late++
			}
			if !c.ending.has(endNoSlot) {
				asked++
				if !c.ending.has(endFailed) || c.ending.has(endRejected) && !c.ending.has(endThrottled) {
					answered++
				}
			}
			if d := c.duration(); d >= 0 {
				obs = append(obs, observation{c.trace, c.ending.has(endTimedOut), float64(d) / 1e6, w})
			}
		}
		r.Traces++
		r.Weight += float64(w * n)
		errors.add(w, failed, n)
		throttled.add(w, refused, n)
		timedOut.add(w, late, n)
		if asked > 0 {
			available.add(w, answered, asked)
		}
	}
	r.Errors, r.Throttled, r.TimedOut, r.Available = errors.proportion(), throttled.proportion(), timedOut.proportion(), available.proportion()
	q := quantiles(obs, 0.5, 0.95, 0.99)
	r.P50, r.P95, r.P99 = q[0], q[1], q[2]
	return r
}
