package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// maxOrder is how many steps an autoregression goes back at most.
const maxOrder = 5

// changeNoise is what remains of a series about its levels: an autoregression.
type changeNoise struct {
	variance    float64   // of an observation; of counts, in units of their nominal one
	coefficient []float64 // of the observations before, the nearest first
	innovations []float64 // centred, and scaled to the variance that makes that of the observations
	scale       float64   // variance times inflation
	innovation  float64   // the variance of an innovation
	unsure      float64   // the standard error of the sum of the coefficients
	floor       float64   // half the mean squared difference of neighbours: what no change contributes to
}

func (a changeNoise) spread() float64 { return math.Sqrt(a.variance) }

func (a changeNoise) inflation() float64 {
	if a.variance <= 0 {
		return 1
	}
	return a.scale / a.variance
}

// trendsFrom is how many observations a series has at least for trends to be told from autocorrelation.
const trendsFrom = 160

// noise fits an autoregression to what remains of values after the given changes.
func (d *detector) noise(values []float64, changes []int) changeNoise {
	a := d.estimate(values, changes)
	a.coefficient = slices.Clone(a.coefficient)
	residuals := d.fit.residuals
	var steps summer
	for i := 1; i < len(residuals); i++ {
		step := residuals[i] - residuals[i-1]
		steps.add(float64(step * step))
	}
	a.floor = steps.sum() / float64(2*(float64(len(values))-1))
	switch {
	case d.series.Model == MeanVarianceChange:
		a.floor = 1
	case d.isCount():
		a.floor = max(a.floor, 1)
	}
	a.innovations = innovations(residuals, d.fit.fitted)
	var own summer
	for _, e := range a.innovations {
		own.add(float64(e * e))
	}
	if mean := own.sum() / float64(len(a.innovations)); mean > 0 {
		f := math.Sqrt(a.innovation / mean)
		for i := range a.innovations {
			a.innovations[i] *= f
		}
	}
	return a
}

// estimate returns what of the noise its replicates are compared by: all but its innovations and its floor. The
// coefficients are valid until the next call. A trend within each segment of a long series is no noise: a slow change
// must not be taken for autocorrelation.
func (d *detector) estimate(values []float64, changes []int) changeNoise {
	trends := len(values) >= trendsFrom
	d.fit.residuals = d.residuals(d.fit.residuals, values, changes, trends, false)
	parameters := len(changes) + 1
	if trends {
		parameters *= 2
	}
	n := float64(len(values))
	spare := max(n-float64(parameters), n/4)
	var squares summer
	for _, r := range d.fit.residuals {
		squares.add(float64(r * r))
	}
	a := changeNoise{variance: squares.sum() / spare}
	if a.variance <= 1e-18 {
		a.variance = 0
	}
	d.fit.fitted = d.fit.burg(d.fit.residuals, d.order())
	order := append(d.fit.corrected[:0], d.fit.fitted...)
	persistence := 0.0
	for _, c := range order {
		persistence += c
	}
	// Autocorrelation is underestimated by so much where so many parameters were fitted: for one and two
	// it is the bias of F. H. C. Marriott and J. A. Pope (1954) and of a trend.
	q := float64(parameters)
	if len(order) > 0 {
		corrected := (persistence + q/n) / max(1-(q+2)/n, 0.5)
		corrected = min(corrected, mostPersistent)
		if corrected > persistence {
			order[0] += corrected - persistence
			persistence = corrected
		}
	}
	if d.isCount() {
		a.variance = max(a.variance, 1)
	}
	gainOf, ok := varianceGain(order)
	if !ok {
		order, persistence, gainOf = nil, 0, 1
	}
	a.coefficient = order
	// The variance of observations is gainOf times that of innovations, and their long-run variance
	// 1/(1-persistence)² times.
	a.innovation = a.variance / gainOf
	a.scale = a.innovation / float64((1-persistence)*(1-persistence))
	switch {
	case d.series.Model == MeanVarianceChange:
		a.scale = 1 // a cost in logarithms of variances has no unit
	case d.isCount():
		a.scale = max(a.scale, 1)
	}
	return a
}

// criterion returns minus twice the log-likelihood of levels that change, and an autoregression about them, with
// a penalty for each change.
func (d *detector) criterion(values []float64, changes []int, penalty float64) float64 {
	residuals := d.residuals(nil, values, changes, false, true)
	left := innovations(residuals, d.fit.burg(residuals, d.order()))
	var squares summer
	for _, e := range left {
		squares.add(float64(e * e))
	}
	n := float64(len(values))
	return float64(n*special.Log(max(squares.sum()/float64(len(left)), 1e-18))) + float64(penalty*float64(len(changes)))
}

// order is how many steps an autoregression of the series goes back at most.
func (d *detector) order() int { return min(maxOrder, max(len(d.series.Values)/24, 1)) }

// residuals returns, in dst if it is long enough, what remains of values after the levels, and trends, of the
// segments between changes: of counts in units of their nominal standard deviation at the level of the segment, or
// of all.
func (d *detector) residuals(dst, values []float64, changes []int, trends, ofAll bool) []float64 {
	residuals := slices.Grow(dst[:0], len(values))[:len(values)]
	from := 0
	for i := 0; i <= len(changes); i++ {
		to := len(values)
		if i < len(changes) {
			to = changes[i]
		}
		d.detrend(values, residuals, from, to, trends, ofAll)
		from = to
	}
	return residuals
}

func (d *detector) isCount() bool {
	return d.series.Model == RateChange || d.series.Model == ShareChange
}

// detrend writes what remains of a segment after its level, or its regression on time.
func (d *detector) detrend(values, residuals []float64, from, to int, trend, ofAll bool) {
	n := float64(to - from)
	middle := float64(n-1) / 2
	sizes := d.series.Sizes
	var level, slope, spread summer
	if d.isCount() {
		rate := d.costs.levelOf(values, from, to)
		variance := rate
		if ofAll {
			variance = d.rate
		}
		if d.series.Model == ShareChange {
			variance *= 1 - variance
		}
		for i := from; i < to; i++ {
			r := 0.0
			if v := float64(variance * sizes[i]); v > 0 {
				r = (values[i] - float64(rate*sizes[i])) / math.Sqrt(v)
			}
			residuals[i] = r
		}
	} else {
		copy(residuals[from:to], values[from:to])
	}
	for i := from; i < to; i++ {
		t := float64(i-from) - middle
		level.add(residuals[i])
		slope.add(float64(t * residuals[i]))
		spread.add(float64(t * t))
	}
	a, b := level.sum()/n, 0.0
	if s := spread.sum(); trend && s > 0 {
		b = slope.sum() / s
	}
	for i := from; i < to; i++ {
		residuals[i] -= a + float64(b*(float64(i-from)-middle))
	}
}

func (c *costs) levelOf(values []float64, from, to int) float64 {
	return Sum(values[from:to]) / (c.sizes[to] - c.sizes[from])
}

// A fitting holds what fits of autoregressions use, so that thousands of them do not allocate it anew.
type fitting struct {
	residuals         []float64
	forward, backward []float64
	fitted            []float64 // the coefficients of the last fit
	best, corrected   [maxOrder]float64
}

// burg returns the coefficients of the autoregression of at most the given order that has the smallest
// information criterion of H. Akaike (1974, doi:10.1109/TAC.1974.1100705), by J. P. Burg's method, which keeps
// it stationary (1975; as in Numerical Recipes, 13.6). They are valid until the next call.
func (f *fitting) burg(xs []float64, order int) []float64 {
	n := len(xs)
	f.forward, f.backward = append(f.forward[:0], xs...), append(f.backward[:0], xs...)
	forward, backward := f.forward, f.backward
	var power summer
	for _, x := range xs {
		power.add(float64(x * x))
	}
	variance := power.sum() / float64(n)
	if variance <= 0 {
		return nil
	}
	var coefficient [maxOrder]float64
	length := 0 // of the best
	least := float64(n) * special.Log(variance)
	for m := 1; m <= order; m++ {
		var product, squares summer
		for t := m; t < n; t++ {
			product.add(float64(forward[t] * backward[t-1]))
			squares.add(float64(forward[t]*forward[t]) + float64(backward[t-1]*backward[t-1]))
		}
		if squares.sum() <= 0 {
			break
		}
		k := 2 * product.sum() / squares.sum()
		last := coefficient
		for i := range m - 1 {
			coefficient[i] = last[i] - float64(k*last[m-2-i])
		}
		coefficient[m-1] = k
		if variance *= 1 - float64(k*k); variance <= 0 {
			break
		}
		for t := n - 1; t >= m; t-- {
			f := forward[t]
			forward[t] = f - float64(k*backward[t-1])
			backward[t] = backward[t-1] - float64(k*f)
		}
		if aic := float64(n)*special.Log(variance) + float64(2*m); m == 1 || aic < least {
			least, length, f.best = aic, m, coefficient
		}
	}
	return f.best[:length]
}

// innovations returns what the observations before do not explain, centred.
func innovations(xs, coefficient []float64) []float64 {
	p := len(coefficient)
	out := make([]float64, 0, len(xs))
	for t := p; t < len(xs); t++ {
		e := xs[t]
		for i, c := range coefficient {
			e -= float64(c * xs[t-1-i])
		}
		out = append(out, e)
	}
	mean := Mean(out)
	for i := range out {
		out[i] -= mean
	}
	return out
}

// varianceGain returns how much larger the variance of an autoregression is than that of its innovations: the
// sum of the squares of its response to one. It is false where that does not end.
func varianceGain(coefficient []float64) (float64, bool) {
	if len(coefficient) == 0 {
		return 1, true
	}
	var recent [maxOrder]float64 // the response, the latest first
	recent[0] = 1
	sum, quiet := 1.0, 0
	for range 5000 {
		next := 0.0
		for i, c := range coefficient {
			next += float64(c * recent[i])
		}
		copy(recent[1:], recent[:maxOrder-1])
		recent[0] = next
		square := float64(next * next)
		sum += square
		if square > 1e6 {
			return 0, false
		}
		if square > float64(1e-9*sum) {
			quiet = 0
		} else if quiet++; quiet >= maxOrder {
			return sum, true
		}
	}
	return 0, false
}

// persistent returns coefficients whose sum is larger, as far as that is bounded.
func persistent(coefficient []float64, more float64) []float64 {
	if len(coefficient) == 0 {
		return nil
	}
	now := Sum(coefficient)
	out := slices.Clone(coefficient)
	out[0] += min(max(now+more, -mostPersistent), mostPersistent) - now
	if _, ok := varianceGain(out); !ok {
		return coefficient
	}
	return out
}
