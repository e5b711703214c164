package baseline

import (
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// exactPairs is up to how many pairs of a value of one side and one of the other the rank test is exact: beyond, it is
// the normal approximation, which is then near enough, and on the safe side for the smallest p-values.
const exactPairs = 1000

// rankTest returns the two-sided p-value of Mann and Whitney's test on two histograms, whose values tie within a bin,
// and the smallest that it could have been with such ties.
func rankTest(a, b Histogram) (p, smallest float64) {
	n, m := float64(a.N()), float64(b.N())
	if n == 0 || m == 0 {
		return 1, 1
	}
	sd := rankDeviation(a, b)
	if sd == 0 {
		return 1, 1
	}
	if n*m <= exactPairs {
		smallest = special.Exp(-special.LogChoose(int(n+m), int(n))) // of both extremes, ties can make one less extreme
		return stats.MannWhitney(sampleOf(a), sampleOf(b), stats.TwoSided).P, smallest
	}
	pairs := float64(n * m)
	tail := func(deviation float64) float64 {
		return min(2*special.NormalCDF(-max(deviation-0.5, 0)/sd), 1)
	}
	return tail(math.Abs(pairsBelow(a, b) - pairs/2)), tail(pairs / 2)
}

func sampleOf(h Histogram) stats.Sample {
	var xs []float64
	for _, b := range h {
		for range b[1] {
			xs = append(xs, float64(b[0]))
		}
	}
	return stats.NewSample(xs)
}

// pairsBelow counts the pairs of a value of a and a larger one of b, and ties as half.
func pairsBelow(a, b Histogram) float64 {
	u, below := 0.0, 0.0
	for len(b) > 0 {
		for len(a) > 0 && a[0][0] < b[0][0] {
			below += float64(a[0][1])
			a = a[1:]
		}
		ties := 0.0
		if len(a) > 0 && a[0][0] == b[0][0] {
			ties = float64(a[0][1])
		}
		u += float64(float64(b[0][1]) * (below + ties/2))
		b = b[1:]
	}
	return u
}

// rankDeviation returns the standard deviation of pairsBelow if both are of one distribution, given the ties.
func rankDeviation(a, b Histogram) float64 {
	n, m := float64(a.N()), float64(b.N())
	total := n + m
	ties := 0.0
	for _, x := range a.plus(b) {
		t := float64(x[1]) / total
		ties += float64(t * (t - 1/total) * (t + 1/total))
	}
	// The sum over ties is divided by the cube of the total on the way: it would pass the largest float otherwise.
	return math.Sqrt(max(float64(n*m/12)*(total+1-ties*total*total/(total-1)), 0))
}

// ratio estimates by what factor values of b are larger than those of a: the median of all ratios, by Hodges and
// Lehmann's method on the logarithms that the bins are, with the limits that invert the rank test, and a bin more on
// either side for what the bins do not tell apart.
func ratio(a, b Histogram) tracewhy.Estimate {
	if len(a) == 0 || len(b) == 0 {
		return tracewhy.Unknown()
	}
	first := b[0][0] - a[len(a)-1][0]
	pairs := make([]float64, b[len(b)-1][0]-a[0][0]-first+1)
	for _, x := range a {
		for _, y := range b {
			pairs[y[0]-x[0]-first] += float64(float64(x[1]) * float64(y[1]))
		}
	}
	all := float64(float64(a.N()) * float64(b.N()))
	at := func(rank float64) int64 {
		for i, n := range pairs {
			if rank -= n; rank <= 0 {
				return first + int64(i)
			}
		}
		return first + int64(len(pairs)-1)
	}
	middle := math.Floor((all + 1) / 2) // and the next, of an even number
	value := math.Sqrt(float64(powerOfBin(at(middle)) * powerOfBin(at(all-middle+1))))
	e := tracewhy.Estimate{Value: value, Low: 0, High: math.Inf(1)}
	if rank := math.Floor(all/2 - float64(special.NormalQuantile(0.975)*rankDeviation(a, b))); rank >= 1 {
		e.Low, e.High = powerOfBin(at(rank)-1), powerOfBin(at(all-rank+1)+1)
	}
	return e
}

// powerOfBin returns 2^(d/32).
func powerOfBin(d int64) float64 {
	octave := d / perOctave
	if d%perOctave < 0 {
		octave--
	}
	return math.Ldexp(float64(binFloors[d-octave*perOctave]), int(octave)-63)
}
