package timeline

import (
	"time"

	"github.com/tracewhy/tracewhy/internal/stats/special"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// A delay is how long after it was made a change begins to act: at once, while it is rolled out, or after it has built
// up, with these probabilities.
type delay struct {
	atOnce, rolled, builtUp float64
	shortest, longest       float64 // of what is built up: any order of magnitude between is as probable
}

// rolling is the mean of how long after it was recorded a change begins to act, if not at once, while it is rolled out.
const rolling = float64(time.Minute)

var (
	usualDelay = delay{atOnce: 0.5, rolled: 0.45, builtUp: 0.05, shortest: float64(time.Second), longest: float64(24 * time.Hour)}
	// Of a cache that answers less, half of the changes are such that act at once, as one that empties it; the others,
	// of what it is filled by or of how long it keeps what it has, act when that is too old, which is some minutes to
	// a day later.
	expiryDelay = delay{atOnce: 0.25, rolled: 0.25, builtUp: 0.5, shortest: float64(time.Minute), longest: float64(24 * time.Hour)}
)

// within returns the probability that a change acts within some time, but not at once.
func (d *delay) within(after float64) float64 {
	if after <= 0 {
		return 0
	}
	rolled := d.rolled * -special.Expm1(-after/rolling)
	built := d.builtUp * special.Log1p(min(after, d.longest)/d.shortest) / special.Log1p(d.longest/d.shortest)
	return float64(rolled) + float64(built)
}

// between returns the probability that a change acts from one moment to another.
func (d *delay) between(at, from, to int64) float64 {
	after := func(t int64) float64 {
		if t <= at {
			return 0
		}
		return d.within(float64(epoch.Distance(at, t)))
	}
	p := after(to) - after(from)
	if from <= at && at <= to {
		p += d.atOnce
	}
	return p
}
