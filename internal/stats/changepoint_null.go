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
	for round, size := range calibrations {
		g := newGenerator(d, a)
		estimates, variances := make([]float64, size), make([]float64, size)
		for i := range estimates {
			_, b := g.replicate(NewRand(seed, uint64(round)+1, uint64(i)))
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

// calibrations are how many series each round of the calibration draws. The first only has to come near.
var calibrations = [...]int{20, 40}

// mostPersistent bounds the sum of the coefficients of an autoregression.
const mostPersistent = 0.97

// changeNull is the distribution of the statistic of series without a change.
type changeNull struct {
	sorted   []float64 // the statistics of replicates, ascending
	observed float64   // the statistic that drawing stopped at, and how often it was exceeded
	stopped  bool
}

const (
	// fewestExceeded is how many replicates that exceed what was observed end the drawing at least.
	fewestExceeded = 10
	// The largest of so many replicates each say how the null goes on beyond them, if they are not too few.
	tailPart, tailFewest = 10, 10
	// clearAfter replicates a probability below this part of alpha is not going to be above it.
	clearAfter, clearPart = tailPart * tailFewest, 0.001
)

// null draws the distribution. It stops early where it has become certain that the observed statistic is none to
// speak of (J. Besag and P. Clifford, 1991, doi:10.1093/biomet/78.2.301), and where there is no doubt that it is.
func (d *detector) null(a changeNoise, cfg ChangeConfig, observed float64) changeNull {
	g := newGenerator(d, d.calibrated(a, cfg.Seed))
	u := changeNull{observed: observed}
	enough := max(int(float64(cfg.Alpha*float64(cfg.Replicates)))+1, fewestExceeded)
	exceeded := 0
	for i := range cfg.Replicates {
		gain, noise := g.replicate(NewRand(cfg.Seed, uint64(i)))
		s := d.statistic(gain, noise)
		u.sorted = append(u.sorted, s)
		if s >= observed {
			if exceeded++; exceeded >= enough {
				u.stopped = true
				break
			}
		}
		if i+1 == clearAfter && exceeded == 0 {
			if slices.Sort(u.sorted); u.p(observed) < clearPart*cfg.Alpha {
				break
			}
		}
	}
	slices.Sort(u.sorted)
	return u
}

// tail returns the share of the largest replicates, and what the exponential that goes on beyond them begins at, and
// its mean (after T. A. Knijnenburg et al., 2009, doi:10.1093/bioinformatics/btp211, with the shape of a likelihood
// ratio, so that the mean is no less than 2). The share is 0 where replicates are too few.
func (u changeNull) tail() (share, from, excess float64) {
	n := len(u.sorted)
	upper := n / tailPart
	if upper < tailFewest {
		return 0, 0, 0
	}
	from = u.sorted[n-upper-1]
	for _, s := range u.sorted[n-upper:] {
		excess += s - from
	}
	return float64(upper) / float64(n), from, max(excess/float64(upper), 2)
}

// p returns the probability of a statistic at least as large.
func (u changeNull) p(statistic float64) float64 {
	n := len(u.sorted)
	at, _ := slices.BinarySearch(u.sorted, statistic)
	exceeded := n - at
	if u.stopped && statistic == u.observed {
		return float64(exceeded) / float64(n)
	}
	share, from, excess := u.tail()
	if exceeded >= tailFewest || share == 0 {
		return (float64(exceeded) + 1) / (float64(n) + 1)
	}
	return max(share*special.Exp(-(statistic-from)/excess), 1e-15)
}

// quantile returns the q-quantile of the null.
func (u changeNull) quantile(q float64) float64 {
	if share, from, excess := u.tail(); 1-q < share {
		return from + float64(excess*special.Log(share/(1-q)))
	}
	n := len(u.sorted)
	return u.sorted[min(int(math.Ceil(float64(q*float64(n+1))))-1, n-1)]
}
