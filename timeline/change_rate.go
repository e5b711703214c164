package timeline

import (
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats/special"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

const (
	// usualRate is how often one thing is changed, before anything is known of it: once a day, give or take a factor of
	// ten. Teams deploy several times a day or once in months (N. Forsgren, J. Humble and G. Kim, Accelerate, 2018,
	// chapter 2), and settings, flags, scaling and maintenance of what is below come on top of that.
	usualRate = 1 / float64(24*time.Hour)
	// spreadOfRates is the standard deviation of the logarithm of a rate: a factor of ten.
	spreadOfRates = 2.303
	// leastRate is the lowest rate that is believed: of what is changed less than once a week, not all is recorded.
	leastRate = 1 / float64(7*24*time.Hour)
	// longestCover is how far back rates are told from: recorded times that are wrong are of any year.
	longestCover = int64(30 * 24 * time.Hour)
)

// changeRates is how often things are changed, as the record of changes tells.
type changeRates struct {
	things  float64 // that there are to change
	end     int64   // of the recording
	at      []int64 // when changes were made until then, sorted
	cover   float64 // how long the record is, in nanoseconds
	overall float64 // changes of one thing in a nanosecond
	own     map[rateKey]int
}

// A rateKey is what changes of a rate of their own have in common: those of another kind, as when instances are added
// and removed all day, say nothing of it.
type rateKey struct{ thing, kind string }

// newChangeRates returns the rates that changes tell, of a number of things that there are to change. The record begins
// with its first change or with the recording, and ends with the recording.
func newChangeRates(items []candidate, start, end int64, things int) changeRates {
	r := changeRates{things: float64(things), end: end, own: map[rateKey]int{}}
	earliest := epoch.Add(end, -longestCover)
	for i := range items {
		if x := &items[i]; x.at >= earliest && x.at <= end {
			r.at = append(r.at, x.at)
			r.own[rateKey{fold(x.change.Service), x.change.Kind}]++
		}
	}
	slices.Sort(r.at)
	from := max(start, earliest)
	if len(r.at) > 0 {
		from = min(from, r.at[0])
	}
	r.cover = float64(epoch.Distance(from, end))
	r.overall = likelyRate(len(r.at), float64(r.things*r.cover), usualRate)
	return r
}

// of returns how often changes like one that was made at some time are made, in a nanosecond: by the whole record, by
// what was made since it, as changes come in bursts, and by those of the same thing. It does not count itself, since
// that there is one is why it is asked.
func (r *changeRates) of(c Change, at int64) float64 {
	i, isCounted := slices.BinarySearch(r.at, at)
	since, own := len(r.at)-i, r.own[rateKey{fold(c.Service), c.Kind}]
	if isCounted {
		since, own = since-1, own-1
	}
	rate := r.overall
	if at <= r.end {
		rate = likelyRate(since, float64(r.things*float64(epoch.Distance(at, r.end))), rate)
	}
	return max(likelyRate(own, r.cover, rate), leastRate)
}

// likelyRate returns the most probable rate of what happened so often in some time, if the logarithm of the rate is
// normal about that of a usual one.
func likelyRate(n int, time, usual float64) float64 {
	const variance = spreadOfRates * spreadOfRates
	// The derivative of the logarithm of the probability falls with x, the logarithm of the rate beside the usual one.
	low, high := -float64(variance*float64(time*usual)), float64(variance*float64(n))
	for range 100 {
		x := low + (high-low)/2
		if float64(n)-float64(time*float64(usual*special.Exp(x)))-x/variance > 0 {
			low = x
		} else {
			high = x
		}
	}
	return usual * special.Exp(low)
}
