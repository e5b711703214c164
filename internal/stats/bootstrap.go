package stats

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// A Bootstrap says how to resample. Its zero value is 2,000 replicates at level 0.95 with seed 0, of units that
// are independent.
type Bootstrap struct {
	Replicates int     // how many; 0 means 2,000
	Level      float64 // of the intervals; 0 means 0.95
	Seed       uint64
	// Clusters[i] is the cluster of unit i: clusters are then drawn whole, because their units depend on each
	// other. Nil means that each unit is its own.
	Clusters []int
}

// A BootstrapResult holds two intervals for one statistic. BCa is the better one wherever it is bounded;
// Percentile is what it is commonly compared with.
type BootstrapResult struct {
	Percentile, BCa Estimate
	Undefined       int // in how many replicates the statistic was NaN; they are left out
}

// Intervals returns bootstrap intervals for a statistic of units 0, 1, …, n-1, which may repeat in a replicate.
// The slice that statistic is given is only valid during the call.
//
// BCa corrects the percentile interval for bias and skewness: B. Efron (1987,
// doi:10.1080/01621459.1987.10478410), with the acceleration from a jackknife over at most 200 groups of
// clusters. The intervals are unbounded for fewer than two clusters, or when no more than half of the
// replicates are defined. Known failures: the mean of heavy-tailed data (coverage 0.79 at n = 30 and 0.89 at
// n = 300 for a lognormal with σ = 1.5, at level 0.95), the extremes of a sample, and fewer than about 20 clusters.
func (b Bootstrap) Intervals(n int, statistic func(units []int) float64) BootstrapResult {
	if b.Replicates <= 0 {
		b.Replicates = 2000
	}
	if b.Level == 0 {
		b.Level = 0.95
	}
	if n <= 0 || statistic == nil || !validLevel(b.Level) || (b.Clusters != nil && len(b.Clusters) != n) {
		return BootstrapResult{undefined(), undefined(), 0}
	}
	clusters := b.clusters(n)
	units := make([]int, 0, n)
	for _, c := range clusters {
		units = append(units, c...)
	}
	estimate := statistic(units)
	if math.IsNaN(estimate) {
		return BootstrapResult{undefined(), undefined(), 0}
	}
	unbounded := Estimate{Value: estimate, Lo: math.Inf(-1), Hi: math.Inf(1), Level: b.Level}
	result := BootstrapResult{unbounded, unbounded, 0}
	if len(clusters) < 2 {
		return result
	}

	values := make([]float64, b.Replicates)
	for i := range values {
		random := NewRand(b.Seed, uint64(i))
		units = units[:0]
		for range clusters {
			units = append(units, clusters[random.IntN(len(clusters))]...)
		}
		values[i] = statistic(units)
	}
	replicates := NewSample(values)
	result.Undefined = replicates.NaN()
	if replicates.N() <= b.Replicates/2 {
		return result
	}
	tail := float64((1 - b.Level) / 2)
	result.Percentile.Lo = replicates.Quantile(tail)
	result.Percentile.Hi = replicates.Quantile(1 - tail)

	below := 0.0
	for _, v := range replicates.values {
		switch Compare(v, estimate) {
		case -1:
			below++
		case 0:
			below += 0.5
		}
	}
	bias := special.NormalQuantile(below / float64(replicates.N()))
	acceleration := jackknifeAcceleration(clusters, units, statistic)
	corrected := func(z float64) float64 {
		z += bias
		return replicates.Quantile(special.NormalCDF(bias + z/(1-float64(acceleration*z))))
	}
	z := criticalValue(b.Level)
	lo, hi := corrected(-z), corrected(z)
	if !math.IsInf(bias, 0) && lo <= hi {
		result.BCa.Lo, result.BCa.Hi = lo, hi
	}
	return result
}

// clusters returns the units of each cluster, in the order in which clusters first occur.
func (b Bootstrap) clusters(n int) [][]int {
	var clusters [][]int
	place := make(map[int]int)
	for i := range n {
		id := i
		if b.Clusters != nil {
			id = b.Clusters[i]
		}
		k, ok := place[id]
		if !ok {
			k = len(clusters)
			place[id] = k
			clusters = append(clusters, nil)
		}
		clusters[k] = append(clusters[k], i)
	}
	return clusters
}

// jackknifeAcceleration returns BCa's acceleration: a sixth of the skewness of what leaving out each cluster,
// or each of 200 groups of clusters, changes. It is 0 if nothing changes.
func jackknifeAcceleration(clusters [][]int, buffer []int, statistic func([]int) float64) float64 {
	groups := min(len(clusters), 200)
	var values []float64
	for g := range groups {
		buffer = buffer[:0]
		for i, c := range clusters {
			if i%groups != g {
				buffer = append(buffer, c...)
			}
		}
		if v := statistic(buffer); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	mean := Mean(values)
	var squares, cubes summer
	for _, v := range values {
		d := mean - v
		squares.add(float64(d * d))
		cubes.add(float64(d * d * d))
	}
	if s := squares.sum(); s > 0 {
		if a := cubes.sum() / (6 * s * math.Sqrt(s)); !math.IsNaN(a) && !math.IsInf(a, 0) {
			return a
		}
	}
	return 0
}
