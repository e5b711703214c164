package scenario

import (
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

const (
	microsecond = int64(1_000)
	millisecond = int64(1_000_000)
	second      = int64(1_000_000_000)
	minute      = 60 * second
	hour        = 60 * minute
)

// A latency is a lognormal distribution of nanoseconds. The zero latency is no time at all.
type latency struct {
	median int64
	sigma  float64 // of the logarithm
}

func (l latency) draw(r *stats.Rand) int64 {
	if l.median == 0 {
		return 0
	}
	return int64(float64(l.median) * special.Exp(float64(l.sigma*normal(r))))
}

// normal draws from the standard normal distribution.
func normal(r *stats.Rand) float64 {
	return special.NormalQuantile((float64(r.Uint64()>>12) + 0.5) / (1 << 52))
}

// exponential draws a waiting time with the given mean.
func exponential(r *stats.Rand, mean int64) int64 {
	return int64(float64(mean) * -special.Log(1-r.Float64()))
}

// chance reports whether something of the given probability happens.
func chance(r *stats.Rand, p float64) bool { return r.Float64() < p }

// between draws uniformly from [lo, hi).
func between(r *stats.Rand, lo, hi float64) float64 { return lo + float64((hi-lo)*r.Float64()) }

// magnitude draws from [lo, hi) so that each factor of two is equally probable.
func magnitude(r *stats.Rand, lo, hi float64) float64 {
	return float64(lo * special.Exp(float64(r.Float64()*special.Log(hi/lo))))
}

// pick draws one of the given things.
func pick[T any](r *stats.Rand, things ...T) T { return things[r.IntN(len(things))] }

// weighted draws an index with probability proportional to its weight.
func weighted(r *stats.Rand, weights []float64) int {
	x := float64(r.Float64() * stats.Sum(weights))
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// shuffle puts things into a random order.
func shuffle[T any](r *stats.Rand, things []T) {
	for i := len(things) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		things[i], things[j] = things[j], things[i]
	}
}

// factor draws a lognormal factor of median 1.
func factor(r *stats.Rand, sigma float64) float64 { return special.Exp(float64(sigma * normal(r))) }
