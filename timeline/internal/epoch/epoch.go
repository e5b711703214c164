// Package epoch calculates with moments in nanoseconds since the Unix epoch. Those of traces can be any number, and
// what is beyond the largest one is it.
package epoch

import (
	"math"
	"time"
)

// Distance returns how far two moments are apart.
func Distance(x, y int64) int64 {
	if x < y {
		x, y = y, x
	}
	if d := x - y; d >= 0 {
		return d
	}
	return math.MaxInt64
}

// Add returns the moment that is by so many nanoseconds after, or before, another.
func Add(x, by int64) int64 {
	sum := x + by
	switch {
	case by > 0 && sum < x:
		return math.MaxInt64
	case by < 0 && sum > x:
		return math.MinInt64
	}
	return sum
}

// Mod returns x modulo period, which is in [0, period) also before 1970.
func Mod(x, period int64) int64 {
	if r := x % period; r < 0 {
		return r + period
	} else {
		return r
	}
}

// RoundUp returns the shortest length, not below d, that axes of time are divided into: 1, 2 and 5 of a power of ten
// up to seconds, then what divides a minute, an hour or a day, and days.
func RoundUp(d time.Duration) time.Duration {
	for unit := time.Millisecond; unit <= time.Second; unit *= 10 {
		for _, f := range [...]time.Duration{1, 2, 5} {
			if f*unit >= d {
				return f * unit
			}
		}
	}
	for _, round := range [...]time.Duration{
		10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if round >= d {
			return round
		}
	}
	const day = 24 * time.Hour
	return (d + day - 1) / day * day
}
