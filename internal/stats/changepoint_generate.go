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
	// autoregression of variance 1 has. Where they are more spread than Poisson's or binomial ones, what is
	// counted is clusters, each of as many events as the dispersion is.
	laws  []*countLaw // by observation
	sigma float64     // of the innovations of the normal autoregression
}

// warmUp is how many steps an autoregression is run before it counts: it begins at its mean.
const warmUp = 60

func newGenerator(d *detector, a changeNoise) *generator {
	g := &generator{noise: a, values: make([]float64, len(d.series.Values))}
	drawn := ChangeSeries{Model: d.series.Model, Values: g.values, Sizes: d.series.Sizes}
	if !d.isCount() {
		g.d = newDetector(drawn, d.minSegment)
		return g
	}
	gain, _ := varianceGain(a.coefficient)
	g.sigma = 1 / math.Sqrt(max(gain, 1))
	drawn.Sizes = slices.Clone(drawn.Sizes)
	same := map[float64]*countLaw{} // by size; only looked up
	g.laws = make([]*countLaw, len(g.values))
	for i, size := range drawn.Sizes {
		size /= a.variance
		if d.series.Model == ShareChange {
			size = max(math.Round(size), 1)
		}
		drawn.Sizes[i] = size
		law := same[size]
		if law == nil {
			law = newCountLaw(d.series.Model, size, d.rate)
			same[size] = law
		}
		g.laws[i] = law
	}
	g.d = newDetector(drawn, d.minSegment)
	g.d.unit = a.variance
	return g
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

// A countLaw is Poisson's distribution, or the binomial one.
type countLaw struct {
	// below is the standard normal quantile of the probability of at most k; it is nil where the variance is
	// so large that the count is nearly normal.
	below []float64
	// A binomial count of a probability above a half is counted down from this.
	from                float64
	mean, sd, skew, max float64
}

// manyCounts is the variance above which a count is near enough to normal.
const manyCounts = 60

func newCountLaw(model ChangeModel, size, rate float64) *countLaw {
	l := &countLaw{mean: float64(size * rate), max: math.Inf(1)}
	variance, skew := l.mean, 1.0
	if model == ShareChange {
		l.max = size
		variance, skew = float64(l.mean*(1-rate)), 1-float64(2*rate)
	}
	l.sd = math.Sqrt(variance)
	if variance > manyCounts {
		l.skew = skew / l.sd / 6
		return l
	}
	if model == ShareChange && rate > 0.5 {
		rate, l.from = 1-rate, size
	}
	mass, sum := special.Exp(-float64(size*rate)), 0.0
	if model == ShareChange {
		mass = special.Exp(size * special.Log1p(-rate))
	}
	for k := 0.0; sum < 1-1e-12 && mass > 1e-30; k++ {
		sum += mass
		l.below = append(l.below, special.NormalQuantile(min(sum, 1)))
		if model == ShareChange {
			mass *= (size - k) / (k + 1) * (rate / (1 - rate))
		} else {
			mass *= float64(size*rate) / (k + 1)
		}
	}
	return l
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
