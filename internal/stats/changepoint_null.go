package stats

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

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
			b := g.d.estimate(values, changes)
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
		s := g.d.statistic(gain, g.d.estimate(values, changes))
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
