package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// maxOrder is how many steps an autoregression goes back at most.
const maxOrder = 5

// A detector looks for changes in one series and in replicates of it.
type detector struct {
	series     ChangeSeries
	minSegment int
	costs      *costs
	lengths    []int   // of intervals that are looked at
	rate       float64 // the level of the whole: of counts, for each unit of their size
}

func newDetector(s ChangeSeries, minSegment int) *detector {
	d := &detector{series: s, minSegment: minSegment, costs: newCosts(s)}
	n := len(s.Values)
	for l := minSegment; l <= n-2*minSegment; l = max(l+1, l*3/2) {
		d.lengths = append(d.lengths, l)
	}
	d.rate = d.costs.level(0, n)
	return d
}

// secondGain is what a second change gains at least, in squared standard deviations, to count.
const secondGain = 20

// scan returns the largest gain for each change that one change, or an interval between two, makes, and where the
// two changes are that gain most together, or the one where there is no room for two: what remains between and
// beside them is the noise. Each length of an interval that is looked at is half as long again as the last; its
// ends are then moved to where they gain most.
func (d *detector) scan(values []float64) (gain float64, changes []int) {
	c, n := d.costs, len(values)
	c.fill(values)
	whole := c.cost(0, n)
	head, tail := make([]float64, n+1), make([]float64, n+1)
	single := 0
	for k := d.minSegment; k <= n-d.minSegment; k++ {
		head[k], tail[k] = c.cost(0, k), c.cost(k, n)
		if g := whole - head[k] - tail[k]; g > gain {
			gain, single = g, k
		}
	}
	pair, from, to := 0.0, 0, 0
	look := func(i, j int) {
		if g := whole - head[i] - tail[j] - c.cost(i, j); g > pair {
			pair, from, to = g, i, j
		}
	}
	for _, l := range d.lengths {
		for i := d.minSegment; i+l <= n-d.minSegment; i++ {
			look(i, i+l)
		}
	}
	if to > 0 {
		for j, i := from+d.minSegment, from; j <= n-d.minSegment; j++ {
			look(i, j)
		}
		for i, j := d.minSegment, to; i <= j-d.minSegment; i++ {
			look(i, j)
		}
	}
	// A second change that gains less than chance does is left to the noise.
	second := 1.0
	if d.series.Model == MeanChange {
		second = (whole - pair) / float64(n)
	}
	changes = []int{single}
	if pair/2 > gain || pair-gain > float64(secondGain*second) {
		changes = []int{from, to}
	}
	if gain = max(gain, pair/2); gain <= 0 {
		return 0, nil
	}
	return gain, changes
}

// changeNoise is what remains of a series about its levels: an autoregression.
type changeNoise struct {
	variance    float64   // of an observation; of counts, in units of their nominal one
	coefficient []float64 // of the observations before, the nearest first
	innovations []float64 // centred, and scaled to the variance that makes that of the observations
	scale       float64   // variance times inflation
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

// noise fits an autoregression to what remains of values after the given changes, and of a long
// series a trend within each segment: a slow change must not be taken for autocorrelation.
func (d *detector) noise(values []float64, changes []int) changeNoise {
	trends := len(values) >= trendsFrom
	residuals := d.residuals(values, changes, trends, false)
	parameters := len(changes) + 1
	if trends {
		parameters *= 2
	}
	n := float64(len(values))
	spare := max(n-float64(parameters), n/4)
	var squares summer
	for _, r := range residuals {
		squares.add(float64(r * r))
	}
	a := changeNoise{variance: squares.sum() / spare}
	if a.variance <= 1e-18 {
		a.variance = 0
	}
	order := burg(residuals, d.order())
	var steps summer
	for i := 1; i < len(residuals); i++ {
		step := residuals[i] - residuals[i-1]
		steps.add(float64(step * step))
	}
	a.floor = steps.sum() / float64(2*(n-1))
	a.coefficient, a.innovations = order, innovations(residuals, order)
	persistence := 0.0
	for _, c := range order {
		persistence += c
	}
	// Autocorrelation is underestimated by so much where so many parameters were fitted: for one and two
	// it is the bias of F. H. C. Marriott and J. A. Pope (1954) and of a trend.
	q := float64(parameters)
	if len(order) > 0 {
		corrected := (persistence + q/n) / max(1-(q+2)/n, 0.5)
		corrected = min(corrected, 0.97)
		if corrected > persistence {
			order[0] += corrected - persistence
			persistence = corrected
		}
	}
	if d.isCount() {
		a.variance = max(a.variance, 1)
	}
	var own summer
	for _, e := range a.innovations {
		own.add(float64(e * e))
	}
	gainOf, ok := varianceGain(order)
	if !ok {
		order, persistence, gainOf = nil, 0, 1
		a.coefficient = nil
	}
	// The variance of observations is gainOf times that of innovations, and their long-run variance
	// 1/(1-persistence)² times.
	innovation := a.variance / gainOf
	a.scale = innovation / float64((1-persistence)*(1-persistence))
	if d.isCount() {
		a.scale = max(a.scale, 1)
		a.floor = max(a.floor, 1)
	}
	if mean := own.sum() / float64(len(a.innovations)); mean > 0 {
		f := math.Sqrt(innovation / mean)
		for i := range a.innovations {
			a.innovations[i] *= f
		}
	}
	if d.series.Model == MeanVarianceChange {
		a.scale, a.floor = 1, 1 // a cost in logarithms of variances has no unit
	}
	return a
}

// criterion returns minus twice the log-likelihood of levels that change, and an autoregression about them, with
// a penalty for each change.
func (d *detector) criterion(values []float64, changes []int, penalty float64) float64 {
	residuals := d.residuals(values, changes, false, true)
	left := innovations(residuals, burg(residuals, d.order()))
	var squares summer
	for _, e := range left {
		squares.add(float64(e * e))
	}
	n := float64(len(values))
	return float64(n*special.Log(max(squares.sum()/float64(len(left)), 1e-18))) + float64(penalty*float64(len(changes)))
}

// order is how many steps an autoregression of the series goes back at most.
func (d *detector) order() int { return min(maxOrder, max(len(d.series.Values)/24, 1)) }

// residuals returns what remains of values after the levels, and trends, of the segments between changes: of counts
// in units of their nominal standard deviation at the level of the segment, or of all.
func (d *detector) residuals(values []float64, changes []int, trends, ofAll bool) []float64 {
	residuals := make([]float64, len(values))
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

// burg returns the coefficients of the autoregression of at most the given order that has the smallest
// information criterion of H. Akaike (1974, doi:10.1109/TAC.1974.1100705), by J. P. Burg's method, which keeps
// it stationary (1975; as in Numerical Recipes, 13.6).
func burg(xs []float64, maxOrder int) []float64 {
	n := len(xs)
	forward, backward := slices.Clone(xs), slices.Clone(xs)
	var power summer
	for _, x := range xs {
		power.add(float64(x * x))
	}
	variance := power.sum() / float64(n)
	var coefficient, best []float64
	if variance <= 0 {
		return nil
	}
	least := float64(n) * special.Log(variance)
	for m := 1; m <= maxOrder; m++ {
		var product, squares summer
		for t := m; t < n; t++ {
			product.add(float64(forward[t] * backward[t-1]))
			squares.add(float64(forward[t]*forward[t]) + float64(backward[t-1]*backward[t-1]))
		}
		if squares.sum() <= 0 {
			break
		}
		k := 2 * product.sum() / squares.sum()
		next := make([]float64, m)
		for i := range coefficient {
			next[i] = coefficient[i] - float64(k*coefficient[m-2-i])
		}
		next[m-1] = k
		coefficient = next
		if variance *= 1 - float64(k*k); variance <= 0 {
			break
		}
		for t := n - 1; t >= m; t-- {
			f := forward[t]
			forward[t] = f - float64(k*backward[t-1])
			backward[t] = backward[t-1] - float64(k*f)
		}
		if aic := float64(n)*special.Log(variance) + float64(2*m); m == 1 || aic < least {
			least, best = aic, coefficient
		}
	}
	return slices.Clone(best)
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

// statistic makes a test statistic of a gain: twice the logarithm of a likelihood ratio, whose tail is nearly
// exponential although the spread is estimated too.
func (d *detector) statistic(gain float64, a changeNoise) float64 {
	switch d.series.Model {
	case MeanVarianceChange:
		return gain
	case MeanChange:
		n := float64(len(d.series.Values))
		return float64(n * special.Log1p(gain/max(a.scale, 1e-12)/n))
	}
	return gain / max(a.scale, 1)
}

// gainOf is the inverse of statistic, in units of the noise's scale.
func (d *detector) gainOf(statistic float64) float64 {
	if d.series.Model != MeanChange {
		return statistic
	}
	n := float64(len(d.series.Values))
	return float64(n * special.Expm1(statistic/n))
}

// calibrated returns the noise of a series without a change of which one would estimate a, on average: the changes
// and trends that are fitted take some of the autocorrelation, and of the spread of counts, with them.
func (d *detector) calibrated(a changeNoise, seed uint64) changeNoise {
	want, spread := Sum(a.coefficient), a.variance
	for round := range uint64(calibrations) {
		g := newGenerator(d, a)
		estimates, variances := make([]float64, calibrationSize), make([]float64, calibrationSize)
		for i := range estimates {
			values := g.draw(NewRand(seed, round+1, uint64(i)))
			_, changes := g.d.scan(values)
			b := g.d.noise(values, changes)
			estimates[i], variances[i] = Sum(b.coefficient), b.variance
		}
		a.coefficient = persistent(a.coefficient, want-Mean(estimates))
		a.unsure = math.Sqrt(Variance(estimates))
		if d.isCount() && spread > 1 { // of measurements the unit does not matter
			a.variance = min(max(a.variance*spread/Mean(variances), 1), 2*spread)
		}
	}
	return a
}

const (
	calibrations    = 2
	calibrationSize = 40
	// mostPersistent bounds the sum of the coefficients of an autoregression.
	mostPersistent = 0.97
)

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

// changeNull is the distribution of the statistic of series without a change.
type changeNull struct {
	sorted   []float64 // the statistics of replicates, ascending
	observed float64   // the statistic that drawing stopped at, and how often it was exceeded
	stopped  bool
}

// enough is how many replicates that exceed what was observed end the drawing: J. Besag and P. Clifford (1991,
// doi:10.1093/biomet/78.2.301).
const enough = 20

// null draws the distribution. It stops early where the observed statistic is none to speak of.
func (d *detector) null(a changeNoise, cfg ChangeConfig, observed float64) changeNull {
	g := newGenerator(d, d.calibrated(a, cfg.Seed))
	var statistics []float64
	exceeded := 0
	for i := range cfg.Replicates {
		values := g.draw(NewRand(cfg.Seed, uint64(i)))
		gain, changes := g.d.scan(values)
		s := g.d.statistic(gain, g.d.noise(values, changes))
		statistics = append(statistics, s)
		if s >= observed {
			if exceeded++; exceeded >= enough {
				break
			}
		}
	}
	slices.Sort(statistics)
	return changeNull{sorted: statistics, observed: observed, stopped: exceeded >= enough}
}

// p returns the probability of a statistic at least as large. Beyond the largest few of the null it goes on
// as an exponential does that has the same mean excess (after T. A. Knijnenburg et al., 2009,
// doi:10.1093/bioinformatics/btp211, with the shape of a likelihood ratio).
func (u changeNull) p(statistic float64) float64 {
	n := len(u.sorted)
	at, _ := slices.BinarySearch(u.sorted, statistic)
	exceeded := n - at
	if u.stopped && statistic == u.observed {
		return float64(exceeded) / float64(n)
	}
	upper := n / 10
	if exceeded >= 10 || upper < 10 {
		return (float64(exceeded) + 1) / (float64(n) + 1)
	}
	from := u.sorted[n-upper-1]
	excess := 0.0
	for _, s := range u.sorted[n-upper:] {
		excess += s - from
	}
	excess = max(excess/float64(upper), 2)
	return max(float64(upper)/float64(n)*special.Exp(-(statistic-from)/excess), 1e-15)
}

// quantile returns the q-quantile of the null.
func (u changeNull) quantile(q float64) float64 {
	n := len(u.sorted)
	return u.sorted[min(int(math.Ceil(float64(q*float64(n+1))))-1, n-1)]
}
