package decode

import (
	"math"
	"math/big"
	"strconv"

	"github.com/tracewhy/tracewhy"
)

// Micros decodes a moment or a duration of the formats that have it in whole microseconds. It is not known
// where there is null, or nothing. A number in quotes, and one with a fraction, which is rounded, are
// noted; what lies beyond 64 bits becomes the largest that there is.
func (d *JSON) Micros(i int) (us int64, known bool, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return 0, false, next
	}
	switch kind {
	case NullToken:
		return 0, false, next
	case CompositeToken:
		d.Refuse(tracewhy.ProblemShape, i)
		return 0, false, next
	case TextToken:
		if len(s) == 0 {
			return 0, false, next
		}
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	if negative, n, ok := ExactInt(s); ok {
		us = int64(min(n, math.MaxInt64))
		if negative {
			us = -us
		}
		return us, true, next
	}
	if !IsNumber(s) {
		d.Refuse(tracewhy.ProblemTimeInvalid, i)
		return 0, false, next
	}
	if kind != TextToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return rounded(View(s)), true, next
}

// rounded returns the integer next to a number, which for most moments in microseconds has too many digits
// to be exact in floating point together with a fraction.
func rounded(s string) int64 {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil && f == 0, math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64 + 1
	}
	const most = 64 // digits that are worth it
	if math.Abs(f) < 1 || len(s) > most {
		return int64(math.Round(f))
	}
	x, _, err := big.ParseFloat(s, 10, 128, big.ToNearestEven)
	if err != nil {
		return int64(math.Round(f))
	}
	half := big.NewFloat(math.Copysign(0.5, f))
	n, _ := x.Add(x, half).Int64()
	return n
}

// The magnitudes of a moment in microseconds.
const (
	latestMicros = math.MaxInt64 / 1000 // the last that a moment in nanoseconds can be, in the year 2262
	leastNanos   = int64(1e17)          // from here on it is one in nanoseconds, of 1973 and later,
	mostNanos    = int64(5e18)          // up to 2128
	leastMillis  = int64(1e8)           // from here on it is one in seconds or milliseconds, if it is any,
	mostMillis   = int64(1e14)          // up to here, which as microseconds is 1973
)

// Moment makes a moment in microseconds one in nanoseconds, 0 if there is none before the Unix epoch. One
// that seems to be in another unit is noted, never converted. Those after the year 2262 become the last
// moment of all; of what is absurd as microseconds and nanoseconds, ok is false.
func (d *JSON) Moment(us int64, at int) (ns uint64, ok bool) {
	switch {
	case us < 0:
		d.Note(tracewhy.ProblemValueInvalid, at)
		return 0, true
	case us >= mostNanos:
		return math.MaxUint64, false
	case us >= leastNanos, us >= leastMillis && us < mostMillis:
		d.Note(tracewhy.ProblemUnitSuspect, at)
	}
	if us > latestMicros {
		return math.MaxUint64, true
	}
	return uint64(us) * 1000, true
}

// EventMoment decodes the time of an event in microseconds. The event is kept without one where it is none.
func (d *JSON) EventMoment(i int) (uint64, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == NullToken {
		return 0, next
	}
	if kind == CompositeToken || !IsNumber(s) {
		d.Note(tracewhy.ProblemValueInvalid, i)
		return 0, next
	}
	us, known, next := d.Micros(i)
	if next < 0 || !known {
		return 0, next
	}
	ns, ok := d.Moment(us, i)
	if !ok {
		d.Note(tracewhy.ProblemTimeOutOfRange, i)
	}
	return ns, next
}

// After returns the moment that is so many microseconds after one in nanoseconds, or before it. Where there
// is none it is the first or last moment of all.
func After(ns uint64, us int64) uint64 {
	if us < 0 {
		if us < -latestMicros || uint64(-us)*1000 >= ns {
			return 1
		}
		return ns - uint64(-us)*1000
	}
	if us > latestMicros || ns > math.MaxUint64-uint64(us)*1000 {
		return math.MaxUint64
	}
	return ns + uint64(us)*1000
}
