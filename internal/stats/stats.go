// Package stats holds the statistics that the analyses share: intervals, exact tests, permutation nulls,
// corrections for multiple testing, sampling weights, and the random numbers for them.
//
// The unit of a sample is the trace, or a cluster of traces that depend on each other (a user, a session):
// never the span. Rows that depend on each other and are counted as if they did not make every test find
// something.
//
//   - Effects come with an interval: an [Estimate] holds both, and says what level it reaches. Where the data
//     can't bound a side, that side is infinite, never the largest value seen.
//   - Tests of few or tied observations are exact. [Table.Fisher] always is; [MannWhitney] says which it was.
//     [Table.SmallestP] says what no data with these margins could reach.
//   - [Relabellings] and [StepDown] are the null distribution for many tests at once; [Holm] and
//     [BenjaminiHochberg] are for p-values that stand alone.
//
// Everything is deterministic: the same arguments give the same bits on every port, at any parallelism,
// because nothing rests on package math's assembly (see package special), on a shared random stream, or on
// the order of a map. A result still depends on the order of its arguments where a sum does; callers bring
// them into a total order first, and compare results with [Compare], which ignores the last digits.
//
// No function panics on data, or changes its arguments. A question that the data can't answer (no
// observations, a NaN, a negative count) has NaN as its answer, and an Estimate of NaNs.
package stats

import (
	"cmp"
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// An Estimate is an effect and its confidence interval.
type Estimate struct {
	Value  float64 // the point estimate; NaN if there is none
	Lo, Hi float64 // the limits; infinite on a side that the data don't bound
	Level  float64 // the confidence reached, such as 0.957: for exact intervals it may exceed what was asked for
}

// undefined is the answer to a question that the data can't answer.
func undefined() Estimate {
	return Estimate{Value: math.NaN(), Lo: math.NaN(), Hi: math.NaN(), Level: math.NaN()}
}

// Defined reports whether there is a point estimate.
func (e Estimate) Defined() bool { return !math.IsNaN(e.Value) }

// Bounded reports whether there is a point estimate and the data bound it on both sides. An estimate that is
// not bounded is to be printed as "not estimable".
func (e Estimate) Bounded() bool {
	return e.Defined() && !math.IsInf(e.Lo, 0) && !math.IsInf(e.Hi, 0) && !math.IsNaN(e.Lo) && !math.IsNaN(e.Hi)
}

// An Alternative is the direction in which a test looks for a difference.
type Alternative uint8

// The alternatives. Of two groups, Greater says that the first has the larger values or proportion.
const (
	TwoSided Alternative = iota
	Greater
	Less
)

// validLevel reports whether level is a confidence level: strictly between 0 and 1.
func validLevel(level float64) bool { return level > 0 && level < 1 }

// criticalValue returns the normal quantile for a two-sided interval, such as 1.96 for 0.95.
func criticalValue(level float64) float64 { return -special.NormalQuantile((1 - level) / 2) }

// Quantise rounds x to 30 significant bits, a relative step of 9.3e-10, so that results which should be equal
// but were reached in different ways become equal. Zero loses its sign and every NaN becomes the same one.
//
// Two numbers on either side of a rounding boundary stay different however close they are: quantised values
// break ties, they don't measure nearness.
func Quantise(x float64) float64 {
	const dropped = 52 - 30
	switch {
	case math.IsNaN(x):
		return math.NaN()
	case x == 0:
		return 0
	case math.IsInf(x, 0):
		return x
	}
	bits := math.Float64bits(x)
	rounded := math.Float64frombits((bits + 1<<(dropped-1)) &^ (1<<dropped - 1))
	if math.IsInf(rounded, 0) {
		return math.Float64frombits(bits &^ (1<<dropped - 1))
	}
	return rounded
}

// Compare orders a and b as [cmp.Compare] does, after [Quantise]: the order for ranking scores, with the
// caller's ids to break the ties. NaN comes first.
func Compare(a, b float64) int { return cmp.Compare(Quantise(a), Quantise(b)) }
