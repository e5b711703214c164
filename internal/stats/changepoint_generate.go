package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// generator draws series without a change that have the noise of an observed one.
type generator struct {
	d      *detector // of what is drawn
	noise  changeNoise
	values []float64
	// Of counts, the observations are quantiles of their distributions at the probabilities that a normal
	// autoregression of variance 1 has.
	laws  []*countLaw // by observation
	sigma float64     // of the innovations of the normal autoregression
}

// warmUp is how many steps an autoregression is run before it counts: it begins at its mean.
const warmUp = 60

func newGenerator(d *detector, a changeNoise) *generator {
	g := &generator{noise: a, values: make([]float64, len(d.series.Values))}
	g.d = d.replica(g.values)
	if !d.isCount() {
		return g
	}
	gain, _ := varianceGain(a.coefficient)
	g.sigma = 1 / math.Sqrt(max(gain, 1))
	same := map[float64]*countLaw{} // by size; only looked up
	g.laws = make([]*countLaw, len(g.values))
	for i, size := range d.series.Sizes {
		law := same[size]
		if law == nil {
			law = newCountLaw(d.series.Model, size, d.rate, a.variance)
			same[size] = law
		}
		g.laws[i] = law
	}
	return g
}

// replicate draws a series, and returns the gain of the clearest change in it, and its noise as one would estimate it.
// Its coefficients are valid until the next call.
func (g *generator) replicate(random *Rand) (gain float64, noise changeNoise) {
	values := g.draw(random)
	gain, changes := g.d.scan(values)
	return gain, g.d.estimate(values, changes)
}

// draw returns a series, valid until the next call.
func (g *generator) draw(random *Rand) []float64 {
	var recent [maxOrder]float64 // the latest first
	start := 0
	if len(g.noise.coefficient) > 0 {
		start = -warmUp
	}
	n := len(g.noise.innovations)
	// The autoregression is not known exactly either.
	coefficient := g.noise.coefficient
	if len(coefficient) > 0 {
		off := float64(g.noise.unsure * special.NormalQuantile(random.Float64()+1.0/(1<<54)))
		coefficient = persistent(coefficient, off)
	}
	for t := start; t < len(g.values); t++ {
		x := 0.0
		if g.laws != nil {
			x = float64(g.sigma * special.NormalQuantile(random.Float64()+1.0/(1<<54)))
		} else {
			x = g.noise.innovations[random.IntN(n)]
		}
		for i, c := range coefficient {
			x += float64(c * recent[i])
		}
		copy(recent[1:], recent[:maxOrder-1])
		recent[0] = x
		switch {
		case t < 0:
		case g.laws != nil:
			g.values[t] = g.laws[t].quantile(x)
		default:
			g.values[t] = x
		}
	}
	return g.values
}

// A countLaw is the distribution of a count: Poisson's or the binomial one, or where it is more spread than that,
// the negative binomial or the beta-binomial one, in which the rate varies.
type countLaw struct {
	// below is the standard normal quantile of the probability of at most k; it is nil where the variance is
	// so large that the count is nearly normal.
	below []float64
	// A share above a half is counted down from this.
	from                float64
	mean, sd, skew, max float64
}

// manyCounts is the variance above which a count is near enough to normal, but for its skewness.
const manyCounts = 100

// longestLaw is how many counts are listed at most.
const longestLaw = 2000

func newCountLaw(model ChangeModel, size, rate, dispersion float64) *countLaw {
	l := &countLaw{mean: float64(size * rate), max: math.Inf(1)}
	if model == ShareChange {
		l.max = size
		if rate > 0.5 {
			rate, l.from = 1-rate, size
		}
		if size <= 1.5 {
			dispersion = 1 // one trial is not spread
		}
		dispersion = min(dispersion, max(0.9*size, 1))
	}
	variance, skew := float64(size*rate), 1.0
	if model == ShareChange {
		variance, skew = float64(variance*(1-rate)), 1-float64(2*rate)
	}
	variance *= dispersion
	l.sd = math.Sqrt(variance)
	if l.from > 0 {
		skew = -skew
	}
	l.skew = skew * (2*dispersion - 1) / max(l.sd, 1e-9) / 6
	if variance > manyCounts {
		return l
	}
	mass, next := masses(model, size, rate, dispersion)
	below, sum := []float64(nil), 0.0
	for k := 0.0; sum < 1-1e-12 && k <= l.max && k < longestLaw; k++ {
		sum += mass
		below = append(below, special.NormalQuantile(min(sum, 1)))
		mass = float64(mass * next(k))
	}
	if sum > 0.999 {
		l.below = below
	}
	return l
}

// masses returns the probability of no event, and by how much k+1 are more probable than k.
func masses(model ChangeModel, size, rate, dispersion float64) (first float64, next func(k float64) float64) {
	mean := float64(size * rate)
	isSpread := dispersion > 1.001
	switch {
	case model == ShareChange && isSpread:
		// The rate is a beta variable with parameters a and b.
		total := (size - 1) / (dispersion - 1)
		total = max(total-1, 1e-3)
		a, b := float64(rate*total), float64((1-rate)*total)
		first = special.Exp(special.LogGamma(size+b) - special.LogGamma(b) + special.LogGamma(total) - special.LogGamma(size+total))
		return first, func(k float64) float64 {
			return float64((size-k)*(k+a)) / float64((k+1)*max(size-k-1+b, 1e-9))
		}
	case model == ShareChange:
		odds := rate / (1 - rate)
		return special.Exp(size * special.Log1p(-rate)), func(k float64) float64 { return max(size-k, 0) / (k + 1) * odds }
	case isSpread:
		// The rate is a gamma variable of this shape.
		shape := mean / (dispersion - 1)
		q := 1 - 1/dispersion
		return special.Exp(-shape * special.Log(dispersion)), func(k float64) float64 { return (k + shape) / (k + 1) * q }
	}
	return special.Exp(-mean), func(k float64) float64 { return mean / (k + 1) }
}

// quantile returns the count at the probability of a standard normal variable below z.
func (l *countLaw) quantile(z float64) float64 {
	switch {
	case l.below == nil:
		x := l.mean + float64(l.sd*(z+float64(l.skew*(float64(z*z)-1))))
		return min(max(math.Round(x), 0), l.max)
	case l.from > 0:
		k, _ := slices.BinarySearch(l.below, -z)
		return max(l.from-float64(k), 0)
	}
	k, _ := slices.BinarySearch(l.below, z)
	return min(float64(k), l.max)
}
